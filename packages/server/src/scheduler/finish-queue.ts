import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { type FinishedRun, finishRuns, holdsIntegration, type RunOutcome } from "../runs/finish.js";

/** Outcomes of one statement: many small runs end together for the price of one. */
const maxBatch = 500;
/** An outcome waits this long for others. */
const gatherMs = 3;
const retryMs = 250;
/** SQLSTATE classes that are the fault of a value: data exception, integrity constraint, a limit of the program. Another try changes nothing. */
const classesOfBadValues: ReadonlySet<string> = new Set(["22", "23", "54"]);

/** An ending that waits to be written. */
interface WaitingEnding {
  readonly workerId: string;
  readonly run: FinishedRun;
  /** The monotonic time from which on nobody would read it; asked at each failure, for a lease that is renewed goes on. */
  readonly giveUpAtMonotonicMs: () => number;
  readonly done: () => void;
}

/**
 * Collects how runs ended and writes them in batches. Endings that hold their integration go a way of their own: they wait for the catalogue,
 * which a long apply may keep for seconds, and the others must not wait with them.
 */
export class FinishQueue {
  readonly #plain: FinishLane;
  readonly #holding: FinishLane;

  constructor(context: { readonly database: Database }, log: Logger) {
    this.#plain = new FinishLane(context, log);
    this.#holding = new FinishLane(context, log);
  }

  /** Resolves when the ending is written, or when it can never be (the lease was lost meanwhile). */
  add(workerId: string, run: FinishedRun, giveUpAtMonotonicMs: () => number): Promise<void> {
    const lane = holdsIntegration(run.outcome) ? this.#holding : this.#plain;
    return new Promise((resolve) => lane.add({ workerId, run, giveUpAtMonotonicMs, done: resolve }));
  }
}

/** One batch at a time. */
class FinishLane {
  readonly #context: { readonly database: Database };
  readonly #log: Logger;
  readonly #waiting: WaitingEnding[] = [];
  #flushing = false;

  constructor(context: { readonly database: Database }, log: Logger) {
    this.#context = context;
    this.#log = log;
  }

  add(one: WaitingEnding): void {
    this.#waiting.push(one);
    if (!this.#flushing) void this.#flush();
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    await delay(gatherMs);
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      const unwritten = await this.#write(batch);
      if (unwritten.length === 0) continue;
      // At the end: what cannot be written must not stand before what can.
      this.#waiting.push(...unwritten);
      if (unwritten.length === batch.length || unwritten.length === this.#waiting.length) await delay(retryMs);
    }
    // In the same turn as the look at the empty queue: whoever adds next starts a flush of its own.
    this.#flushing = false;
  }

  /** The endings of one worker: a statement is fenced by one. */
  #nextBatch(): readonly WaitingEnding[] {
    const batch = this.#waiting.splice(0, maxBatch);
    const workerId = batch[0]?.workerId;
    this.#waiting.unshift(...batch.filter((one) => one.workerId !== workerId));
    return batch.filter((one) => one.workerId === workerId);
  }

  /** Answers what is to be tried again. A batch that fails for one ending's sake is halved until that one stands alone. */
  async #write(batch: readonly WaitingEnding[]): Promise<readonly WaitingEnding[]> {
    const [first] = batch;
    if (first === undefined) return [];
    try {
      await finishRuns(this.#context, { workerId: first.workerId, runs: batch.map((one) => one.run) });
      for (const one of batch) one.done();
      return [];
    } catch (error) {
      if (!isFaultOfValues(error)) return this.#later(batch, error);
      if (batch.length === 1) return this.#writePlain(first, error);
      const middle = Math.ceil(batch.length / 2);
      return [...(await this.#write(batch.slice(0, middle))), ...(await this.#write(batch.slice(middle)))];
    }
  }

  /** Without the words and figures that the database refuses: that a run ended weighs more than what it said. */
  async #writePlain(one: WaitingEnding, cause: unknown): Promise<readonly WaitingEnding[]> {
    this.#log.error({ err: cause, runId: one.run.runId }, "How a run ended could not be stored; it is stored without its details.");
    const plain = { ...one, run: { ...one.run, outcome: withoutDetails(one.run.outcome) } };
    try {
      await finishRuns(this.#context, { workerId: plain.workerId, runs: [plain.run] });
      plain.done();
      return [];
    } catch (error) {
      return this.#later([plain], error);
    }
  }

  #later(batch: readonly WaitingEnding[], error: unknown): readonly WaitingEnding[] {
    const now = clock.monotonicMs();
    const lost = batch.filter((one) => now > one.giveUpAtMonotonicMs());
    const unwritten = batch.filter((one) => !lost.includes(one));
    if (lost.length > 0) {
      this.#log.error(
        { err: error, runs: lost.length },
        "Endings of runs could not be written before the lease ended; the reaper takes these runs back.",
      );
      for (const one of lost) one.done();
    }
    if (unwritten.length > 0)
      this.#log.warn({ err: error, runs: unwritten.length }, "Endings of runs could not be written yet; trying again.");
    return unwritten;
  }
}

function withoutDetails(outcome: RunOutcome): RunOutcome {
  switch (outcome.kind) {
    case "succeeded":
      return { kind: "succeeded", figures: {} };
    case "given-back":
      return { kind: "given-back", reason: "unstorable-reason" };
    case "failed": {
      const message = "How this run failed could not be stored; the server's log has it under this run's id.";
      return { ...outcome, figures: {}, error: { kind: outcome.failure.kind, message } };
    }
  }
}

/** Whether the database, or the writing of the statement before it, refused a value. Everything else may pass with time. */
function isFaultOfValues(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    const code = "code" in one ? one.code : undefined;
    if (typeof code === "string") return /^[0-9A-Z]{5}$/.test(code) && classesOfBadValues.has(code.slice(0, 2));
    if (one.cause === undefined) return true;
  }
  return false;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
