import {
  countDues,
  type Criticality,
  covered,
  DomainError,
  type PlannedWork,
  rankSlots,
  reachOfScope,
  requireZone,
  type Slot,
  windowScopeSchema,
  type WindowScope,
  type ZoneData,
} from "@quiesce/core";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { isWindowKind, loadOtherHolds, sharedByScope } from "./other-holds.js";
import { parsed } from "./parse-input.js";
import { type CoveredJob, loadCoveredJobs, maxCoveredJobs } from "./preview-jobs.js";
import { loadCatalogFacts } from "./store.js";

export interface SlotSearch {
  readonly scope: WindowScope;
  readonly durationMinutes: number;
  readonly withinDays: number;
  readonly timeZone: string;
  /** `22:00-06:00`: all of a slot lies between them. */
  readonly between?: string | undefined;
  /** MO to SU: local days on which it may start. */
  readonly days?: readonly string[] | undefined;
  readonly stepMinutes: number;
  readonly limit: number;
}

export interface FoundSlots {
  /** Records are null while those of no job have been counted. */
  readonly slots: readonly (Omit<Slot, "records"> & { readonly records: number | null; readonly reasons: readonly string[] })[];
  readonly candidates: number;
  readonly taken: number;
  readonly jobs: number;
  readonly moreJobs: boolean;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A run, or a hundred records, of a critical integration weighs as much as eight of one that matters little. */
const weightOf = { low: 1, medium: 2, high: 4, critical: 8 } as const satisfies { readonly [name in Criticality]: number };
const recordsPerRunOfWeight = 100;
/** Buckets are no shorter, so that thirty days are few. */
const bucketMinutes = 5;
const bounds = {
  durationMinutes: { from: bucketMinutes, to: 7 * 24 * 60 },
  withinDays: { from: 1, to: 100 },
  stepMinutes: { from: bucketMinutes, to: 24 * 60 },
  limit: { from: 1, to: 50 },
} as const;
const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/**
 * The quietest times in which the scope could be taken down, ranked by what is planned then. Freezes and other windows that reach what it reaches
 * are left out whole. Throws QSC_WINDOW_SLOT_SEARCH for a search that makes no sense.
 */
export async function findSlots(tx: Tx, zones: ZoneData, search: SlotSearch): Promise<FoundSlots> {
  const allowed = checked(search);
  const scope = parsed(windowScopeSchema, search.scope, "QSC_WINDOW_SLOT_SEARCH");
  const zone = requireZone(zones, search.timeZone);
  const now = await readNow(tx);
  const facts = await loadCatalogFacts(tx);
  const found = await loadCoveredJobs(tx, { integrationIds: covered(facts, scope).map((one) => one.integrationId), now });
  const jobs = found.slice(0, maxCoveredJobs);
  const stepMs = search.stepMinutes * minuteMs;
  // Starts lie on whole hours or their parts, also where a step is many hours.
  const alignMs = Math.min(stepMs, 60 * minuteMs);
  const from = Math.ceil(now / alignMs) * alignMs;
  const to = from + search.withinDays * dayMs;
  const sharedWith = sharedByScope(facts, reachOfScope(facts, scope, "everything"));
  const others = await loadOtherHolds(tx, { key: null, from, to });
  const ranked = rankSlots({
    work: plannedWork(jobs, { from, to, zones }),
    durationMs: search.durationMinutes * minuteMs,
    stepMs,
    zone,
    allowed,
    taken: others.filter((other) => isWindowKind(other.kind) && sharedWith(other) !== null),
    limit: search.limit,
  });
  const counted = jobs.some((job) => job.recordsPerRun !== null);
  const slots = ranked.slots.map((slot) => {
    const known = { ...slot, records: counted ? slot.records : null };
    return { ...known, reasons: reasonsOf(known, ranked) };
  });
  return { slots, candidates: ranked.candidates, taken: ranked.taken, jobs: jobs.length, moreJobs: found.length > jobs.length };
}

/** Counts each schedule once, however many jobs have it. */
function plannedWork(
  jobs: readonly CoveredJob[],
  input: { readonly from: number; readonly to: number; readonly zones: ZoneData },
): PlannedWork {
  const bucketMs = bucketMinutes * minuteMs;
  const size = Math.ceil((input.to - input.from) / bucketMs);
  const [runs, records, weight] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const groups = new Map<string, { readonly schedule: CoveredJob["schedule"]; runs: number; records: number; weight: number }>();
  for (const job of jobs) {
    const name = JSON.stringify(job.schedule);
    const group = groups.get(name) ?? { schedule: job.schedule, runs: 0, records: 0, weight: 0 };
    const perRun = job.recordsPerRun ?? 0;
    group.runs += 1;
    group.records += perRun;
    group.weight += weightOf[job.criticality] * (1 + perRun / recordsPerRunOfWeight);
    groups.set(name, group);
  }
  for (const group of groups.values()) {
    const dues = countDues(group.schedule, { ...input, bucketMs }, input.zones);
    for (let at = 0; at < size; at++) {
      const count = dues[at] ?? 0;
      if (count === 0) continue;
      runs[at] = (runs[at] ?? 0) + count * group.runs;
      records[at] = (records[at] ?? 0) + count * group.records;
      weight[at] = (weight[at] ?? 0) + count * group.weight;
    }
  }
  return { from: input.from, bucketMs, runs, records, weight };
}

function reasonsOf(
  slot: Pick<FoundSlots["slots"][number], "runs" | "records" | "score">,
  ranked: { readonly candidates: number; readonly medianScore: number | null },
): readonly string[] {
  const median = Math.round(ranked.medianScore ?? 0);
  return [
    `${slot.runs} planned runs and ${slot.records === null ? "an unknown number of" : `about ${Math.round(slot.records)}`} records`,
    `weighs ${Math.round(slot.score)} by criticality; half of the ${ranked.candidates} possible starts weigh ${median} or less`,
    "no freeze and no other window on what it reaches",
  ];
}

function checked(search: SlotSearch) {
  const refuse = (field: string, message: string) => new DomainError("QSC_WINDOW_SLOT_SEARCH", message, { field });
  for (const name of ["durationMinutes", "withinDays", "stepMinutes", "limit"] as const) {
    const value = search[name];
    const { from, to } = bounds[name];
    if (!Number.isInteger(value) || value < from || value > to) throw refuse(name, `${name} is ${value}. It goes from ${from} to ${to}.`);
    if (name.endsWith("Minutes") && value % bucketMinutes !== 0)
      throw refuse(name, `${name} is ${value}. Slots are counted in steps of ${bucketMinutes} minutes.`);
  }
  const days = search.days?.map((day) => weekdays.indexOf(day.toUpperCase()));
  if (days?.includes(-1) === true)
    throw refuse("days", `The days are ${(search.days ?? []).join(", ")}. They are named ${weekdays.join(", ")}.`);
  return { ...hoursOf(search.between, refuse), ...(days === undefined ? {} : { days }) };
}

function hoursOf(between: string | undefined, refuse: (field: string, message: string) => DomainError) {
  if (between === undefined) return {};
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/.exec(between);
  if (match === null) throw refuse("between", `"${between}" are no hours. Write 22:00-06:00.`);
  const [opensHour = 0, opensMinute = 0, closesHour = 0, closesMinute = 0] = match.slice(1).map(Number);
  return { opens: (opensHour * 60 + opensMinute) * minuteMs, closes: ((closesHour * 60 + closesMinute) * minuteMs) % dayMs };
}
