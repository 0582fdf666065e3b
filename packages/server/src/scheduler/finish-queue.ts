import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { type FinishedRun, finishRuns } from "../runs/finish.js";

/** Outcomes of one statement: many small runs end together for the price of one. */
const maxBatch = 500;
/** An outcome waits this long for others. */
const gatherMs = 3;
const retryMs = 250;

/** Collects how runs ended and writes them in batches, one statement at a time. */
export class FinishQueue {
  readonly #context: { readonly database: Database };
  readonly #log: Logger;
  readonly #waiting: { readonly workerId: string; readonly run: FinishedRun; readonly done: () => void }[] = [];
  #flushing = false;

  constructor(context: { readonly database: Database }, log: Logger) {
    this.#context = context;
    this.#log = log;
  }

  /** Resolves when the ending is written, or when it can never be (the lease was lost meanwhile). */
  add(workerId: string, run: FinishedRun, giveUpAtMonotonicMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ workerId, run, done: resolve });
      if (!this.#flushing) void this.#flush(giveUpAtMonotonicMs);
    });
  }

  async #flush(giveUpAtMonotonicMs: number): Promise<void> {
    this.#flushing = true;
    await delay(gatherMs);
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      const workerId = batch[0]?.workerId ?? "";
      const mine = batch.filter((one) => one.workerId === workerId);
      this.#waiting.unshift(...batch.filter((one) => one.workerId !== workerId));
      try {
        await finishRuns(this.#context, { workerId, runs: mine.map((one) => one.run) });
        for (const one of mine) one.done();
      } catch (error) {
        if (clock.monotonicMs() > giveUpAtMonotonicMs) {
          this.#log.error({ err: error, runs: mine.length }, "Endings of runs could not be written before the lease ended; the reaper takes these runs back.");
          for (const one of mine) one.done();
          continue;
        }
        this.#log.warn({ err: error, runs: mine.length }, "Endings of runs could not be written yet; trying again.");
        this.#waiting.unshift(...mine);
        await delay(retryMs);
      }
    }
    // In the same turn as the look at the empty queue: whoever adds next starts a flush of its own.
    this.#flushing = false;
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
