import { DomainError, pushedRecords, type TrialFigures } from "@quiesce/core";
import type { JsonObject } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { memorySide } from "../../../../test/pipeline/memory-side.js";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { loadIntegration } from "../catalog/store/load-workspace.js";
import { acceptRecords } from "../inbox/commands.js";
import { startTrial, type TrialOrder } from "./trial-commands.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const mapping = { fields: { name: { from: "name" } } };

async function open() {
  const source = memorySource({ deletes: "tombstone" });
  const target = memoryTarget();
  bench = await pipelineBench({ source, target, stream: { mapping, deletes: "ignore" } });
  return { on: bench, source, target };
}

interface Changes {
  readonly stream?: object;
  readonly streams?: readonly object[];
  readonly [field: string]: unknown;
}

/** The definition in force with these changes; `stream` are those of its only stream. */
async function definitionWith(on: PipelineBench, { stream = {}, ...more }: Changes): Promise<object> {
  const current = await loadIntegration(on.database.db, "orders");
  if (current === undefined) throw new Error("There is no integration.");
  return { ...current, streams: current.streams.map((one) => ({ ...one, ...stream })), ...more };
}

async function begin(
  on: PipelineBench,
  kind: TrialOrder["kind"],
  changes: Changes,
  settings: Partial<TrialOrder["settings"]> = {},
): Promise<{ readonly id: number }> {
  return startTrial(on.context, {
    integration: "orders",
    kind,
    version: null,
    mappings: null,
    definition: await definitionWith(on, changes),
    reason: "another definition",
    settings: { records: 100, runs: null, percent: 100, errorRatio: 0.1, sinceCursor: false, ...settings },
  });
}

interface Trial {
  readonly state: string;
  readonly figures: TrialFigures;
  readonly differences: readonly {
    readonly stream: string;
    readonly recordKey: string;
    readonly now: string;
    readonly candidate: string;
    readonly fields: readonly object[];
  }[];
  readonly verdict: string | null;
}

async function trialOf(on: PipelineBench): Promise<Trial> {
  const [row] = await on.database.sql<Trial[]>`select state, figures, differences, verdict from integration_trial order by id desc limit 1`;
  if (row === undefined) throw new Error("There is no trial.");
  return row;
}

const streamsNow = async (on: PipelineBench) => (await loadIntegration(on.database.db, "orders"))?.streams;

describe("a definition that applies deletions", () => {
  it("as a shadow shows which deletions it would apply, and applies none", async () => {
    const { on, source, target } = await open();
    source.put("a", { name: "n" });
    source.put("b", { name: "n" });
    source.remove("b");
    await begin(on, "shadow", { stream: { deletes: "apply" } });
    expect(await on.attempt()).toMatchObject({ figures: { written: 2, deleted: 0 } });
    expect(await trialOf(on)).toMatchObject({
      figures: { records: 3, same: 2, different: 1, errors: 0 },
      differences: [{ recordKey: "b", now: "skipped", candidate: "mapped" }],
    });
    expect(target.rows.size).toBe(2);
  });

  it("as a dry run shows the deletions of the sample", async () => {
    const { on, source } = await open();
    source.put("b", { name: "n" });
    source.remove("b");
    await begin(on, "dry-run", { stream: { deletes: "apply" } });
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({ state: "done", figures: { records: 2, same: 1, different: 1 } });
  });

  it("as a canary applies those of its share, and is promoted whole, with what no record shows", async () => {
    const { on, source, target } = await open();
    for (const key of ["a", "b", "c"]) source.put(key, { name: "n" });
    await on.attempt();
    await begin(on, "canary", { stream: { deletes: "apply" }, description: "with deletions", tags: ["erp"] }, { records: 2 });
    source.remove("a");
    source.remove("b");
    expect(await on.attempt()).toMatchObject({ figures: { deleted: 2 } });
    expect([...target.rows.keys()]).toEqual(["c"]);
    expect(await trialOf(on)).toMatchObject({ state: "promoted", figures: { records: 2, errors: 0 } });
    expect(await streamsNow(on)).toMatchObject([{ deletes: "apply" }]);
    expect(await loadIntegration(on.database.db, "orders")).toMatchObject({ description: "with deletions", tags: ["erp"] });
  });

  it("as a canary leaves the deletions of the other keys alone", async () => {
    const { on, source, target } = await open();
    const keys = Array.from({ length: 40 }, (_none, index) => `k${index}`);
    for (const key of keys) source.put(key, { name: "n" });
    await on.attempt();
    await begin(on, "canary", { stream: { deletes: "apply" } }, { percent: 50 });
    for (const key of keys) source.remove(key);
    await on.attempt();
    const { figures } = await trialOf(on);
    expect(figures.records).toBeGreaterThan(8);
    expect(figures.records).toBeLessThan(32);
    expect(target.rows.size).toBe(40 - figures.records);
  });
});

describe("a stream that the definition in force has not", () => {
  const more = (name: string) => ({
    streams: [
      { stream: "items", mapping, deletes: "ignore" },
      { stream: name, mapping },
    ],
  });

  it("is read by a dry run, which says what would be written", async () => {
    const { on, source, target } = await open();
    source.put("a", { name: "n" });
    source.put("b", {});
    await begin(on, "dry-run", more("parts"));
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({
      state: "done",
      figures: { records: 2, same: 0, different: 2, errors: 1 },
      differences: [
        { stream: "parts", recordKey: "a", now: "skipped", candidate: "mapped" },
        { stream: "parts", recordKey: "b", now: "skipped", candidate: "unfit" },
      ],
    });
    expect(target.applied).toEqual([]);
  });

  it("is read by a shadow after each run, behind a cursor of its own, and counted once", async () => {
    const { on, source, target } = await open();
    for (let index = 1; index <= 25; index += 1) source.put(`k${index}`, { name: "n" });
    await begin(on, "shadow", more("parts"), { records: 1_000 });
    expect(await on.attempt()).toMatchObject({ figures: { read: 25, written: 25 } });
    expect((await trialOf(on)).figures).toMatchObject({ records: 25, different: 25 });
    source.put("k26", { name: "n" });
    expect(await on.attempt()).toMatchObject({ figures: { read: 1 } });
    expect((await trialOf(on)).figures).toMatchObject({ records: 26, different: 26, runs: 2 });
    expect(target.applied).toHaveLength(26);
    expect(await on.database.sql`select stream from stream_state`).toEqual([{ stream: "items" }]);
  });

  it("that cannot be read does not make the run fail; the shadow says so", async () => {
    const { on, source } = await open();
    source.put("a", { name: "n" });
    await begin(on, "shadow", more("parts"));
    let reads = 0;
    source.onPage = () => {
      reads += 1;
      if (reads === 2) throw new Error("no such stream");
    };
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect(await trialOf(on)).toMatchObject({ state: "running", verdict: expect.stringContaining("parts: no such stream") });
  });
});

describe("a stream that the candidate has no more", () => {
  it("is counted by a shadow, record by record", async () => {
    const { on, source, target } = await open();
    source.put("a", { name: "n" });
    await begin(on, "shadow", { streams: [{ stream: "parts", mapping }] });
    await on.attempt();
    const { differences } = await trialOf(on);
    expect(differences).toMatchObject([
      { stream: "items", recordKey: "a", now: "mapped", candidate: "skipped" },
      { stream: "parts", recordKey: "a", now: "skipped", candidate: "mapped" },
    ]);
    expect(target.rows.size).toBe(1);
  });
});

describe("other conflict rules", () => {
  const fields = { fields: { id: { from: "id" }, name: { from: "name" } } };
  const rules = (conflict: string) => ({ fields: { name: { conflict } }, times: {} });
  const person = (name: string): JsonObject => ({ name });

  async function sides() {
    const source = memorySide("memory-a");
    const target = memorySide("memory-b");
    bench = await pipelineBench({
      source,
      target,
      stream: { mapping: fields, twoWay: rules("source") as never, deletes: "apply" },
    });
    for (const key of ["k1", "k2"]) source.edit(key, person("n"));
    await bench.attempt();
    return { source, target, on: bench };
  }

  it("are shown by a shadow, which leaves the conflict to the rule in force", async () => {
    const { source, target, on } = await sides();
    await begin(on, "shadow", { stream: { twoWay: rules("target") } });
    source.edit("k1", person("s"));
    target.edit("k1", person("t"));
    source.edit("k2", person("s"));
    await on.attempt();
    expect(await trialOf(on)).toMatchObject({
      figures: { records: 2, same: 1, different: 1 },
      differences: [{ recordKey: "k1", fields: [{ path: "twoWay.name", before: "source", after: "target" }] }],
    });
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([{ name: "s" }, { name: "s" }]);
  });

  it("decide for a canary's share", async () => {
    const { source, target, on } = await sides();
    await begin(on, "canary", { stream: { twoWay: rules("target") } });
    source.edit("k1", person("s"));
    target.edit("k1", person("t"));
    await on.attempt();
    expect([source.rows.get("k1"), target.rows.get("k1")]).toMatchObject([{ name: "t" }, { name: "t" }]);
    expect(await on.database.sql`select winner from sync_conflict`).toEqual([{ winner: "target" }]);
  });
});

describe("a shadow of what is pushed", () => {
  it("counts a record once, however often it is tried", async () => {
    const target = memoryTarget();
    bench = await pipelineBench({ source: memorySource(), target, stream: { mapping, deletes: "ignore", push: true } });
    const on = bench;
    await on.database.sql`update job set push = true, retry = '{"maxAttempts": 9, "backoffSeconds": 0, "maxBackoffSeconds": 0}'`;
    await begin(on, "shadow", { stream: { mapping: { fields: { name: { from: "other" } } } } });
    await acceptRecords(on.context, { integration: "orders", records: pushedRecords([{ key: "a", record: { name: "n" } }]) });
    target.before = () => {
      throw Object.assign(new Error("away"), { quiesceError: 1, kind: "unavailable", info: {} });
    };
    await on.attempt();
    await on.database.sql`update run set ready_at = app_now() where state = 'queued'`;
    await on.attempt();
    expect((await trialOf(on)).figures).toMatchObject({ records: 0, different: 0 });
    target.before = () => undefined;
    await on.database.sql`update run set ready_at = app_now() where state = 'queued'`;
    await on.attempt();
    expect(target.rows.get("a")).toEqual({ name: "n" });
    expect((await trialOf(on)).figures).toMatchObject({ records: 1, different: 1 });
  });
});

describe("what of a definition cannot be tried", () => {
  it.each<[TrialOrder["kind"], Changes, string]>([
    ["shadow", { target: "source" }, "target: another endpoint is not tried"],
    ["shadow", { stream: { target: "elsewhere" } }, "items: target: another place at the target"],
    ["canary", { streams: [{ stream: "parts", mapping }] }, "parts: it is new"],
    ["shadow", { description: "another one" }, "nothing to try"],
    ["shadow", { stream: { deletes: "apply" }, via: ["nowhere"] }, 'There is no system "nowhere"'],
    ["shadow", { stream: { deletes: "sometimes" } }, "streams.0.deletes"],
    ["shadow", { key: "others", stream: { deletes: "apply" } }, 'the definition of "others"'],
  ])("%s of %j is refused: %s", async (kind, changes, message) => {
    const { on } = await open();
    const refusal = await begin(on, kind, changes).then(
      () => null,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(DomainError);
    expect(refusal).toMatchObject({ code: "QSC_TRIAL_CANDIDATE" });
    const said = refusal as DomainError;
    expect(JSON.stringify([said.message, said.details])).toContain(JSON.stringify(message).slice(1, -1));
  });
});
