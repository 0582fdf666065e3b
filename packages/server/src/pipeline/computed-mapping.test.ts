import { afterEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { replayDeadLetters } from "../runs/dead-letter-commands.js";

let bench: PipelineBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const mapping = { fields: { name: { expression: "$uppercase(name)" } }, when: "state = 'open'" };

describe("a mapping with conditions and expressions", () => {
  it("writes what meets the condition, computed, and counts what it passes over", async () => {
    const source = memorySource();
    const target = memoryTarget();
    bench = await pipelineBench({ source, target, stream: { mapping } });
    source.put("a", { name: "ada", state: "open" });
    source.put("b", { name: "bob", state: "closed" });
    source.put("c", { name: 7, state: "open" });
    expect(await bench.attempt()).toEqual({
      kind: "succeeded",
      figures: { read: 3, written: 1, unchanged: 0, deleted: 0, dead: 1, skipped: 1 },
    });
    expect([...target.rows]).toEqual([["a", { name: "ADA" }]]);
    expect((await bench.letters()).map(({ key, error }) => [key, error.message])).toEqual([["c", expect.stringContaining("character 11")]]);
  });

  it("closes the dead letter of a record whose newer version is passed over", async () => {
    const source = memorySource();
    bench = await pipelineBench({ source, target: memoryTarget(), stream: { mapping } });
    source.put("c", { name: 7, state: "open" });
    await bench.attempt();
    source.put("c", { name: 7, state: "closed" });
    await bench.attempt();
    expect((await bench.letters()).map(({ status }) => status)).toEqual(["discarded"]);
  });

  it("does not replay what the corrected mapping passes over", async () => {
    const source = memorySource();
    const target = memoryTarget();
    bench = await pipelineBench({ source, target, stream: { mapping } });
    source.put("c", { name: 7, state: "open" });
    source.put("d", { name: 8, state: "open" });
    await bench.attempt();
    const corrected = { fields: { name: { from: "name", cast: "string" as const } }, when: "$key = 'd'" };
    await bench.database.sql`update integration set streams = jsonb_set(streams, '{0,mapping}', ${JSON.stringify(corrected)}::text::jsonb)`;
    await replayDeadLetters(bench.context, { filter: { integration: "orders" }, reason: "corrected" });
    expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 1, dead: 0, skipped: 1 } });
    expect((await bench.letters()).map(({ key, status }) => [key, status])).toEqual([
      ["c", "discarded"],
      ["d", "replayed"],
    ]);
    expect([...target.rows.keys()]).toEqual(["d"]);
  });

  it("passes over with a target that cannot recognise repetitions just the same", async () => {
    const source = memorySource();
    const target = memoryTarget({ idempotency: "none" });
    bench = await pipelineBench({ source, target, stream: { mapping } });
    source.put("a", { name: "ada", state: "open" });
    source.put("b", { name: "bob", state: "closed" });
    expect(await bench.attempt()).toMatchObject({ figures: { read: 2, written: 1, skipped: 1 } });
    expect(await bench.letters()).toEqual([]);
  });
});
