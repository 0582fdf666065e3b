import { DomainError } from "../domain-error.js";
import { DAY_MS, formatLocal, HOUR_MS, LAST_LOCAL_MS, MINUTE_MS } from "../time/local-time.js";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { resolveLocal } from "../time/resolve-local.js";
import { requireZone, type ZoneData } from "../time/zone-data.js";
import type { Zone } from "../time/zone.js";
import { compileSeries, visitSeriesStarts, type CompiledSeries } from "../windows/window-series.js";
import { cronMatchesDay, parseCronExpression, type CronExpression } from "./cron-expression.js";
import type { JobSchedule } from "./job-schedule.js";

/** A time at which a job is due. (job, local, pass) is its identity. */
export interface DueTime {
  /** Epoch ms. */
  readonly dueAt: number;
  /** The local time that the schedule names; of an interval, the time in UTC. */
  readonly local: string;
  /** 2 for the second of two equal local times on the night on which clocks go back. */
  readonly pass: 1 | 2;
}

interface Due {
  readonly dueAt: number;
  readonly localMs: number;
  readonly pass: 1 | 2;
  /** Clocks jump over the local time. */
  readonly shifted: boolean;
}

/** Answers whether to go on. Due times come in groups: whatever comes later is due at `completeUntil` or after. */
type VisitDues = (dues: readonly Due[], completeUntil: number) => boolean;

/** No cron expression that fires at all pauses longer: 29 February on one weekday, over a year such as 2100. */
const LONGEST_CRON_PAUSE_DAYS = 41 * 366;

function duesAt(localMs: number, zone: Zone, everyPass: boolean): readonly Due[] {
  const resolved = resolveLocal(localMs, zone);
  switch (resolved.kind) {
    case "unique":
      return [{ dueAt: resolved.instant, localMs, pass: 1, shifted: false }];
    case "overlap": {
      const first: Due = { dueAt: resolved.first, localMs, pass: 1, shifted: false };
      return everyPass ? [first, { dueAt: resolved.second, localMs, pass: 2, shifted: false }] : [first];
    }
    case "gap":
      return everyPass ? [] : [{ dueAt: resolved.shifted, localMs, pass: 1, shifted: true }];
  }
}

function visitCronDues(cron: CronExpression, zone: Zone, from: number, visit: VisitDues): void {
  let day = Math.floor((from + zone.minOffsetMs) / DAY_MS) * DAY_MS;
  let lastDay = day + LONGEST_CRON_PAUSE_DAYS * DAY_MS;
  for (; day <= Math.min(lastDay, LAST_LOCAL_MS); day += DAY_MS) {
    if (!cronMatchesDay(cron, day)) continue;
    for (const hour of cron.hours) {
      const hourMs = day + hour * HOUR_MS;
      // All of this hour is over at `from`, whatever the offset.
      if (hourMs + HOUR_MS - zone.minOffsetMs <= from) continue;
      const dues = cron.minutes.flatMap((minute) => duesAt(hourMs + minute * MINUTE_MS, zone, cron.everyPass));
      if (!visit(dues, hourMs + HOUR_MS - zone.maxOffsetMs)) return;
    }
    lastDay = day + LONGEST_CRON_PAUSE_DAYS * DAY_MS;
  }
}

function visitSeriesDues(series: CompiledSeries, from: number, visit: VisitDues): void {
  const { zone } = series;
  visitSeriesStarts(series, from + zone.minOffsetMs, (localMs) => {
    // A rule reads local times as RFC 5545 does, also when it steps in hours.
    return visit(duesAt(localMs, zone, false), localMs - zone.maxOffsetMs);
  });
}

function visitIntervalDues(schedule: Extract<JobSchedule, { kind: "interval" }>, from: number, visit: VisitDues): void {
  const everyMs = schedule.everySeconds * 1_000;
  if (!(everyMs > 0))
    throw new DomainError(
      "QSC_SCHEDULE_INTERVAL_BELOW_ONE",
      `An interval of ${schedule.everySeconds} seconds never gets to a next due time. Use 1 or more.`,
      { field: "everySeconds" },
    );
  const steps = Math.max(0, Math.ceil((from - schedule.startsAt) / everyMs));
  for (let dueAt = schedule.startsAt + steps * everyMs; dueAt <= LAST_LOCAL_MS; dueAt += everyMs) {
    if (!visit([{ dueAt, localMs: dueAt, pass: 1, shifted: false }], dueAt)) return;
  }
}

function visitDues(schedule: JobSchedule, from: number, zones: ZoneData, visit: VisitDues): void {
  switch (schedule.kind) {
    case "cron":
      visitCronDues(parseCronExpression(schedule.expression), requireZone(zones, schedule.timeZone), from, visit);
      return;
    case "interval":
      visitIntervalDues(schedule, from, visit);
      return;
    case "rrule": {
      const { start, rrule, timeZone, exdates, rdates } = schedule;
      visitSeriesDues(compileSeries({ start, rrule, timeZone, exdates, rdates }, zones), from, visit);
      return;
    }
  }
}

/** By instant; of two local times at one instant the one that clocks do not jump over comes first and is kept. */
function inOrder(dues: readonly Due[]): readonly Due[] {
  const sorted = dues.toSorted((a, b) => a.dueAt - b.dueAt || Number(a.shifted) - Number(b.shifted) || a.localMs - b.localMs);
  return sorted.filter((due, index) => due.dueAt !== sorted[index - 1]?.dueAt);
}

/**
 * The due times of a schedule with from <= dueAt < to (epoch ms), ascending, the first `limit` of them.
 *
 * Fixed hours of a cron expression and rules read local times as RFC 5545 does: once on the night on which clocks go back,
 * shifted by the gap when they jump. A cron expression with a wildcard or step hour fires in both passes and not in a gap.
 * Throws DomainError (QSC_SCHEDULE_..., QSC_WINDOW_..., QSC_TIME_ZONE_UNKNOWN) for a malformed schedule.
 */
export function dueTimes(
  schedule: JobSchedule,
  range: { readonly from: number; readonly to: number; readonly limit: number },
  zones: ZoneData = packagedZoneData(),
): readonly DueTime[] {
  const found: Due[] = [];
  const repeated = new Set<number>();
  let complete = 0;
  visitDues(schedule, range.from, zones, (dues, completeUntil) => {
    for (const due of dues) if (due.dueAt >= range.from && due.dueAt < range.to) found.push(due);
    if (completeUntil >= range.to) return false;
    // Distinct instants that nothing to come can precede.
    for (; complete < found.length && (found[complete]?.dueAt ?? 0) < completeUntil; complete++) repeated.add(found[complete]?.dueAt ?? 0);
    return repeated.size < range.limit;
  });
  return inOrder(found)
    .slice(0, Math.max(0, range.limit))
    .map(({ dueAt, localMs, pass }) => ({ dueAt, local: formatLocal(localMs), pass }));
}

/** The first due time (epoch ms) after an instant, or null when there is none any more. */
export function nextDueAt(schedule: JobSchedule, after: number, zones: ZoneData = packagedZoneData()): number | null {
  return dueTimes(schedule, { from: after + 1, to: Number.POSITIVE_INFINITY, limit: 1 }, zones)[0]?.dueAt ?? null;
}
