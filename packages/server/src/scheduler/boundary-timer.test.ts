import { packagedZoneData } from "@quiesce/core";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { materialiseRuns } from "../runs/materialise.js";
import { announceOpened } from "../windows/announce-opened.js";
import { createWindow } from "../windows/commands.js";
import { expandWindows } from "../windows/expand.js";
import { nextBoundary } from "../windows/next-boundary.js";
import { BoundaryTimer } from "./boundary-timer.js";
import { ClockWatch } from "./clock-watch.js";
import { Dispatcher } from "./dispatcher.js";
import { RunWorker } from "./run-worker.js";

const zones = packagedZoneData();
const local = (instant: number): string => new Date(instant).toISOString().slice(0, 19);

let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;
const ends: (() => Promise<void>)[] = [];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 10, applicationName: "boundary-test" });
  context = { database, zones, actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await database.sql.end({ timeout: 1 });
  await fresh.drop();
});

async function windowAt(start: number, lengthMs: number, integration: string): Promise<void> {
  const series = { start: local(start), end: local(start + lengthMs), timeZone: "UTC" };
  await createWindow(context, {
    key: `w-${integration}`,
    title: integration,
    series,
    scope: { integrations: [integration] },
    owner: "o",
    reason: "r",
    resume: { readiness: { check: false } },
  });
}

describe("the next boundary", () => {
  it("is the beginning of an occurrence or the end of a hold within reach, and nothing else", async () => {
    await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [] });
    const now = await readNow(database.db);
    expect(await nextBoundary(database, 3_600_000)).toBeNull();
    await windowAt(Math.ceil(now / 60_000) * 60_000 + 600_000, 600_000, "orders");
    expect(await nextBoundary(database, 60_000)).toBeNull();
    const next = await nextBoundary(database, 3_600_000);
    expect(next?.inMs).toBeGreaterThan(0);
    expect(next?.inMs).toBeLessThanOrEqual(660_000);
  });
});

describe("the timer", () => {
  /** One whose boundary is a moment ahead and whose telling ends when the test says so. */
  async function armed(): Promise<{ readonly timer: BoundaryTimer; readonly tell: () => void; readonly told: () => number }> {
    await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [] });
    const now = await readNow(database.db);
    await windowAt(Math.ceil(now / 1_000) * 1_000 + 3_000, 600_000, "orders");
    let told = 0;
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const timer = new BoundaryTimer({
      database,
      log: silentLog,
      tell: () => {
        told += 1;
        return finished;
      },
      pass: async () => undefined,
    });
    ends.push(() => timer.stop());
    await vi.waitFor(
      async () => {
        await timer.look();
        expect(await nextBoundary(database, 1_500)).not.toBeNull();
      },
      { timeout: 60_000 },
    );
    await timer.look();
    return { timer, tell: finish, told: () => told };
  }

  it("tells by itself, once, and lets a claim wait until it is told", async () => {
    const { timer, tell, told } = await armed();
    await vi.waitFor(() => expect(told()).toBe(1), { timeout: 60_000 });
    let isThrough = false;
    const claim = timer.told().then(() => {
      isThrough = true;
    });
    expect(isThrough).toBe(false);
    tell();
    await claim;
    await timer.told();
    expect(told()).toBe(1);
  });

  it("keeps a claim waiting only a moment when the telling hangs, and the next one not at all", async () => {
    const { timer, tell, told } = await armed();
    await vi.waitFor(() => expect(told()).toBe(1), { timeout: 60_000 });
    await timer.told();
    let isThrough = false;
    void timer.told().then(() => {
      isThrough = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(isThrough).toBe(true);
    tell();
  });
});

it("a window that opens is told before the runs that it holds, by timer and claim alone", async () => {
  await seedCatalogue(database.sql, {
    integrations: [{ key: "orders" }],
    jobs: [{ key: "sync", integration: "orders", schedule: { kind: "interval", everySeconds: 1, startsAt: 0 } }],
  });
  const log = pino({ level: "silent" });
  const lease = { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 };
  const executor = { execute: async () => ({ kind: "succeeded", figures: {} }) as const };
  const worker = new RunWorker({
    database,
    leaseDatabase: database,
    executor,
    log,
    name: "test",
    maxConcurrentRuns: 10,
    lease,
    random: () => 0,
  });
  // No pass runs here: what is told of the window is told by the timer, or by the claim that waits for it.
  const timer = new BoundaryTimer({
    database,
    log,
    tell: () => inTransaction({ database }, (tx) => announceOpened(tx)),
    pass: async () => undefined,
    longestWaitMs: 20_000,
  });
  const dispatcher = new Dispatcher({
    database,
    worker,
    clockWatch: new ClockWatch({ database, log, workerName: "test" }),
    log,
    onStale: () => undefined,
    onSlowClaim: () => undefined,
    beforeClaim: () => timer.told(),
  });
  await worker.start();
  ends.push(async () => {
    await dispatcher.stop();
    await timer.stop();
    await worker.stop(0);
  });
  await windowAt(Math.ceil((await readNow(database.db)) / 1_000) * 1_000 + 3_000, 600_000, "orders");
  await vi.waitFor(
    async () => {
      await timer.look();
      expect(await nextBoundary(database, 1_500)).not.toBeNull();
    },
    { timeout: 60_000 },
  );
  // The boundary may have come into reach between the timer's look and ours.
  await timer.look();
  await materialiseRuns({ database, zones });
  dispatcher.start();
  const first = async (kind: string) =>
    (await database.sql<{ id: number }[]>`select id from event_inbox where kind = ${kind} order by id limit 1`)[0]?.id;
  await vi.waitFor(
    async () => {
      await materialiseRuns({ database, zones });
      dispatcher.wake();
      expect(await first("run.held")).toBeDefined();
    },
    { timeout: 60_000, interval: 100 },
  );
  expect(await first("window.opened")).toBeLessThan((await first("run.held")) ?? 0);
});
