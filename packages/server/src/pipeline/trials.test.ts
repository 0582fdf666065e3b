import { DomainError, pushedRecords, type TrialFigures } from "@quiesce/core";
import { afterEach, describe, expect, it } from "vitest";
import { type MemorySource, memorySource } from "../../../../test/pipeline/memory-source.js";
import { type MemoryTarget, memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { applyWorkspace } from "../catalog/commands.js";
import { loadIntegration } from "../catalog/store/load-workspace.js";
import { acceptRecords } from "../inbox/commands.js";
import { cancelTrial, startTrial, type TrialOrder } from "./trial-commands.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const usual = { fields: { name: { from: "name" } } };
const louder = { fields: { name: { expression: "$uppercase(name)" } } };

async function open(more: { readonly source?: MemorySource; readonly target?: MemoryTarget; readonly stream?: object } = {}) {
  const source = more.source ?? memorySource();
  const target = more.target ?? memoryTarget();
  bench = await pipelineBench({ source, target, stream: { mapping: usual, deletes: "ignore", ...more.stream } });
  return { on: bench, source, target };
}

const orderOf = (more: Omit<Partial<TrialOrder>, "settings"> & { readonly settings?: Partial<TrialOrder["settings"]> }): TrialOrder => ({
  integration: "orders",
  kind: "shadow",
  version: null,
  mappings: { items: louder },
  reason: "louder names",
  ...more,
  settings: { records: 100, runs: null, percent: 100, errorRatio: 0.1, sinceCursor: false, ...more.settings },
});

interface Trial {
  readonly state: string;
  readonly figures: TrialFigures;
  readonly differences: readonly { readonly recordKey: string; readonly fields: readonly object[]; readonly errors: readonly object[] }[];
  readonly verdict: string | null;
}

async function trialOf(on: PipelineBench): Promise<Trial> {
  const [row] = await on.database.sql<Trial[]>`select state, figures, differences, verdict from integration_trial order by id desc limit 1`;
  if (row === undefined) throw new Error("There is no trial.");
  return row;
}

const isLoud = (data: { readonly [name: string]: unknown }) => typeof data["name"] === "string" && data["name"].startsWith("N");
const mappingNow = async (on: PipelineBench) => (await loadIntegration(on.database.db, "orders"))?.streams[0]?.mapping;
const endings = async (on: PipelineBench) =>
  (
    await on.database.sql<{ state: string }[]>`select payload ->> 'state' as state from event_inbox where kind = 'integration.trial-ended'`
  ).map((row) => row.state);

function fill(source: MemorySource, count: number, nameOf: (index: number) => unknown = (index) => `n${index}`): void {
  for (let index = 1; index <= count; index += 1) source.put(`k${index}`, { name: nameOf(index) as string });
}

describe("a dry run", () => {
  it("maps a bounded sample with both mappings, writes nothing and moves no cursor", async () => {
    const { on, source, target } = await open();
    fill(source, 25, (index) => (index === 3 ? 7 : index === 4 ? "SAME" : `n${index}`));
    await startTrial(on.context, orderOf({ kind: "dry-run", settings: { records: 12 } }));
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 12, written: 0 } });
    const { state, figures, differences, verdict } = await trialOf(on);
    expect({ state, figures, verdict }).toEqual({
      state: "done",
      figures: { records: 12, same: 1, different: 11, errors: 1, runs: 1, failedRuns: 0 },
      verdict: "11 of 12 records differ, 1 do not fit.",
    });
    expect(differences.find((one) => one.recordKey === "k1")?.fields).toEqual([{ path: "data.name", before: "n1", after: "N1" }]);
    expect(differences.find((one) => one.recordKey === "k3")?.errors).toHaveLength(1);
    expect(target.applied).toEqual([]);
    expect(await on.cursor()).toBeNull();
    expect(await on.letters()).toEqual([]);
    expect(await endings(on)).toEqual(["done"]);
  });

  it("of the mappings in force says what does not fit them, and may begin behind the cursor", async () => {
    const { on, source } = await open();
    fill(source, 3);
    await on.attempt();
    source.put("k9", {});
    await startTrial(on.context, orderOf({ kind: "dry-run", mappings: null, settings: { sinceCursor: true } }));
    await on.attempt();
    expect((await trialOf(on)).figures).toMatchObject({ records: 1, same: 1, errors: 1 });
  });

  it("that fails says why and is made again by the next attempt", async () => {
    const { on, source } = await open();
    fill(source, 2);
    source.onPage = () => {
      throw new Error("the source is away");
    };
    await startTrial(on.context, orderOf({ kind: "dry-run" }));
    const run = await on.claim();
    await on.execute(run);
    expect(await trialOf(on)).toMatchObject({ state: "running", verdict: expect.stringContaining("the source is away") });
    source.onPage = () => undefined;
    await on.takeAway(run);
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "done", figures: { records: 2 } });
  });

  it("is no run of a job that has no end of its own, where there is another", async () => {
    const { on } = await open();
    await on.database.sql`update job set continuous = true`;
    await on.database.sql`insert into job (key, name, integration_id) select 'orders-once', 'orders-once', id from integration`;
    await startTrial(on.context, orderOf({ kind: "dry-run" }));
    expect(await on.database.sql`select j.key from run as r join job as j on j.id = r.job_id`).toEqual([{ key: "orders-once" }]);
  });

  it("does not count as work whose length is measured", async () => {
    const { on, source } = await open();
    fill(source, 2);
    await startTrial(on.context, orderOf({ kind: "dry-run" }));
    await on.attempt();
    const { measureDurations } = await import("../runs/measure-durations.js");
    await measureDurations(on);
    expect(await on.database.sql`select duration_samples as n from job`).toEqual([{ n: 0 }]);
  });
});

describe("a shadow run", () => {
  it("compares on the records of real runs, which write what they always do, until it has seen enough", async () => {
    const { on, source, target } = await open();
    await startTrial(on.context, orderOf({ settings: { records: 15 } }));
    fill(source, 25, (index) => (index % 5 === 0 ? "SAME" : `n${index}`));
    expect(await on.attempt()).toEqual({ kind: "succeeded", figures: { read: 25, written: 25, unchanged: 0, deleted: 0, dead: 0 } });
    expect(target.rows.get("k1")).toEqual({ name: "n1" });
    // A page is counted as a whole.
    expect(await trialOf(on)).toMatchObject({ state: "done", figures: { records: 20, same: 4, different: 16, errors: 0 } });
    expect(await endings(on)).toEqual(["done"]);
  });

  it("counts nothing of a page that was not committed", async () => {
    const { on, source, target } = await open();
    await startTrial(on.context, orderOf({}));
    fill(source, 5);
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    expect((await trialOf(on)).figures.records).toBe(0);
  });

  it("shows no secret of its endpoints", async () => {
    const source = memorySource();
    const target = memoryTarget();
    bench = await pipelineBench({
      source: { ...source, secrets: { token: "canary-secret-1" } },
      target,
      stream: { mapping: usual, deletes: "ignore" },
    });
    source.put("a", { name: "it is canary-secret-1" });
    await startTrial(bench.context, orderOf({ mappings: { items: { fields: { name: { expression: "name & '!'" } } } } }));
    await bench.attempt();
    const { differences } = await trialOf(bench);
    expect(differences).toHaveLength(1);
    expect(JSON.stringify(differences)).not.toContain("canary-secret-1");
  });
});

describe("a canary", () => {
  it("writes its share of the keys with the candidate, and is promoted by itself as a new version", async () => {
    const { on, source, target } = await open();
    await startTrial(on.context, orderOf({ kind: "canary", settings: { records: 30, percent: 50 } }));
    fill(source, 40);
    await on.attempt();
    const loud = [...target.rows.values()].filter((row) => isLoud(row)).length;
    expect(loud).toBeGreaterThan(8);
    expect(loud).toBeLessThan(32);
    expect(await trialOf(on)).toMatchObject({ state: "running", figures: { records: loud, errors: 0, runs: 1 } });
    expect(await mappingNow(on)).toEqual(usual);
    fill(source, 40);
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "promoted", verdict: expect.stringContaining("0 of") });
    expect(await mappingNow(on)).toEqual(louder);
    const versions = await on.database.sql`select number, origin, actor from integration_version order by number`;
    expect(versions).toEqual([
      { number: 1, origin: "standing", actor: "system:quiesce" },
      { number: 2, origin: "promotion", actor: "system:quiesce" },
    ]);
    expect(await endings(on)).toEqual(["promoted"]);
    source.put("k1", { name: "again" });
    await on.attempt();
    expect(target.rows.get("k1")).toEqual({ name: "AGAIN" });
  });

  it("is rolled back by itself when too many of its records fail, and the rest takes the mapping in force", async () => {
    const { on, source, target } = await open();
    target.refuse = (item) => (isLoud(item.data) ? { kind: "invalid", message: "too loud" } : undefined);
    await startTrial(on.context, orderOf({ kind: "canary", settings: { records: 1_000 } }));
    fill(source, 45);
    await on.attempt();
    const trial = await trialOf(on);
    expect(trial).toMatchObject({ state: "rolled-back", figures: { records: 20, errors: 20 } });
    expect(await mappingNow(on)).toEqual(usual);
    expect(target.rows.size).toBe(25);
    expect((await on.letters()).length).toBe(20);
    expect(await on.database.sql`select action from audit_entry where action like 'trial.%' order by id`).toEqual([
      { action: "trial.start" },
      { action: "trial.end" },
    ]);
    expect(await endings(on)).toEqual(["rolled-back"]);
  });

  it("is rolled back when a run fails over it, but not when a system was away", async () => {
    const { on, source, target } = await open();
    await startTrial(on.context, orderOf({ kind: "canary" }));
    fill(source, 3);
    target.before = () => {
      throw Object.assign(new Error("away"), { quiesceError: 1, kind: "unavailable", info: {} });
    };
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "running", figures: { failedRuns: 0, runs: 0 } });
    target.before = () => {
      throw Object.assign(new Error("no such column"), { quiesceError: 1, kind: "contract", info: {} });
    };
    await on.database.sql`update run set ready_at = app_now()`;
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "rolled-back", verdict: expect.stringContaining("failed while it was tried") });
  });

  it("that passed under a process that died is promoted by the next run", async () => {
    const { on, source } = await open();
    await startTrial(on.context, orderOf({ kind: "canary", settings: { records: 5 } }));
    await on.database.sql`update integration_trial set state = 'promoting', verdict = 'passed.'`;
    fill(source, 1);
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "promoted" });
    expect(await mappingNow(on)).toEqual(louder);
  });

  it("is over when somebody cancels it or changes the definition", async () => {
    const { on, source, target } = await open();
    const { id } = await startTrial(on.context, orderOf({ kind: "canary" }));
    await cancelTrial(on.context, { id, reason: "enough" });
    fill(source, 3);
    await on.attempt();
    expect(target.rows.get("k1")).toEqual({ name: "n1" });
    expect(await trialOf(on)).toMatchObject({ state: "cancelled", verdict: "enough" });
    await startTrial(on.context, orderOf({ kind: "canary" }));
    const current = await loadIntegration(on.database.db, "orders");
    await applyWorkspace({ ...on.context, keys: on.keys }, { quiesce: 1, integrations: [{ ...current, description: "changed" }] });
    expect(await trialOf(on)).toMatchObject({ state: "superseded" });
    expect(await mappingNow(on)).toEqual(usual);
  });

  it("is not promoted when somebody ended it between its last page and the promotion", async () => {
    const { on } = await open();
    const { id } = await startTrial(on.context, orderOf({ kind: "canary" }));
    await cancelTrial(on.context, { id, reason: "enough" });
    const current = await loadIntegration(on.database.db, "orders");
    const document = { quiesce: 1, integrations: [{ ...current, streams: [{ stream: "items", mapping: louder }] }] };
    const promotion = applyWorkspace({ ...on.context, keys: on.keys }, document, { origin: { kind: "promotion", trial: id } });
    await expect(promotion).rejects.toMatchObject({ code: "QSC_TRIAL_OVER" });
    expect(await mappingNow(on)).toEqual(usual);
    expect(await on.database.sql`select * from integration_version`).toEqual([]);
  });

  it("counts at a target that cannot recognise repetitions, what goes into review too", async () => {
    const { on, source } = await open({ target: memoryTarget({ idempotency: "none" }) });
    await startTrial(on.context, orderOf({ kind: "canary", settings: { records: 200, errorRatio: 1 } }));
    fill(source, 8, (index) => (index === 2 ? 7 : `n${index}`));
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "running", figures: { records: 8, errors: 1, runs: 1 } });
  });

  it("takes its share of what is pushed as well", async () => {
    const { on, target } = await open({ stream: { push: true } });
    await on.database.sql`update job set push = true`;
    await startTrial(on.context, orderOf({ kind: "canary", settings: { records: 3 } }));
    const records = [1, 2, 3].map((index) => ({ key: `p${index}`, record: { name: `n${index}` } }));
    await acceptRecords(on.context, { integration: "orders", records: pushedRecords(records) });
    await on.attempt();
    expect(target.rows.get("p1")).toEqual({ name: "N1" });
    expect(await trialOf(on)).toMatchObject({ state: "promoted", figures: { records: 3, errors: 0 } });
  });

  it("of a former version tries its mappings", async () => {
    const { on, source, target } = await open();
    const context = { ...on.context, keys: on.keys };
    const current = await loadIntegration(on.database.db, "orders");
    await applyWorkspace(context, { quiesce: 1, integrations: [{ ...current, streams: [{ stream: "items", mapping: louder }] }] });
    await startTrial(on.context, orderOf({ kind: "canary", version: 1, mappings: null, settings: { records: 3 } }));
    fill(source, 3);
    await on.attempt();
    expect(target.rows.get("k1")).toEqual({ name: "n1" });
    expect(await mappingNow(on)).toEqual(usual);
  });
});

describe("what cannot be tried", () => {
  it("is refused with a code and a reason", async () => {
    const { on } = await open();
    const codeOf = async (order: TrialOrder) => {
      try {
        await startTrial(on.context, order);
        return "";
      } catch (error) {
        if (error instanceof DomainError) return error.code;
        throw error;
      }
    };
    expect(await codeOf(orderOf({ integration: "nowhere" }))).toBe("QSC_TRIAL_NOT_FOUND");
    expect(await codeOf(orderOf({ reason: " " }))).toBe("QSC_TRIAL_REASON");
    expect(await codeOf(orderOf({ settings: { percent: 0 } }))).toBe("QSC_TRIAL_SETTINGS");
    expect(await codeOf(orderOf({ kind: "dry-run", settings: { records: 1_001 } }))).toBe("QSC_TRIAL_SETTINGS");
    expect(await codeOf(orderOf({ mappings: null }))).toBe("QSC_TRIAL_CANDIDATE");
    expect(await codeOf(orderOf({ mappings: { items: { fields: { a: { expression: "(" } } } } }))).toBe("QSC_TRIAL_CANDIDATE");
    expect(await codeOf(orderOf({ version: 7 }))).toBe("QSC_TRIAL_CANDIDATE");
    expect(await codeOf(orderOf({ version: 7, mappings: null }))).toBe("QSC_VERSION_NOT_FOUND");
    expect(await codeOf(orderOf({}))).toBe("");
    expect(await codeOf(orderOf({ kind: "canary" }))).toBe("QSC_TRIAL_RUNNING");
    await on.database.sql`update job set push = true`;
    expect(await codeOf(orderOf({ kind: "dry-run" }))).toBe("QSC_TRIAL_WITHOUT_JOB");
    await expect(cancelTrial(on.context, { id: 999, reason: "r" })).rejects.toMatchObject({ code: "QSC_TRIAL_NOT_FOUND" });
  });
});
