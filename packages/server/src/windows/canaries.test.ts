import { occurrenceState } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ResumeBench, resumeBench } from "../../../../test/server/resume-bench.js";
import { pause, resume } from "./hold-commands.js";
import { currentOrNextOccurrences } from "./queries.js";
import { resumeWindow } from "./resume-window.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const end = start + 10 * minute;
const hourly = { kind: "interval", everySeconds: 3_600, startsAt: start } as const;
let bench: ResumeBench;

beforeEach(async () => {
  bench = await resumeBench({
    start,
    catalogue: {
      systems: [
        { key: "erp", resumeSpacingMs: 1_000 },
        { key: "crm", resumeSpacingMs: 1_000 },
      ],
      integrations: ["a", "b", "c", "d"].map((key) => ({ key, systems: ["erp"] })).concat({ key: "leads", systems: ["crm"] }),
      jobs: ["a", "b", "c", "d", "leads"].map((key) => ({ key: `${key}-job`, integration: key, schedule: hourly })),
    },
  });
  await bench.endpoint("erp-api", "erp");
});

afterEach(async () => {
  await bench.close();
});

const state = async () => {
  const [one] = await currentOrNextOccurrences(bench.database, [1]);
  return one === undefined ? "none" : occurrenceState(one, one.asOf);
};

/** The window over both systems, held runs in it, and its end with everybody ready. */
async function ended(resumePolicy: object = {}): Promise<void> {
  await bench.window({ scope: { systems: ["erp", "crm"] }, resume: resumePolicy });
  await bench.time.set(start + minute);
  await bench.turn();
  expect(await bench.states()).toEqual({ held: 5 });
  await bench.time.set(end);
  await bench.duties();
}

const jobs = (runs: readonly { readonly jobKey: string | null }[]) => runs.map((run) => run.jobKey ?? "");
const sorted = (keys: readonly string[]) => keys.toSorted((a, b) => (a < b ? -1 : 1));

describe("the first runs after a window", () => {
  it("go ahead on each target system; the rest follows when they have succeeded, on the ramp", async () => {
    await ended();
    const first = await bench.turn();
    // The CRM has one run only: there is no rest that could wait for it.
    expect(sorted(jobs(first))).toEqual(["a-job", "leads-job"]);
    expect(await bench.turn()).toEqual([]);
    expect(await state()).toBe("resuming");
    expect(await bench.states()).toEqual({ running: 2, held: 3 });
    await bench.finish(first);
    const starts: [string | null, number][] = [];
    for (let now = await bench.time.now(); now <= end + 10_000; now = await bench.time.advance(500)) {
      for (const run of await bench.turn()) starts.push([run.jobKey, now - end]);
    }
    expect(starts).toEqual([
      ["b-job", 1_000],
      ["c-job", 2_000],
      ["d-job", 3_000],
    ]);
    expect(await bench.events("window.closed")).toHaveLength(1);
  });

  it("that fail hold the rest again, as an unready hold of its own; passing checks try others, and these let it go", async () => {
    await ended();
    const first = await bench.turn();
    bench.answers.set("erp-api", { status: "down" });
    await bench.finish(first, "failed");
    await bench.duties();
    expect(await state()).toBe("verifying");
    expect(await bench.events("window.reheld")).toMatchObject([{ systems: [{ system: "erp", failed: 1, ended: 1 }] }]);
    for (let now = end; now < end + 2 * minute; now = await bench.time.advance(10_000)) expect(await bench.turn()).toEqual([]);
    const holds = await bench.database.sql`select kind, reason from hold where released_at is null`;
    expect(holds).toEqual([{ kind: "unready", reason: "First runs failed on erp (1 of 1)" }]);
    bench.answers.clear();
    let second: Awaited<ReturnType<typeof bench.turn>> = [];
    for (; second.length === 0; await bench.time.advance(10_000)) second = await bench.turn();
    expect(jobs(second)).toEqual(["b-job"]);
    await bench.finish(second);
    await bench.duties();
    await bench.time.advance(minute);
    expect(jobs(await bench.turn()).toSorted()).toEqual(["c-job", "d-job"]);
  });

  it("that fail where nobody can be asked make it overrun at once; an operator tries others, or lets the rest go", async () => {
    await ended({ readiness: { check: false } });
    await bench.finish(await bench.turn(), "failed");
    await bench.duties();
    expect(await state()).toBe("overrun");
    await bench.time.advance(30 * minute);
    expect(await bench.turn()).toEqual([]);
    await resumeWindow(bench.context, { key: "patch", reason: "try another" });
    const second = await bench.turn();
    expect(jobs(second)).toEqual(["b-job"]);
    await bench.finish(second, "failed");
    await bench.duties();
    expect(await state()).toBe("overrun");
    await resumeWindow(bench.context, { key: "patch", skipReadiness: true, reason: "known" });
    await bench.duties();
    await bench.time.advance(minute);
    expect(jobs(await bench.turn())).toContain("c-job");
    expect(await state()).not.toBe("overrun");
  });

  it("are none with a policy of 0", async () => {
    await ended({ canaries: 0 });
    await bench.duties();
    expect(await bench.events("hold.created")).toEqual([]);
    await bench.time.advance(minute);
    expect(await bench.turn()).toHaveLength(5);
  });

  it("are taken from what nothing else holds, and a pause over the rest is not lifted with it", async () => {
    await bench.window({ scope: { systems: ["erp"] } });
    await bench.time.set(start + minute);
    await bench.turn();
    const { holdId } = await pause(bench.context, { scope: { integrations: ["a", "d"] }, until: null, reason: "checking" });
    await bench.time.set(end);
    await bench.duties();
    const first = await bench.turn();
    expect(jobs(first)).toEqual(["b-job"]);
    await bench.finish(first);
    await bench.duties();
    await bench.time.advance(minute);
    expect(jobs(await bench.turn())).toEqual(["c-job"]);
    expect(await bench.states()).toMatchObject({ held: 2 });
    await resume(bench.context, { holdId, reason: "fine" });
    await bench.duties();
    await bench.time.advance(minute);
    expect(sorted(jobs(await bench.turn()))).toEqual(["a-job", "d-job"]);
  });

  it("of a job that coalesces take its whole gap with them", async () => {
    await bench.database.sql`select ensure_run_partitions(app_now(), app_now())`;
    await bench.database.sql`
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, held_by, held_since)
      select new_run_id(d), d, d, j.id, j.integration_id, j.integration_id % 1024, 'schedule', 'queued', d, null, null
      from job as j, (values (timestamptz '2026-03-02T10:02:00Z'), ('2026-03-02T10:03:00Z')) as due(d) where j.key = 'a-job'`;
    await bench.window({ scope: { systems: ["erp"] } });
    await bench.time.set(start + 5 * minute);
    await bench.turn();
    expect(await bench.states()).toEqual({ held: 6, running: 1 });
    await bench.time.set(end);
    await bench.duties();
    expect(jobs(await bench.turn())).toContain("a-job");
    expect(await bench.states()).toMatchObject({ coalesced: 2, held: 3 });
  });
});
