import { afterEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { type MemoryTarget, memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { replayDeadLetter } from "../runs/dead-letter-commands.js";
import { forgetUnseen } from "./sent-records.js";

let bench: PipelineBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function open(options: Parameters<typeof pipelineBench>[0]): Promise<PipelineBench> {
  bench = await pipelineBench(options);
  return bench;
}

const ends = async (on: PipelineBench) => expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
/** What was sent, as `name` or `-` for a deletion, in its order. */
const sent = (target: MemoryTarget) => target.applied.map((item) => (item.op === "delete" ? "-" : item.data["name"]));
const keysOf = (target: MemoryTarget) => [...new Set(target.applied.map((item) => item.idempotencyKey))];

describe.each(["key", "none"] as const)("to a target whose idempotency is %s, of a source that is read whole", (idempotency) => {
  const whole = () => memorySource({ cursor: "none", versions: false });

  it("nothing is sent again when a worker is lost after the last page, nor in a later run; what changed is", async () => {
    const source = whole();
    const target = memoryTarget({ idempotency });
    for (let index = 10; index < 35; index += 1) source.put(`k${index}`, { name: "n" });
    const on = await open({ source, target });
    // Asked for after the last page, for the keys.
    source.onPage = (_x, page) => {
      if (page === 0) throw new Error("The worker is gone.");
    };
    const run = await on.claim();
    await on.execute(run);
    expect(await on.cursor()).toEqual({});
    await on.takeAway(run);
    source.onPage = () => undefined;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { unchanged: 25 } });
    expect(target.applied).toHaveLength(25);
    source.put("k20", { name: "m" });
    expect(await on.attempt()).toMatchObject({ figures: { written: 1, unchanged: 24 } });
    expect(target.applied).toHaveLength(26);
  });

  it("a value that comes back is sent, under a key of its own where keys are looked at; so is a record that was deleted meanwhile", async () => {
    const source = whole();
    const target = memoryTarget({ idempotency });
    const on = await open({ source, target });
    for (const name of ["A", "A", "B", "A"]) {
      source.put("k1", { name });
      await ends(on);
    }
    expect(sent(target)).toEqual(["A", "B", "A"]);
    if (idempotency === "key") expect(keysOf(target)).toHaveLength(3);
    source.put("k2", { name: "other" });
    source.remove("k1");
    await database(on)`update integration set streams = jsonb_set(streams, '{0,deleteLimit}', '{"percent": 100, "records": 100}')`;
    await ends(on);
    expect(await database(on)`select from stream_sent`).toHaveLength(1);
    source.put("k1", { name: "A" });
    await ends(on);
    expect(sent(target)).toEqual(["A", "B", "A", "other", "-", "A"]);
  });
});

describe("to a target whose idempotency is key", () => {
  it("a page in doubt comes again under the same keys, whichever run goes on", async () => {
    const source = memorySource({ cursor: "none", versions: false });
    const target = memoryTarget({ maxBatch: 10, idempotency: "key" });
    const fill = (name: string) => Array.from({ length: 25 }, (_none, index) => source.put(`k${index + 10}`, { name }));
    fill("A");
    const on = await open({ source, target });
    await ends(on);
    target.applied.length = 0;
    fill("B");
    let batches = 0;
    target.after = () => {
      batches += 1;
      if (batches === 2) throw new Error("The answer of the second page is lost.");
    };
    expect(await on.attempt()).toMatchObject({ kind: "failed" });
    await ends(on);
    expect(target.applied).toHaveLength(35);
    expect(keysOf(target)).toHaveLength(25);
  });

  it("records of a log are changes each, also of the same content and on the same page, and a page that is read again is not", async () => {
    const source = memorySource({ cursor: "log", versions: false });
    const target = memoryTarget({ idempotency: "key" });
    const on = await open({ source, target });
    for (const name of ["on", "on", "off", "on"]) source.put("lamp", { name });
    await ends(on);
    expect(keysOf(target)).toHaveLength(4);
    await database(on)`update stream_state set cursor = null, rounds = 0`;
    await ends(on);
    expect(target.applied).toHaveLength(8);
    expect(keysOf(target)).toHaveLength(4);
    source.put("lamp", { name: "on" });
    await ends(on);
    expect(sent(target)).toEqual(["on", "on", "off", "on", "on", "on", "off", "on", "on"]);
    expect(keysOf(target)).toHaveLength(5);
  });

  it("a dead letter that was replayed is not sent once more when it is read next", async () => {
    const source = memorySource({ cursor: "none", versions: false });
    const target = memoryTarget({ idempotency: "key" });
    const on = await open({ source, target });
    target.refuse = () => ({ kind: "invalid", message: "no such customer" });
    source.put("k1", { name: "A" });
    await on.attempt();
    target.refuse = () => undefined;
    const [letter] = await database(on)<{ id: number }[]>`select id from dead_letter`;
    await replayDeadLetter(on.context, { id: letter?.id ?? 0, reason: "mended", inDoubt: false });
    for (let time = 0; time < 3; time += 1) await ends(on);
    expect(sent(target)).toEqual(["A"]);
  });

  it("what no source has shown for over a year is forgotten, what was seen again is not", async () => {
    const source = memorySource({ cursor: "none", versions: false });
    const on = await open({ source, target: memoryTarget({ idempotency: "key" }) });
    source.put("k1", { name: "A" });
    source.put("k2", { name: "A" });
    await ends(on);
    await database(on)`update stream_sent set seen_at = app_now() - interval '399 days'`;
    expect(await forgetUnseen(on)).toBe(0);
    await ends(on);
    await database(on)`update stream_sent set seen_at = seen_at - interval '2 days'`;
    expect(await forgetUnseen(on)).toBe(0);
    await database(on)`update stream_sent set seen_at = seen_at - interval '399 days'`;
    expect(await forgetUnseen(on)).toBe(2);
  });

  it("the same twice on a page is sent when the first of them was refused", async () => {
    const source = memorySource({ versions: false });
    const target = memoryTarget({ idempotency: "key" });
    let refusals = 0;
    target.refuse = () => (refusals++ === 0 ? { kind: "invalid", message: "not now" } : undefined);
    const on = await open({ source, target });
    for (let time = 0; time < 2; time += 1) source.put("k1", { name: "A" });
    await ends(on);
    expect(sent(target)).toEqual(["A"]);
  });

  it("nothing is remembered of a log", async () => {
    const source = memorySource({ cursor: "log" });
    const target = memoryTarget({ idempotency: "key" });
    const on = await open({ source, target });
    source.put("k1", { name: "A" });
    await ends(on);
    expect(await database(on)`select from stream_sent`).toHaveLength(0);
  });
});

describe("to a target whose idempotency is none", () => {
  it("a version that is read again, as where reads overlap, is not sent again", async () => {
    const source = memorySource();
    const target = memoryTarget({ idempotency: "none" });
    const on = await open({ source, target });
    for (const key of ["a", "b", "c"]) source.put(key, { name: key });
    await ends(on);
    await database(on)`update stream_state set cursor = '{"position": 1}'`;
    source.put("d", { name: "d" });
    source.put("b", { name: "b2" });
    await ends(on);
    expect(sent(target)).toEqual(["a", "b", "c", "d", "b2"]);
  });

  it("a record in doubt is neither sent again nor asked about twice, however often it is read", async () => {
    const source = memorySource({ cursor: "none", versions: false });
    const target = memoryTarget({ idempotency: "none" });
    const on = await open({ source, target });
    source.put("k1", { name: "A" });
    let tries = 0;
    target.before = () => {
      tries += 1;
      throw new Error("No answer.");
    };
    for (let time = 0; time < 3; time += 1) await on.attempt();
    expect(tries).toBe(1);
    expect(await on.letters()).toMatchObject([{ status: "review", key: "k1" }]);
  });
});

it("to a target that knows records by their own key, a value that comes back has a key of its own too", async () => {
  const source = memorySource({ cursor: "none", versions: false });
  const target = memoryTarget();
  const on = await open({ source, target });
  for (const name of ["A", "B", "A"]) {
    source.put("k1", { name });
    await ends(on);
  }
  expect(keysOf(target)).toHaveLength(3);
  expect(await database(on)`select from stream_sent`).toHaveLength(0);
});

function database(on: PipelineBench) {
  return on.database.sql;
}
