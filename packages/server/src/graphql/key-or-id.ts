import { DomainError } from "@quiesce/core";
import { type KeyedTable, keyById } from "../db/key-by-id.js";
import type { RequestContext } from "./request-context.js";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The database id inside a global id of that type, or null when the text is no such id (then it is a key). */
export function idInside(typename: string, text: string): string | null {
  if (!/^[A-Za-z0-9+/_-]{4,120}={0,2}$/.test(text)) return null;
  const [type, id, ...rest] = Buffer.from(text, "base64").toString("utf8").split(":");
  return type === typename && id !== undefined && id !== "" && rest.length === 0 ? id : null;
}

const tables = {
  System: "system",
  Endpoint: "endpoint",
  Integration: "integration",
  Job: "job",
  MaintenanceWindow: "maintenance_window",
} as const satisfies { readonly [typename: string]: KeyedTable };

/** The key that commands know a thing by, from its key or its global id. A key that nothing has comes back as it is: the command refuses it. */
export async function keyOf(context: RequestContext, typename: keyof typeof tables, keyOrId: string): Promise<string> {
  const id = idInside(typename, keyOrId);
  if (id === null || !/^\d{1,9}$/.test(id)) return keyOrId;
  return (await keyById(context.database, tables[typename], Number(id))) ?? keyOrId;
}

/** A run's uuid from itself or its global id. Throws QSC_ID_MALFORMED. */
export function runIdOf(keyOrId: string): string {
  const id = idInside("Run", keyOrId) ?? keyOrId;
  if (!UUID.test(id))
    throw new DomainError("QSC_ID_MALFORMED", `"${keyOrId.slice(0, 60)}" is not a run. Expected its id or its uuid.`, { field: "run" });
  return id.toLowerCase();
}

/** A number from a key as `42` or a global id of that type. Throws QSC_ID_MALFORMED. */
export function numberOf(
  typename:
    | "Hold"
    | "ApiToken"
    | "Principal"
    | "AccessReview"
    | "AccessReviewItem"
    | "CalendarFeed"
    | "Delivery"
    | "DeadLetter"
    | "SyncConflict"
    | "WebhookDelivery"
    | "Reconciliation"
    | "Alert"
    | "Incident"
    | "Problem",
  keyOrId: string,
  field: string,
): number {
  const id = idInside(typename, keyOrId) ?? keyOrId;
  if (!/^\d{1,15}$/.test(id))
    throw new DomainError("QSC_ID_MALFORMED", `"${keyOrId.slice(0, 60)}" names no ${typename}. Expected its id or its key (a number).`, {
      field,
    });
  return Number(id);
}
