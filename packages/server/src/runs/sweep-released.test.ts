import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ResumeBench, resumeBench } from "../../../../test/server/resume-bench.js";
import { pause, resume } from "../windows/hold-commands.js";
import { advanceWindows } from "../windows/advance.js";
import { endWindowEarly } from "../windows/occurrence-commands.js";
import { conservation } from "./ledger.js";
import { materialiseRuns } from "./materialise.js";
import { sweepReleased } from "./sweep-released.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const everyMinute = { kind: "interval", everySeconds: 60, startsAt: start } as const;
let bench: ResumeBench;

beforeEach(async () => {
  bench = await resumeBench({
    start,
    catalogue: {
      systems: [
        { key: "erp", resumeSpacingMs: 1_000 },
        { key: "crm", resumeSpacingMs: 500 },
      ],
      integrations: [
        { key: "from-erp", systems: ["crm"] },
        { key: "to-erp", systems: ["erp"] },
        { key: "both", systems: ["erp"] },
      ],
      jobs: [
        { key: "from-erp-job", integration: "from-erp", catchUp: "all" },
        { key: "to-erp-job", integration: "to-erp", catchUp: "all" },
        { key: "both-job", integration: "both", catchUp: "all" },
        { key: "often", integration: "to-erp", schedule: everyMinute },
      ],
    },
  });
  const { sql } = bench.database;
  // Data flows from the ERP to the CRM; one integration writes to both.
  await sql`insert into integration_system (integration_id, system_id, role) select i.id, s.id, 'source' from integration as i, system as s where i.key = 'from-erp' and s.key = 'erp'`;
  await sql`insert into integration_system (integration_id, system_id, role) select i.id, s.id, 'target' from integration as i, system as s where i.key = 'both' and s.key = 'crm'`;
});

afterEach(async () => {
  await bench.close();
});

/** Queues runs of a job by hand, `count` of them, due one second apart from the start on. */
const queue = async (job: string, count: number) => {
  await bench.database.sql`select ensure_run_partitions(${start}::timestamptz, ${start}::timestamptz)`;
  await bench.database.sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(d), d, d, j.id, j.integration_id, j.integration_id % 1024, 'manual', 'queued', d
    from job as j, generate_series(0, ${count - 1}) as n, lateral (select ${start}::timestamptz + n * interval '1 millisecond' as d) as due where j.key = ${job}`;
};
const everything = { scope: { all: true }, until: null, reason: "stop" } as const;
const starts = async (job: string) =>
  (
    await bench.database.sql<{ at: number }[]>`
      select r.ready_at as at from run as r join job as j on j.id = r.job_id where j.key = ${job} and r.state = 'queued' and r.released_at is not null order by r.ready_at`
  ).map((row) => row.at);

describe("the sweep of what was released", () => {
  it("gives each target system its own ramp, upstream first; of two target systems the later place wins", async () => {
    const { holdId } = await pause(bench.context, everything);
    for (const job of ["from-erp-job", "both-job", "to-erp-job"]) await queue(job, 2);
    await bench.time.set(start + minute);
    for (let held = 0; held < 7; held = (await bench.states())["held"] ?? 0) await bench.turn();
    await bench.database.sql`update run set state = 'skipped' where trigger = 'schedule' and state = 'held'`;
    await resume(bench.context, { holdId, reason: "go" });
    const now = await bench.time.now();
    await bench.duties();
    // The ERP feeds the CRM: what writes to the ERP alone is first, what reads it last.
    expect(await starts("to-erp-job")).toEqual([now, now + 1_000]);
    expect(await starts("both-job")).toEqual([now + 2_000, now + 3_000]);
    expect(await starts("from-erp-job")).toEqual([now + 3_500, now + 4_000]);
  });

  it("by several servers at once gives every place once, in transactions of at most a thousand runs", async () => {
    const { holdId } = await pause(bench.context, everything);
    await queue("to-erp-job", 2_300);
    await bench.time.set(start + minute);
    await bench.database.sql`
      update run set state = 'held', held_by = array[${holdId}]::bigint[], held_since = app_now() where trigger = 'manual'`;
    await resume(bench.context, { holdId, reason: "go" });
    const now = await bench.time.now();
    for (let left = 1; left > 0;) {
      const swept = await Promise.all([1, 2, 3].map(() => sweepReleased(bench.context, { maxTransactions: 2 })));
      left = swept.reduce((sum, one) => sum + one.queued, 0);
    }
    expect(await starts("to-erp-job")).toEqual(Array.from({ length: 2_300 }, (_, place) => now + place * 1_000));
    const batches = await bench.database.sql<{ queued: number }[]>`select queued from resume_batch order by id`;
    expect(batches.map((row) => row.queued)).toEqual([1_000, 1_000, 300]);
    // Nobody looks at it again.
    await advanceWindows(bench.context);
    expect(await bench.database.sql`select from hold_member where released_at is not null and settled_at is null`).toHaveLength(0);
  });

  it("lets due times that fall into a ramp join its end, each once", async () => {
    const { holdId } = await pause(bench.context, { ...everything, scope: { integrations: ["both"] } });
    await queue("both-job", 90);
    await bench.database.sql`
      update run set state = 'held', held_by = array[${holdId}]::bigint[], held_since = app_now() where trigger = 'manual'`;
    await bench.time.set(start + minute + 1_000);
    await resume(bench.context, { holdId, reason: "go" });
    const released = await bench.time.now();
    await advanceWindows(bench.context);
    await sweepReleased(bench.context);
    await bench.time.set(start + 2 * minute - 5_000);
    await materialiseRuns(bench.context);
    await sweepReleased(bench.context);
    await sweepReleased(bench.context);
    const [joined] = await bench.database.sql<{ readyAt: number }[]>`
      select ready_at as "readyAt" from run where trigger = 'schedule' and due_at = ${start + 2 * minute}::timestamptz`;
    expect(joined?.readyAt).toBe(released + 90_000);
  });

  it("what a release did not lead to is found by the thorough look", async () => {
    const { holdId } = await pause(bench.context, everything);
    await queue("to-erp-job", 3);
    await bench.database.sql`
      update run set state = 'held', held_by = array[${holdId}]::bigint[], held_since = app_now() where trigger = 'manual'`;
    await resume(bench.context, { holdId, reason: "go" });
    await bench.database.sql`update hold_member set settled_at = app_now()`;
    expect(await sweepReleased(bench.context, { thorough: false })).toMatchObject({ queued: 0 });
    expect(await sweepReleased(bench.context)).toMatchObject({ queued: 3 });
  });
});

describe("catch-up for one resume", () => {
  const open = async () => {
    await bench.window({ resume: { canaries: 0, readiness: { check: false } } });
    for (const after of [1, 2, 3, 4]) {
      await bench.time.set(start + after * minute);
      await bench.turn();
    }
  };
  const outcome = async () =>
    bench.database.sql<{ state: string; runs: number; dues: number; reason: string }[]>`
      select state, count(*)::integer as runs, sum(due_count)::integer as dues, reason from run where released_at is not null group by state, reason order by 1`;

  it("ALL makes every due time of a job that coalesces a run of its own, in order, on the ramp", async () => {
    await open();
    await endWindowEarly(bench.context, { key: "patch", reason: "done", catchUp: "all" });
    const now = await bench.time.now();
    await bench.duties();
    expect(await outcome()).toEqual([{ state: "queued", runs: 5, dues: 5, reason: "catch-up-all" }]);
    expect(await starts("often")).toEqual([0, 1, 2, 3, 4].map((place) => now + place * 1_000));
    const dues = await bench.database.sql<{ at: number }[]>`select due_at as at from run where released_at is not null order by ready_at`;
    expect(dues.map((row) => row.at)).toEqual([0, 1, 2, 3, 4].map((n) => start + n * minute));
    const account = await conservation(bench.database.db, bench.context.zones, { from: start, to: start + 5 * minute });
    expect(account).toMatchObject({ expected: 5, difference: 0 });
  });

  it("SKIP runs none, whatever the jobs say", async () => {
    await open();
    await endWindowEarly(bench.context, { key: "patch", reason: "done", catchUp: "skip" });
    await bench.duties();
    expect((await outcome()).map((row) => row.state)).toEqual(["skipped"]);
  });

  it("ALL wants confirmation on jobs that read from a cursor", async () => {
    await bench.database.sql`update integration set streams = '[{"stream": "orders"}]' where key = 'to-erp'`;
    await open();
    const input = { key: "patch", reason: "done", catchUp: "all" } as const;
    await expect(endWindowEarly(bench.context, input)).rejects.toMatchObject({ code: "QSC_RESUME_ALL_UNCONFIRMED" });
    await endWindowEarly(bench.context, { ...input, confirmAll: true });
    await bench.duties();
    expect(await outcome()).toMatchObject([{ runs: 5 }]);
  });
});
