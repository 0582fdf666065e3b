import { can } from "@quiesce/core";
import { isNarrowed } from "../access/visible-database.js";
import type { RequestContext } from "../graphql/request-context.js";
import { compileFilter, type LiveFilter } from "./live-filter.js";
import type { LiveItem } from "./live-bus.js";
import { type LogSource, logSource } from "./live-source.js";
import { visibleEvents } from "./visible-events.js";

/** A silent subscription shows this often that it is alive. */
const HEARTBEAT_MS = 15_000;

/**
 * The events that a caller asks for, from a cursor on (null: from now), and of these the ones that it may know of, with a heartbeat in silence. Throws
 * QSC_EVENTS_FILTER_INVALID, and what the bus says of a cursor that it cannot resume.
 */
export async function openLog(
  { bus, principal, database }: RequestContext,
  { after, ...filter }: Omit<LiveFilter, "hidden"> & { readonly after: string | null },
): Promise<LogSource> {
  const matches = compileFilter({
    ...filter,
    ...(can(principal, "tokens.read") ? {} : { hidden: ["token", "principal", "session", "access-review"] }),
  });
  const sees = isNarrowed(principal) ? visibleEvents(database) : undefined;
  return logSource({ place: await bus.open(after), matches, heartbeatMs: HEARTBEAT_MS, sees });
}

/** The number that an event names in its payload, as `{"alert": "17"}` does; null of a heartbeat. */
export function numberNamed(item: LiveItem, field: string): string | null {
  if (item.type === "heartbeat") return null;
  const value = item.event.payload[field];
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? value : null;
}
