import type { ZoneData } from "@quiesce/core";
import type { Logger } from "pino";
import { clock } from "../clock.js";
import { inTransaction } from "../command.js";
import type { Database } from "../db/client.js";
import { renewStatistics } from "../db/renew-statistics.js";
import type { RetentionDays } from "../retention/settings.js";
import type { LeaseSettings } from "../runs/worker-lease.js";
import { AgendaWakes } from "./agenda-wakes.js";
import { ClockWatch } from "./clock-watch.js";
import { BoundaryTimer } from "./boundary-timer.js";
import { type ControlPass, controlPasses } from "./control-passes.js";
import { Dispatcher } from "./dispatcher.js";
import { openDispatchDatabase } from "./open-dispatch-database.js";
import { announceOpened } from "../windows/announce-opened.js";
import type { ReadinessProbe } from "../windows/check-readiness.js";
import type { RunExecutor } from "./run-executor.js";
import { RunWorker } from "./run-worker.js";

/** Beside Agenda's wake-ups every server looks by itself this often: Agenda keeps times of process clocks, which may be wrong. */
const ownTickMs = 2_000;
const dispatchEveryMs = 500;

export interface SchedulerOptions {
  readonly database: Database;
  readonly databaseUrl: string;
  /** For peeks, claims and the worker's lease; left out, the scheduler opens a small pool of its own with timeouts of two seconds. */
  readonly dispatchDatabase?: Database;
  readonly zones: ZoneData;
  readonly executor: RunExecutor;
  readonly probe: ReadinessProbe;
  readonly log: Logger;
  readonly workerName: string;
  readonly maxConcurrentRuns: number;
  readonly lease: LeaseSettings;
  /** As long as the deployment has no setting of its own; 400 days of runs and 30 of events when left out. */
  readonly retention?: RetentionDays;
  /** Days for which it is known what became of each record. */
  readonly traceDays?: number;
  /** A number in [0, 1) for spreading retries. */
  readonly random: () => number;
}

/** One pass with the guards that it never runs twice at once in this process, and decides nothing by a clock that jumped. */
class GuardedPass {
  readonly #pass: ControlPass;
  readonly #clock: ClockWatch;
  readonly #log: Logger;
  #running: Promise<void> | null = null;
  #lastStartedMs = Number.NEGATIVE_INFINITY;

  constructor(pass: ControlPass, guards: { readonly clockWatch: ClockWatch; readonly log: Logger }) {
    this.#pass = pass;
    this.#clock = guards.clockWatch;
    this.#log = guards.log;
  }

  get name(): string {
    return this.#pass.name;
  }

  get everyMs(): number {
    return this.#pass.everyMs;
  }

  /** Runs the pass, or waits for the one under way. Its errors are logged: the next wake-up tries again. */
  run(): Promise<void> {
    if (this.#running !== null) return this.#running;
    this.#lastStartedMs = clock.monotonicMs();
    this.#running = this.#clock
      .isTrusted()
      .then((isTrusted) => (isTrusted ? this.#pass.run() : undefined))
      .catch((error: unknown) =>
        this.#log.error({ err: error, pass: this.#pass.name }, "A pass of the scheduler failed; the next wake-up tries again."),
      )
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  runWhenOverdue(): void {
    if (clock.monotonicMs() - this.#lastStartedMs >= this.#pass.everyMs) void this.run();
  }

  settled(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }
}

/** The scheduling of one server: Agenda's wake-ups, the control passes, the dispatcher and its worker. */
export class Scheduler {
  readonly #worker: RunWorker;
  readonly #dispatcher: Dispatcher;
  readonly #passes: readonly GuardedPass[];
  readonly #agenda: AgendaWakes;
  readonly #boundary: BoundaryTimer;
  readonly #log: Logger;
  readonly #ownDatabase: Database | null;
  #ticking: NodeJS.Timeout | null = null;
  #statistics: Promise<void> | null = null;

  constructor(options: SchedulerOptions) {
    this.#log = options.log;
    const dispatchDatabase = options.dispatchDatabase ?? openDispatchDatabase(options.databaseUrl);
    this.#ownDatabase = options.dispatchDatabase === undefined ? dispatchDatabase : null;
    this.#worker = new RunWorker({ ...options, leaseDatabase: dispatchDatabase, name: options.workerName });
    const clockWatch = new ClockWatch(options);
    const { database } = options;
    this.#boundary = new BoundaryTimer({
      ...options,
      tell: () => inTransaction({ database }, (tx) => announceOpened(tx)),
      pass: () => this.pass("windows.reconcile"),
    });
    this.#dispatcher = new Dispatcher({
      ...options,
      clockWatch,
      database: dispatchDatabase,
      worker: this.#worker,
      onStale: () => void this.pass("windows.expand"),
      beforeClaim: () => this.#boundary.told(),
      onSlowClaim: (tookMs) => void this.#renewStatistics(options, tookMs),
    });
    this.#passes = controlPasses({
      ...options,
      wakeDispatcher: () => this.#dispatcher.wake(),
      lookForAborts: () => void this.#worker.lookForAborts(),
      lookForBoundary: () => this.#boundary.look(),
    }).map((pass) => new GuardedPass(pass, { clockWatch, log: options.log }));
    this.#agenda = new AgendaWakes({
      url: options.databaseUrl,
      log: options.log,
      wakes: [
        { name: "dispatch.tick", everyMs: dispatchEveryMs, wake: async () => this.#dispatcher.wake() },
        ...this.#passes.map((pass) => ({ name: pass.name, everyMs: pass.everyMs, wake: () => pass.run() })),
      ],
    });
  }

  /** Does every duty once, in order (a server may have been down for days), then starts dispatching. */
  async start(): Promise<void> {
    for (const pass of this.#passes) await pass.run();
    await this.#worker.start();
    this.#dispatcher.start();
    await this.#agenda.start();
    this.#ticking = setInterval(() => {
      for (const pass of this.#passes) pass.runWhenOverdue();
      this.#dispatcher.wake();
    }, ownTickMs);
  }

  /** Starts nothing more, lets runs in flight finish for `graceMs`, then stops them; the rest is somebody else's, by the stored facts. */
  async stop(graceMs: number): Promise<void> {
    if (this.#ticking !== null) clearInterval(this.#ticking);
    await Promise.all([this.#dispatcher.stop(), this.#boundary.stop()]);
    // At the same time: a wake-up that hangs must not take the runs' grace from what a stop may last.
    await Promise.all([
      this.#agenda
        .stop()
        .catch((error: unknown) => this.#log.warn({ err: error }, "Agenda did not stop cleanly."))
        .then(() => Promise.all(this.#passes.map((pass) => pass.settled()))),
      this.#worker.stop(graceMs),
    ]);
    await this.#ownDatabase?.sql.end({ timeout: 0 });
  }

  /** In the background; the claim that was slow, and those after it, do not wait. */
  #renewStatistics(options: SchedulerOptions, tookMs: number): Promise<void> {
    this.#statistics ??= renewStatistics(options, "slow-claim")
      .then((tables) => {
        if (tables.length > 0)
          this.#log.warn({ tookMs: Math.round(tookMs), tables }, "A claim was slow: the planner's statistics were renewed.");
      })
      .catch((error: unknown) => this.#log.warn({ err: error }, "The planner's statistics could not be renewed."))
      .finally(() => {
        this.#statistics = null;
      });
    return this.#statistics;
  }

  /** Runs one pass now: after a command whose effect should show at once. */
  async pass(name: string): Promise<void> {
    await this.#passes.find((pass) => pass.name === name)?.run();
  }

  get runningCount(): number {
    return this.#worker.runningCount;
  }
}
