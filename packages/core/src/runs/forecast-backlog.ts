import { planRamp } from "./plan-ramp.js";

/** A job with what it would have to make up for after a release. */
export interface BacklogJob {
  readonly job: string;
  /** In order, each with the due times that it stands for. */
  readonly runs: readonly { readonly dues: readonly number[] }[];
  /** Half of its last runs took at most so long, and 95 of 100; null without a sample. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** null while nobody has counted. */
  readonly recordsPerRun: number | null;
  /** It reads on from where it stopped, so that a run for many due times may have the work of all of them. */
  readonly reads: boolean;
  /** The systems on its route. */
  readonly systemIds: readonly number[];
  /** Those of them that it writes to: their ramps give it its place. */
  readonly targetIds: readonly number[];
}

export interface BacklogSystem {
  readonly id: number;
  /** Starts after a release are so far apart. */
  readonly stepMs: number;
  /** null: no cap. */
  readonly maxConcurrentRuns: number | null;
}

/** How long what waited keeps running after the release. Lengths from the release on, in milliseconds. */
export interface DrainTime {
  readonly dueTimes: number;
  readonly runs: number;
  /** With the median of the runs that are known, and no time at all for the others. */
  readonly atLeastMs: number;
  /** With the median of every run; null while the duration of some job is unknown. */
  readonly expectedMs: number | null;
  /** With the p95 of every run, times the due times it stands for where it reads on; null as before. */
  readonly atWorstMs: number | null;
}

export interface BacklogForecast extends DrainTime {
  /** Due times that no run makes up for. */
  readonly skipped: number;
  /** null while the records of some job are unknown. */
  readonly records: number | null;
  /** Jobs of which no run has been measured. */
  readonly unknownJobs: readonly string[];
  /** More runs wait than are simulated: all lengths are bounds from below. */
  readonly truncated: boolean;
  /** Only those that something waits for. */
  readonly systems: readonly (DrainTime & { readonly systemId: number })[];
  /** How late the made-up due times start, all together and the worst, with medians where they are known. */
  readonly delayMs: number;
  readonly longestDelayMs: number;
}

/** Beyond it a forecast says "at least". */
const maxSimulatedRuns = 20_000;

/** One run of the simulation. */
interface Place {
  readonly job: BacklogJob;
  readonly dues: readonly number[];
  readonly readyAt: number;
}

/**
 * Forecasts how long the backlog of a window keeps its systems busy: every run gets its place on the ramps of its target systems, in the order
 * given (upstream first), and starts when its job is free and every capped system on its route has room. Twice: with medians and with p95. First
 * runs ahead of the rest hold the others of their target system until they end. What falls due meanwhile, and how many workers there are, is not
 * in it. Work: runs times the caps of their systems.
 */
export function forecastBacklog(input: {
  readonly releasedAt: number;
  readonly jobs: readonly BacklogJob[];
  readonly systems: readonly BacklogSystem[];
  readonly canaries: number;
  /** Due times that are not made up for. */
  readonly skipped: number;
}): BacklogForecast {
  const all = input.jobs.flatMap((job) => job.runs.map(({ dues }) => ({ job, dues })));
  const simulated = all.slice(0, maxSimulatedRuns);
  const run = (durationOf: (one: Pick<Place, "job" | "dues">) => number) => simulate({ ...input, runs: simulated, durationOf });
  const medians = run(({ job }) => job.p50Ms ?? 0);
  const worst = run(({ job, dues }) => (job.p95Ms ?? 0) * (job.reads ? Math.max(1, dues.length) : 1));
  const isKnown = (job: BacklogJob): boolean => job.p50Ms !== null && job.p95Ms !== null;
  const timeOf = (runs: readonly Pick<Place, "job" | "dues">[], ends: { readonly median: number; readonly worst: number }): DrainTime => {
    const known = runs.every(({ job }) => isKnown(job));
    return {
      dueTimes: runs.reduce((sum, one) => sum + one.dues.length, 0),
      runs: runs.length,
      atLeastMs: ends.median,
      expectedMs: known ? ends.median : null,
      atWorstMs: known ? Math.max(ends.median, ends.worst) : null,
    };
  };
  const counted = all.every(({ job }) => job.recordsPerRun !== null);
  return {
    ...timeOf(all, { median: medians.endMs, worst: worst.endMs }),
    skipped: input.skipped,
    records: counted ? Math.round(all.reduce((sum, { job, dues }) => sum + recordsOf(job, dues), 0)) : null,
    unknownJobs: [...new Set(all.filter(({ job }) => !isKnown(job)).map(({ job }) => job.job))],
    truncated: all.length > simulated.length,
    systems: input.systems.flatMap(({ id }) => {
      const own = all.filter(({ job }) => job.systemIds.includes(id));
      if (own.length === 0) return [];
      return [{ systemId: id, ...timeOf(own, { median: medians.endOf.get(id) ?? 0, worst: worst.endOf.get(id) ?? 0 }) }];
    }),
    delayMs: medians.delayMs,
    longestDelayMs: medians.longestDelayMs,
  };
}

function recordsOf(job: BacklogJob, dues: readonly number[]): number {
  return (job.recordsPerRun ?? 0) * (job.reads ? dues.length : 1);
}

interface Simulation {
  readonly releasedAt: number;
  readonly systems: readonly BacklogSystem[];
  readonly canaries: number;
  readonly runs: readonly Pick<Place, "job" | "dues">[];
  readonly durationOf: (one: Pick<Place, "job" | "dues">) => number;
}

function simulate(input: Simulation) {
  const { releasedAt, durationOf } = input;
  const start = starter(input);
  const first = firstRuns(input);
  // A system's first runs go at the release; the rest of what writes to it when they have ended.
  const opensAt = new Map<number, number>();
  for (const one of first) {
    const endsAt = start({ ...one, readyAt: releasedAt }) + durationOf(one);
    for (const id of one.job.targetIds) opensAt.set(id, Math.max(opensAt.get(id) ?? 0, endsAt));
  }
  const ramps = new Map(input.systems.map((system) => [system.id, { systemId: system.id, nextAt: releasedAt, stepMs: system.stepMs }]));
  const places = input.runs
    .filter((one) => !first.has(one))
    .map((one) => {
      const own = one.job.targetIds.flatMap((id) => ramps.get(id) ?? []);
      const notBefore = one.job.targetIds.reduce((latest, id) => Math.max(latest, opensAt.get(id) ?? 0), releasedAt);
      const plan = planRamp({ systems: own, notBefore: [notBefore] });
      for (const system of plan.systems) ramps.set(system.systemId, system);
      return { ...one, readyAt: plan.readyAt[0] ?? notBefore };
    });
  for (const place of places.toSorted((a, b) => a.readyAt - b.readyAt)) start(place);
  return start.total();
}

/** So many runs of different jobs for each target system on which more waits than would go first. */
function firstRuns(input: Simulation): ReadonlySet<Pick<Place, "job" | "dues">> {
  const waiting = new Map<number, number>();
  for (const { job } of input.runs) for (const id of job.targetIds) waiting.set(id, (waiting.get(id) ?? 0) + 1);
  const chosen = new Map<number, number>();
  const first = new Set<Pick<Place, "job" | "dues">>();
  let previous: BacklogJob | undefined;
  for (const one of input.runs) {
    if (one.job === previous) continue;
    previous = one.job;
    const wanting = one.job.targetIds.filter((id) => (waiting.get(id) ?? 0) > input.canaries && (chosen.get(id) ?? 0) < input.canaries);
    if (wanting.length === 0) continue;
    first.add(one);
    for (const id of wanting) chosen.set(id, (chosen.get(id) ?? 0) + 1);
  }
  return first;
}

/** Starts runs in the order in which it is called, and remembers what is taken: jobs by their one run, capped systems by their ends. */
function starter(input: Simulation) {
  const { releasedAt, durationOf } = input;
  const jobFreeAt = new Map<BacklogJob, number>();
  const slots = new Map(input.systems.flatMap((one) => (one.maxConcurrentRuns === null ? [] : [[one.id, new Map<number, number>()]])));
  const caps = new Map(input.systems.map((one) => [one.id, one.maxConcurrentRuns]));
  const endOf = new Map<number, number>();
  const total = { endMs: 0, delayMs: 0, longestDelayMs: 0 };
  const begin = (place: Place): number => {
    const { job, dues } = place;
    let startsAt = Math.max(place.readyAt, jobFreeAt.get(job) ?? 0);
    const taken = job.systemIds.flatMap((id) => {
      const busy = slots.get(id);
      if (busy === undefined) return [];
      // A slot that was never used is free; of those in use the one that ends first.
      const slot = busy.size < (caps.get(id) ?? 0) ? busy.size : [...busy].reduce((best, one) => (one[1] < best[1] ? one : best))[0];
      startsAt = Math.max(startsAt, busy.get(slot) ?? 0);
      return [{ busy, slot }];
    });
    const endsAt = startsAt + durationOf(place);
    for (const { busy, slot } of taken) busy.set(slot, endsAt);
    jobFreeAt.set(job, endsAt);
    for (const id of job.systemIds) endOf.set(id, Math.max(endOf.get(id) ?? 0, endsAt - releasedAt));
    total.endMs = Math.max(total.endMs, endsAt - releasedAt);
    for (const due of dues) {
      total.delayMs += startsAt - due;
      total.longestDelayMs = Math.max(total.longestDelayMs, startsAt - due);
    }
    return startsAt;
  };
  return Object.assign(begin, { total: () => ({ ...total, endOf }) });
}
