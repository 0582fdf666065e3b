import { packagedZoneData } from "@quiesce/core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import type { Database, RawSql, Tx } from "../db/client.js";
import { openDatabase } from "../db/client.js";
import { contentsOf, detachDay, storedDays } from "../retention/partitions.js";
import { letDaysGo } from "../retention/let-days-go.js";
import { openDispatchDatabase } from "../scheduler/open-dispatch-database.js";
import { schedulerHealth } from "../scheduler/scheduler-health.js";
import { advanceWindows } from "../windows/advance.js";
import { createWindow } from "../windows/commands.js";
import { meetDrainDeadlines } from "../windows/drain-deadlines.js";
import { expandWindows } from "../windows/expand.js";
import { pause, resume } from "../windows/hold-commands.js";
import { runsInFlight } from "../windows/in-flight.js";
import { countsOfHolds } from "../windows/queries.js";
import { resumesOfOccurrences } from "../windows/resume-progress.js";
import { readAbortRequests } from "./abort-requests.js";
import { claimRuns, type DueRun, peekDue } from "./claim.js";
import { explainJob } from "./explain.js";
import { finishRuns } from "./finish.js";
import { freePostponed } from "./free-postponed.js";
import { materialiseRuns } from "./materialise.js";
import { lowerOpenSince, raiseOpenSince, readOpenSince } from "./open-since.js";
import { lastRunsOf, runsByIds } from "./queries.js";
import { statusSummary } from "./status-summary.js";
import { sweepReleased } from "./sweep-released.js";
import { giveBackUnexecuted, reapRuns, registerWorker } from "./worker-lease.js";

const dayMs = 86_400_000;
/** Enough to be told from the few; a year of them takes half a minute to make. */
const days = 150;
/** Yesterday, today and the days that are made ahead. */
const fewDays = 6;

let fresh: FreshDatabase;
let database: Database;
let dispatch: Database;
let worker: string;
let context: CommandContext;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "year" });
  dispatch = openDispatchDatabase(fresh.url);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "ada", role: "operator" } };
  await expandWindows(context);
  worker = await registerWorker(database, { name: "test", leaseMs: 3_600_000 });
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp", maxConcurrentRuns: 5 }],
    integrations: [{ key: "shop", systems: ["erp"] }, { key: "mail" }],
    jobs: [
      { key: "shop-job", integration: "shop" },
      { key: "mail-job", integration: "mail" },
    ],
  });
  const now = Date.now();
  await createWindow(context, {
    key: "patch",
    title: "Patch",
    series: {
      start: new Date(now - 3_600_000).toISOString().slice(0, 19),
      end: new Date(now + 3_600_000).toISOString().slice(0, 19),
      timeZone: "UTC",
    },
    scope: { systems: ["erp"] },
    owner: "erp-team",
    reason: "patch",
    drain: { leadLimitMinutes: 30, deadlineMinutes: 5, atDeadline: "abort" },
  });
  await advanceWindows(context);
  // Something that was let go, so that no pass rests.
  const { holdId } = await pause(context, { scope: { integrations: ["mail"] }, until: null, reason: "look" });
  await database.sql`select ensure_run_partitions(app_now() - ${`${days - 1} days`}::interval, app_now() + interval '1 day')`;
  await resume(context, { holdId, reason: "go" });
}, 300_000);

beforeEach(async () => {
  await database.sql`delete from run`;
  for (let call = 0; call < 3; call += 1) await raiseOpenSince(context);
});

afterAll(async () => {
  await dispatch.close();
  await database.close();
  await fresh.drop();
});

const insertRun = async (input: { readonly job: string; readonly dueAt: number; readonly state: string }): Promise<DueRun> => {
  const [run] = await database.sql<DueRun[]>`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, held_by, started_at, finished_at, worker_id, attempt)
    select new_run_id(d.at), d.at, d.at, j.id, i.id, i.bucket, 'manual', ${input.state}, d.at, array(select id from hold where released_at is null),
      case when ${input.state} = 'queued' then null else d.at end, case when ${input.state} = 'succeeded' then d.at end, ${worker}::uuid, 1
    from (select ${input.dueAt}::timestamptz as at) as d, job as j join integration as i on i.id = j.integration_id where j.key = ${input.job}
    returning id, due_at as "dueAt", ready_at as "readyAt", job_id as "jobId"`;
  if (run === undefined) throw new Error("no run");
  return run;
};

const openSince = () => readOpenSince(database.db);
const dayOf = (at: number) => Math.floor(at / dayMs) * dayMs;

/** How many days PostgreSQL has opened for `work`: it locks each that it plans, and keeps the locks until the end of the transaction. */
const daysOpened = `select count(distinct l.relation)::integer as days from pg_locks as l
  join pg_inherits as i on i.inhrelid = l.relation where i.inhparent = 'run'::regclass and l.pid = pg_backend_pid()`;

async function daysOf(work: (database: Database) => Promise<unknown>): Promise<number> {
  return database.db.transaction(async (tx) => {
    await work({ ...database, db: tx });
    const [row] = await tx.execute<{ days: number }>(daysOpened);
    return row?.days ?? -1;
  });
}

async function daysOfClaims(work: (sql: RawSql) => Promise<unknown>): Promise<number> {
  let most = 0;
  // More than five times: then PostgreSQL would keep one plan for any value, if it were let.
  for (let call = 0; call < 7; call += 1) {
    await dispatch.sql
      .begin(async (tx) => {
        await work(tx as unknown as RawSql);
        const [row] = await tx.unsafe<{ days: number }[]>(daysOpened);
        most = Math.max(most, row?.days ?? Infinity);
        throw new Error("back");
      })
      .catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== "back") throw error;
      });
  }
  return most;
}

describe(`with ${days} days of runs`, () => {
  const passes: readonly (readonly [string, (database: Database) => Promise<unknown>])[] = [
    ["reaping", (db) => reapRuns({ database: db }, { marginMs: 0 })],
    ["giving back what was never executed", (db) => giveBackUnexecuted({ database: db }, { workerId: worker, inHand: () => [] })],
    ["materialising", (db) => materialiseRuns({ database: db, zones: context.zones })],
    ["freeing what is postponed", (db) => freePostponed({ database: db })],
    ["advancing the windows", (db) => advanceWindows({ database: db })],
    ["meeting drain deadlines", (db) => meetDrainDeadlines({ database: db })],
    ["the sweep", (db) => sweepReleased({ database: db, zones: context.zones }, { thorough: false })],
    ["the thorough sweep", (db) => sweepReleased({ database: db, zones: context.zones }, { thorough: true })],
    ["the status summary", (db) => statusSummary(db)],
    ["the scheduler's health", (db) => schedulerHealth(db)],
    ["counts of holds", (db) => countsOfHolds(db, [1, 2])],
    ["runs in flight", (db) => runsInFlight(db, [1, 2])],
    ["the progress of resumes", (db) => resumesOfOccurrences(db, [1, 2])],
    ["abort requests", async (db) => readAbortRequests(db, { workerId: worker, runs: [{ runId: worker, dueAt: Date.now(), attempt: 1 }] })],
  ];
  it.each(passes)("%s opens only those that may hold open runs", async (_name, work) => {
    await insertRun({ job: "mail-job", dueAt: Date.now() - 1_000, state: "held" });
    await insertRun({ job: "shop-job", dueAt: Date.now() - 1_000, state: "running" });
    expect(await daysOf(work)).toBeLessThanOrEqual(fewDays);
  });

  it("the peek and the claim open only those that may hold open runs, with caps and holds too", async () => {
    const dueAt = Date.now() - 5_000;
    const runs = [
      await insertRun({ job: "mail-job", dueAt, state: "queued" }),
      await insertRun({ job: "shop-job", dueAt, state: "queued" }),
      await insertRun({ job: "shop-job", dueAt: dueAt + 1, state: "queued" }),
    ];
    const peek = (sql: RawSql) => peekDue(sql, { withinMs: 0, limit: 10, after: null });
    expect((await peek(dispatch.sql)).runs).toHaveLength(3);
    expect(await daysOfClaims(peek)).toBeLessThanOrEqual(fewDays);
    expect(await daysOfClaims((sql) => claimRuns(sql, { workerId: worker, runs, limit: 10 }))).toBeLessThanOrEqual(fewDays);
    const { claimed, held } = await claimRuns(dispatch.sql, { workerId: worker, runs, limit: 10 });
    expect([claimed.length, held]).toEqual([1, 2]);
    const ending = claimed.map((run) => ({ ...run, jitter: 0, outcome: { kind: "succeeded", figures: {} } as const }));
    expect(await daysOf((db) => finishRuns({ database: db }, { workerId: worker, runs: ending }))).toBeLessThanOrEqual(1);
  });

  it("what the API says of jobs and runs opens only days that it names, as long as the last run is of these days", async () => {
    const now = Date.now();
    const run = await insertRun({ job: "mail-job", dueAt: now - 60_000, state: "succeeded" });
    const ids = async (db: Database) => runsByIds(db, [run.id]);
    expect(await ids(database)).toHaveLength(1);
    expect(await daysOf(ids)).toBe(1);
    const last = async (db: Database) => lastRunsOf(db, "job", [run.jobId]);
    expect((await last(database)).map((one) => one.id)).toEqual([run.id]);
    expect(await daysOf(last)).toBeLessThanOrEqual(fewDays);
  });

  it("a last run of long ago is found", async () => {
    const run = await insertRun({ job: "mail-job", dueAt: Date.now() - 140 * dayMs, state: "succeeded" });
    expect((await lastRunsOf(database, "job", [run.jobId])).map((one) => one.id)).toEqual([run.id]);
  });
});

describe("the instant since which runs are open", () => {
  it("moves to the day of the first run that has not ended, whatever its state, and stays there", async () => {
    const dueAt = Date.now() - 100 * dayMs;
    await lowerOpenSince(database.db, 0);
    await insertRun({ job: "mail-job", dueAt: dueAt - 40 * dayMs, state: "succeeded" });
    for (const state of ["queued", "held", "running"]) {
      const run = await insertRun({ job: "mail-job", dueAt, state });
      for (let call = 0; call < 3; call += 1) await raiseOpenSince(context);
      expect(await openSince()).toBe(dayOf(dueAt));
      await database.sql`update run set state = 'succeeded' where id = ${run.id}`;
    }
    for (let call = 0; call < 3; call += 1) await raiseOpenSince(context);
    expect(await openSince()).toBe(dayOf(Date.now() - dayMs));
  });

  it("moves back with a run of long ago, which is then claimed", async () => {
    const dueAt = Date.now() - 100 * dayMs;
    const run = await insertRun({ job: "mail-job", dueAt, state: "queued" });
    expect(await openSince()).toBe(dueAt);
    const { runs } = await peekDue(dispatch.sql, { withinMs: 0, limit: 10, after: null, anyAge: true });
    expect(runs.map((one) => one.id)).toEqual([run.id]);
    expect((await claimRuns(dispatch.sql, { workerId: worker, runs, limit: 10 })).claimed).toHaveLength(1);
  });

  it("does not pass a run that is being inserted: who moves it waits for the commit, or gives up", async () => {
    const dueAt = Date.now() - 30 * dayMs;
    await lowerOpenSince(database.db, 0);
    await database.sql.begin(async (tx) => {
      await tx`
        insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
        select new_run_id(d.at), d.at, d.at, j.id, i.id, i.bucket, 'manual', 'queued', d.at
        from (select ${dueAt}::timestamptz as at) as d, job as j join integration as i on i.id = j.integration_id where j.key = 'mail-job'`;
      for (let call = 0; call < 3; call += 1) await raiseOpenSince(context);
    });
    expect(await openSince()).toBe(0);
    for (let call = 0; call < 3; call += 1) await raiseOpenSince(context);
    expect(await openSince()).toBe(dayOf(dueAt));
  });

  it("moves back with a day that is put back into the table", async () => {
    const dueAt = Date.now() - 148 * dayMs;
    await insertRun({ job: "mail-job", dueAt, state: "held" });
    const day = (await storedDays(database.db, "run")).find((one) => one.opensAt === dayOf(dueAt));
    if (day === undefined) throw new Error("no day");
    await detachDay(database.sql, "run", day);
    for (let call = 0; call < 3; call += 1) await raiseOpenSince(context);
    expect(await openSince()).toBeGreaterThan(dueAt);
    expect(await letDaysGo(context, { run: 100, event_log: 30, kpi_sample: 14 })).toContainEqual({
      name: day.name,
      rows: 1,
      result: "waiting",
    });
    expect((await contentsOf(database.db, "run", day)).waiting).toBe(1);
    expect(await openSince()).toBeLessThanOrEqual(dueAt);
  });

  it("the explanation of a job looks back only for its last run", async () => {
    await insertRun({ job: "mail-job", dueAt: Date.now() - 1_000, state: "queued" });
    const explained = await database.db.transaction((tx: Tx) => explainJob(tx, "mail-job"));
    expect(explained.waiting?.state).toBe("queued");
  });
});
