import { afterEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { pushBench } from "../../../../test/pipeline/push-bench.js";
import { discardDeadLetters, replayDeadLetter, replayDeadLetters } from "../runs/dead-letter-commands.js";
import { pause } from "../windows/hold-commands.js";

let bench: PipelineBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const reason = "the customer exists now";

/** A bench with three records of which two were refused. */
async function refused(options: Parameters<typeof memoryTarget>[0] = {}, ambiguous = false) {
  const source = memorySource();
  const target = memoryTarget(options);
  for (const key of ["a", "b", "c"]) source.put(key, { name: key });
  target.refuse = (item) =>
    item.key === "a"
      ? undefined
      : ambiguous
        ? { kind: "timeout", message: "no answer", ambiguous }
        : { kind: "invalid", message: "no such customer" };
  const on = await pipelineBench({ source, target, stream: { deletes: "ignore" } });
  bench = on;
  await on.attempt();
  target.refuse = () => undefined;
  const ids = (await on.database.sql<{ id: number }[]>`select id from dead_letter order by id`).map((row) => row.id);
  const statuses = async () => (await on.letters()).map((letter) => [letter.key, letter.status]);
  return { source, target, on, ids, statuses };
}

describe("replaying dead letters", () => {
  it("delivers one through a claimed run, under the name it had, and leaves the others", async () => {
    const { target, on, ids, statuses } = await refused();
    const replay = await replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false });
    expect(replay).toMatchObject({ letters: 1, passedOver: 0 });
    expect(target.rows.has("b")).toBe(false);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 1, written: 1, dead: 0 } });
    expect(await on.database.sql`select trigger, state from run where id = ${replay.runIds[0] ?? ""}::uuid`).toEqual([
      { trigger: "replay", state: "succeeded" },
    ]);
    expect(target.applied.find((item) => item.key === "b")?.idempotencyKey).toBe("orders:items:b:2");
    expect(await statuses()).toEqual([
      ["b", "replayed"],
      ["c", "open"],
    ]);
    await expect(replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_RESOLVED",
    });
  });

  it("delivers all that fit, does not take the same twice, and puts what is refused again back with its new reason", async () => {
    const { target, on, statuses } = await refused();
    target.refuse = (item) => (item.key === "c" ? { kind: "conflict", message: "locked" } : undefined);
    expect(await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toMatchObject({ letters: 2, passedOver: 0 });
    expect(await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toMatchObject({ letters: 0, passedOver: 2 });
    await expect(replayDeadLetters(on.context, { filter: {}, reason })).rejects.toMatchObject({ code: "QSC_DEAD_LETTER_SELECTION" });
    expect(await on.attempt()).toMatchObject({ figures: { written: 1, dead: 1 } });
    expect(await statuses()).toEqual([
      ["b", "replayed"],
      ["c", "open"],
    ]);
    expect((await on.letters())[1]?.error).toMatchObject({ kind: "conflict", message: "locked" });
    target.refuse = () => undefined;
    expect(await replayDeadLetters(on.context, { filter: { recordKeys: ["c", "x"] }, reason })).toMatchObject({ letters: 1 });
    await on.attempt();
    expect([...target.rows.keys()]).toEqual(["a", "b", "c"]);
  });

  it("deletes nothing of a stream that ignores deletions by now: the definition in force counts", async () => {
    const source = memorySource({ deletes: "tombstone" });
    const target = memoryTarget();
    const on = await pipelineBench({ source, target, stream: { deletes: "apply" } });
    bench = on;
    source.put("a", { name: "a" });
    await on.attempt();
    target.refuse = (item) => (item.op === "delete" ? { kind: "conflict", message: "it has invoices" } : undefined);
    source.remove("a");
    await on.attempt();
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["open"]);
    target.refuse = () => undefined;
    await on.database.sql`update integration set streams = jsonb_set(streams, '{0,deletes}', '"ignore"')`;
    await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { deleted: 0 } });
    expect(target.rows.has("a")).toBe(true);
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["discarded"]);
  });

  it("refuses letters of a stream that the integration has no more, instead of a run that does nothing", async () => {
    const { on, ids, statuses } = await refused();
    await on.database.sql`update integration set streams = jsonb_set(streams, '{0,stream}', '"others"')`;
    await expect(replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_WITHOUT_STREAM",
    });
    expect(await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toEqual({
      runIds: [],
      letters: 0,
      passedOver: 2,
    });
    expect(await discardDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toEqual({ discarded: 2 });
    expect(await statuses()).toEqual([
      ["b", "discarded"],
      ["c", "discarded"],
    ]);
  });

  it("sets aside, with its text, what the source itself says cannot be used, and a replay does not deliver it either", async () => {
    const source = memorySource();
    const target = memoryTarget();
    source.putRaw({
      key: "torn",
      version: "1",
      data: { text: '{"id": ' },
      problem: "The message is not JSON: Unexpected end of JSON input.",
    });
    source.put("whole", { name: "whole" });
    const on = await pipelineBench({ source, target, stream: { deletes: "ignore" } });
    bench = on;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 2, written: 1, dead: 1 } });
    const before = await on.letters();
    expect(before).toMatchObject([
      { key: "torn", status: "open", error: { stage: "read", kind: "contract", message: expect.stringContaining("is not JSON") } },
    ]);
    const [letter] = await on.database.sql<
      { id: number; text: string }[]
    >`select id, record #>> '{source,data,text}' as text from dead_letter`;
    expect(letter?.text).toBe('{"id": ');
    await replayDeadLetter(on.context, { id: letter?.id ?? 0, reason, inDoubt: false });
    await on.attempt();
    expect([...target.rows.keys()]).toEqual(["whole"]);
    expect((await on.letters()).map(({ status }) => status)).toEqual(["open"]);
  });

  it("waits for a hold as every other run", async () => {
    const { target, on, ids } = await refused();
    await pause(on.context, { scope: { integrations: ["orders"] }, until: null, reason: "stocktaking" });
    await replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false });
    await expect(on.claim()).rejects.toThrow("No run could be claimed");
    expect(target.rows.has("b")).toBe(false);
    expect(await on.database.sql`select state from run where trigger = 'replay'`).toEqual([{ state: "held" }]);
  });

  it("goes on after a stop from where it was, and settles nothing once its run was taken away", async () => {
    const { target, on, ids, statuses } = await refused();
    await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason });
    target.refuse = () => ({ kind: "unavailable", message: "503" });
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "unavailable" } });
    expect((await statuses()).map(([, status]) => status)).toEqual(["open", "open"]);
    await expect(replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_UNDER_WAY",
    });
    target.refuse = () => undefined;
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    target.after = () => undefined;
    expect((await statuses()).map(([, status]) => status)).toEqual(["open", "open"]);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { unchanged: 2 } });
    expect((await statuses()).map(([, status]) => status)).toEqual(["replayed", "replayed"]);
  });

  it("sends what is in review only when somebody has looked, and a death in the middle leaves a question again", async () => {
    const { target, on, ids, statuses } = await refused({ idempotency: "none" }, true);
    expect(await statuses()).toEqual([
      ["b", "review"],
      ["c", "review"],
    ]);
    await expect(replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_IN_DOUBT",
    });
    expect(await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toMatchObject({ letters: 0 });
    await replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: true });
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    target.after = () => undefined;
    await on.attempt();
    expect(target.applied.filter((item) => item.key === "b")).toHaveLength(1);
    expect(await statuses()).toEqual([
      ["b", "review"],
      ["c", "review"],
    ]);
    expect(await discardDeadLetters(on.context, { ids, reason: "seen at the target" })).toEqual({ discarded: 2 });
    const audit = await on.database.sql`select action, after from audit_entry where action like 'dead-letter.%' order by id`;
    expect(audit).toMatchObject([{ action: "dead-letter.replay" }, { action: "dead-letter.discard", after: { letters: 2 } }]);
  });

  it("refuses what does not hold the whole record", async () => {
    const { on, ids } = await refused();
    await on.database.sql`update dead_letter set record = record || '{"incomplete": true}' where id = ${ids[0] ?? 0}`;
    await expect(replayDeadLetter(on.context, { id: ids[0] ?? 0, reason, inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_INCOMPLETE",
    });
    expect(await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toMatchObject({ letters: 1, passedOver: 1 });
    await expect(replayDeadLetter(on.context, { id: 999_999, reason, inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_NOT_FOUND",
    });
    await expect(replayDeadLetter(on.context, { id: ids[1] ?? 0, reason: " ", inDoubt: false })).rejects.toMatchObject({
      code: "QSC_DEAD_LETTER_REASON",
    });
  });

  it("delivers what was pushed by the push job", async () => {
    const target = memoryTarget();
    target.refuse = () => ({ kind: "invalid", message: "no such customer" });
    const on = await pushBench({ target });
    bench = on;
    await on.push({ key: "a", record: { id: "a", name: "A" } });
    await on.settle();
    target.refuse = () => undefined;
    expect(await replayDeadLetters(on.context, { filter: { integration: "orders" }, reason })).toMatchObject({ letters: 1 });
    await on.settle();
    expect(target.rows.get("a")).toEqual({ id: "a", name: "A" });
    expect(await on.inbox()).toMatchObject({ accepted: 1, dead: 1, done: 0 });
  });
});
