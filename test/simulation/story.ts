import { packagedZoneData, type ZoneData } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import type { Database } from "../../packages/server/src/db/client.js";
import type { ClaimedRun } from "../../packages/server/src/runs/claim.js";
import type { ControlledTime } from "../database/control-time.js";
import { ActorGate, gatedDatabase } from "./gated-database.js";
import { HoldsModel } from "./holds-model.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** A law that was broken, with all that is needed to tell the story again. */
export class BrokenLaw extends Error {
  override name = "BrokenLaw";
}

/** Who runs a run now, as far as the story knows: nobody else may. */
export interface Holder {
  readonly workerId: string;
  readonly attempt: number;
  readonly jobId: number | null;
  readonly integrationId: number;
  /** A caller of the gate, not a server. */
  readonly gate: boolean;
}

interface Start extends Pick<ClaimedRun, "runId" | "attempt" | "jobId" | "integrationId" | "dueAt"> {
  readonly workerId: string;
  readonly gate: boolean;
}

/** What happened so often that a seed which lacks it proves little. */
export interface Tally {
  steps: number;
  starts: number;
  held: number;
  windows: number;
  crashes: number;
  overlaps: number;
  retries: number;
  zombies: number;
  gates: number;
}

export const leaseMarginMs = 10_000;
/** So many of the last lines of a story are told when a law is broken; QUIESCE_SIMULATION_LINES shows more. */
const shownLines = Number(process.env["QUIESCE_SIMULATION_LINES"] ?? 25);

/** Everything that one seed's story knows beside the database. */
export class Story {
  readonly seed: number;
  readonly random: Random;
  readonly world: World;
  readonly database: Database;
  readonly time: ControlledTime;
  readonly zones: ZoneData = packagedZoneData();
  readonly holds: HoldsModel;
  readonly holders = new Map<string, Holder>();
  /** Runs whose end is being reported in this moment. */
  readonly ending = new Set<string>();
  /** Until when a worker's lease lasts at least; a worker that is dead or frozen is not renewed. */
  readonly leases = new Map<string, number>();
  readonly manualRuns = new Set<string>();
  readonly integrationKeys = new Map<number, string>();
  readonly integrationIds = new Map<string, number>();
  readonly jobIds = new Map<string, number>();
  readonly tally: Tally = { steps: 0, starts: 0, held: 0, windows: 0, crashes: 0, overlaps: 0, retries: 0, zombies: 0, gates: 0 };
  readonly log: string[] = [];
  now: number;
  /** The farthest that the clock ever was: after it was set back, what had ended stays released. */
  latest: number;
  /** Since the clock was set back, and until it is past that again, an expired hold may be either. */
  readonly #started = new Set<string>();
  readonly #lastFirstStart = new Map<number, { readonly dueAt: number; readonly runId: string }>();
  #heldBefore: ReadonlySet<string> = new Set();
  #coveredBefore: ReadonlySet<string> = new Set();
  readonly #seen = new Set<string>();
  #startsOfStep: Start[] = [];

  constructor(input: {
    readonly seed: number;
    readonly random: Random;
    readonly world: World;
    readonly database: Database;
    readonly time: ControlledTime;
  }) {
    this.seed = input.seed;
    this.random = input.random;
    this.world = input.world;
    this.database = input.database;
    this.time = input.time;
    this.now = input.world.startsAt;
    this.latest = this.now;
    this.holds = new HoldsModel(input.world);
  }

  /** A process: its own gate, so that it can crash and take turns. */
  actor(name: string): { readonly gate: ActorGate; readonly context: CommandContext } {
    const gate = new ActorGate();
    const database = gatedDatabase(this.database, gate.pass);
    return { gate, context: { database, zones: this.zones, actor: { kind: "token", name, role: "admin" } } };
  }

  note(line: string): void {
    this.log.push(`${new Date(this.now).toISOString()} ${line}`);
  }

  broken(law: string): never {
    const tail = this.log.slice(-shownLines).join("\n  ");
    throw new BrokenLaw(`seed ${this.seed}, step ${this.tally.steps}, ${new Date(this.now).toISOString()}: ${law}\n  ${tail}`);
  }

  async setClock(now: number): Promise<void> {
    this.now = now;
    this.latest = Math.max(this.latest, now);
    await this.time.set(now);
    this.#lookBefore();
  }

  integrationOf(id: number): string {
    return this.integrationKeys.get(id) ?? this.broken(`integration ${id} is not in the story`);
  }

  beginStep(): void {
    this.tally.steps += 1;
    this.#startsOfStep = [];
    this.#lookBefore();
  }

  #lookBefore(): void {
    this.#heldBefore = this.heldIntegrations();
    this.#coveredBefore = new Set([...this.world.integrations.keys()].filter((key) => this.holds.covers(key, this.now).length > 0));
  }

  heldIntegrations(): ReadonlySet<string> {
    return new Set([...this.world.integrations.keys()].filter((key) => this.holds.isHeld(key, this.now)));
  }

  /** Still running by the table after its lease ended, and not yet taken back: it is nobody's start. */
  knows(runId: string, attempt: number): boolean {
    return this.#started.has(`${runId}/${attempt}`);
  }

  /** A run was started for somebody: by an answer of the claim, or by what the table says after the answer was lost. */
  started(start: Start): void {
    const name = `${start.runId}/${start.attempt}`;
    const other = this.holders.get(start.runId);
    if (other !== undefined && !this.#mayBeGone(start.runId, other))
      this.broken(`run ${start.runId} was started for ${start.workerId} while ${other.workerId} runs it (attempt ${other.attempt})`);
    if (this.#started.has(name)) this.broken(`(run, attempt) ${name} was started twice`);
    for (const [runId, holder] of this.holders) {
      if (start.jobId === null || holder.jobId !== start.jobId || this.#mayBeGone(runId, holder)) continue;
      this.broken(`job ${start.jobId} runs twice at once: ${runId} and ${start.runId}`);
    }
    this.#started.add(name);
    this.ending.delete(start.runId);
    this.holders.set(start.runId, {
      workerId: start.workerId,
      attempt: start.attempt,
      jobId: start.jobId,
      integrationId: start.integrationId,
      gate: start.gate,
    });
    this.#startsOfStep.push(start);
    this.tally.starts += 1;
    if (start.attempt > 1) this.tally.retries += 1;
    this.#checkOrder(start);
    this.#checkCaps(start);
  }

  /** Whose lease has ended may have been taken back within this step, and whose end is being reported may have ended. */
  #mayBeGone(runId: string, holder: Holder): boolean {
    return this.ending.has(runId) || this.leaseEnd(holder) <= this.now;
  }

  /** From when on a run may be taken from its holder: a worker gets a margin beyond its lease, a caller of the gate none. */
  leaseEnd(holder: Holder): number {
    const lease = this.leases.get(holder.workerId) ?? 0;
    return lease === 0 || holder.gate ? lease : lease + leaseMarginMs;
  }

  /** Held or released at this instant, and not seen so in an earlier step of the same instant. */
  isNewly(runId: string, what: "held" | "released"): boolean {
    const name = `${runId} ${what} ${this.now}`;
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    return true;
  }

  /** A held run is let go when nothing covers it, and not before. */
  releasedInStep(run: { readonly id: string; readonly integrationId: number; readonly state: string }): void {
    const integration = this.integrationOf(run.integrationId);
    if (!this.#heldBefore.has(integration) || !this.holds.isHeld(integration, this.now)) return;
    this.broken(
      `run ${run.id} of ${integration} was let go (${run.state}) inside ${this.holds
        .covers(integration, this.now)
        .map((one) => one.name)
        .join(", ")}`,
    );
  }

  /** The starts of this step, and the runs held in it, against what held before and after: between the two a command may have been under way. */
  endStep(heldNow: readonly string[]): void {
    for (const key of heldNow) {
      if (!this.#coveredBefore.has(key) && this.holds.covers(key, this.now).length === 0)
        this.broken(`a run of ${key} was held, and nothing covers it`);
    }
    const heldAfter = this.heldIntegrations();
    for (const start of this.#startsOfStep) {
      const integration = this.integrationOf(start.integrationId);
      if (!this.#heldBefore.has(integration) || !heldAfter.has(integration)) continue;
      const by = this.holds.covers(integration, this.now).map((one) => one.name);
      this.broken(`run ${start.runId} of ${integration}, due ${new Date(start.dueAt).toISOString()}, was started inside ${by.join(", ")}`);
    }
  }

  #checkOrder(start: Start): void {
    if (start.jobId === null || start.attempt !== 1 || this.manualRuns.has(start.runId)) return;
    const last = this.#lastFirstStart.get(start.jobId);
    if (last !== undefined && last.runId !== start.runId && last.dueAt >= start.dueAt) {
      this.broken(`job ${start.jobId} began ${new Date(start.dueAt).toISOString()} after ${new Date(last.dueAt).toISOString()}`);
    }
    this.#lastFirstStart.set(start.jobId, { dueAt: start.dueAt, runId: start.runId });
  }

  #checkCaps(start: Start): void {
    const touched = this.systemsOf(start.integrationId);
    for (const system of this.world.systems.values()) {
      if (system.maxConcurrentRuns === null || !touched.has(system.key)) continue;
      const busy = [...this.holders].filter(
        ([runId, holder]) => !this.#mayBeGone(runId, holder) && this.systemsOf(holder.integrationId).has(system.key),
      );
      if (busy.length <= system.maxConcurrentRuns) continue;
      const names = busy.map(([runId, holder]) => `${runId}/${holder.attempt} of job ${holder.jobId} by ${holder.workerId.slice(0, 4)}`);
      this.broken(`${busy.length} runs touch ${system.key} at once, its cap is ${system.maxConcurrentRuns}: ${names.join(", ")}`);
    }
  }

  systemsOf(integrationId: number): ReadonlySet<string> {
    const integration = this.world.integrations.get(this.integrationOf(integrationId));
    return new Set(integration === undefined ? [] : [integration.target, ...integration.via]);
  }
}
