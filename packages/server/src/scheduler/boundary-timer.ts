import type { Log } from "../log.js";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { nextBoundary } from "../windows/next-boundary.js";

/** So far ahead a boundary is looked for; the pass that looks comes twice a second. */
const lookAheadMs = 1_500;
/** A claim waits so long at most for the telling of what has just begun. */
const usualWaitMs = 50;
/** Timers may fire a little early by the database's clock. */
const marginMs = 1;

/**
 * Tells at the very instant that windows begin and end, instead of at the next pass. Nothing depends on it: holds cover by themselves, and whoever stops
 * between arming and telling, or is late, leaves the pass to do it.
 */
export class BoundaryTimer {
  readonly #database: Database;
  readonly #log: Log;
  readonly #tell: () => Promise<unknown>;
  readonly #pass: () => Promise<void>;
  readonly #longestWaitMs: number;
  #timer: NodeJS.Timeout | null = null;
  #atMs = Number.POSITIVE_INFINITY;
  #telling: Promise<unknown> | null = null;
  #stopped = false;

  constructor(options: {
    readonly database: Database;
    readonly log: Log;
    /** Writes down what has begun; quick. */
    readonly tell: () => Promise<unknown>;
    /** Everything else that a boundary brings. */
    readonly pass: () => Promise<void>;
    readonly longestWaitMs?: number;
  }) {
    this.#database = options.database;
    this.#log = options.log;
    this.#tell = options.tell;
    this.#pass = options.pass;
    this.#longestWaitMs = options.longestWaitMs ?? usualWaitMs;
  }

  /** Looks for the next boundary and arms the timer for it. Call it after every pass. */
  async look(): Promise<void> {
    const asked = clock.monotonicMs();
    const next = await nextBoundary(this.#database, lookAheadMs);
    // What the question took is counted as if the answer had been read at its beginning: too early costs a second look, too late is late.
    this.#arm(next === null ? null : asked + next.inMs);
  }

  /** What has begun by now, as far as it was known ahead, is told before this resolves, or nearly so: a claim asks before it writes that runs are held. */
  async told(): Promise<void> {
    if (clock.monotonicMs() < this.#atMs - marginMs || this.#stopped) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        // Something holds its rows: one claim has waited for it, the next ones do not.
        this.#atMs = Number.POSITIVE_INFINITY;
        resolve();
      }, this.#longestWaitMs);
    });
    await Promise.race([this.#tellOnce(), late]);
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#arm(null);
    await this.#telling;
  }

  #arm(atMs: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#atMs = atMs ?? Number.POSITIVE_INFINITY;
    if (atMs === null || this.#stopped) return;
    this.#timer = setTimeout(() => void this.#reached(), Math.max(0, atMs - clock.monotonicMs()) + marginMs);
  }

  async #reached(): Promise<void> {
    await this.#tellOnce();
    if (!this.#stopped) await this.#pass();
  }

  /** Both the timer and the claims come here at the same instant. */
  #tellOnce(): Promise<unknown> {
    this.#telling ??= this.#tell()
      .then(() => {
        this.#atMs = Number.POSITIVE_INFINITY;
      })
      .catch((error: unknown) => this.#log.warn({ err: error }, "A window's beginning could not be told at once; the next pass tells it."))
      .finally(() => {
        this.#telling = null;
      });
    return this.#telling;
  }
}
