import pino from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { memoryTarget, type MemoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PushBench, pushBench } from "../../../../test/pipeline/push-bench.js";
import { createPipelineExecutor } from "../pipeline/pipeline-executor.js";
import { Scheduler } from "../scheduler/scheduler.js";
import { pause, resume } from "../windows/hold-commands.js";

const wait = { timeout: 60_000, interval: 50 };
const keys = ["a", "b", "c", "d", "e"];

let target: MemoryTarget;
let on: PushBench;
let servers: Scheduler[];

beforeEach(async () => {
  target = memoryTarget({ maxBatch: 7 });
  on = await pushBench({ target });
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.stop(0);
  await on?.close();
});

async function startServer(name: string): Promise<Scheduler> {
  const { database, host, url, context } = on;
  const log = pino({ level: "silent" });
  const server = new Scheduler({
    database,
    databaseUrl: url,
    zones: context.zones,
    executor: createPipelineExecutor({ database, host, log, pageSize: 20 }),
    probe: { isReady: async () => ({ ready: true, why: null }) },
    log,
    workerName: name,
    maxConcurrentRuns: 10,
    lease: { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 },
    random: () => 0,
  });
  servers.push(server);
  await server.start();
  return server;
}

it("two servers deliver what is pushed to both in its order, one at a time, nothing while it is held, also when one of them stops", async () => {
  let writing = 0;
  let together = 0;
  let tried = 0;
  target.before = async () => {
    writing += 1;
    together = Math.max(together, writing);
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  target.after = () => void (writing -= 1);
  target.refuse = () => {
    tried += 1;
    return tried % 11 === 0 ? { kind: "transient", message: "deadlock" } : undefined;
  };
  await on.database.sql`update job set retry = '{"maxAttempts": 100, "backoffSeconds": 0, "maxBackoffSeconds": 0}'`;
  const first = await startServer("first");
  await startServer("second");
  let serial = 0;
  const sent = new Map<string, number[]>(keys.map((key) => [key, []]));
  /** Each sender has keys of its own and waits for each answer, as senders do that care for order. */
  const sender = async (own: readonly string[], rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      const records = own.map((key) => {
        serial += 1;
        sent.get(key)?.push(serial);
        return { key, record: { id: key, name: serial } };
      });
      await on.push(records);
    }
  };
  const settled = () => vi.waitFor(async () => expect(await on.inbox()).toMatchObject({ waiting: 0, processing: 0, dead: 0 }), wait);
  await Promise.all([sender(["a", "b"], 8), sender(["c"], 8), sender(["d", "e"], 8)]);
  await settled();
  // A run that has begun may go on through a pause, and take what comes.
  const atRest = async () => expect((await on.runs()).filter(({ state }) => state === "queued" || state === "running")).toEqual([]);
  await vi.waitFor(atRest, wait);
  const { holdId } = await pause(on.context, { scope: { integrations: ["orders"] }, until: null, reason: "stocktaking" });
  const before = target.applied.length;
  await Promise.all([sender(["a", "b"], 6), sender(["c", "d", "e"], 6)]);
  await vi.waitFor(async () => expect((await on.runs()).at(-1)).toMatchObject({ state: "held", trigger: "queue" }), wait);
  expect(target.applied.length).toBe(before);
  expect(await on.inbox()).toMatchObject({ waiting: 30, processing: 0 });
  await resume(on.context, { holdId, reason: "done" });
  const more = sender(["a", "b", "c"], 6);
  await vi.waitFor(() => expect(target.applied.length).toBeGreaterThan(before), wait);
  await first.stop(0);
  await more;
  await settled();
  expect(together).toBe(1);
  for (const key of keys) {
    const seen = [...new Set(target.applied.filter((item) => item.key === key).map((item) => Number(item.data["name"])))];
    expect(seen).toEqual(sent.get(key));
  }
  expect(await on.inbox()).toMatchObject({ accepted: serial, done: serial, dead: 0 });
}, 300_000);
