import type { ZoneData } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import type { Database } from "../../packages/server/src/db/client.js";
import type { ClaimedRun } from "../../packages/server/src/runs/claim.js";
import { type ZoneDataFiles, zoneDataOf } from "../../packages/server/src/zone-data/zone-data-files.js";
import { ensureZoneData, type ZoneDataInForce } from "../../packages/server/src/zone-data/zone-data-in-force.js";
import { silentLog } from "../database/silent-log.js";
import { ActorGate, gatedDatabase } from "./gated-database.js";
import { type Coming, guardedLeads, notFinishedBefore } from "./drain.js";
import { type Cover, HoldsModel } from "./holds-model.js";
import type { Doing } from "./interleave.js";
import { processClock } from "./process-clock.js";
import type { Random } from "./random.js";
import type { StoryPlace } from "./story-place.js";
import { countedKinds, emptyTally, type Tally } from "./tally.js";
import type { World } from "./world.js";
import { firstZoneData } from "./zone-data.js";

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

/** A process of the story. */
export interface Actor {
  readonly gate: ActorGate;
  readonly context: CommandContext;
  readonly doing: () => Promise<Doing>;
}

interface Start extends Pick<ClaimedRun, "runId" | "attempt" | "jobId" | "integrationId" | "dueAt"> {
  readonly workerId: string;
  readonly gate: boolean;
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
  readonly #place: StoryPlace;
  /** The zone data in force, by the story's reckoning. */
  zoneData: ZoneDataFiles = firstZoneData();
  zones: ZoneData = zoneDataOf(this.zoneData);
  readonly #zonesOf = new Map<string, ZoneDataInForce>();
  readonly holds: HoldsModel;
  readonly holders = new Map<string, Holder>();
  /** Runs whose end is being reported in this moment. */
  readonly ending = new Set<string>();
  /** Until when a worker's lease lasts at least; a worker that is dead or frozen is not renewed. */
  readonly leases = new Map<string, number>();
  readonly manualRuns = new Set<string>();
  /** Runs that an operator lets pass one occurrence, by its name. */
  readonly passages = new Map<string, string>();
  readonly integrationKeys = new Map<number, string>();
  readonly integrationIds = new Map<string, number>();
  readonly jobIds = new Map<string, number>();
  readonly tally: Tally = emptyTally();
  readonly log: string[] = [];
  now: number;
  /** The farthest that the clock ever was: after it was set back, what had ended stays released. */
  latest: number;
  /** Since the clock was set back, and until it is past that again, an expired hold may be either. */
  readonly #started = new Set<string>();
  readonly #lastFirstStart = new Map<number, { readonly dueAt: number; readonly runId: string }>();
  #heldBefore: ReadonlySet<string> = new Set();
  #coveredBefore: ReadonlySet<string> = new Set();
  #namesBefore: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  #comingBefore: ReadonlyMap<string, readonly Coming[]> = new Map();
  /** As the last look told: what the jobs' runs take, and how far the holds are written. */
  #leads: Awaited<ReturnType<typeof guardedLeads>> = { leads: new Map(), expandedUntil: Number.NEGATIVE_INFINITY };
  readonly #seen = new Set<string>();
  #startsOfStep: Start[] = [];
  /** Told at the end of the step: a run that had to be held and was started instead breaks caps as well, and the first law is the one to name. */
  #overCap: string | null = null;

  constructor(input: { readonly seed: number; readonly random: Random; readonly world: World; readonly place: StoryPlace }) {
    this.seed = input.seed;
    this.random = input.random;
    this.world = input.world;
    this.database = input.place.database;
    this.#place = input.place;
    this.now = input.world.startsAt;
    this.latest = this.now;
    this.holds = new HoldsModel(input.world, this.zones);
  }

  /** A process: its own gate, so that it can crash and take turns, and its own idea of the zone data in force. */
  async actor(name: string): Promise<Actor> {
    const gate = new ActorGate(() => this.now);
    const zones = await ensureZoneData(this.database, firstZoneData(), silentLog);
    this.#zonesOf.set(name, zones);
    const database = gatedDatabase({ shared: this.database, own: this.#place.connect(name) }, gate);
    const context: CommandContext = { database, zones, actor: { kind: "token", name, role: "admin", overridesFreezes: true } };
    return { gate, context, doing: () => this.#doing(name) };
  }

  async #doing(connection: string): Promise<Doing> {
    const rows = await this.database.sql<{ waits: boolean }[]>`
      select coalesce(wait_event_type = 'Lock', false) as waits from pg_stat_activity
      where datname = current_database() and application_name = ${connection} and state = 'active'`;
    if (rows.length === 0) return "nothing";
    return rows.some((row) => row.waits) ? "waits-for-lock" : "works";
  }

  note(line: string): void {
    this.log.push(`${new Date(this.now).toISOString()} ${line}`);
  }

  /** An event of the story, at its end. */
  saw(kind: string): void {
    const name = countedKinds[kind];
    if (name !== undefined) this.tally[name] += 1;
  }

  broken(law: string): never {
    const tail = this.log.slice(-shownLines).join("\n  ");
    throw new BrokenLaw(`seed ${this.seed}, step ${this.tally.steps}, ${new Date(this.now).toISOString()}: ${law}\n  ${tail}`);
  }

  /** Time passes, on every clock. */
  async setClock(now: number): Promise<void> {
    processClock.monotonicMs += now - this.now;
    this.latest = Math.max(this.latest, now);
    await this.jumpClock(now);
  }

  /** The database's clock is set, and no time passes. */
  async jumpClock(now: number): Promise<void> {
    this.now = now;
    await this.#place.time.set(now);
    this.#lookBefore();
  }

  useZoneData(data: ZoneDataFiles): void {
    this.zoneData = data;
    this.zones = zoneDataOf(data);
  }

  /** As each server does every few seconds. */
  async takeOverZoneData(name: string): Promise<void> {
    await this.#zonesOf.get(name)?.refresh();
  }

  /** A run that no schedule asked for: nothing is said about its place among those of its job. */
  noteUnscheduled(runId: string): void {
    this.manualRuns.add(runId);
    for (const [jobId, last] of this.#lastFirstStart) if (last.runId === runId) this.#lastFirstStart.delete(jobId);
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
    const keys = [...this.world.integrations.keys()];
    const covers = new Map(keys.map((key) => [key, this.holds.covers(key, this.now)]));
    const having = (wanted: (of: readonly Cover[]) => boolean) => new Set(keys.filter((key) => wanted(covers.get(key) ?? [])));
    this.#heldBefore = having((of) => of.some((one) => one.certain));
    this.#coveredBefore = having((of) => of.length > 0);
    this.#namesBefore = new Map([...covers].map(([key, of]) => [key, new Set(of.flatMap((one) => (one.certain ? [one.name] : [])))]));
    this.#comingBefore = new Map(keys.map((key) => [key, this.holds.coming(key, this.now)]));
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
  isNewly(runId: string, what: "held" | "released" | "aborted"): boolean {
    const name = `${runId} ${what} ${this.now}`;
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    return true;
  }

  /** An operator's order names the one occurrence that it may pass: nothing else that held before and after the step keeps it. */
  #mayPass(runId: string, integration: string): boolean {
    const passed = this.passages.get(runId);
    const namesBefore = this.#namesBefore.get(integration);
    const kept = this.holds.covers(integration, this.now).filter((one) => one.certain && namesBefore?.has(one.name) === true);
    return passed !== undefined && kept.every((one) => one.name === passed);
  }

  /** A held run is let go when nothing covers it, and not before. */
  releasedInStep(run: { readonly id: string; readonly integrationId: number; readonly state: string }): void {
    const integration = this.integrationOf(run.integrationId);
    if (!this.#heldBefore.has(integration) || !this.holds.isHeld(integration, this.now) || this.#mayPass(run.id, integration)) return;
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
      if (this.#mayPass(start.runId, integration)) continue;
      this.broken(`run ${start.runId} of ${integration}, due ${new Date(start.dueAt).toISOString()}, was started inside ${by.join(", ")}`);
    }
    if (this.#overCap !== null) this.broken(this.#overCap);
  }

  /** Nothing starts that would not finish before a window, where what its job takes and the window were known before and after the step. */
  async checkLeads(): Promise<void> {
    const before = this.#leads;
    const after = await guardedLeads(this.database);
    this.#leads = after;
    for (const start of this.#startsOfStep) {
      const leads = [before, after].map((one) => (start.jobId === null ? undefined : one.leads.get(start.jobId)));
      if (leads.includes(undefined) || this.passages.has(start.runId)) continue;
      const integration = this.integrationOf(start.integrationId);
      const stayed = new Map(
        (this.#comingBefore.get(integration) ?? []).map((one) => [`${one.name} ${one.start} ${one.leadLimitMs}`, one]),
      );
      const written = Math.min(before.expandedUntil, after.expandedUntil);
      const coming = this.holds
        .coming(integration, this.now)
        .filter((one) => one.start < written && stayed.has(`${one.name} ${one.start} ${one.leadLimitMs}`));
      const leadMs = Math.min(...leads.map((lead) => lead ?? 0));
      const [passed] = notFinishedBefore(coming, { now: this.now, leadMs });
      if (passed !== undefined)
        this.broken(`run ${start.runId} of ${integration} takes ${leadMs} ms and was started although ${passed} begins before its end`);
    }
  }

  /** Something covered the integration when the step began. */
  wasCovered(integration: string): boolean {
    return this.#coveredBefore.has(integration);
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
      this.#overCap ??= `${busy.length} runs touch ${system.key} at once, its cap is ${system.maxConcurrentRuns}: ${names.join(", ")}`;
    }
  }

  systemsOf(integrationId: number): ReadonlySet<string> {
    const integration = this.world.integrations.get(this.integrationOf(integrationId));
    return new Set(integration === undefined ? [] : [integration.target, ...integration.via]);
  }
}
