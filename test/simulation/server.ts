import { ERROR_POLICIES } from "@quiesce/sdk";
import type { CommandContext } from "../../packages/server/src/command.js";
import { claimRuns, type ClaimedRun, type DueRun, peekDue } from "../../packages/server/src/runs/claim.js";
import { type FinishedRun, finishRuns, type RunOutcome } from "../../packages/server/src/runs/finish.js";
import { materialiseRuns } from "../../packages/server/src/runs/materialise.js";
import { sweepReleased } from "../../packages/server/src/runs/sweep-released.js";
import { reapRuns, registerWorker, renewWorker } from "../../packages/server/src/runs/worker-lease.js";
import { advanceWindows } from "../../packages/server/src/windows/advance.js";
import { expandWindows } from "../../packages/server/src/windows/expand.js";
import { type ActorGate, SimulatedCrash } from "./gated-database.js";
import { leaseMarginMs as marginMs, type Story } from "./story.js";
import { minute } from "./world.js";

const leaseMs = 30_000;
const peekLimit = 500;

type Place = Pick<DueRun, "readyAt" | "jobId">;

interface Execution {
  readonly run: ClaimedRun;
  readonly workerId: string;
  readonly endsAt: number;
}

export const duties = ["expand", "materialise", "reap", "advance", "sweep"] as const;
export type Duty = (typeof duties)[number];

/** One server of the story: the real duties, the real claim and the real endings, with a made-up executor. */
export class Server {
  readonly name: string;
  readonly gate: ActorGate;
  readonly #story: Story;
  readonly #context: CommandContext;
  #executions: Execution[] = [];
  #seenBefore: readonly DueRun[] = [];
  workerId = "";
  /** It does nothing and renews nothing, and does not know it: a stopped process, a lost network. */
  frozen = false;

  constructor(story: Story, name: string) {
    this.#story = story;
    this.name = name;
    const { gate, context } = story.actor(name);
    this.gate = gate;
    this.#context = context;
  }

  get executing(): number {
    return this.#executions.length;
  }

  async start(): Promise<void> {
    this.workerId = await registerWorker(this.#story.database, { name: this.name, leaseMs });
    this.#story.leases.set(this.workerId, this.#story.now + leaseMs);
  }

  /** As the living server did all along while the clock went on by `forMs`. */
  async renew(forMs: number): Promise<void> {
    if (this.frozen) return;
    const renewed = await renewWorker(this.#story.database, { workerId: this.workerId, leaseMs: forMs + leaseMs, marginMs });
    if (renewed) this.#story.leases.set(this.workerId, this.#story.now + forMs + leaseMs);
    else await this.start();
  }

  /** It goes on where it stood: it reports what it ran before it looks at its lease. */
  async thaw(): Promise<void> {
    await this.finish();
    this.frozen = false;
    await this.renew(0);
  }

  /** The process is gone without a word; another takes its place. What it ran is left to the reaper. */
  async crash(): Promise<void> {
    this.#story.tally.crashes += 1;
    this.#story.leases.set(this.workerId, 0);
    this.#executions = [];
    this.frozen = false;
    this.gate.reset();
    await this.start();
  }

  /** One duty, which may be cut off by a crash anywhere between two statements. */
  async duty(duty: Duty): Promise<void> {
    this.#story.note(`${this.name} ${duty}`);
    await this.#untilCrash(async () => {
      switch (duty) {
        case "expand":
          // Before, because a crash may come after the commit.
          this.#story.holds.changes(this.#story.now);
          await expandWindows(this.#context);
          return;
        case "materialise":
          for (let after: number | null = 0; after !== null;) after = (await materialiseRuns(this.#context, after)).next;
          return;
        case "reap":
          await reapRuns(this.#context, { marginMs });
          return;
        case "advance":
          await advanceWindows(this.#context);
          // Every hold that had ended by now is released; with the clock set back, by the latest time it ever told.
          this.#story.holds.releasedUpTo = Math.max(this.#story.holds.releasedUpTo, this.#story.now);
          return;
        case "sweep":
          await sweepReleased(this.#context);
          return;
      }
    });
  }

  /** Answers how many runs it started. */
  async claim(limit: number, options: { readonly endAtOnce?: boolean } = {}): Promise<number> {
    let started = 0;
    // A worker whose own clock says that its lease is nearly over claims nothing.
    if (this.frozen) return started;
    await this.#untilCrash(async () => {
      // What was seen a while ago: between a look and its claim anything may have happened.
      if (this.#seenBefore.length > 0 && this.#story.random.chance(0.25))
        started += await this.#claimPage(this.#seenBefore, limit, options.endAtOnce === true);
      const anyAge = options.endAtOnce === true || this.#story.random.chance(0.2);
      // Page by page, as the dispatcher does: a page may hold nothing but runs that wait behind others.
      let after: Place | null = null;
      do {
        const { runs } = await peekDue(this.#context.database.sql, { withinMs: 0, limit: peekLimit, after, anyAge });
        this.#seenBefore = runs;
        started += await this.#claimPage(runs, Math.max(1, limit - started), options.endAtOnce === true);
        const last = runs.at(-1);
        after = runs.length < peekLimit || last === undefined ? null : { readyAt: last.readyAt, jobId: last.jobId };
      } while (after !== null && started < limit);
    });
    return started;
  }

  async #claimPage(runs: readonly DueRun[], limit: number, endAtOnce: boolean): Promise<number> {
    const { workerId } = this;
    const result = await claimRuns(this.#context.database.sql, { workerId, runs, limit });
    this.#story.tally.held += result.held;
    // Ids are random: only the order of job and due time tells the same story again.
    const claimed = result.claimed.toSorted((a, b) => a.dueAt - b.dueAt || (a.jobId ?? 0) - (b.jobId ?? 0));
    for (const run of claimed) {
      if (run.startedAt !== this.#story.now)
        this.#story.broken(`run ${run.runId} says it began at ${run.startedAt}, the database's clock said ${this.#story.now}`);
      this.#story.started({ ...run, workerId, gate: false });
      const lastsMs = endAtOnce ? 0 : this.#story.random.pick([0, 0, 200, 5_000, minute, 20 * minute]);
      this.#executions.push({ run, workerId, endsAt: this.#story.now + lastsMs });
    }
    if (result.claimed.length + result.held > 0) this.#story.note(`${this.name} claimed ${result.claimed.length}, held ${result.held}`);
    return claimed.length;
  }
  /** Reports what has ended. A server that was frozen reports too, and must change nothing that is not its own any more. */
  async finish(options: { readonly succeed?: boolean } = {}): Promise<void> {
    const { random, now } = this.#story;
    const ended = this.#executions.filter((one) => one.endsAt <= now && (options.succeed === true || random.chance(0.8)));
    if (ended.length === 0) return;
    await this.#untilCrash(async () => {
      for (const workerId of new Set(ended.map((one) => one.workerId))) {
        const mine = ended.filter((one) => one.workerId === workerId);
        await this.#finishAs(workerId, mine, options.succeed === true);
      }
    });
    this.#executions = this.#executions.filter((one) => !ended.includes(one));
  }

  async #finishAs(workerId: string, ended: readonly Execution[], succeed: boolean): Promise<void> {
    const story = this.#story;
    const runs = ended.map(({ run }): FinishedRun => {
      const job = [...story.world.jobs.values()].find((one) => story.jobIds.get(one.key) === run.jobId);
      const outcome: RunOutcome = succeed ? { kind: "succeeded", figures: {} } : this.#outcome();
      return {
        ...run,
        outcome,
        retry: { maxAttempts: job?.maxAttempts ?? 3, backoffSeconds: 30, maxBackoffSeconds: 900 },
        jitter: story.random.next(),
      };
    });
    const isHeldBySelf = (one: FinishedRun) => {
      const holder = story.holders.get(one.runId);
      return holder?.workerId === workerId && holder.attempt === one.attempt;
    };
    const mine = new Set(runs.filter(isHeldBySelf));
    for (const one of mine) story.ending.add(one.runId);
    const done = await finishRuns(this.#context, { workerId, runs });
    for (const one of runs) {
      const isMine = mine.has(one);
      story.ending.delete(one.runId);
      if (!done.has(one.runId)) {
        if (isMine && (story.leases.get(workerId) ?? 0) > story.now)
          story.broken(`${this.name} runs ${one.runId}, attempt ${one.attempt}, and could not end it`);
        story.tally.zombies += 1;
        continue;
      }
      if (!isMine)
        story.broken(
          `${this.name} ended ${one.runId}, attempt ${one.attempt}, which is not its own any more (${workerId}; it is ${JSON.stringify(story.holders.get(one.runId))})`,
        );
      if (isHeldBySelf(one)) story.holders.delete(one.runId);
      story.note(
        `${this.name} ended ${one.runId}/${one.attempt}: ${one.outcome.kind === "failed" ? one.outcome.failure.kind : one.outcome.kind}`,
      );
    }
  }

  #outcome(): RunOutcome {
    const failed = (kind: "transient" | "rate_limited" | "invalid" | "auth"): RunOutcome => ({
      kind: "failed",
      figures: {},
      failure: { kind, rule: ERROR_POLICIES[kind], retryAfterMs: kind === "rate_limited" ? 90_000 : null, ambiguous: false },
      error: { kind, message: "made up" },
    });
    switch (this.#story.random.weighted({ succeeded: 70, transient: 12, rate_limited: 4, invalid: 5, auth: 2, "given-back": 5 })) {
      case "succeeded":
        return { kind: "succeeded", figures: { read: 1 } };
      case "given-back":
        return { kind: "given-back", reason: "claim-too-old" };
      case "transient":
        return failed("transient");
      case "rate_limited":
        return failed("rate_limited");
      case "invalid":
        return failed("invalid");
      case "auth":
        return failed("auth");
    }
  }

  async #untilCrash(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
      this.#story.note(`${this.name} crashed in the middle`);
      // Not the statements of its successor.
      this.gate.reset();
      await this.crash();
    }
  }
}
