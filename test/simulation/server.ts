import { ERROR_POLICIES } from "@quiesce/sdk";
import { pino } from "pino";
import type { CommandContext } from "../../packages/server/src/command.js";
import type { RawSql } from "../../packages/server/src/db/client.js";
import { readAbortRequests } from "../../packages/server/src/runs/abort-requests.js";
import { claimRuns, type ClaimedRun, type DueRun, peekDue } from "../../packages/server/src/runs/claim.js";
import { drainAbortReason, type FinishedRun, finishRuns, type RunOutcome } from "../../packages/server/src/runs/finish.js";
import { ClockWatch } from "../../packages/server/src/scheduler/clock-watch.js";
import { registerWorker, renewWorker } from "../../packages/server/src/runs/worker-lease.js";
import { type Duty, dutiesOf } from "./duties.js";
import { type ActorGate, SimulatedCrash } from "./gated-database.js";
import { isReadyAt, storyProbe } from "./resume.js";
import { type Actor, leaseMarginMs as marginMs, type Story } from "./story.js";
import { hour, minute } from "./world.js";
import { isOtherZoneData } from "./zone-data.js";

const leaseMs = 30_000;
const peekLimit = 500;

type Place = Pick<DueRun, "readyAt" | "jobId">;

interface Execution {
  readonly run: ClaimedRun;
  readonly workerId: string;
  readonly endsAt: number;
  /** It was told to stop, and obeys. */
  readonly stops?: boolean;
}

/** All that a claim can start: what waits behind the first run of its job would be read and judged again and again, for nothing. */
function firstOfEachJob(sql: RawSql): Promise<readonly DueRun[]> {
  return sql<DueRun[]>`
    select distinct on (job_id) id, due_at as "dueAt", ready_at as "readyAt", job_id as "jobId" from run
    where state = 'queued' and trigger <> 'gate' and job_id is not null and ready_at <= app_now() order by job_id, due_at`;
}

/** One server of the story: the real duties, the real claim and the real endings, with a made-up executor. */
export class Server {
  readonly name: string;
  readonly gate: ActorGate;
  readonly doing: Actor["doing"];
  readonly #story: Story;
  readonly #context: CommandContext;
  /** What a server does beside dispatching, in its order. */
  readonly passes: readonly Duty[];
  /** The passes, and the parts of passes that may be all that happens before another server takes its turn. */
  readonly duties: readonly Duty[];
  #executions: Execution[] = [];
  #seenBefore: readonly DueRun[] = [];
  #watch: ClockWatch;
  workerId = "";
  /** It does nothing and renews nothing, and does not know it: a stopped process, a lost network. */
  frozen = false;

  constructor(story: Story, name: string, { gate, context, doing }: Actor) {
    this.#story = story;
    this.name = name;
    this.#watch = this.#newWatch();
    this.gate = gate;
    this.doing = doing;
    this.#context = context;
    const { passes, parts } = dutiesOf(context, marginMs, storyProbe(story));
    this.passes = passes;
    this.duties = [...passes, ...parts];
  }

  get executing(): number {
    return this.#executions.length;
  }

  #newWatch(): ClockWatch {
    return new ClockWatch({ database: this.#story.database, log: pino({ enabled: false }), workerName: this.name });
  }

  trustsClock(): Promise<boolean> {
    return this.#watch.isTrusted();
  }

  /** As its scheduler does every pass. Answers whether it did it. */
  async dutyIfTrusted(duty: Duty): Promise<boolean> {
    if (!(await this.trustsClock())) return false;
    await this.duty(duty);
    return true;
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
    this.#watch = this.#newWatch();
    await this.#story.takeOverZoneData(this.name);
    await this.start();
  }

  /** One duty, which may be cut off by a crash anywhere between two statements. */
  async duty(duty: Duty): Promise<void> {
    const { holds, now } = this.#story;
    this.#story.note(`${this.name} ${duty.name}`);
    await this.#untilCrash(async () => {
      // Before, because a crash may come after the commit.
      if (duty.expands) holds.changes(now);
      await duty.run();
      // Every hold that had ended by now is released; with the clock set back, by the latest time it ever told.
      if (duty.releases) holds.releasedUpTo = Math.max(holds.releasedUpTo, now);
    });
  }

  /** Answers how many runs it started. */
  async claim(limit: number, options: { readonly endAtOnce?: boolean; readonly firstOfJobs?: boolean } = {}): Promise<number> {
    let started = 0;
    // A worker whose own clock says that its lease is nearly over claims nothing.
    if (this.frozen) return started;
    await this.#untilCrash(async () => {
      if (options.firstOfJobs === true) {
        started += await this.#claimPage(await firstOfEachJob(this.#context.database.sql), limit, options.endAtOnce === true);
        return;
      }
      const anyAge = options.endAtOnce === true || this.#story.random.chance(0.2);
      // Page by page, as the dispatcher does: a page may hold nothing but runs that wait behind others.
      let after: Place | null = null;
      do {
        const asked = ClockWatch.moment();
        const { now, clock, runs } = await peekDue(this.#context.database.sql, { withinMs: 0, limit: peekLimit, after, anyAge });
        if (!(await this.#watch.judge({ ...clock, now }, asked))) return;
        // What was seen a while ago: between a look and its claim anything may have happened.
        if (after === null && this.#seenBefore.length > 0 && this.#story.random.chance(0.25))
          started += await this.#claimPage(this.#seenBefore, limit, options.endAtOnce === true);
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
      const lastsMs = endAtOnce ? 0 : this.#story.random.pick([0, 0, 200, 5_000, minute, 20 * minute, 3 * hour]);
      this.#executions.push({ run, workerId, endsAt: this.#story.now + lastsMs });
    }
    if (result.claimed.length + result.held > 0) this.#story.note(`${this.name} claimed ${result.claimed.length}, held ${result.held}`);
    return claimed.length;
  }
  /** Reports what has ended. A server that was frozen reports too, and must change nothing that is not its own any more. */
  async finish(options: { readonly succeed?: boolean } = {}): Promise<void> {
    const { random, now } = this.#story;
    await this.#untilCrash(() => this.#lookForAborts());
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

  /** As its own look every second tells a living worker. */
  async #lookForAborts(): Promise<void> {
    if (this.frozen || this.#executions.length === 0) return;
    const { workerId } = this;
    const runs = this.#executions.map(({ run }) => run);
    const requests = await readAbortRequests(this.#context.database, { workerId, runs });
    const told = new Set(requests.map((one) => `${one.runId}/${one.attempt}`));
    if (told.size === 0) return;
    this.#executions = this.#executions.map((one) =>
      told.has(`${one.run.runId}/${one.run.attempt}`) ? { ...one, endsAt: this.#story.now, stops: true } : one,
    );
  }

  async #finishAs(workerId: string, ended: readonly Execution[], succeed: boolean): Promise<void> {
    const story = this.#story;
    const runs = ended.map(({ run, stops }): FinishedRun => {
      const job = [...story.world.jobs.values()].find((one) => story.jobIds.get(one.key) === run.jobId);
      const stopped: RunOutcome = { kind: "given-back", reason: drainAbortReason };
      const outcome: RunOutcome = stops === true ? stopped : succeed ? { kind: "succeeded", figures: {} } : this.#outcome(run);
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
      if (!done.has(one)) {
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

  #outcome({ integrationId }: ClaimedRun): RunOutcome {
    const failed = (kind: "transient" | "rate_limited" | "invalid" | "auth"): RunOutcome => ({
      kind: "failed",
      figures: {},
      failure: { kind, rule: ERROR_POLICIES[kind], retryAfterMs: kind === "rate_limited" ? 90_000 : null, ambiguous: false },
      error: { kind, message: "made up" },
    });
    const { random, world, now } = this.#story;
    const target = world.integrations.get(this.#story.integrationOf(integrationId))?.target;
    // Who asks a system that is not ready gets a refusal for an answer, not seldom.
    if (!isReadyAt(`at-${target}`, now) && random.chance(0.5)) return failed("invalid");
    switch (random.weighted({ succeeded: 70, transient: 12, rate_limited: 4, invalid: 5, auth: 2, "given-back": 5 })) {
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
      if (isOtherZoneData(error)) {
        this.#story.note(`${this.name} was refused: other zone data`);
        this.#story.tally.otherZoneData += 1;
        return this.#story.takeOverZoneData(this.name);
      }
      if (!(error instanceof SimulatedCrash)) throw error;
      this.#story.note(`${this.name} crashed in the middle`);
      // Not the statements of its successor.
      this.gate.reset();
      await this.crash();
    }
  }
}
