import {
  DomainError,
  parseLocal,
  requireZone,
  resolveLocal,
  suggestLength,
  tuneWindow,
  tuningAdvice,
  type UsedOccurrence,
  type WindowTuning,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** What past occurrences of one window say about the next. */
export interface TunedWindow {
  /** Occurrences that were held and are over; the last of them. */
  readonly occurrences: number;
  /** null: too few. */
  readonly tuning: WindowTuning | null;
  readonly change: "shorten" | "lengthen" | "keep" | null;
  readonly suggestedMs: number | null;
  readonly advice: readonly string[];
}

/** Older ones tell of other work. */
const maxOccurrences = 50;
const minuteMs = 60_000;

interface Past {
  readonly [column: string]: unknown;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly localEnd: string;
  readonly timeZone: string;
  readonly moved: boolean;
  readonly drainedAt: number | null;
  readonly releasedAt: number;
}

/** Compares what was booked with what was used, over the last occurrences that held. Throws QSC_WINDOW_NOT_FOUND. */
export async function tunedWindow(tx: Tx, zones: ZoneData, key: string): Promise<TunedWindow> {
  const known = await tx.execute(sql`select from maintenance_window where key = ${key} and cancelled_at is null`);
  if (known.length === 0) throw new DomainError("QSC_WINDOW_NOT_FOUND", `There is no window "${key}".`, { field: "key" });
  const past = await tx.execute<Past>(sql`
    select o.starts_at as "startsAt", o.ends_at as "endsAt", o.local_end as "localEnd", w.series ->> 'timeZone' as "timeZone", v.ends_at is not null as moved,
      o.drained_at as "drainedAt", o.released_at as "releasedAt"
    from occurrence as o join maintenance_window as w on w.id = o.window_id join hold as h on h.occurrence_id = o.id
    left join occurrence_override as v on v.window_id = o.window_id and v.local_start = o.local_start
    where w.key = ${key} and w.cancelled_at is null and h.mode = 'enforce' and o.released_at is not null and o.reheld_at is null and o.cancelled_at is null
    order by o.starts_at desc limit ${maxOccurrences}`);
  const tuning = tuneWindow(past.map((one) => usedOf(one, zones)));
  if (tuning === null) {
    const advice = [
      past.length === 0
        ? "None of its occurrences has held and is over: three are needed to say anything."
        : `Only ${past.length} of its occurrences ${past.length === 1 ? "has held and is" : "have held and are"} over: three are needed to say anything.`,
    ];
    return { occurrences: past.length, tuning, change: null, suggestedMs: null, advice };
  }
  const { change, lengthMs } = suggestLength(tuning);
  return { occurrences: past.length, tuning, change, suggestedMs: lengthMs, advice: tuningAdvice(tuning, lengthText) };
}

/** An early end or an extension has replaced the end; the local end is still the booked one. */
function usedOf(one: Past, zones: ZoneData): UsedOccurrence {
  const local = one.moved ? parseLocal(one.localEnd) : null;
  const resolved = local === null ? null : resolveLocal(local, requireZone(zones, one.timeZone));
  const bookedEnd =
    resolved === null
      ? one.endsAt
      : resolved.kind === "unique"
        ? resolved.instant
        : resolved.kind === "overlap"
          ? resolved.second
          : resolved.shifted;
  return { bookedStart: one.startsAt, bookedEnd, quiescedAt: one.drainedAt, releasedAt: one.releasedAt };
}

/** `1 h 10 min`, to the minute. */
function lengthText(ms: number): string {
  const minutes = Math.ceil(ms / minuteMs);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 || hours === 0 ? [`${rest} min`] : [])].join(" ");
}
