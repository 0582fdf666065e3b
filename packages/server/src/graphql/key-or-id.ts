import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { RequestContext } from "./request-context.js";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The database id inside a global id of that type, or null when the text is no such id (then it is a key). */
export function idInside(typename: string, text: string): string | null {
  if (!/^[A-Za-z0-9+/_-]{4,120}={0,2}$/.test(text)) return null;
  const [type, id, ...rest] = Buffer.from(text, "base64").toString("utf8").split(":");
  return type === typename && id !== undefined && id !== "" && rest.length === 0 ? id : null;
}

const tables = {
  System: sql.raw("system"),
  Endpoint: sql.raw("endpoint"),
  Integration: sql.raw("integration"),
  Job: sql.raw("job"),
  MaintenanceWindow: sql.raw("maintenance_window"),
} as const;

/** The key that commands know a thing by, from its key or its global id. A key that nothing has comes back as it is: the command refuses it. */
export async function keyOf(context: RequestContext, typename: keyof typeof tables, keyOrId: string): Promise<string> {
  const id = idInside(typename, keyOrId);
  if (id === null || !/^\d{1,9}$/.test(id)) return keyOrId;
  const [row] = await context.database.db.execute<{ key: string }>(
    sql`select key from ${tables[typename]} where id = ${Number(id)}::integer`,
  );
  return row?.key ?? keyOrId;
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
  typename: "Hold" | "ApiToken" | "CalendarFeed" | "Delivery" | "DeadLetter",
  keyOrId: string,
  field: string,
): number {
  const id = idInside(typename, keyOrId) ?? keyOrId;
  if (!/^\d{1,15}$/.test(id))
    throw new DomainError("QSC_ID_MALFORMED", `"${keyOrId.slice(0, 60)}" is not a ${typename}. Expected its id or its key (a number).`, {
      field,
    });
  return Number(id);
}
