import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import pino from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { controlTime, type ControlledTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { clock } from "../clock.js";
import { type Database, openDatabase } from "../db/client.js";
import { type ClaimedRun, claimRuns } from "../runs/claim.js";
import type { LeaseSettings } from "../runs/worker-lease.js";
import type { RunExecutor } from "./run-executor.js";
import { RunWorker } from "./run-worker.js";

const log = pino({ level: "silent" });

/** Passes bytes on until it falls silent: then connections stay open and nothing comes any more. New ones work again after `heal`. */
class SilentProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => {
      const upstream = connect(target.port, target.host);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from);
        from.on("data", (bytes) => to.write(bytes));
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        if (this.#isSilent) from.pause();
      }
    });
  }

  async start(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  fallSilent(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  heal(): void {
    this.#isSilent = false;
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

let fresh: FreshDatabase;
let database: Database;
let closers: (() => unknown)[];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "run-worker-test" });
  closers = [];
  await database.sql`update control set expanded_until = 'infinity'`;
  await seedCatalogue(database.sql, {
    integrations: [{ key: "i0" }, { key: "i1" }],
    jobs: [
      { key: "j0", integration: "i0" },
      { key: "j1", integration: "i1" },
    ],
  });
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  await database.close();
  await fresh.drop();
});

async function claimAll(worker: RunWorker): Promise<readonly ClaimedRun[]> {
  await database.sql`select ensure_run_partitions(app_now() - interval '1 day', app_now())`;
  const runs = await database.sql<{ id: string; dueAt: number }[]>`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(at), at, at, j.id, i.id, i.bucket, 'manual', 'queued', at
    from job as j join integration as i on i.id = j.integration_id cross join (select app_now() as at) as now order by j.id
    returning id, due_at as "dueAt"`;
  const { claimed } = await claimRuns(database.sql, { workerId: worker.workerId ?? "", runs, limit: 100 });
  expect(claimed).toHaveLength(2);
  return claimed.toSorted((a, b) => (a.jobId ?? 0) - (b.jobId ?? 0));
}

async function startWorker(lease: LeaseSettings, executor: RunExecutor, leaseDatabase = database): Promise<RunWorker> {
  const worker = new RunWorker({ database, leaseDatabase, executor, log, lease, name: "test", maxConcurrentRuns: 10, random: () => 0 });
  await worker.start();
  closers.push(() => worker.stop(0));
  return worker;
}

function hand(worker: RunWorker, claimed: readonly ClaimedRun[], workerId = worker.workerId ?? ""): void {
  worker.run(claimed, { workerId, claimedAtMs: clock.monotonicMs(), refusal: null }, () => undefined);
}

it("gives back, without a call, what was claimed by a clock that had jumped", async () => {
  let calls = 0;
  const execute: RunExecutor["execute"] = async () => {
    calls += 1;
    return { kind: "succeeded", figures: {} };
  };
  const worker = await startWorker({ leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 }, { execute });
  const claimed = await claimAll(worker);
  worker.run(claimed, { workerId: worker.workerId ?? "", claimedAtMs: clock.monotonicMs(), refusal: "clock-stepped" }, () => undefined);
  await vi.waitFor(
    async () =>
      expect(await database.sql`select state, reason, given_back from run`).toEqual(
        claimed.map(() => ({ state: "queued", reason: "clock-stepped", given_back: 1 })),
      ),
    { timeout: 60_000 },
  );
  expect(calls).toBe(0);
});

/** Runs until it is told to stop, and tells when and why. */
function patient(): { readonly executor: RunExecutor; readonly stopped: Promise<{ readonly reason: unknown; readonly atMs: number }> } {
  let tell: (value: { readonly reason: unknown; readonly atMs: number }) => void = () => undefined;
  const stopped = new Promise<{ readonly reason: unknown; readonly atMs: number }>((resolve) => (tell = resolve));
  const execute: RunExecutor["execute"] = async (_run, signal) => {
    await once(signal, "abort");
    tell({ reason: signal.reason, atMs: clock.monotonicMs() });
    return { kind: "given-back", reason: "shutdown" };
  };
  return { executor: { execute }, stopped };
}

it("a run whose claim's answer was lost is given back under a living worker, and costs no attempt; one that is executed stays", async () => {
  const time: ControlledTime = await controlTime(database.sql);
  const { executor } = patient();
  const worker = await startWorker({ leaseMs: 60_000, marginMs: 10_000, renewEveryMs: 50 }, executor);
  const [known, unknown] = await claimAll(worker);
  if (known === undefined || unknown === undefined) throw new Error("no runs");
  hand(worker, [known]);
  const states = async () =>
    (
      await database.sql<
        { state: string; reason: string | null; givenBack: number }[]
      >`select state, reason, given_back as "givenBack" from run order by job_id`
    ).slice();
  await time.advance(9_000);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect((await states()).map((one) => one.state)).toEqual(["running", "running"]);
  await time.advance(2_000);
  await vi.waitFor(async () => expect((await states())[1]?.state).toBe("queued"), { timeout: 60_000 });
  expect(await states()).toEqual([
    { state: "running", reason: null, givenBack: 0 },
    { state: "queued", reason: "claim-answer-lost", givenBack: 1 },
  ]);
  const events = await database.sql`select subject_key, payload ->> 'reason' as reason from event_inbox where kind = 'run.requeued'`;
  expect([...events]).toEqual([{ subject_key: unknown.runId, reason: "claim-answer-lost" }]);
  const busy = await database.sql<{ id: string | null }[]>`select running_run_id as id from job order by id`;
  expect(busy.map((row) => row.id)).toEqual([known.runId, null]);
});

it("a worker stops its runs a margin before the end of its lease although the database has fallen silent, and recovers over a new connection", async () => {
  // The margin is what a busy machine may need.
  const lease = { leaseMs: 12_000, marginMs: 6_000, renewEveryMs: 200 };
  const target = new URL(fresh.url);
  const proxy = new SilentProxy({ host: "127.0.0.1", port: Number(target.port === "" ? 5432 : target.port) });
  const throughProxy = new URL(fresh.url);
  throughProxy.hostname = "127.0.0.1";
  throughProxy.port = String(await proxy.start());
  closers.push(() => proxy.stop());
  const leaseDatabase = openDatabase(throughProxy.href, { max: 4, applicationName: "run-worker-test" });
  closers.push(() => leaseDatabase.sql.end({ timeout: 0 }));
  const { executor, stopped } = patient();
  const worker = await startWorker(lease, executor, leaseDatabase);
  hand(worker, await claimAll(worker));
  const silentAtMs = clock.monotonicMs();
  proxy.fallSilent();
  const { reason, atMs } = await stopped;
  expect(reason).toEqual({ why: "lease-lost" });
  // The last renewal was heard a moment before the silence.
  expect(atMs - silentAtMs).toBeLessThan(lease.leaseMs - 1_000);
  expect(worker.workerId).toBeNull();
  proxy.heal();
  await vi.waitFor(() => expect(worker.workerId).not.toBeNull(), { timeout: 60_000 });
});

it("a claim that arrives when the lease is nearly over is given back, not started", async () => {
  const lease = { leaseMs: 15_000, marginMs: 5_000, renewEveryMs: 60_000 };
  let started = 0;
  const worker = await startWorker(lease, { execute: async () => ({ kind: "given-back", reason: String((started += 1)) }) });
  const { workerId } = worker;
  const claimed = await claimAll(worker);
  await vi.waitFor(() => expect(worker.workerId).toBeNull(), { timeout: 60_000 });
  hand(worker, claimed, workerId ?? "");
  await vi.waitFor(() => expect(worker.runningCount).toBe(0), { timeout: 60_000 });
  expect(started).toBe(0);
});
