import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { memoryTarget, type MemoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PushBench, pushBench } from "../../../../test/pipeline/push-bench.js";
import { claimRuns, peekDue } from "../runs/claim.js";
import { cancelRun } from "../runs/commands.js";
import { explainJob } from "../runs/explain.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { registerWorker } from "../runs/worker-lease.js";
import { advanceWindows } from "../windows/advance.js";
import { checkReadiness } from "../windows/check-readiness.js";
import { createWindow } from "../windows/commands.js";
import { pause, resume } from "../windows/hold-commands.js";
import { windowReport } from "../windows/report.js";
import { queuePushRuns } from "./keep-inboxes.js";

const minute = 60_000;
const record = (key: string, name: string) => ({ key, record: { id: key, name } });

let target: MemoryTarget;
let on: PushBench;
let time: ControlledTime;
let start: number;

beforeEach(async () => {
  target = memoryTarget();
  on = await pushBench({ target, pageSize: 4 });
  time = await controlTime(on.database.sql);
  start = Math.ceil((await time.now()) / minute) * minute;
  await time.set(start);
});

afterEach(async () => {
  await on?.close();
});

/** What a server does by itself, once; what it claims is held or handed back. */
async function turn(): Promise<number> {
  const { context, database } = on;
  const probe = { isReady: async () => ({ ready: true, why: null }) };
  for (let round = 0; round < 2; round += 1) {
    await checkReadiness({ database, probe });
    await advanceWindows(context);
    await sweepReleased(context);
  }
  await queuePushRuns(context);
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 10, after: null });
  const worker = await registerWorker(database, { name: "look", leaseMs: 3_600_000 });
  const { claimed, held } = await claimRuns(database.sql, { workerId: worker, runs, limit: 10 });
  for (const one of claimed) await on.takeAway({ ...one, workerId: worker });
  return held;
}

const local = (at: number) => new Date(at).toISOString().slice(0, 16);

describe("what is pushed during a window", () => {
  it("is accepted, waits in order, is counted, and goes by the ramp after the window; the report adds up", async () => {
    await on.database.sql`update system set resume_spacing_ms = ${5 * minute}`;
    await seedCatalogue(on.database.sql, {
      integrations: [{ key: "stock", systems: ["erp"] }],
      jobs: [{ key: "stock-sync", integration: "stock" }],
    });
    await createWindow(on.context, {
      key: "patch",
      title: "ERP patch",
      series: { start: local(start + 10 * minute), end: local(start + 70 * minute), timeZone: "UTC" },
      scope: { systems: ["erp"] },
      resume: { canaries: 0 },
      owner: "erp-team",
      reason: "patch",
    });
    await time.set(start + 11 * minute);
    await turn();
    for (let round = 1; round <= 3; round += 1) {
      expect(await on.push([record("a", `a${round}`), record("b", `b${round}`)])).toMatchObject({ accepted: 2, held: true });
      await turn();
    }
    expect((await on.push([record("a", "a4")])).heldUntil).toBe(start + 70 * minute);
    expect(target.applied).toHaveLength(0);
    expect(await on.runs()).toMatchObject([{ state: "held", trigger: "queue" }]);
    expect(await on.inbox()).toMatchObject({ accepted: 7, waiting: 7, done: 0 });
    expect((await windowReport(on.database.db, on.context.zones, { key: "patch" })).pushed).toEqual({ waited: 7, released: 0, waiting: 7 });
    const explained = await explainJob(on.database.db, "orders-sync");
    expect(explained.state).toBe("held");
    expect(explained.sentence).toContain("7 pushed records wait, the oldest since");
    // Another integration's run has the first place on the ramp of the ERP.
    await on.database.sql`
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, held_by, held_since)
      select new_run_id(app_now()), app_now(), app_now(), j.id, i.id, i.bucket, 'manual', 'held', app_now(), array(select id from hold), app_now()
      from job as j join integration as i on i.id = j.integration_id where j.key = 'stock-sync'`;
    await time.set(start + 70 * minute);
    await turn();
    const released = await on.database.sql<{ job: string; state: string; readyAt: number }[]>`
      select j.key as job, r.state, r.ready_at as "readyAt" from run as r join job as j on j.id = r.job_id order by r.ready_at`;
    expect(released.map((run) => run.state)).toEqual(["queued", "queued"]);
    expect(released.map((run) => run.readyAt - start).toSorted((a, b) => a - b)).toEqual([70 * minute, 75 * minute]);
    expect((await windowReport(on.database.db, on.context.zones, { key: "patch" })).pushed).toEqual({ waited: 7, released: 0, waiting: 7 });
    // What comes while the ramp lasts does not start before its end.
    await on.push(record("c", "c1"));
    await time.set(start + 81 * minute);
    await on.database.sql`update run set state = 'cancelled', finished_at = app_now() where trigger = 'manual'`;
    await on.attempt();
    expect(target.applied.map((item) => item.data["name"])).toEqual(["a1", "b1", "a2", "b2", "a3", "b3", "a4", "c1"]);
    expect((await windowReport(on.database.db, on.context.zones, { key: "patch" })).pushed).toEqual({ waited: 8, released: 8, waiting: 0 });
    const events = await on.database.sql<{ kind: string; records: number }[]>`
      select kind, coalesce((payload ->> 'records')::integer, (payload ->> 'accepted')::integer) as records from event_inbox where kind like 'inbox.%' order by id`;
    expect(events).toEqual([
      ...[2, 2, 2, 1, 1].map((records) => ({ kind: "inbox.accepted", records })),
      { kind: "inbox.released", records: 8 },
    ]);
  });

  it("takes its place at the end of a ramp that another system's release has begun", async () => {
    await on.database.sql`update system set resume_spacing_ms = ${minute}`;
    await on.database.sql`insert into system_ramp (system_id, next_at) select id, ${start + 10 * minute}::timestamptz from system`;
    await on.push(record("a", "a1"));
    expect(await on.runs()).toMatchObject([{ state: "queued", readyAt: start + 10 * minute }]);
    const [ramp] = await on.database.sql<{ nextAt: number }[]>`select next_at as "nextAt" from system_ramp`;
    expect(ramp?.nextAt).toBe(start + 11 * minute);
    // And what is pushed next does not bring it forward.
    await on.push(record("a", "a2"));
    expect(await on.runs()).toMatchObject([{ readyAt: start + 10 * minute }]);
  });

  it("has a run again when the one that waited was cancelled or ended for good, and none while its job is off", async () => {
    const { holdId } = await pause(on.context, { scope: { integrations: ["orders"] }, until: null, reason: "stocktaking" });
    await on.push(record("a", "a1"));
    expect(await turn()).toBe(1);
    const [held] = await on.database.sql<{ id: string }[]>`select id from run`;
    await cancelRun(on.context, { runId: held?.id ?? "", reason: "by mistake" });
    await on.database.sql`update job set enabled = false`;
    await turn();
    expect((await on.runs()).map((run) => run.state)).toEqual(["cancelled"]);
    await on.database.sql`update job set enabled = true`;
    await time.advance(1_000);
    await turn();
    expect((await on.runs()).map((run) => run.state)).toEqual(["cancelled", "held"]);
    await resume(on.context, { holdId, reason: "done" });
    await turn();
    await on.settle();
    expect(target.applied).toHaveLength(1);
    expect(await on.inbox()).toMatchObject({ accepted: 1, done: 1, waiting: 0 });
  });

  it("waits out the longest backoff after a run that could not deliver anything, unless it was put off to a time", async () => {
    await on.database.sql`update job set retry = '{"maxAttempts": 1, "backoffSeconds": 1, "maxBackoffSeconds": 600}'`;
    await on.push(record("a", "a1"));
    await on.database.sql`update run set state = 'dead', finished_at = app_now()`;
    await time.advance(5_000);
    expect(await queuePushRuns(on.context)).toBe(1);
    expect((await on.runs()).map((run) => [run.state, run.readyAt - start])).toEqual([
      ["dead", 0],
      ["queued", 600_000],
    ]);
    expect(await queuePushRuns(on.context)).toBe(0);
  });

  it("stays, without runs that do nothing, when its stream is no longer pushed", async () => {
    await on.push(record("a", "a1"));
    await on.database.sql`update run set state = 'cancelled', finished_at = app_now()`;
    await on.database.sql`update integration set streams = jsonb_set(streams, '{0,stream}', '"other"')`;
    expect(await queuePushRuns(on.context)).toBe(0);
    expect(await on.inbox()).toMatchObject({ waiting: 1 });
  });
});
