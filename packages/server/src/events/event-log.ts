import { DomainError } from "@quiesce/core";
import type { Database } from "../db/client.js";
import { withPayloadInstants } from "./payload-instants.js";

/** One numbered event. Positions are dense: a reader that sees n and then n + 2 has lost something. */
export interface LoggedEvent {
  readonly position: number;
  /** When it was written, epoch milliseconds of the database's clock. */
  readonly at: number;
  readonly kind: string;
  readonly subjectKind: string;
  readonly subjectKey: string;
  readonly integrationKey: string | null;
  readonly payload: { readonly [name: string]: unknown };
}

/** A place in the log: everything up to and with `position` has been seen. A restore changes the epoch. */
export interface EventPlace {
  readonly epoch: string;
  readonly position: number;
}

/** Readers take the log in pages of this many events. */
export const EVENT_PAGE_SIZE = 500;

type Sql = Database["sql"];

const CURSOR = /^1:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(\d{1,15})$/;

/** A cursor is opaque to clients; it names an epoch and a position in it. */
export function encodeCursor(place: EventPlace): string {
  return Buffer.from(`1:${place.epoch}:${place.position}`, "utf8").toString("base64url");
}

/** Reads a cursor that this server, or another one of the deployment, gave out. Throws QSC_EVENTS_CURSOR_MALFORMED. */
export function decodeCursor(cursor: string): EventPlace {
  const match = CURSOR.exec(Buffer.from(cursor.slice(0, 200), "base64url").toString("utf8"));
  const [, epoch, position] = match ?? [];
  if (epoch === undefined || position === undefined) {
    throw new DomainError(
      "QSC_EVENTS_CURSOR_MALFORMED",
      "This is not a cursor of live events. Pass the `cursor` of an event, or `eventCursor` of a query, unchanged.",
      {
        field: "after",
      },
    );
  }
  return { epoch, position: Number(position) };
}

/** The end of the log: a reader that begins here sees what comes next. */
export async function readHead(sql: Sql): Promise<EventPlace> {
  const [row] = await sql<{ epoch: string; position: number }[]>`
    select c.event_epoch::text as epoch, h.last_position::float8 as position from control as c, event_head as h`;
  if (row === undefined) throw new Error("control or event_head has no row.");
  return { epoch: row.epoch, position: row.position };
}

/** How long the oldest event has been waiting for its number. */
export async function readLagMs(sql: Sql): Promise<number> {
  const [row] = await sql<{ lagMs: number }[]>`
    select coalesce(extract(epoch from app_now() - min(at)) * 1000, 0)::float8 as "lagMs" from event_inbox`;
  return row?.lagMs ?? 0;
}

/**
 * Accepts a cursor only if the log it names is this one. Throws QSC_EVENTS_CURSOR_FOREIGN after a restore or a failover that lost data
 * (old positions may then mean other events), QSC_EVENTS_CURSOR_AHEAD for a position that was never given out.
 */
export async function openCursor(sql: Sql, cursor: string): Promise<EventPlace> {
  const place = decodeCursor(cursor);
  const head = await readHead(sql);
  if (place.epoch !== head.epoch) throw foreignCursor(head);
  if (place.position > head.position) {
    throw new DomainError(
      "QSC_EVENTS_CURSOR_AHEAD",
      `The cursor points at event ${place.position}, the log ends at ${head.position}. Read the state again and continue from its eventCursor.`,
      {
        field: "after",
        details: { resumeFrom: encodeCursor(head) },
      },
    );
  }
  return place;
}

/** The refusal of a cursor from before a restore. */
export function foreignCursor(head: EventPlace): DomainError {
  return new DomainError(
    "QSC_EVENTS_CURSOR_FOREIGN",
    "The cursor belongs to an event log that this database no longer has: it was restored, or events were lost in a failover. Read the state again and continue from its eventCursor.",
    { field: "after", details: { resumeFrom: encodeCursor(head) } },
  );
}

/**
 * The next events after a position, in order and without a gap. Throws QSC_EVENTS_CURSOR_EXPIRED when the log no longer reaches back so far:
 * an explicit refusal, because a silent gap would be taken for silence.
 */
export async function readAfter(sql: Sql, position: number, limit: number = EVENT_PAGE_SIZE): Promise<readonly LoggedEvent[]> {
  const rows = await sql<(LoggedEvent & { head: number; droppedThrough: number })[]>`
    select position::float8 as position, at, kind, subject_kind as "subjectKind", subject_key as "subjectKey",
      integration_key as "integrationKey", payload, head.last_position::float8 as head,
      head.dropped_through::float8 as "droppedThrough"
    from event_head as head
    left join lateral (select * from event_log where position > ${position} order by position limit ${limit}) as page on true
    order by position`;
  const events = rows
    .filter((row) => row.position !== null)
    .map(({ head: _head, droppedThrough: _droppedThrough, ...event }): LoggedEvent => ({
      ...event,
      payload: withPayloadInstants(event.payload),
    }));
  const head = rows[0]?.head ?? 0;
  const first = events[0]?.position ?? head + 1;
  // A day that was dropped may have held events numbered after the first ones of the next day: what is left of these has gaps.
  const lastMissing = Math.max(first - 1, rows[0]?.droppedThrough ?? 0);
  if (position < lastMissing) {
    throw new DomainError(
      "QSC_EVENTS_CURSOR_EXPIRED",
      `Events ${position + 1} to ${lastMissing} are no longer kept. Read the state again and continue from its eventCursor.`,
      {
        field: "after",
      },
    );
  }
  return events;
}
