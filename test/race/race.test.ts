import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Course, integrationCount, type RaceJob } from "./course.js";
import type { RaceSettings } from "./server-process.js";
import { type Covered, Writer } from "./writer.js";

const usual: RaceSettings = { runMs: 8, maxConcurrentRuns: 200, lease: { leaseMs: 30_000, marginMs: 10_000, renewEveryMs: 5_000 } };

let course: Course;

beforeEach(async () => {
  course = await Course.open();
});

afterEach(() => course.close());

const catchUps = ["coalesce", "all", "skip"] as const;

/** Jobs that all fall due in the same moments, as people's cron lines do. */
function jobsOf(integrations: number): readonly RaceJob[] {
  return Array.from({ length: integrations }, (_, n) => ({
    key: `j${n + 1}`,
    integration: `i${n + 1}`,
    schedule: { every: "1s" },
    catchUp: catchUps[n % catchUps.length] ?? "all",
  }));
}

/** Starts that carry a time inside a hold that had been acknowledged by then. */
async function startsInside(covered: readonly Covered[]): Promise<{ readonly starts: number; readonly inside: readonly unknown[] }> {
  const starts = await course.database.sql<
    { integration: string; at: number }[]
  >`select integration_key as integration, at from event_inbox where kind = 'run.started'`;
  const byIntegration = new Map<string, Covered[]>();
  for (const one of covered) byIntegration.set(one.integration, [...(byIntegration.get(one.integration) ?? []), one]);
  const inside = starts.flatMap((start) =>
    (byIntegration.get(start.integration) ?? [])
      .filter((one) => start.at >= one.from && start.at < one.to)
      .map((one) => ({ ...start, by: one.by, sinceMs: start.at - one.from })),
  );
  return { starts: starts.length, inside };
}

/**
 * Starts that were committed after a hold over their integration was acknowledged, although they carry a time before it: whoever asked "is anything
 * in flight?" at that moment was told no. Their times alone would not show them.
 */
async function hiddenStarts(covered: readonly Covered[]): Promise<readonly unknown[]> {
  // On a busy machine a short window may be over before its answer arrives: that promised nothing.
  const rows = JSON.stringify(covered.filter((one) => one.snapshot !== null && one.to > one.from));
  return course.database.sql`
    select c.by, c."from", e.subject_key, e.at from jsonb_to_recordset(${rows}::text::jsonb) as c(integration text, "from" float8, snapshot text, by text)
    join event_inbox as e on e.kind = 'run.started' and e.integration_key = c.integration
      and e.at < to_timestamp(c."from" / 1000) and e.at > to_timestamp(c."from" / 1000) - interval '5 seconds'
    where not pg_visible_in_snapshot(e.xmin::text::xid8, c.snapshot::pg_snapshot)`;
}

describe("two servers on one database", () => {
  it("share 20,000 due runs without a duplicate", async () => {
    await course.queueRuns(20_000, 1);
    await course.start(["north", "south"], { ...usual, runMs: 0, maxConcurrentRuns: 500 });
    await course.untilAllEnded(400_000);
    const [row] = await course.database.sql<{ ended: number; attempts: number }[]>`
      select count(*) filter (where state = 'succeeded')::integer as ended, max(attempt) as attempts from run`;
    expect(row).toEqual({ ended: 20_000, attempts: 1 });
    await course.expectNoDuplicates();
    console.log(`Race: 20,000 runs shared as ${course.expectShared().join(" and ")}`);
  });

  it("start nothing inside a hold that was acknowledged, and never two runs of a job at once, and lose nothing", async () => {
    const lastsMs = 15_000;
    await course.start(["north", "south"], usual);
    await course.addJobs(jobsOf(integrationCount / 2));
    await course.queueRuns(6_000, lastsMs, 250);
    const writer = new Writer(course);
    const stopAt = performance.now() + lastsMs;
    const write = async () => {
      while (performance.now() < stopAt) await writer.act();
    };
    await Promise.all([write(), write(), write(), write(), write()]);
    await course.stopJobs();
    await course.untilAllEnded(400_000);
    const [held] = await course.database.sql<{ n: number }[]>`select count(*)::integer as n from event_inbox where kind = 'run.held'`;
    const { starts, inside } = await startsInside(writer.covered);
    const hidden = await hiddenStarts(writer.covered);
    const dues = await course.expectNothingLost();
    console.log(
      `Race: ${dues} due times of jobs, ${starts} starts as ${course.expectShared().join(" and ")}; ${writer.acts} holds opened over ${writer.covered.length} integrations, ${writer.retags} changes of tags, ${held?.n} runs held; ${inside.length} starts inside, ${hidden.length} committed behind an acknowledgement`,
    );
    expect(inside).toEqual([]);
    expect([...hidden]).toEqual([]);
    await course.expectNoDuplicates();
    await course.expectOneRunOfAJobAtATime();
    // Otherwise the race would prove nothing.
    expect(dues).toBeGreaterThan(1_000);
    expect(held?.n).toBeGreaterThan(50);
    expect(writer.acts).toBeGreaterThan(10);
    expect(writer.retags).toBeGreaterThan(2);
  });

  it("lose nothing when one of them is killed again and again", async () => {
    const settings: RaceSettings = { runMs: 20, maxConcurrentRuns: 50, lease: { leaseMs: 2_000, marginMs: 400, renewEveryMs: 300 } };
    const runs = 3_000;
    await course.start(["north-0", "south-0"], settings);
    await course.addJobs(jobsOf(integrationCount / 5));
    await course.queueRuns(runs, 7_000);
    let alive = [...course.servers];
    for (let kills = 1; kills <= 5; kills += 1) {
      await sleep(1_200);
      const [victim, survivor] = alive;
      if (victim === undefined || survivor === undefined) throw new Error("There are two servers.");
      await victim.kill();
      await course.start([`${victim.name.split("-")[0]}-${kills}`], settings);
      alive = [survivor, ...course.servers.slice(-1)];
    }
    await course.stopJobs();
    await course.untilAllEnded(400_000);
    const states = await course.database.sql<{ state: string; trigger: string; n: number; again: number }[]>`
      select state, trigger, count(*)::integer as n, count(*) filter (where attempt > 1)::integer as again from run group by state, trigger order by trigger`;
    const again = states.reduce((sum, row) => sum + row.again, 0);
    const dues = await course.expectNothingLost();
    console.log(`Race: 5 kills, ${dues} due times of jobs and ${runs} other runs, ${again} of them begun again`);
    expect(states.map(({ state, trigger }) => ({ state, trigger }))).toEqual([
      { state: "succeeded", trigger: "manual" },
      { state: "succeeded", trigger: "schedule" },
    ]);
    expect(states[0]?.n).toBe(runs);
    expect(again).toBeGreaterThan(0);
    await course.expectNoDuplicates();
  });
});
