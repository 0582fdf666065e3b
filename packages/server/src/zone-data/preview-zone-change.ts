import { setImmediate } from "node:timers/promises";
import {
  compareZoneDataVersions,
  type JobSchedule,
  type MovedDue,
  movedDues,
  movedOccurrences,
  type WindowSeries,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { groupRows } from "../db/group-rows.js";
import { evaluatedSeries } from "../windows/planning-store.js";
import { changedZones, missingZones, usedZones } from "./changed-zones.js";
import type { MovedOccurrence } from "./recompile-windows.js";

/** A job whose due times move: the first of them, and how many in the period. */
export interface MovedDueTimes extends MovedDue {
  readonly job: string;
  readonly timeZone: string;
  readonly dueTimes: number;
}

/** An occurrence that has begun and is not released: no zone data move it any more. */
export interface KeptOccurrence {
  readonly window: string;
  readonly localStart: string;
  readonly timeZone: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** What other zone data would move, without putting them in force. Lists are cut at a thousand, counts are not. */
export interface ZoneChangePreview {
  readonly before: string;
  readonly version: string;
  readonly source: string;
  /** Whether a server that has them would bring them into force: nobody goes back to older ones. */
  readonly isNewer: boolean;
  /** Zones in use that they lack: then they are left out. */
  readonly missing: readonly string[];
  /** Zones in use whose rules differ. */
  readonly zones: readonly string[];
  readonly from: number;
  readonly until: number;
  readonly occurrencesMoved: number;
  readonly occurrences: readonly MovedOccurrence[];
  readonly kept: readonly KeptOccurrence[];
  readonly jobsMoved: number;
  readonly dueTimesMoved: number;
  readonly jobs: readonly MovedDueTimes[];
  /** There are more schedules, or due times of one, than were looked at: what is counted is a bound from below. */
  readonly truncated: boolean;
}

const comparedMs = 90 * 86_400_000;
const maxListed = 1_000;
const maxSchedules = 2_000;
/** Other requests come in between so many schedules. */
const schedulesAtOnce = 20;

/** Compares zone data with those in force: what they would move of the next ninety days. Changes nothing. */
export async function previewZoneChange(
  tx: Tx,
  input: { readonly before: ZoneData; readonly after: ZoneData },
): Promise<ZoneChangePreview> {
  const { before, after } = input;
  const from = await readNow(tx);
  const until = from + comparedMs;
  const used = await usedZones(tx, from);
  const missing = missingZones(after, used.names);
  const zones = changedZones({ before, after, since: from - 2 * 86_400_000, names: used.names.filter((name) => !missing.includes(name)) });
  const occurrences = await movedOfWindows(tx, { zones, after, from, until });
  const jobs = await movedOfJobs(tx, { zones, before, after, from, until });
  return {
    before: before.version,
    version: after.version,
    source: after.source,
    isNewer: compareZoneDataVersions(after.version, before.version) > 0,
    missing,
    zones,
    from,
    until,
    occurrencesMoved: occurrences.length,
    occurrences: occurrences.slice(0, maxListed),
    kept: await keptOccurrences(tx, zones),
    jobsMoved: jobs.moved.length,
    dueTimesMoved: jobs.moved.reduce((sum, one) => sum + one.dueTimes, 0),
    jobs: jobs.moved.slice(0, maxListed),
    truncated: jobs.truncated,
  };
}

interface Ahead {
  readonly [column: string]: unknown;
  readonly windowId: number;
  readonly localStart: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly movedStart: string | null;
  readonly movedEnd: string | null;
  readonly overriddenEnd: number | null;
}

async function movedOfWindows(
  tx: Tx,
  input: { readonly zones: readonly string[]; readonly after: ZoneData; readonly from: number; readonly until: number },
): Promise<readonly MovedOccurrence[]> {
  const windows = await tx.execute<{ id: number; key: string; series: WindowSeries }>(sql`
    select id, key, series from maintenance_window
    where cancelled_at is null and series ->> 'timeZone' = any (${sql.param([...input.zones])}::text[]) order by id`);
  const rows = await tx.execute<Ahead>(sql`
    select o.window_id as "windowId", o.local_start as "localStart", o.starts_at as "startsAt", o.ends_at as "endsAt",
      v.moved_start as "movedStart", v.moved_end as "movedEnd", v.ends_at as "overriddenEnd"
    from occurrence as o left join occurrence_override as v on v.window_id = o.window_id and v.local_start = o.local_start
    where o.window_id = any (${sql.param(windows.map((one) => one.id))}::integer[])
      and o.starts_at > ${input.from}::timestamptz and o.starts_at < ${input.until}::timestamptz
      and o.started_at is null and o.closed_at is null and o.cancelled_at is null
    order by o.starts_at`);
  const byWindow = groupRows(rows, (row) => row.windowId);
  const found: MovedOccurrence[] = [];
  for (const { id, key, series } of windows) {
    const written = (byWindow.get(id) ?? []).map(({ movedStart, movedEnd, ...one }) => ({
      ...one,
      moved: movedStart === null ? null : { start: movedStart, end: movedEnd },
    }));
    const moved = movedOccurrences({ series: await evaluatedSeries(tx, series), written, after: input.after });
    found.push(...moved.map((one) => ({ window: key, timeZone: series.timeZone, ...one })));
  }
  return found.toSorted((a, b) => a.before.startsAt - b.before.startsAt);
}

async function keptOccurrences(tx: Tx, zones: readonly string[]): Promise<readonly KeptOccurrence[]> {
  return tx.execute<KeptOccurrence & { readonly [column: string]: unknown }>(sql`
    select w.key as window, o.local_start as "localStart", w.series ->> 'timeZone' as "timeZone", o.starts_at as "startsAt", o.ends_at as "endsAt"
    from occurrence as o join maintenance_window as w on w.id = o.window_id
    where w.cancelled_at is null and w.series ->> 'timeZone' = any (${sql.param([...zones])}::text[]) and (o.starts_at <= app_now() or o.started_at is not null)
      and o.released_at is null and o.closed_at is null and o.cancelled_at is null
    order by o.starts_at, w.key limit ${maxListed}`);
}

async function movedOfJobs(
  tx: Tx,
  input: {
    readonly zones: readonly string[];
    readonly before: ZoneData;
    readonly after: ZoneData;
    readonly from: number;
    readonly until: number;
  },
): Promise<{ readonly moved: readonly MovedDueTimes[]; readonly truncated: boolean }> {
  const schedules = await tx.execute<{ schedule: JobSchedule; timeZone: string; jobs: readonly string[] }>(sql`
    select schedule, schedule ->> 'timeZone' as "timeZone", array_agg(key order by key) as jobs from job
    where enabled and schedule ->> 'timeZone' = any (${sql.param([...input.zones])}::text[])
    group by schedule order by min(key) limit ${maxSchedules + 1}`);
  const found: MovedDueTimes[] = [];
  let truncated = schedules.length > maxSchedules;
  for (const [index, { schedule, timeZone, jobs }] of schedules.slice(0, maxSchedules).entries()) {
    if (index % schedulesAtOnce === schedulesAtOnce - 1) await setImmediate();
    const { moved, truncated: cut } = movedDues(schedule, { before: input.before, after: input.after, from: input.from, to: input.until });
    truncated ||= cut;
    const [first] = moved;
    if (first !== undefined) found.push(...jobs.map((job) => ({ job, timeZone, dueTimes: moved.length, ...first })));
  }
  return { moved: found.toSorted((a, b) => (a.job < b.job ? -1 : 1)), truncated };
}
