import { randomBytes } from "node:crypto";
import { packagedZoneData } from "@quiesce/core";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { controlTime, type ControlledTime } from "../../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../../test/database/fresh-database.js";
import { inTransaction } from "../../command.js";
import { masterKeyOf } from "../../credentials/master-key.js";
import { openDatabase, type Database } from "../../db/client.js";
import { conservation } from "../../runs/ledger.js";
import { materialiseRuns } from "../../runs/materialise.js";
import { applyWorkspace, upsertJob, type CatalogContext } from "../commands.js";

let fresh: FreshDatabase;
let database: Database;
let context: CatalogContext;
let time: ControlledTime;
const zones = packagedZoneData();
const NOON = Date.UTC(2026, 10, 20, 12);

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "edit-schedule-test", statementTimeoutMs: 10_000 });
  context = {
    database,
    zones,
    keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
    actor: { kind: "token", name: "ada", role: "admin" },
  };
  time = await controlTime(database.sql);
  await time.set(NOON);
  await applyWorkspace(context, { quiesce: 1, integrations: [{ key: "orders" }] });
});
afterEach(async () => {
  await database?.close();
  await fresh?.drop();
});

const save = (schedule: object | null, rest: object = {}) => upsertJob(context, { key: "sync", integration: "orders", schedule, ...rest });
const materialise = async () => {
  for (let after: number | null = 0; after !== null;) after = (await materialiseRuns(context, after)).next;
};
const history = () =>
  database.sql<{ version: number; kind: string | null; validFrom: number; validTo: number | null }[]>`
  select version, schedule ->> 'kind' as kind, valid_from as "validFrom", valid_to as "validTo" from job_schedule order by version`.then(
    (rows) => [...rows],
  );
const theJob = () =>
  database.sql<{ watermark: number; nextDueAt: number | null; version: number }[]>`
  select watermark, next_due_at as "nextDueAt", schedule_version as version from job`.then((rows) => rows[0]);
const runs = () =>
  database.sql<{ dueAt: number; state: string; version: number; count: number }[]>`
  select due_at as "dueAt", state, schedule_version as version, due_count as count from run order by due_at`.then((rows) =>
    rows.map((row) => `${(row.dueAt - NOON) / 1_000}s ${row.state} v${row.version} x${row.count}`),
  );

describe("an edit of a job's schedule", () => {
  test("tells which due times that were missed the edit skips", async () => {
    await save({ every: "30s" }, { catchUp: "skip" });
    await time.advance(300_000);
    await save({ every: "7s" }, { catchUp: "skip" });
    const skipped = await database.sql<{ dueAt: number; dueCount: number; id: string }[]>`
      select id, due_at as "dueAt", due_count as "dueCount" from run where state = 'skipped'`;
    const events = await database.sql<{ subject: string; integration: string; payload: Record<string, unknown> }[]>`
      select subject_key as subject, integration_key as integration, payload from event_inbox where kind = 'run.skipped'`;
    expect(skipped).toHaveLength(1);
    expect(events).toMatchObject([
      { subject: skipped[0]?.id, integration: "orders", payload: { job: "sync", dueCount: skipped[0]?.dueCount, reason: "missed" } },
    ]);
  });

  test("counts from after a due time of this very millisecond that a waiting run has taken in", async () => {
    await save({ every: "5s" });
    await time.advance(1);
    await materialise();
    const first = await database.sql<{ dueAt: number }[]>`select due_at as "dueAt" from run order by due_at limit 1`;
    const dueAt = first[0]?.dueAt ?? 0;
    await database.sql`delete from run where due_at > ${dueAt}::timestamptz`;
    const now = dueAt + 10_000;
    await time.set(now);
    await database.sql`update run set last_due_at = ${now}::timestamptz, due_count = 3`;
    await database.sql`update job set watermark = ${now + 1}::timestamptz`;
    await save({ every: "1s" });
    const [, opened] = await history();
    expect(opened?.validFrom).toBe(now + 1);
    expect((await inTransaction(context, (tx) => conservation(tx, zones, { from: NOON, to: now + 1 }))).differences).toEqual([]);
  });

  test("a new job opens its history now and knows when it is next due", async () => {
    await time.advance(1_500);
    await save({ every: "5s" });
    expect(await history()).toEqual([{ version: 1, kind: "interval", validFrom: NOON + 1_500, validTo: null }]);
    expect(await theJob()).toEqual({ watermark: NOON + 1_500, nextDueAt: NOON + 5_000, version: 1 });
  });

  test("closes the old version and opens the new one at the same instant; runs that lie ahead go", async () => {
    await save({ every: "5s" });
    await materialise();
    expect(await runs()).toEqual(["0s queued v1 x1", "5s queued v1 x1", "10s queued v1 x1"]);
    await time.advance(6_000);
    await save({ every: "4s" });
    expect(await history()).toEqual([
      { version: 1, kind: "interval", validFrom: NOON, validTo: NOON + 6_000 },
      { version: 2, kind: "interval", validFrom: NOON + 6_000, validTo: null },
    ]);
    expect(await theJob()).toEqual({ watermark: NOON + 6_000, nextDueAt: NOON + 8_000, version: 2 });
    expect(await runs()).toEqual(["0s queued v1 x1", "5s queued v1 x1"]);
  });

  test("to due times that the old schedule had already written ahead works, and twice in one second too", async () => {
    await save({ every: "5s" });
    await materialise();
    await save({ every: "10s" });
    await save({ every: "5s" });
    await materialise();
    expect(await runs()).toEqual(["0s queued v3 x1", "5s queued v3 x1", "10s queued v3 x1"]);
    expect((await history()).map((row) => [row.validFrom, row.validTo])).toEqual([
      [NOON, NOON],
      [NOON, NOON],
      [NOON, null],
    ]);
  });

  test("keeps what is held, and a run of this very instant belongs to the old version alone", async () => {
    await save({ every: "5s" });
    await materialise();
    await time.advance(5_000);
    await database.sql`update run set state = 'held' where due_at <= app_now()`;
    await save({ every: "1s" });
    expect(await runs()).toEqual(["0s held v1 x1", "5s held v1 x1"]);
    expect(await theJob()).toEqual({ watermark: NOON + 5_001, nextDueAt: NOON + 6_000, version: 2 });
  });

  test("switching off is an edit to no schedule, switching on an edit back, and what lay between is not due", async () => {
    await save({ every: "5s" });
    await materialise();
    await time.advance(1_000);
    await save({ every: "5s" }, { enabled: false });
    expect(await theJob()).toMatchObject({ nextDueAt: null, version: 2 });
    await time.advance(60_000);
    await save({ every: "5s" });
    expect((await history()).map((row) => row.kind)).toEqual(["interval", null, "interval"]);
    await time.advance(20_000);
    await materialise();
    expect(await runs()).toEqual(["0s queued v1 x1", "65s queued v3 x4"]);
  });

  test("anything else about a job leaves its schedule alone, also a schedule changed while it is off", async () => {
    await save({ every: "5s" }, { enabled: false });
    await save({ every: "7s" }, { enabled: false, timeout: "1m" });
    expect(await history()).toHaveLength(1);
    expect(await theJob()).toMatchObject({ version: 1, nextDueAt: null });
    await save({ every: "7s" });
    expect(await theJob()).toMatchObject({ version: 2, nextDueAt: NOON + 5_000 });
  });

  test("what was due while no scheduler was up is settled by the old policy before the new schedule holds", async () => {
    await save({ every: "5s" }, { catchUp: "coalesce" });
    await materialise();
    await time.advance(60_000);
    await save({ every: "7s" }, { catchUp: "skip" });
    expect(await runs()).toEqual(["0s queued v1 x1", "5s queued v1 x1", "10s queued v1 x1", "15s queued v1 x9"]);
  });

  test("more unwritten due times than can be settled at once are refused, not lost", async () => {
    await save({ every: "1s" });
    await time.advance(6_000_000);
    await expect(save({ every: "7s" })).rejects.toMatchObject({ code: "QSC_CATALOGUE_SCHEDULER_BEHIND" });
  });

  test("whatever the order of edits, outages and ticks, every expected due time is accounted for once", async () => {
    const schedules = [{ every: "5s" }, { every: "7s" }, { cron: "* * * * *" }, { every: "1s", start: "2026-11-20T12:00:30" }, null];
    const step = fc.record({
      waitMs: fc.constantFrom(0, 0, 1, 1_000, 4_999, 5_000, 33_333, 120_000),
      tick: fc.boolean(),
      schedule: fc.nat(schedules.length - 1),
      enabled: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.constantFrom("skip", "coalesce", "all"),
        async (sequence, catchUp) => {
          await database.sql`delete from run`;
          await applyWorkspace(context, { quiesce: 1, integrations: [{ key: "orders" }] }, { prune: true });
          const from = await time.now();
          for (const { waitMs, tick, schedule, enabled } of sequence) {
            await time.advance(waitMs);
            if (tick) await materialise();
            await save(schedules[schedule] ?? null, { enabled, catchUp });
          }
          await time.advance(20_000);
          await materialise();
          const result = await inTransaction(context, (tx) => conservation(tx, zones, { from, to: from + 3_600_000 }));
          expect(result.differences).toEqual([]);
          expect(result.accounted).toBe(result.expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
