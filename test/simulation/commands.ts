import { DomainError } from "@quiesce/core";
import type { CommandContext } from "../../packages/server/src/command.js";
import { applyWorkspace, type CatalogContext } from "../../packages/server/src/catalog/commands.js";
import { masterKeyOf } from "../../packages/server/src/credentials/master-key.js";
import { cancelRun, runNow } from "../../packages/server/src/runs/commands.js";
import { enterGate, leaveGate } from "../../packages/server/src/runs/gate.js";
import { cancelWindow, createWindow } from "../../packages/server/src/windows/commands.js";
import { pause, resume, setMode } from "../../packages/server/src/windows/hold-commands.js";
import { decideSome, makeKind } from "./approvals.js";
import { catalogueDocument, integrationEntry, jobEntry, systemEntry } from "./catalogue-document.js";
import { makeDrain, orderBreakGlass } from "./drain.js";
import { makeResume, resumeSome } from "./resume.js";
import { type ActorGate, SimulatedCrash } from "./gated-database.js";
import { changeWindow } from "./change-window.js";
import type { Plan } from "./holds-model.js";
import type { Actor, Story } from "./story.js";
import { isOtherZoneData, updateZoneData } from "./zone-data.js";
import { hour, makeSchedule, makeScope, makeSeries, makeTags, minute } from "./world.js";

const weights = {
  create: 10,
  update: 5,
  extend: 8,
  endEarly: 9,
  decide: 6,
  cancelWindow: 2,
  cancelOccurrence: 3,
  pause: 3,
  resume: 4,
  mode: 1,
  retag: 4,
  reroute: 2,
  depend: 2,
  schedule: 4,
  runNow: 3,
  breakGlass: 5,
  imminent: 6,
  resumeWindow: 3,
  cancelRun: 2,
  gate: 5,
  leaveGate: 4,
  zoneData: 4,
};
export type Command = keyof typeof weights;

const windowCommands: readonly Command[] = [
  "create",
  "imminent",
  "update",
  "extend",
  "endEarly",
  "cancelWindow",
  "cancelOccurrence",
  "decide",
];
const reason = "because";

/** The people and programs that change things: every command is the product's own, and the story writes down what it should have done. */
export class Operator {
  readonly gate: ActorGate;
  readonly doing: Actor["doing"];
  readonly #story: Story;
  readonly #context: CatalogContext;
  readonly #leases: { readonly runId: string; readonly leaseToken: string; readonly leaseUntil: number }[] = [];

  constructor(story: Story, { gate, context, doing }: Actor) {
    this.#story = story;
    this.gate = gate;
    this.doing = doing;
    const key = masterKeyOf(Buffer.alloc(32, 7));
    this.#context = { ...context, keys: { current: key, previous: [] } };
  }

  get context(): CommandContext {
    return this.#context;
  }

  async applyCatalogue(): Promise<void> {
    await applyWorkspace(this.#context, catalogueDocument(this.#story.world));
  }

  choose(): Command {
    const command = this.#story.random.weighted(weights);
    // Set back, the clock calls an occurrence future that has begun and is on record as such; what an edit of it then means is nobody's promise.
    return this.#story.now < this.#story.latest && windowCommands.includes(command) ? "runNow" : command;
  }

  /** One command. A refusal that the product documents is an answer, not an error; a crash midway may have committed or not, so it is not used here. */
  async run(command: Command): Promise<void> {
    this.#story.holds.changes(this.#story.now);
    try {
      await this.#run(command);
    } catch (error) {
      if (isOtherZoneData(error)) {
        this.#story.note(`${command} refused: other zone data`);
        this.#story.tally.otherZoneData += 1;
        return this.#story.takeOverZoneData("operator");
      }
      if (error instanceof SimulatedCrash || !(error instanceof DomainError)) throw error;
      this.#story.note(`${command} refused: ${error.code}`);
    }
  }

  async createWindow(): Promise<void> {
    this.#story.holds.changes(this.#story.now);
    const { random, world, holds, now } = this.#story;
    const cancelled = [...holds.windows].filter(([, window]) => !window.live).map(([key]) => key);
    const key = cancelled.length > 0 && random.chance(0.15) ? random.pick(cancelled) : `w${holds.windows.size}`;
    await this.#saveNew(key, {
      kind: makeKind(random),
      series: makeSeries(random, now),
      scope: makeScope(random, world),
      mode: random.chance(0.12) ? ("observe" as const) : ("enforce" as const),
      drain: makeDrain(random),
      resume: makeResume(random),
    });
  }

  /** A window over what is free now, minutes ahead, and an order to run there: whoever claims has to reckon with what the run takes. */
  async #createImminent(): Promise<void> {
    const { random, world, holds, now } = this.#story;
    const free = [...world.jobs.values()].filter((job) => holds.covers(job.integration, now).length === 0);
    if (free.length === 0) return;
    const job = random.pick(free);
    const start = Math.ceil(now / minute + random.int(2, 100)) * minute;
    await this.#saveNew(`w${holds.windows.size}`, {
      kind: "maintenance",
      series: { start: new Date(start).toISOString().slice(0, 16), duration: "PT30M", timeZone: "UTC" },
      scope: { integrations: [job.integration] },
      mode: "enforce",
      drain: makeDrain(random),
      resume: makeResume(random),
    });
    const { runId } = await runNow(this.#context, { job: job.key, reason });
    this.#story.manualRuns.add(runId);
  }

  async #saveNew(key: string, input: Plan): Promise<void> {
    const { holds, now } = this.#story;
    this.#story.note(`create ${key} ${JSON.stringify(input)}`);
    // Freezes refuse changes; the story plans them all the same.
    await createWindow(this.#context, { ...input, key, title: key, owner: "o", reason, confirmLong: true }, { overrideFreeze: reason });
    holds.saveWindow(key, input, now);
    this.#story.tally.windows += 1;
  }

  async #run(command: Command): Promise<void> {
    const { random, world, holds } = this.#story;
    switch (command) {
      case "create":
        return this.createWindow();
      case "mode": {
        const mode = holds.mode === "enforce" && random.chance(0.4) ? "observe" : "enforce";
        this.#story.note(`mode ${mode}`);
        await setMode(this.#context, { mode, reason });
        holds.mode = mode;
        return;
      }
      case "pause": {
        const scope = makeScope(random, world);
        const until = random.chance(0.5) ? this.#story.now + random.pick([minute, hour, 7 * hour]) : null;
        const { holdId } = await pause(this.#context, { scope, until, reason });
        this.#story.note(`pause ${holdId} ${JSON.stringify(scope)} until ${until}`);
        holds.pauses.set(holdId, { scope, from: this.#story.now, until });
        return;
      }
      case "resume":
        return this.#resume();
      case "retag":
      case "reroute":
      case "depend":
      case "schedule":
        return this.#changeCatalogue(command);
      case "runNow": {
        const { runId } = await runNow(this.#context, { job: random.pick([...world.jobs.keys()]), reason });
        this.#story.manualRuns.add(runId);
        return;
      }
      case "imminent":
        return this.#createImminent();
      case "breakGlass":
        return orderBreakGlass(this.#story, this.#context);
      case "resumeWindow":
        return resumeSome(this.#story, this.#context);
      case "zoneData":
        return updateZoneData(this.#story, this.#context);
      case "decide":
        return decideSome(this.#story, this.#context);
      case "cancelRun": {
        const rows = await this.#story.database.sql<
          { id: string }[]
        >`select id from run where state in ('queued', 'held') order by due_at, job_id, trigger limit 20`;
        if (rows.length > 0) await cancelRun(this.#context, { runId: random.pick(rows).id, reason });
        return;
      }
      case "gate":
        return this.#enterGate();
      case "leaveGate":
        return this.#leaveGate();
      case "update":
      case "extend":
      case "endEarly":
      case "cancelWindow":
      case "cancelOccurrence":
        return changeWindow(this.#story, this.#context, command);
    }
  }

  async runMode(mode: "enforce" | "observe"): Promise<void> {
    await setMode(this.#context, { mode, reason });
  }

  async cancelWholeWindow(key: string): Promise<void> {
    await cancelWindow(this.#context, { key, reason });
    this.#story.holds.cancelWindow(key, this.#story.now);
  }

  /** Pauses that nothing but a person ends, and what still waits for first runs. */
  async openPauses(also: { readonly firstRuns: boolean }): Promise<readonly number[]> {
    const rows = await this.#story.database.sql<{ id: number }[]>`
      select id from hold where released_at is null and kind <> 'window' and expires_at is null and (canary_of is null or ${also.firstRuns}) order by id`;
    return rows.map((row) => row.id);
  }

  async #resume(): Promise<void> {
    const open = [...this.#story.holds.pauses]
      .filter(([, one]) => one.until === null || one.until > this.#story.now)
      .map(([holdId]) => holdId);
    if (open.length === 0) return;
    await this.resumeHold(this.#story.random.pick(open));
  }

  async resumeHold(holdId: number): Promise<void> {
    const { released } = await resume(this.#context, { holdId, reason });
    if (released.length !== 1 || released[0] !== holdId) this.#story.broken(`resuming hold ${holdId} released ${released.join(", ")}`);
    this.#story.holds.pauses.delete(holdId);
    this.#story.note(`resumed ${holdId}`);
  }

  async #changeCatalogue(command: "retag" | "reroute" | "depend" | "schedule"): Promise<void> {
    const { random, world, now } = this.#story;
    if (command === "depend") {
      const system = random.pick([...world.systems.values()]);
      const others = [...world.systems.keys()].filter((key) => key !== system.key);
      const dependsOn = others
        .filter(() => random.chance(0.2))
        .map((key) => ({ system: key, strength: random.pick(["hard", "hard", "soft"] as const) }));
      await applyWorkspace(this.#context, { quiesce: 1, systems: [systemEntry({ ...system, dependsOn })] });
      this.#story.note(`depend ${system.key} ${JSON.stringify(dependsOn)}`);
      this.#story.tally.changedCovers += 1;
      system.dependsOn = dependsOn;
      return;
    }
    if (command === "schedule") {
      const job = random.pick([...world.jobs.values()]);
      const schedule = random.chance(0.1) ? null : makeSchedule(random, now, job.catchUp);
      await applyWorkspace(this.#context, { quiesce: 1, jobs: [jobEntry(job, schedule)] });
      const last = job.history.at(-1);
      if (JSON.stringify(last?.schedule) === JSON.stringify(schedule)) return;
      const at = await this.#changeInstant(job.key, last?.from ?? now);
      if (last !== undefined) last.to = at;
      job.history.push({ schedule, from: at, to: null, zones: this.#story.zones });
      this.#story.note(`schedule ${job.key} ${JSON.stringify(schedule)}`);
      return;
    }
    const integration = random.pick([...world.integrations.values()]);
    const systems = random.shuffled([...world.systems.keys()].filter((key) => key !== integration.target));
    const changed = command === "retag" ? { tags: makeTags(random) } : { via: systems.slice(0, random.int(0, 2)) };
    await applyWorkspace(this.#context, { quiesce: 1, integrations: [integrationEntry({ ...integration, ...changed })] });
    this.#story.note(`${command} ${integration.key} ${JSON.stringify(changed)}`);
    this.#story.tally.changedCovers += 1;
    Object.assign(integration, changed);
  }

  /**
   * Now, or the millisecond after one whose due time has a run, alone or as the last of a range. A schedule that begins to count later, as after
   * a change of the zone data, is replaced from then on.
   */
  async #changeInstant(jobKey: string, lastFrom: number): Promise<number> {
    const rows = await this.#story.database.sql<{ at: number; kept: number }[]>`
      select s.valid_from as at, (select count(*)::integer from run as r where r.job_id = j.id and r.trigger = 'schedule' and r.last_due_at = s.valid_from - interval '1 millisecond') as kept
      from job as j join job_schedule as s on s.job_id = j.id and s.version = j.schedule_version where j.key = ${jobKey}`;
    const found = rows[0];
    if (found === undefined) return this.#story.broken(`the schedule of ${jobKey} was not saved`);
    if (found.at === lastFrom && lastFrom > this.#story.now) return found.at;
    if (found.at !== this.#story.now && !(found.at === this.#story.now + 1 && found.kept === 1)) {
      this.#story.broken(`the schedule of ${jobKey} holds from ${found.at}, the clock says ${this.#story.now}`);
    }
    return found.at;
  }

  async #enterGate(): Promise<void> {
    const story = this.#story;
    const integration = story.random.pick([...story.world.integrations.keys()]);
    const id = story.integrationIds.get(integration) ?? 0;
    // A full system keeps the caller waiting for a real second, which tells nothing new.
    const capped = [...story.systemsOf(id)].some((key) => (story.world.systems.get(key)?.maxConcurrentRuns ?? null) !== null);
    if (capped) return;
    const entry = await enterGate(this.#context, { integration, leaseSeconds: story.random.pick([30, 600, 3_600]) });
    story.tally.gates += 1;
    if (!entry.entered) {
      story.note(`gate of ${integration} refused`);
      return;
    }
    story.note(`gate of ${integration} entered: ${entry.runId}`);
    story.started({
      runId: entry.runId,
      attempt: 1,
      jobId: null,
      integrationId: id,
      dueAt: story.now,
      workerId: entry.leaseToken,
      gate: true,
    });
    story.leases.set(entry.leaseToken, entry.leaseUntil);
    this.#leases.push(entry);
  }

  async #leaveGate(): Promise<void> {
    const lease = this.#leases.shift();
    if (lease === undefined) return;
    const isMine = this.#story.holders.get(lease.runId)?.workerId === lease.leaseToken;
    try {
      await leaveGate(this.#context, { ...lease, outcome: "succeeded", exitCode: 0 });
      if (!isMine) this.#story.broken(`a lease of ${lease.runId} that was lost could still leave`);
      this.#story.holders.delete(lease.runId);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (isMine) this.#story.broken(`a valid lease of ${lease.runId} could not leave: ${error.code}`);
    }
  }
}
