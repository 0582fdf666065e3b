import pino from "pino";
import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { runNow } from "../runs/commands.js";
import { Scheduler } from "../scheduler/scheduler.js";
import { type Database, openDatabase } from "./client.js";
import { renewStatistics } from "./renew-statistics.js";

let fresh: FreshDatabase;
let database: Database;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "statistics-test" });
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [{ key: "sync", integration: "orders" }] });
});

afterEach(async () => {
  await database.sql.end({ timeout: 1 });
  await fresh.drop();
});

/** Loads so many integrations, and waits until PostgreSQL has counted them. */
async function load(count: number): Promise<void> {
  await database.sql`alter table integration set (autovacuum_enabled = false)`;
  await database.sql.begin(async (tx) => {
    await tx`insert into integration (key, name) select 'i' || n, 'i' || n from generate_series(1, ${count}) as n`;
    await tx`select pg_stat_force_next_flush()`;
  });
  await vi.waitFor(async () => {
    const [row] = await database.sql<
      { n: number }[]
    >`select n_mod_since_analyze::integer as n from pg_stat_user_tables where relname = 'integration'`;
    expect(row?.n).toBeGreaterThanOrEqual(count);
  }, 60_000);
}

const known = async () =>
  (await database.sql<{ n: number }[]>`select reltuples::integer as n from pg_class where relname = 'integration'`)[0]?.n;
const forgetTurn = () => database.sql`update control set analyzed_at = app_now() - interval '10 minutes 1 second'`;

describe("the planner's statistics", () => {
  it("are renewed after a bulk load, at most once in ten minutes in the whole deployment", async () => {
    await load(12_000);
    const both = await Promise.all([renewStatistics({ database }, "bulk-load"), renewStatistics({ database }, "bulk-load")]);
    expect(both.flat()).toEqual(["integration"]);
    expect(await known()).toBe(12_001);
    await database.sql`delete from integration where key like 'i%'`;
    await load(12_000);
    expect(await renewStatistics({ database }, "slow-claim")).toEqual([]);
    await forgetTurn();
    expect(await renewStatistics({ database }, "bulk-load")).toEqual(["integration"]);
  });

  it("are left alone where little changed, unless a claim was slow", async () => {
    await load(100);
    expect(await renewStatistics({ database }, "bulk-load")).toEqual([]);
    expect(await renewStatistics({ database }, "slow-claim")).toContain("integration");
    expect(await known()).toBe(101);
  });

  it("are renewed by a claim that was slow, while dispatch goes on", async () => {
    await load(100);
    await database.sql`alter function claim_runs rename to claim_runs_of_the_product`;
    const [{ result } = { result: "" }] = await database.sql<{ result: string }[]>`
      select pg_get_function_result(oid) as result from pg_proc where proname = 'claim_runs_of_the_product'`;
    await database.sql.unsafe(`
      create function claim_runs(a uuid, b uuid[], c timestamptz[], d integer) returns ${result} language sql volatile
      as $$ select pg_sleep(0.7); select * from claim_runs_of_the_product(a, b, c, d) $$`);
    const scheduler = new Scheduler({
      database,
      databaseUrl: fresh.url,
      zones: packagedZoneData(),
      executor: { execute: async () => ({ kind: "succeeded", figures: {} }) },
      probe: { isReady: async () => ({ ready: true, why: null }) },
      log: pino({ level: "silent" }),
      workerName: "test",
      maxConcurrentRuns: 10,
      lease: { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 },
      random: () => 0,
    });
    try {
      await scheduler.start();
      const actor = { kind: "token", name: "tester", role: "admin" } as const;
      const { runId } = await runNow({ database, zones: packagedZoneData(), actor }, { job: "sync", reason: "now" });
      await vi.waitFor(async () => expect(await known()).toBe(101), { timeout: 60_000 });
      await vi.waitFor(
        async () => expect(await database.sql`select state from run where id = ${runId}::uuid`).toEqual([{ state: "succeeded" }]),
        { timeout: 60_000 },
      );
    } finally {
      await scheduler.stop(0);
    }
  });
});
