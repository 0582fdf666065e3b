import { type ClockReference, judgeClock, type ProcessMoment } from "@quiesce/core";
import type { Logger } from "pino";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { type ClockState, readClock, recordClockStep } from "../runs/clock-step.js";

/**
 * Watches the database's clock against this process's own ones. A jump is put on record, which stops every server until an operator has looked;
 * what another server put on record stops this one. Every peek and every control pass asks first, so nothing is decided by a time that was not
 * judged.
 */
export class ClockWatch {
  readonly #database: Database;
  readonly #log: Logger;
  readonly #server: string;
  #reference: ClockReference | null = null;
  /** What the last answer said: an acknowledgement that comes after it is about everything seen until then. */
  #acknowledgements = 0;
  /** How many acknowledgements there were when this server stopped; null while it goes. */
  #stoppedAt: number | null = null;

  constructor(options: { readonly database: Database; readonly log: Logger; readonly workerName: string }) {
    this.#database = options.database;
    this.#log = options.log;
    this.#server = options.workerName;
  }

  /** Take it before the statement that reads the clock. */
  static moment(): ProcessMoment {
    return { monotonicMs: clock.monotonicMs(), uptimeMs: clock.uptimeMs() };
  }

  /** Reads the database's clock: whether its time may decide anything. */
  async isTrusted(): Promise<boolean> {
    const before = ClockWatch.moment();
    return this.judge(await readClock(this.#database), before);
  }

  /** Judges a time of the database that came with another answer. False: dispatch nothing. */
  async judge(answer: ClockState & { readonly now: number }, before: ProcessMoment): Promise<boolean> {
    const reading = { databaseMs: answer.now, before, after: ClockWatch.moment() };
    const { acknowledgements } = answer;
    // Answers overtake one another: an older one knows less.
    if (acknowledgements < this.#acknowledgements) return false;
    if (acknowledgements > this.#acknowledgements) this.#reference = null;
    this.#acknowledgements = acknowledgements;
    if (answer.stepped) {
      this.#stop();
      return false;
    }
    if (this.#stoppedAt !== null) {
      // Nothing but an acknowledgement ends a stop: this answer is from before the jump was on record.
      if (acknowledgements <= this.#stoppedAt) return false;
      this.#stoppedAt = null;
      this.#log.info("The jump of the database's clock is acknowledged: dispatch goes on.");
    }
    const verdict = judgeClock(this.#reference, reading);
    if (verdict.kind === "unusable") return false;
    if (verdict.kind === "stepped") {
      await this.#record(verdict.byMs);
      return false;
    }
    if (verdict.kind === "slept") this.#log.info({ forMs: verdict.forMs }, "This machine was suspended; the database's clock went on.");
    this.#reference = verdict.reference;
    return true;
  }

  /** Whether a claim was decided by a time that jumped; the next look at the clock puts it on record. */
  suspects(databaseMs: number, before: ProcessMoment): boolean {
    if (this.#stoppedAt !== null) return true;
    return judgeClock(this.#reference, { databaseMs, before, after: ClockWatch.moment() }).kind === "stepped";
  }

  async #record(byMs: number): Promise<void> {
    const input = { byMs, server: this.#server, acknowledgements: this.#acknowledgements };
    const isFirst = await recordClockStep({ database: this.#database }, input);
    if (isFirst) this.#log.error({ byMs }, "The database's clock jumped.");
    this.#stop();
  }

  #stop(): void {
    if (this.#stoppedAt === null)
      this.#log.error('Dispatch is stopped: the database\'s clock jumped. Look at it, then: quiesce clock acknowledge --reason "…"');
    this.#stoppedAt = this.#acknowledgements;
    this.#reference = null;
  }
}
