import { ConnectorError } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PushBench, pushBench } from "../../../../test/pipeline/push-bench.js";

let bench: PushBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function open(options: Parameters<typeof pushBench>[0]): Promise<PushBench> {
  bench = await pushBench(options);
  return bench;
}

const record = (key: string, name: string, more: object = {}) => ({ key, record: { id: key, name }, ...more });
const names = (target: ReturnType<typeof memoryTarget>, key: string) =>
  target.applied.filter((item) => item.key === key).map((item) => item.data["name"]);

describe("delivering what was pushed", () => {
  it("writes every record once, in its order by key, through one run", async () => {
    const target = memoryTarget();
    const on = await open({ target, pageSize: 3 });
    for (let round = 1; round <= 4; round += 1) await on.push([record("a", `a${round}`), record("b", `b${round}`)]);
    expect(await on.runs()).toMatchObject([{ state: "queued", trigger: "queue" }]);
    expect(await on.settle()).toBe(1);
    expect(names(target, "a")).toEqual(["a1", "a2", "a3", "a4"]);
    expect(names(target, "b")).toEqual(["b1", "b2", "b3", "b4"]);
    expect(await on.inbox()).toMatchObject({ accepted: 8, waiting: 0, processing: 0, done: 8, dead: 0, waitingBytes: 0, oldestAt: null });
    expect(await on.runs()).toMatchObject([{ state: "succeeded" }]);
  });

  it("keeps nothing of a record's contents once it is delivered", async () => {
    const on = await open({ target: memoryTarget() });
    await on.push(record("a", "Jane Doe"));
    await on.settle();
    const rows = await on.database.sql<{ text: string }[]>`select r::text as text from inbox_record as r`;
    expect(rows).toHaveLength(1);
    expect(rows[0]?.text).not.toContain("Jane");
  });

  it("delivers a value that comes back as a change of its own", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    await on.push([record("a", "A"), record("a", "B"), record("a", "A")]);
    await on.settle();
    expect(new Set(target.applied.map((item) => item.idempotencyKey)).size).toBe(3);
    expect(target.rows.get("a")).toEqual({ id: "a", name: "A" });
  });

  it("applies deletions only where the stream does, and counts the others as done", async () => {
    const ignoring = memoryTarget();
    const on = await open({ target: ignoring });
    await on.push([record("a", "A"), { key: "a", op: "delete" }]);
    await on.settle();
    expect(ignoring.rows.has("a")).toBe(true);
    expect(await on.inbox()).toMatchObject({ done: 2, dead: 0 });
    await on.close();
    const target = memoryTarget();
    bench = await pushBench({ target, deletes: "apply" });
    await bench.push([record("a", "A"), { key: "a", op: "delete" }]);
    await bench.settle();
    expect(target.rows.has("a")).toBe(false);
  });

  it("leaves what is pushed while it runs to the next run", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    await on.push(record("a", "first"));
    target.before = async () => {
      target.before = () => undefined;
      await on.push(record("a", "second"));
      await on.push(record("b", "third"));
    };
    await on.attempt();
    expect(names(target, "a")).toEqual(["first"]);
    expect((await on.runs()).map((run) => run.state)).toEqual(["succeeded", "queued"]);
    await on.settle();
    expect(names(target, "a")).toEqual(["first", "second"]);
    expect(names(target, "b")).toEqual(["third"]);
  });
});

describe("a record that is not taken", () => {
  it("keeps later ones of its key back while other keys go on, and passes in order once it is taken", async () => {
    const target = memoryTarget({ maxBatch: 2 });
    const on = await open({ target });
    let broken = true;
    target.refuse = (item) => (broken && item.data["name"] === "a1" ? { kind: "timeout", message: "slow" } : undefined);
    await on.database.sql`update job set retry = '{"maxAttempts": 3, "backoffSeconds": 3600, "maxBackoffSeconds": 3600}'`;
    await on.push([record("a", "a1"), record("a", "a2"), record("b", "b1"), record("c", "c1"), record("a", "a3"), record("b", "b2")]);
    const run = await on.claim();
    const patient = { maxAttempts: 3, backoffSeconds: 3_600, maxBackoffSeconds: 3_600 };
    expect(await on.execute({ ...run, retry: patient })).toMatchObject({ kind: "succeeded" });
    expect(target.applied.map((item) => item.data["name"])).toEqual(["b1", "c1", "b2"]);
    expect(await on.inbox()).toMatchObject({ accepted: 6, done: 3, dead: 0, putOff: 1 });
    // The next run is queued for its next try, and one that is pushed meanwhile brings it forward without letting the key overtake.
    const queued = (await on.runs()).filter((one) => one.state === "queued");
    expect(queued).toHaveLength(1);
    expect((queued[0]?.readyAt ?? 0) - Date.now()).toBeGreaterThan(3_000_000);
    await on.push([record("a", "a4"), record("d", "d1")]);
    await on.database.sql`update run set state = 'succeeded', finished_at = app_now() where state = 'running'`;
    await on.database.sql`update job set running_run_id = null`;
    await on.settle();
    expect(target.applied.map((item) => item.data["name"])).toEqual(["b1", "c1", "b2", "d1"]);
    broken = false;
    await on.database.sql`update inbox_record set next_try_at = app_now() where next_try_at is not null`;
    await on.database.sql`update run set ready_at = app_now() where state = 'queued'`;
    await on.settle();
    expect(names(target, "a")).toEqual(["a1", "a2", "a3", "a4"]);
    expect(await on.inbox()).toMatchObject({ accepted: 8, waiting: 0, done: 8, dead: 0 });
  });

  it("goes to the dead letters after the job's attempts, and then its key goes on", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    target.refuse = (item) => (item.data["name"] === "a1" ? { kind: "timeout", message: "slow" } : undefined);
    await on.push([record("a", "a1"), record("a", "a2"), record("b", "b1")]);
    await on.settle();
    expect(target.applied.map((item) => item.data["name"])).toEqual(["b1", "a2"]);
    expect(await on.inbox()).toMatchObject({ accepted: 3, waiting: 0, done: 2, dead: 1 });
    // A newer one of its key was delivered since: the letter of the older is closed, nobody shall replay it.
    await on.push([record("c", "a1"), record("d", "d1")]);
    await on.settle();
    const letters = await on.letters();
    expect(letters.map((letter) => [letter.key, letter.status])).toContainEqual(["c", "open"]);
    expect(letters.find((letter) => letter.key === "c")?.text).toContain("a1");
  });

  it("has tries of its own, however often the run was tried before it came", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    const seen: string[] = [];
    target.refuse = (item) => {
      const name = JSON.stringify(item.data["name"]).slice(1, -1);
      if (!name.startsWith("bad")) return undefined;
      seen.push(name);
      return { kind: "transient", message: "deadlock" };
    };
    await on.push([record("a", "bad-1"), record("x", "ok")]);
    await on.attempt();
    await on.push([record("b", "bad-2"), record("y", "ok")]);
    await on.settle();
    expect(seen.filter((name) => name === "bad-1")).toHaveLength(3);
    expect(seen.filter((name) => name === "bad-2")).toHaveLength(3);
    expect(await on.inbox()).toMatchObject({ accepted: 4, done: 2, dead: 2, waiting: 0 });
  });

  it("is dead at once when it does not fit the mapping or is refused for good", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    target.refuse = (item) => (item.key === "b" ? { kind: "invalid", message: "no such customer" } : undefined);
    await on.push([{ key: "a", record: { name: "no id" } }, record("b", "b1"), record("c", "c1")]);
    expect(await on.settle()).toBe(1);
    expect(await on.inbox()).toMatchObject({ accepted: 3, done: 1, dead: 2 });
    expect(new Set((await on.letters()).map((letter) => `${letter.key} ${letter.status} ${letter.error.kind}`))).toEqual(
      new Set(["a open invalid", "b open invalid"]),
    );
  });

  it("is not dead when the whole system is down: everything waits, and nothing is lost", async () => {
    const target = memoryTarget({ maxBatch: 1 });
    const on = await open({ target });
    target.refuse = () => ({ kind: "unavailable", message: "503" });
    await on.push(Array.from({ length: 30 }, (_value, index) => record(`k${index}`, "x")));
    for (let attempt = 1; attempt <= 3; attempt += 1)
      expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "unavailable" } });
    expect(await on.inbox()).toMatchObject({ accepted: 30, waiting: 30, done: 0, dead: 0 });
    expect(await on.letters()).toHaveLength(0);
    target.refuse = () => undefined;
    await on.push(record("later", "y"));
    await on.settle();
    expect(await on.inbox()).toMatchObject({ accepted: 31, waiting: 0, done: 31, dead: 0 });
  });

  it("is found when it breaks the whole batch that it is in, and the others go on", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    target.before = (_x, items) => {
      if (items.some((item) => item.key === "poison")) throw new ConnectorError("contract", "Unexpected token <");
    };
    await on.push([record("a", "a1"), record("poison", "p1"), record("poison", "p2"), record("b", "b1")]);
    await on.settle();
    expect([...target.rows.keys()].toSorted()).toEqual(["a", "b"]);
    expect(await on.inbox()).toMatchObject({ accepted: 4, done: 2, dead: 2, waiting: 0 });
  });

  it("holds the integration when credentials are refused, and keeps every record", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    target.before = () => {
      throw new ConnectorError("auth", "The password was refused.");
    };
    await on.push([record("a", "a1"), record("b", "b1")]);
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "auth" } });
    expect(await on.push(record("c", "c1"))).toMatchObject({ accepted: 1, held: true, heldUntil: null, waitingRecords: 3 });
    expect(await on.inbox()).toMatchObject({ waiting: 3, dead: 0 });
  });
});

describe("a process that dies", () => {
  it("between the write and the acknowledgement writes nothing twice for the target: the repetition has the same name", async () => {
    const target = memoryTarget();
    const on = await open({ target, pageSize: 2 });
    await on.push([record("a", "a1"), record("b", "b1"), record("a", "a2"), record("c", "c1")]);
    const run = await on.claim();
    target.after = async (_x, items) => {
      if (items.some((item) => item.data["name"] === "a2")) await on.database.sql`alter table inbox rename to inbox_gone`;
    };
    expect(await on.execute(run)).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
    await on.database.sql`alter table inbox_gone rename to inbox`;
    target.after = () => undefined;
    // The first page was acknowledged, the second one is in the hands of the run that died.
    expect(await on.inbox()).toMatchObject({ accepted: 4, processing: 2, waiting: 0, done: 2 });
    await on.takeAway(run);
    expect(await on.inbox()).toMatchObject({ accepted: 4, processing: 0, waiting: 2, done: 2 });
    await on.settle();
    expect(await on.inbox()).toMatchObject({ accepted: 4, waiting: 0, done: 4, dead: 0 });
    expect(names(target, "a")).toEqual(["a1", "a2", "a2"]);
    expect(new Set(target.applied.map((item) => item.idempotencyKey)).size).toBe(4);
  });

  it("acknowledges nothing once its run was taken away", async () => {
    const target = memoryTarget();
    const on = await open({ target });
    await on.push([record("a", "a1")]);
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    expect(await on.inbox()).toMatchObject({ waiting: 1, done: 0 });
  });

  it("leaves a question, never a double, where the target cannot recognise repetitions", async () => {
    const target = memoryTarget({ idempotency: "none" });
    const on = await open({ target });
    await on.push([record("a", "a1"), record("b", "b1")]);
    const run = await on.claim();
    target.after = () => on.takeAway(run);
    await on.execute(run);
    target.after = () => undefined;
    await on.push(record("c", "c1"));
    await on.settle();
    expect(target.applied.map((item) => item.data["name"])).toEqual(["a1", "b1", "c1"]);
    expect((await on.letters()).map((letter) => letter.status)).toEqual(["review", "review"]);
    expect(await on.inbox()).toMatchObject({ accepted: 3, done: 1, dead: 2, waiting: 0 });
  });

  it("sends a failed record again, and each other one once, to a target that cannot recognise repetitions", async () => {
    const target = memoryTarget({ idempotency: "none" });
    const on = await open({ target });
    let broken = true;
    target.refuse = (item) => (broken && item.key === "a" ? { kind: "transient", message: "deadlock" } : undefined);
    target.after = () => void (broken = target.applied.length < 2);
    await on.push([record("a", "a1"), record("a", "a2"), record("b", "b1"), record("c", "c1")]);
    await on.settle();
    expect(target.applied).toHaveLength(4);
    expect(new Set(target.applied.map((item) => item.data["name"]))).toEqual(new Set(["a1", "a2", "b1", "c1"]));
    expect(names(target, "a")).toEqual(["a1", "a2"]);
    expect(await on.letters()).toHaveLength(0);
    expect(await on.inbox()).toMatchObject({ accepted: 4, done: 4, dead: 0 });
  });
});
