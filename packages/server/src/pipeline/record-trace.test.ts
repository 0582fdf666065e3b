import { pushedRecords } from "@quiesce/core";
import { afterEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { discardDeadLetters, replayDeadLetters } from "../runs/dead-letter-commands.js";
import { acceptRecords } from "../inbox/commands.js";
import { runsByIds } from "../runs/queries.js";
import { pause, resume } from "../windows/hold-commands.js";
import { forgetTrace } from "./record-trace.js";
import { traceRecord } from "./trace-queries.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const stepsOf = async (recordKey: string, integration: string | null = null) => {
  if (bench === undefined) throw new Error("There is no bench.");
  const { hops } = await traceRecord(bench.database, { recordKey, integration, limit: 100 });
  return hops.map(({ step }) => step);
};

describe("the trace of a record", () => {
  it("tells every page in which it was, what became of it and under which names", async () => {
    const source = memorySource();
    const target = memoryTarget();
    const mapping = { fields: { code: { expression: "'C-' & $key" }, name: { from: "name" } }, key: "code", when: "name != 'draft'" };
    bench = await pipelineBench({ source, target, stream: { mapping, deletes: "ignore" } });
    source.put("a", { name: "draft" });
    source.put("b", { name: "other" });
    await bench.attempt();
    source.put("a", { name: "one" });
    await bench.attempt();
    source.put("a", { name: "one" });
    await bench.attempt();
    expect(await stepsOf("a")).toEqual(["read", "skipped", "read", "mapped", "written", "read", "mapped", "unchanged"]);
    const { hops, isCut } = await traceRecord(bench.database, { recordKey: "C-a", integration: "orders", limit: 100 });
    expect(isCut).toBe(false);
    expect(hops.map(({ step, recordKey, targetKey }) => [step, recordKey, targetKey])).toEqual([
      ["read", "a", null],
      ["mapped", "a", "C-a"],
      ["written", "a", "C-a"],
      ["read", "a", null],
      ["mapped", "a", "C-a"],
      ["unchanged", "a", "C-a"],
    ]);
    expect(new Set(hops.map(({ runId }) => runId)).size).toBe(2);
    expect(await stepsOf("c")).toEqual([]);
    expect(await stepsOf("a", "nowhere")).toEqual([]);
  });

  it("follows a dead letter to its replay, and another one to its end", async () => {
    const source = memorySource();
    const target = memoryTarget();
    target.refuse = () => ({ kind: "invalid", message: "no such customer" });
    bench = await pipelineBench({ source, target, stream: { deletes: "ignore" } });
    source.put("a", { name: "a" });
    source.put("b", { name: "b" });
    await bench.attempt();
    expect(await stepsOf("a")).toEqual(["read", "mapped", "dead-letter"]);
    target.refuse = () => undefined;
    await discardDeadLetters(bench.context, { filter: { integration: "orders", recordKeys: ["b"] }, reason: "obsolete" });
    await replayDeadLetters(bench.context, { filter: { integration: "orders" }, reason: "mended" });
    await bench.attempt();
    expect(await stepsOf("a")).toEqual(["read", "mapped", "dead-letter", "replayed", "mapped", "written"]);
    expect(await stepsOf("b")).toEqual(["read", "mapped", "dead-letter", "discarded"]);
    const { hops } = await traceRecord(bench.database, { recordKey: "a", integration: null, limit: 100 });
    expect(hops[2]).toMatchObject({ message: "no such customer", deadLetterId: 1 });
  });

  it("says which hold had kept the run that carried it", async () => {
    const source = memorySource();
    bench = await pipelineBench({ source, target: memoryTarget(), stream: { deletes: "ignore" } });
    source.put("a", { name: "a" });
    const run = await bench.claim();
    await bench.database.sql`
      insert into hold (kind, scope, owner, reason, begins_at, expires_at) select 'manual', '{}', 'x', 'y', app_now() - interval '1 hour', app_now()`;
    await bench.database
      .sql`update run set held_since = app_now() - interval '1 hour', held_by = array(select id from hold) where id = ${run.runId}`;
    await bench.execute(run);
    const { hops } = await traceRecord(bench.database, { recordKey: "a", integration: null, limit: 100 });
    expect(hops.map(({ step }) => step)).toEqual(["held", "read", "mapped", "written"]);
    expect(hops[0]?.holdIds).toHaveLength(1);
  });

  it("says what holds a pushed record that waits, and how it goes on", async () => {
    bench = await pipelineBench({ source: memorySource(), target: memoryTarget(), stream: { push: true, deletes: "ignore" } });
    await bench.database.sql`update job set push = true`;
    const { holdId } = await pause(bench.context, { scope: { integrations: ["orders"] }, reason: "look", until: null });
    await acceptRecords(bench.context, { integration: "orders", records: pushedRecords([{ key: "a", record: { id: "a", name: "a" } }]) });
    const { hops } = await traceRecord(bench.database, { recordKey: "a", integration: null, limit: 100 });
    expect(hops.map(({ step, holdIds }) => [step, holdIds])).toEqual([
      ["pushed", []],
      ["held", [holdId]],
    ]);
    await resume(bench.context, { holdId, reason: "seen" });
    await bench.attempt();
    expect(await stepsOf("a")).toEqual(["pushed", "read", "mapped", "written"]);
  });

  it("tells deletions that were found by comparison, and what is in review", async () => {
    const source = memorySource();
    const target = memoryTarget({ idempotency: "none" });
    bench = await pipelineBench({ source, target });
    source.put("a", { name: "a" });
    await bench.attempt();
    source.remove("a");
    await bench.attempt();
    expect(await stepsOf("a")).toEqual(["read", "mapped", "written", "missing", "mapped", "deleted"]);
    target.refuse = () => ({ kind: "timeout", message: "perhaps", ambiguous: true });
    source.put("b", { name: "b" });
    await bench.attempt();
    expect(await stepsOf("b")).toEqual(["read", "mapped", "review"]);
  });

  it("still tells of a letter when its page is forgotten", async () => {
    const source = memorySource();
    const target = memoryTarget();
    target.refuse = () => ({ kind: "invalid", message: "no such customer" });
    bench = await pipelineBench({ source, target, stream: { deletes: "ignore" } });
    source.put("a", { name: "a" });
    await bench.attempt();
    await forgetTrace(bench, 0);
    const { hops } = await traceRecord(bench.database, { recordKey: "a", integration: null, limit: 100 });
    expect(hops).toMatchObject([{ step: "dead-letter", message: "no such customer", deadLetterId: 1 }]);
  });

  it("holds nothing of a page that was not committed, and no secret", async () => {
    const source = memorySource();
    const target = memoryTarget();
    bench = await pipelineBench({ source: { ...source, secrets: { token: "canary-secret-1" } }, target, stream: { deletes: "ignore" } });
    source.put("canary-secret-1", { name: "a" });
    const run = await bench.claim();
    target.after = () => bench?.takeAway(run);
    await bench.execute(run);
    expect(await bench.database.sql`select * from record_page`).toEqual([]);
    target.after = () => undefined;
    await bench.attempt();
    const rows = await bench.database.sql<{ text: string }[]>`select p::text as text from record_page as p`;
    expect(rows).toHaveLength(1);
    expect(rows[0]?.text).not.toContain("canary-secret-1");
  });

  it("is not kept where nobody wants it, and is forgotten in time", async () => {
    const source = memorySource();
    bench = await pipelineBench({ source, target: memoryTarget(), stream: { deletes: "ignore" } });
    source.put("a", { name: "a" });
    await bench.attempt();
    await bench.database.sql`update record_page set at = app_now() - interval '3 days'`;
    source.put("b", { name: "b" });
    await bench.attempt();
    expect(await forgetTrace(bench, 3)).toBe(1);
    expect(await stepsOf("a")).toEqual([]);
    expect(await stepsOf("b")).toEqual(["read", "mapped", "written"]);
    await bench.close();
    bench = await pipelineBench({ source, target: memoryTarget(), stream: { deletes: "ignore" }, traces: false });
    await bench.attempt();
    expect(await bench.database.sql`select * from record_page`).toEqual([]);
  });
});

it("a run says with which connectors, in which versions, its last attempt worked", async () => {
  const on = await pipelineBench({ source: memorySource(), target: memoryTarget() });
  try {
    const run = await on.claim();
    expect((await runsByIds(on.database, [run.runId]))[0]?.connectors).toBeNull();
    await on.execute(run);
    const used = [
      { side: "source", endpoint: "source", name: "memory-source", id: "memory-source", package: null, version: "1.0.0" },
      { side: "target", endpoint: "target", name: "memory-target", id: "memory-target", package: null, version: "1.0.0" },
    ];
    expect((await runsByIds(on.database, [run.runId]))[0]?.connectors).toEqual(used);
    // A worker that has lost the run writes nothing about it.
    await on.database.sql`update run set connectors = null, attempt = attempt + 1`;
    await on.execute(run);
    expect((await runsByIds(on.database, [run.runId]))[0]?.connectors).toBeNull();
  } finally {
    await on.close();
  }
});
