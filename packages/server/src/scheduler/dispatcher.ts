import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { claimRuns, type DueRun, peekDue } from "../runs/claim.js";
import { ClockWatch } from "./clock-watch.js";
import type { RunWorker } from "./run-worker.js";

/** The peek looks this far ahead and arms a local timer for what is not due yet. */
const lookAheadMs = 1_000;
/** Runs of one claim. */
const maxClaim = 500;
/** Runs of one look, when the first ones are many of few jobs: of a job a claim starts one. */
const maxLook = 5_000;
/** A run that could not be taken (a busy lock bucket) is tried again after this. */
const busyRetryMs = 5;
/** A claim that takes longer has a wrong plan: waiting for locks ends after a quarter of a second. */
const slowClaimMs = 500;
/** Runs that wait since more than forty days are looked for this often. */
const slowLookEveryMs = 30_000;

/**
 * Takes due runs and hands them to the worker. It may be woken by anything, at any time, as often as one likes: every pass looks at the run table
 * afresh, so a wake-up that is lost or doubled changes nothing.
 */
export class Dispatcher {
  readonly #database: Database;
  readonly #worker: RunWorker;
  readonly #clock: ClockWatch;
  readonly #log: Logger;
  readonly #onStale: () => void;
  readonly #onSlowClaim: (tookMs: number) => void;
  readonly #beforeClaim: () => Promise<void>;
  #passing: Promise<void> | null = null;
  #again = false;
  #stopped = true;
  #timer: NodeJS.Timeout | null = null;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #slowLookAtMs = 0;
  #lookLimit = maxClaim;

  constructor(options: {
    readonly database: Database;
    readonly worker: RunWorker;
    readonly clockWatch: ClockWatch;
    readonly log: Logger;
    readonly onStale: () => void;
    readonly onSlowClaim: (tookMs: number) => void;
    /** Short: what has just begun is told before the runs that it holds. */
    readonly beforeClaim: () => Promise<void>;
  }) {
    this.#database = options.database;
    this.#worker = options.worker;
    this.#clock = options.clockWatch;
    this.#log = options.log;
    this.#onStale = options.onStale;
    this.#onSlowClaim = options.onSlowClaim;
    this.#beforeClaim = options.beforeClaim;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#passing;
  }

  /** Asks for a pass; one that is under way is followed by another. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#passing !== null) {
      this.#again = true;
      return;
    }
    this.#passing = this.#passes().finally(() => {
      this.#passing = null;
    });
  }

  async #passes(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#pass();
      } catch (error) {
        this.#log.error({ err: error }, "A dispatch pass failed; the next wake-up tries again.");
      }
    } while (this.#again && !this.#stopped);
  }

  async #pass(): Promise<void> {
    const anyAge = clock.monotonicMs() >= this.#slowLookAtMs;
    if (anyAge) this.#slowLookAtMs = clock.monotonicMs() + slowLookEveryMs;
    let after: { readonly readyAt: number; readonly jobId: number } | null = null;
    while (!this.#stopped && this.#worker.freeSlots > 0) {
      const asked = ClockWatch.moment();
      const lookLimit = this.#lookLimit;
      const { now, clock: state, runs } = await peekDue(this.#database.sql, { withinMs: lookAheadMs, limit: lookLimit, after, anyAge });
      // The next wake-up looks again.
      if (!(await this.#clock.judge({ ...state, now }, asked))) return;
      const due = runs.filter((run) => run.readyAt <= now);
      const next = runs[due.length];
      if ((await this.#claimInOrder(due)) === "stale") return;
      if (next !== undefined) this.#wakeAfter(Math.max(1, next.readyAt - now));
      const last = runs.at(-1);
      if (runs.length < lookLimit || next !== undefined || last === undefined) return;
      after = { readyAt: last.readyAt, jobId: last.jobId };
    }
  }

  /** The first run of each job, then as many others as there is room for: only where a hold covers them does a claim take these as well. */
  async #claimInOrder(due: readonly DueRun[]): Promise<"done" | "stale"> {
    const { firsts, others } = firstOfJobs(due);
    const wanted = [...firsts, ...others];
    const end = Math.ceil(Math.max(1, firsts.length) / maxClaim) * maxClaim;
    for (let from = 0; from < Math.min(end, wanted.length) && this.#worker.freeSlots > 0; from += maxClaim) {
      const limit = Math.min(maxClaim, this.#worker.freeSlots);
      if ((await this.#claim(wanted.slice(from, from + maxClaim), limit)) === "stale") return "stale";
    }
    if (wanted.length > end) this.#wakeAfter(busyRetryMs);
    return "done";
  }

  /** Claims in one call; what stays queued although it was due (a busy bucket, a cap, an earlier run) is looked at again soon. */
  async #claim(due: readonly DueRun[], limit: number): Promise<"done" | "stale"> {
    const workerId = this.#worker.workerId;
    if (due.length === 0 || workerId === null) return "done";
    await this.#beforeClaim();
    const asked = ClockWatch.moment();
    const result = await claimRuns(this.#database.sql, { workerId, runs: due, limit });
    const tookMs = clock.monotonicMs() - asked.monotonicMs;
    if (tookMs > slowClaimMs) this.#onSlowClaim(tookMs);
    if (result.stale) {
      this.#log.error("The windows are not expanded past now: nothing is dispatched until they are.");
      this.#onStale();
      return "stale";
    }
    const refusal = result.at !== null && this.#clock.suspects(result.at, asked) ? "clock-stepped" : null;
    const claim = { workerId, claimedAtMs: asked.monotonicMs, refusal };
    if (result.claimed.length > 0) this.#worker.run(result.claimed, claim, () => this.wake());
    const taken = result.claimed.length + result.held;
    if (taken * 2 >= due.length) this.#lookLimit = maxClaim;
    else if (due.length === maxClaim) this.#lookLimit = Math.min(maxLook, this.#lookLimit * 3);
    if (taken === 0) this.#wakeAfter(busyRetryMs * 10);
    else if (taken < due.length) this.#wakeAfter(busyRetryMs);
    return "done";
  }

  /** Arms the one timer; an earlier wake-up that is armed already stays. */
  #wakeAfter(ms: number): void {
    const atMs = clock.monotonicMs() + ms;
    if (this.#timer !== null && this.#wakeAtMs <= atMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wakeAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.wake();
    }, ms);
  }
}

function firstOfJobs(due: readonly DueRun[]): { readonly firsts: readonly DueRun[]; readonly others: readonly DueRun[] } {
  const seen = new Set<number>();
  const firsts: DueRun[] = [];
  const others: DueRun[] = [];
  for (const run of due) {
    // 0: of no job.
    if (run.jobId !== 0 && seen.has(run.jobId)) others.push(run);
    else firsts.push(run);
    seen.add(run.jobId);
  }
  return { firsts, others };
}
