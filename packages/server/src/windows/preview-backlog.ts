import {
  type BacklogForecast,
  type CatchUp,
  catchUpOfGap,
  countDues,
  type DrainPolicy,
  dueTimes,
  forecastBacklog,
  type Occurrence,
  type ZoneData,
} from "@quiesce/core";
import type { Tx } from "../db/client.js";
import { type CoveredJob, loadCoveredJobs, loadRampSystems, maxCoveredJobs } from "./preview-jobs.js";

/** A job with due times inside an occurrence. */
export interface HeldJob {
  readonly job: string;
  readonly integration: string;
  readonly catchUp: CatchUp;
  readonly dueTimes: number;
  readonly runsAfter: number;
  readonly skipped: number;
}

/** A run that is expected to be in flight when an occurrence begins: it begins before, and the p95 of its job reaches into it. */
export interface ExpectedInFlight {
  readonly job: string;
  readonly integration: string;
  readonly dueAt: number;
  readonly expectedEndAt: number;
}

/** How much is planned inside an occurrence, beside what a stretch of that length sees in a typical week. */
export interface PlannedLoad {
  readonly localStart: string;
  readonly startsAt: number;
  readonly runs: number;
  readonly typicalRuns: number;
  /** Of the jobs whose records have been counted; null: of none. */
  readonly records: number | null;
  readonly typicalRecords: number | null;
}

export interface PreviewBacklog {
  readonly heldJobs: readonly HeldJob[];
  readonly inFlight: readonly ExpectedInFlight[];
  readonly load: readonly PlannedLoad[];
  /** Of the first occurrence; null where nothing ever happens. */
  readonly forecast:
    | (Omit<BacklogForecast, "systems"> & {
        readonly systems: readonly (BacklogForecast["systems"][number] & { readonly system: string })[];
      })
    | null;
  /** There are more jobs than were looked at. */
  readonly moreJobs: boolean;
}

const weekMs = 7 * 86_400_000;
/** Due times of one job that are counted; more are shown as this many. */
const maxCounted = 10_000;

/** What the first of these occurrences would leave to be done, and how busy each of them is. */
export async function previewBacklog(
  tx: Tx,
  input: {
    readonly zones: ZoneData;
    readonly now: number;
    readonly occurrences: readonly Occurrence[];
    readonly integrationIds: readonly number[];
    readonly drain: DrainPolicy;
    readonly canaries: number;
    readonly enforces: boolean;
  },
): Promise<PreviewBacklog> {
  const [first] = input.occurrences;
  if (first === undefined) return { heldJobs: [], inFlight: [], load: [], forecast: null, moreJobs: false };
  const found = await loadCoveredJobs(tx, input);
  const jobs = found.slice(0, maxCoveredJobs);
  const held = jobs.flatMap((job) => {
    const dues = dueTimes(job.schedule, { from: first.start, to: first.end, limit: maxCounted }, input.zones).map(({ dueAt }) => dueAt);
    if (dues.length === 0) return [];
    const { catchUp, maxAgeMs } = job;
    return [{ job, dues, gap: catchUpOfGap({ catchUp, maxAgeMs, releasedAt: first.end, dues }) }];
  });
  const systems = await loadRampSystems(tx);
  const keys = new Map(systems.map((one) => [one.id, one.key]));
  const forecast = forecastBacklog({
    releasedAt: first.end,
    systems,
    canaries: input.canaries,
    jobs: held.map(({ job, gap }) => ({ ...job, runs: gap.runs })),
    skipped: held.reduce((sum, { gap }) => sum + gap.skipped, 0),
  });
  const heldJobs = held.map(({ job, dues, gap }) => ({
    job: job.job,
    integration: job.integration,
    catchUp: job.catchUp,
    dueTimes: dues.length,
    runsAfter: gap.runs.length,
    skipped: gap.skipped,
  }));
  return {
    heldJobs: heldJobs.toSorted((a, b) => (a.job < b.job ? -1 : 1)),
    inFlight: expectedInFlight(jobs, { ...input, startsAt: first.start }),
    load: plannedLoad(jobs, input),
    forecast: { ...forecast, systems: forecast.systems.map((one) => ({ ...one, system: keys.get(one.systemId) ?? "" })) },
    moreJobs: found.length > jobs.length,
  };
}

/** Of each job the last run before the start that is not kept back and not over by then. */
function expectedInFlight(
  jobs: readonly CoveredJob[],
  input: { readonly startsAt: number; readonly zones: ZoneData; readonly drain: DrainPolicy; readonly enforces: boolean },
): readonly ExpectedInFlight[] {
  const limitMs = input.enforces ? input.drain.leadLimitMinutes * 60_000 : 0;
  return jobs.flatMap((job) => {
    if (job.p95Ms === null) return [];
    const keptBackMs = job.continuous ? 0 : Math.min(limitMs, job.finishLeadMs ?? 0);
    const range = { from: Math.ceil(input.startsAt - job.p95Ms) + 1, to: input.startsAt - keptBackMs, limit: maxCounted };
    const last = range.from < range.to ? dueTimes(job.schedule, range, input.zones).at(-1) : undefined;
    if (last === undefined) return [];
    return [{ job: job.job, integration: job.integration, dueAt: last.dueAt, expectedEndAt: last.dueAt + job.p95Ms }];
  });
}

/** Jobs with one schedule are counted once. */
function plannedLoad(
  jobs: readonly CoveredJob[],
  input: { readonly zones: ZoneData; readonly now: number; readonly occurrences: readonly Occurrence[] },
): readonly PlannedLoad[] {
  const groups = new Map<string, CoveredJob[]>();
  for (const job of jobs) {
    const name = JSON.stringify(job.schedule);
    const group = groups.get(name) ?? [];
    group.push(job);
    groups.set(name, group);
  }
  const counted = jobs.some((job) => job.recordsPerRun !== null);
  const loadOf = (from: number, to: number) => {
    const total = { runs: 0, records: 0 };
    for (const group of groups.values()) {
      const [one] = group;
      if (one === undefined || to <= from) continue;
      const dues = countDues(one.schedule, { from, to, bucketMs: to - from }, input.zones)[0] ?? 0;
      total.runs += dues * group.length;
      total.records += group.reduce((sum, job) => sum + dues * (job.recordsPerRun ?? 0), 0);
    }
    return total;
  };
  const week = loadOf(input.now, input.now + weekMs);
  return input.occurrences.map((one) => {
    const own = loadOf(one.start, one.end);
    const share = (one.end - one.start) / weekMs;
    return {
      localStart: one.localStart,
      startsAt: one.start,
      runs: own.runs,
      typicalRuns: week.runs * share,
      records: counted ? Math.round(own.records) : null,
      typicalRecords: counted ? week.records * share : null,
    };
  });
}
