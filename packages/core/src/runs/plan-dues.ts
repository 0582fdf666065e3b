import type { CatchUp } from "./run-state.js";

/** A due time of a schedule, as the schedule engine computes it. */
export interface Due {
  readonly dueAt: number;
  readonly local: string;
}

/** The job's newest run of the same schedule version, when it still waits: later due times may join it. */
export interface WaitingRun {
  readonly state: "held" | "queued";
  readonly attempt: number;
  readonly dueAt: number;
}

export interface PlannedRun {
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly local: string;
  readonly state: "queued" | "skipped";
}

export interface DuePlan {
  /** Due times that join the waiting run instead of becoming rows of their own. */
  readonly absorbed: { readonly dueCount: number; readonly lastDueAt: number } | null;
  readonly runs: readonly PlannedRun[];
}

/** A due time this late was missed, not just picked up a little late. */
export const misfireGraceMs = 60_000;
/** A queued run that is due this long is not just about to start: it waits. */
const reallyWaitsMs = 5_000;

/**
 * How far ahead a job's due times become rows: a little, so that no start is late for want of one; not at all while one of its runs is held or
 * waits, because then later due times join that one as they fall due.
 */
export function planUntil(facts: {
  readonly now: number;
  readonly aheadMs: number;
  readonly held: boolean;
  readonly oldestQueuedDueAt: number | null;
}): number {
  const waits = facts.held || (facts.oldestQueuedDueAt !== null && facts.oldestQueuedDueAt < facts.now - reallyWaitsMs);
  // The end is exclusive: a due time of this very millisecond is due.
  return waits ? facts.now + 1 : facts.now + facts.aheadMs;
}

/** At most this many runs of one job wait as rows of their own; what comes beyond is coalesced. */
export const maxWaitingRuns = 1_000;

/**
 * Decides how due times become runs. What lies ahead becomes one queued run each. What is already due joins a run that waits anyway
 * (`coalesce`, and `skip` while held), becomes one run for a gap in which no server was up (`coalesce`), is skipped when it was missed
 * (`skip`), or is kept one by one (`all`, up to the limit).
 */
export function planDues(facts: {
  readonly dues: readonly Due[];
  readonly now: number;
  readonly catchUp: CatchUp;
  readonly waiting: WaitingRun | null;
  readonly waitingCount: number;
}): DuePlan {
  const { dues, now, catchUp } = facts;
  const past = dues.filter((due) => due.dueAt <= now);
  const ahead = dues.slice(past.length).map((due) => single(due, "queued"));
  const last = past.at(-1);
  if (last === undefined) return { absorbed: null, runs: ahead };
  if (mayAbsorb(facts)) return { absorbed: { dueCount: past.length, lastDueAt: last.dueAt }, runs: ahead };

  switch (catchUp) {
    case "coalesce":
      return { absorbed: null, runs: [...range(past, "queued"), ...ahead] };
    case "skip": {
      const missed = past.filter((due) => due.dueAt < now - misfireGraceMs);
      const fresh = past.slice(missed.length).map((due) => single(due, "queued"));
      return { absorbed: null, runs: [...range(missed, "skipped"), ...fresh, ...ahead] };
    }
    case "all": {
      const room = Math.max(0, maxWaitingRuns - facts.waitingCount - 1);
      const rows = past.slice(0, room).map((due) => single(due, "queued"));
      return { absorbed: null, runs: [...rows, ...range(past.slice(room), "queued"), ...ahead] };
    }
  }
}

function mayAbsorb(facts: {
  readonly now: number;
  readonly catchUp: CatchUp;
  readonly waiting: WaitingRun | null;
  readonly waitingCount: number;
}): boolean {
  const { waiting } = facts;
  if (waiting === null || waiting.attempt > 0 || waiting.dueAt > facts.now) return false;
  switch (facts.catchUp) {
    case "coalesce":
      return true;
    case "skip":
      return waiting.state === "held" || facts.waitingCount >= maxWaitingRuns;
    case "all":
      return facts.waitingCount >= maxWaitingRuns;
  }
}

function single(due: Due, state: PlannedRun["state"]): PlannedRun {
  return { dueAt: due.dueAt, lastDueAt: due.dueAt, dueCount: 1, local: due.local, state };
}

function range(dues: readonly Due[], state: PlannedRun["state"]): readonly PlannedRun[] {
  const first = dues[0];
  const last = dues.at(-1);
  if (first === undefined || last === undefined) return [];
  return [{ dueAt: first.dueAt, lastDueAt: last.dueAt, dueCount: dues.length, local: first.local, state }];
}
