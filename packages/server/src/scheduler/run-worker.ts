import { ERROR_POLICIES } from "@quiesce/sdk";
import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { readAbortRequests } from "../runs/abort-requests.js";
import type { ClaimedRun } from "../runs/claim.js";
import type { RunOutcome } from "../runs/finish.js";
import { giveBackUnexecuted, type LeaseSettings, registerWorker, renewWorker, retireWorker } from "../runs/worker-lease.js";
import { FinishQueue } from "./finish-queue.js";
import type { AbortReason, RunExecutor, RunToExecute } from "./run-executor.js";

/** A claim older than this when its handler starts is given back: the verdict would be stale. */
const maxClaimAgeMs = 1_000;
/** Runs that were told to stop at the end of the grace get this long to write their ending; the reaper takes back the others. */
const abortedWaitMs = 400;
const lostLeaseReason: AbortReason = { why: "lease-lost" };

/** A busy worker looks this often whether somebody wants one of its runs to stop. */
const abortLookEveryMs = 1_000;
/** Leaving does not wait longer than this for a database that does not answer. */
const maxFarewellMs = 200;

/** The claim that some runs came with. */
interface Claim {
  readonly workerId: string;
  /** The monotonic time before the claim was sent. */
  readonly claimedAtMs: number;
  /** Why none of these runs may start after all; null when they may. */
  readonly refusal: string | null;
}

interface Running {
  readonly runId: string;
  readonly dueAt: number;
  readonly attempt: number;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** Runs what the dispatcher claimed, under one lease for the whole process. */
export class RunWorker {
  readonly #leaseDatabase: Database;
  readonly #executor: RunExecutor;
  readonly #log: Logger;
  readonly #lease: LeaseSettings;
  readonly #name: string;
  readonly #random: () => number;
  readonly #finishes: FinishQueue;
  /** By run and attempt: the answer to a claim may come so late that the run is here again already. */
  readonly #running = new Map<string, Running>();
  readonly maxConcurrentRuns: number;
  #workerId: string | null = null;
  #leaseEndsAtMs = 0;
  #renewing: NodeJS.Timeout | null = null;
  #renewal: Promise<void> = Promise.resolve();
  #renewalSinceMs: number | null = null;
  #selfKill: NodeJS.Timeout | null = null;
  #abortLook: NodeJS.Timeout | null = null;
  #looking = false;

  constructor(options: {
    readonly database: Database;
    /** Where the lease is renewed: connections of its own, so that it never waits behind commands. */
    readonly leaseDatabase: Database;
    readonly executor: RunExecutor;
    readonly log: Logger;
    readonly lease: LeaseSettings;
    readonly name: string;
    readonly maxConcurrentRuns: number;
    readonly random: () => number;
  }) {
    this.#leaseDatabase = options.leaseDatabase;
    this.#executor = options.executor;
    this.#log = options.log;
    this.#lease = options.lease;
    this.#name = options.name;
    this.#random = options.random;
    this.maxConcurrentRuns = options.maxConcurrentRuns;
    this.#finishes = new FinishQueue(options, options.log);
  }

  /** The id under which runs are claimed; null while there is no valid lease, and then nothing may be claimed. */
  get workerId(): string | null {
    return clock.monotonicMs() < this.#leaseEndsAtMs - this.#lease.marginMs ? this.#workerId : null;
  }

  get freeSlots(): number {
    return Math.max(0, this.maxConcurrentRuns - this.#running.size);
  }

  get runningCount(): number {
    return this.#running.size;
  }

  async start(): Promise<void> {
    await this.#takeLease();
    this.#renewing = setInterval(() => this.#renewUnlessUnderWay(), this.#lease.renewEveryMs);
    this.#abortLook = setInterval(() => void this.lookForAborts(), abortLookEveryMs);
  }

  /** Lets runs in flight finish for `graceMs`, then aborts them, and gives up the lease so that nobody has to wait for it. */
  async stop(graceMs: number): Promise<void> {
    const finished = Promise.all([...this.#running.values()].map((one) => one.ended));
    const inTime = await Promise.race([
      finished.then(() => true),
      new Promise<false>((resolve) => setTimeout(() => resolve(false), graceMs).unref()),
    ]);
    if (!inTime) {
      for (const one of this.#running.values()) one.abort.abort({ why: "shutdown" } satisfies AbortReason);
      await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, abortedWaitMs).unref())]);
    }
    if (this.#renewing !== null) clearInterval(this.#renewing);
    if (this.#abortLook !== null) clearInterval(this.#abortLook);
    const retired = this.#renewal.then(() => (this.#workerId === null ? undefined : retireWorker(this.#leaseDatabase, this.#workerId)));
    await Promise.race([retired, new Promise((resolve) => setTimeout(resolve, maxFarewellMs).unref())]);
    if (this.#selfKill !== null) clearTimeout(this.#selfKill);
    this.#workerId = null;
  }

  /** Starts claimed runs. `onSlot` is called whenever a slot gets free. */
  run(claimed: readonly ClaimedRun[], claim: Claim, onSlot: () => void): void {
    for (const one of claimed) {
      const run = { ...one, workerId: claim.workerId };
      const key = `${run.runId}/${run.attempt}`;
      const abort = new AbortController();
      const ended = this.#execute(run, claim, abort).finally(() => {
        this.#running.delete(key);
        onSlot();
      });
      this.#running.set(key, { runId: run.runId, dueAt: run.dueAt, attempt: run.attempt, abort, ended });
    }
  }

  /** Stops the runs in hand that somebody wants to stop: by its own look every second, or at once for whoever has just asked. Never throws. */
  async lookForAborts(): Promise<void> {
    const workerId = this.#workerId;
    if (workerId === null || this.#looking || this.#running.size === 0) return;
    this.#looking = true;
    try {
      for (const one of await readAbortRequests(this.#leaseDatabase, { workerId, runs: [...this.#running.values()] })) {
        this.#running.get(`${one.runId}/${one.attempt}`)?.abort.abort({ why: one.reason } satisfies AbortReason);
      }
    } catch (error) {
      this.#log.warn({ err: error }, "Nobody knows whether a run is to stop; looking again.");
    } finally {
      this.#looking = false;
    }
  }

  async #execute(run: RunToExecute, claim: Claim, abort: AbortController): Promise<void> {
    const timer = setTimeout(() => abort.abort({ why: "timeout" } satisfies AbortReason), run.timeoutMs);
    const outcome = await this.#outcomeOf(run, claim, abort.signal);
    clearTimeout(timer);
    const giveUpAtMs = () => (this.#workerId === claim.workerId ? this.#leaseEndsAtMs + this.#lease.marginMs : Number.NEGATIVE_INFINITY);
    const { runId, dueAt, attempt, retry } = run;
    await this.#finishes.add(claim.workerId, { runId, dueAt, attempt, retry, outcome, jitter: this.#random() }, giveUpAtMs);
  }

  async #outcomeOf(run: RunToExecute, claim: Claim, signal: AbortSignal): Promise<RunOutcome> {
    if (claim.refusal !== null) return { kind: "given-back", reason: claim.refusal };
    // The lease may have come near its end, or to it, while the claim was under way: nothing would stop this run then.
    if (this.workerId !== claim.workerId) return { kind: "given-back", reason: "lease-ending" };
    if (clock.monotonicMs() - claim.claimedAtMs > maxClaimAgeMs) return { kind: "given-back", reason: "claim-too-old" };
    try {
      return await this.#executor.execute(run, signal);
    } catch (error) {
      this.#log.error({ err: error, runId: run.runId, job: run.jobKey }, "A run ended with an unexpected error.");
      return {
        kind: "failed",
        figures: {},
        failure: { kind: "bug", rule: ERROR_POLICIES.bug, retryAfterMs: null, ambiguous: false },
        error: { kind: "bug", message: "The run ended with an unexpected error; the server's log has it under this run's id." },
      };
    }
  }

  async #takeLease(): Promise<void> {
    const before = clock.monotonicMs();
    this.#workerId = await registerWorker(this.#leaseDatabase, { name: this.#name, leaseMs: this.#lease.leaseMs });
    this.#leaseEndsAtMs = before + this.#lease.leaseMs;
    this.#armSelfKill();
  }

  /** One renewal at a time. One that got no answer for a whole lease hangs on a dead connection, and another may find a living one. */
  #renewUnlessUnderWay(): void {
    const now = clock.monotonicMs();
    if (this.#renewalSinceMs !== null && now - this.#renewalSinceMs < this.#lease.leaseMs) return;
    this.#renewalSinceMs = now;
    this.#renewal = this.#renew().finally(() => {
      if (this.#renewalSinceMs === now) this.#renewalSinceMs = null;
    });
  }

  async #renew(): Promise<void> {
    const workerId = this.#workerId;
    if (workerId === null) return;
    const before = clock.monotonicMs();
    try {
      const renewed = await renewWorker(this.#leaseDatabase, { workerId, leaseMs: this.#lease.leaseMs, marginMs: this.#lease.marginMs });
      // The answer may be a late one, about a lease that was replaced meanwhile.
      if (this.#workerId !== workerId) return;
      if (!renewed) {
        this.#abortAll();
        await this.#takeLease();
        return;
      }
      this.#leaseEndsAtMs = Math.max(this.#leaseEndsAtMs, before + this.#lease.leaseMs);
      this.#armSelfKill();
      const inHand = () => [...this.#running.values()].map((one) => one.runId);
      const givenBack = await giveBackUnexecuted({ database: this.#leaseDatabase }, { workerId, inHand });
      if (givenBack > 0) this.#log.warn({ runs: givenBack }, "The answer to a claim was lost; its runs are queued again.");
    } catch (error) {
      this.#log.warn({ err: error }, "The worker's lease could not be renewed; trying again.");
    }
  }

  /**
   * The reaper acts after the lease plus the margin; our own calls are stopped a margin before its end, so the two never overlap. By a timer of
   * the monotonic clock: a database that has gone silent answers no renewal, and refuses none.
   */
  #armSelfKill(): void {
    if (this.#selfKill !== null) clearTimeout(this.#selfKill);
    const leftMs = this.#leaseEndsAtMs - this.#lease.marginMs - clock.monotonicMs();
    this.#selfKill = setTimeout(
      () => {
        if (this.workerId !== null) this.#armSelfKill();
        else this.#abortAll();
      },
      Math.max(1, Math.ceil(leftMs)),
    );
  }

  #abortAll(): void {
    for (const one of this.#running.values()) one.abort.abort(lostLeaseReason);
  }
}
