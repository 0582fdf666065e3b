import { packagedZoneData } from "@quiesce/core";
import pino from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { clock } from "../clock.js";
import { type Database, openDatabase } from "../db/client.js";
import { readNow } from "../command.js";
import { runNow } from "../runs/commands.js";
import { createWindow } from "../windows/commands.js";
import { lockDispatch } from "../windows/locks.js";
import { nextBoundary } from "../windows/next-boundary.js";
import { openDispatchDatabase } from "./open-dispatch-database.js";
import { Scheduler, type SchedulerOptions } from "./scheduler.js";

const zones = packagedZoneData();

let fresh: FreshDatabase;
let database: Database;
let scheduler: Scheduler | null;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 10, applicationName: "scheduler-test", idleInTransactionTimeoutMs: 1_500 });
  scheduler = null;
});

afterEach(async () => {
  await scheduler?.stop(0);
  await database.sql.end({ timeout: 1 });
  await fresh.drop();
});

const optionsOf = (databaseUrl: string, own: Database): SchedulerOptions => ({
  database: own,
  databaseUrl,
  zones,
  executor: { execute: async () => ({ kind: "succeeded", figures: {} }) },
  probe: { isReady: async () => ({ ready: true, why: null }) },
  log: pino({ level: "silent" }),
  workerName: "test",
  maxConcurrentRuns: 10,
  lease: { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 },
  random: () => 0,
});

/** A client that stops in the middle of a command, with every dispatch lock in its hands. */
function freeze(frozen: Database): Promise<void> {
  return new Promise<void>((locked, reject) => {
    const command = frozen.db.transaction(async (tx) => {
      await lockDispatch(tx, "all");
      locked();
      await new Promise(() => undefined);
    });
    // Once it is frozen, the end that the server makes is what is awaited below.
    command.catch(reject);
  });
}

/** How many hold the dispatch lock of all exclusively. */
async function tenants(): Promise<number> {
  const rows = await database.sql`
    select from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and classid = lock_class_dispatch_all()
      and database = (select oid from pg_database where datname = current_database())`;
  return rows.length;
}

it("a frozen client with every dispatch lock in its hands stops dispatch no longer than the timeout of its idle transaction", async () => {
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [{ key: "sync", integration: "orders" }] });
  scheduler = new Scheduler(optionsOf(fresh.url, database));
  await scheduler.start();
  const [frozen] = await database.sql<{ at: number }[]>`select app_now() as at`;
  const frozenAt = frozen?.at ?? 0;
  await freeze(database);
  const { runId } = await runNow(
    { database, zones, actor: { kind: "token", name: "tester", role: "admin" } },
    { job: "sync", reason: "now" },
  );
  const run = async () =>
    (
      await database.sql<{ state: string; startedAt: number }[]>`
    select state, started_at as "startedAt" from run where id = ${runId}::uuid`
    )[0];
  await vi.waitFor(async () => expect((await run())?.state).toBe("succeeded"), { timeout: 60_000, interval: 50 });
  // It waited for the frozen client's two seconds, of which some had passed.
  expect(((await run())?.startedAt ?? 0) - frozenAt).toBeGreaterThan(1_500);
});

it("connections of the dispatcher give up a statement and an idle transaction after two seconds", async () => {
  const dispatch = openDispatchDatabase(fresh.url);
  try {
    const began = clock.monotonicMs();
    await freeze(dispatch);
    expect(await tenants()).toBe(1);
    await vi.waitFor(async () => expect(await tenants()).toBe(0), { timeout: 60_000, interval: 50 });
    expect(clock.monotonicMs() - began).toBeGreaterThan(1_500);
    await expect(dispatch.sql`select pg_sleep(10)`).rejects.toMatchObject({ code: "57014" });
  } finally {
    await dispatch.sql.end({ timeout: 0 });
  }
});

it("a pass arms the timer of the next boundary, which tells that a window opens and does the next pass, with nobody else there", async () => {
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [] });
  const context = { database, zones, actor: { kind: "token", name: "tester", role: "admin" } } as const;
  // Not started: no tick and no wake-up of Agenda does its work.
  scheduler = new Scheduler(optionsOf(fresh.url, database));
  await scheduler.pass("windows.expand");
  const events = async () =>
    (await database.sql<{ kind: string }[]>`select kind from event_inbox where kind in ('window.opened', 'window.quiesced')`).map(
      ({ kind }) => kind,
    );
  for (let n = 0; ; n += 1) {
    const start = new Date(Math.ceil((await readNow(database.db)) / 1_000) * 1_000 + 2_000).toISOString().slice(0, 19);
    const series = { start, duration: "PT1H", timeZone: "UTC" };
    await createWindow(context, { key: `w-${n}`, title: "w", series, scope: { all: true }, owner: "o", reason: "r" });
    await vi.waitFor(async () => expect(await nextBoundary(database, 1_500)).not.toBeNull(), { timeout: 60_000, interval: 20 });
    await scheduler.pass("windows.reconcile");
    if ((await events()).length === 0) break;
    // A busy machine: the pass came after the start and told it by itself. Another window.
    await database.sql`delete from event_inbox`;
  }
  await vi.waitFor(async () => expect(await events()).toEqual(["window.opened", "window.quiesced"]), { timeout: 60_000, interval: 20 });
});
