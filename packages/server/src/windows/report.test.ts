import type { JobSchedule } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlledTime } from "../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "../../../../test/server/controlled-dispatch.js";
import type { CommandContext } from "../command.js";
import type { Database } from "../db/client.js";
import { claimRuns, peekDue } from "../runs/claim.js";
import { finishRuns } from "../runs/finish.js";
import { materialiseRuns } from "../runs/materialise.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { advanceWindows } from "./advance.js";
import { createWindow } from "./commands.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { refreshMembership } from "./membership.js";
import { windowReport } from "./report.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const everyMinute: JobSchedule = { kind: "interval", everySeconds: 60, startsAt: start };

let dispatch: ControlledDispatch;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let worker: string;

beforeEach(async () => {
  dispatch = await controlledDispatch({ name: "report-test", start });
  ({ database, time, context, worker } = dispatch);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"], tags: ["nightly"] }],
    jobs: [{ key: "orders-sync", integration: "orders", schedule: everyMinute }],
  });
});

afterEach(() => dispatch.close());

async function turn(): Promise<void> {
  await materialiseRuns(context);
  await advanceWindows(context);
  await sweepReleased(context);
  await advanceWindows(context);
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 500, after: null });
  const { claimed } = await claimRuns(database.sql, { workerId: worker, runs, limit: 500 });
  await finishRuns(context, {
    workerId: worker,
    runs: claimed.map((one) => ({
      ...one,
      retry: { maxAttempts: 1, backoffSeconds: 1, maxBackoffSeconds: 1 },
      jitter: 0,
      outcome: { kind: "succeeded", figures: {} },
    })),
  });
}

async function turnsUntil(instantMs: number): Promise<void> {
  for (let now = await time.now(); now < instantMs; now = await time.now()) {
    await time.set(Math.min(instantMs, now + minute));
    await turn();
  }
}

/** A window from one minute of the hour to another. */
const plan = (key: string, from: number, to: number) =>
  createWindow(context, {
    key,
    title: key,
    series: { start: `2026-03-02T10:${from}`, end: `2026-03-02T10:${to}`, timeZone: "UTC" },
    scope: { tags: ["nightly"] },
    owner: "erp-team",
    reason: "patch",
  });

async function reportOf(key: string) {
  const report = await windowReport(database.db, context.zones, { key });
  expect(
    Object.values(report.byState).reduce((sum, n) => sum + n, 0),
    "counts add up",
  ).toBe(report.due);
  expect(report.integrations.reduce((sum, one) => sum + one.due, 0)).toBe(report.due);
  return report;
}

describe("the report of a window", () => {
  it("counts what a run that fell due just before the start and was held at its start has taken in", async () => {
    await plan("patch", 10, 40);
    await turnsUntil(start + 9 * minute);
    // Written, and due within the window's last open minute, but nobody claims it before the start.
    await time.set(start + 9 * minute + 59_000);
    await database.sql`update job set schedule = jsonb_set(schedule, '{startsAt}', ${String(start - 1_000)}::text::jsonb), next_due_at = app_now()`;
    await database.sql`update job_schedule set schedule = (select schedule from job)`;
    await materialiseRuns(context);
    await turnsUntil(start + 30 * minute);
    const [first] = await database.sql<{ dueAt: number; dueCount: number }[]>`
      select due_at as "dueAt", due_count as "dueCount" from run where state = 'held' order by due_at limit 1`;
    expect(first).toEqual({ dueAt: start + 10 * minute - 1_000, dueCount: 20 + 1 });
    const report = await reportOf("patch");
    expect(report).toMatchObject({ due: 20, held: 21, startedInside: 0, byState: { held: 1, coalesced: 19 } });
  });

  it("does not count what a run took in after the release", async () => {
    await plan("patch", 10, 20);
    await plan("longer", 15, 40);
    await turnsUntil(start + 35 * minute);
    const [range] = await database.sql<{ dueCount: number }[]>`select max(due_count)::integer as "dueCount" from run where state = 'held'`;
    expect(range?.dueCount).toBeGreaterThan(20);
    expect(await reportOf("patch")).toMatchObject({ due: 10, held: 10 });
  });

  it("counts for a later window what an earlier one handed over to it", async () => {
    await plan("patch", 10, 20);
    await plan("longer", 15, 40);
    await turnsUntil(start + 35 * minute);
    expect(await reportOf("longer")).toMatchObject({ due: 21, held: 26, integrations: [{ key: "orders", held: 26 }] });
  });

  it("finds a start inside of a run that fell due long before", async () => {
    await plan("patch", 10, 40);
    await turnsUntil(start + 12 * minute);
    expect((await reportOf("patch")).startedInside).toBe(0);
    await database.sql`update run set started_at = ${start + 11 * minute}::timestamptz where due_at = ${start + 2 * minute}::timestamptz`;
    expect(await reportOf("patch")).toMatchObject({ startedInside: 1, due: 3 });
  });

  it("raises no alarm over starts of an integration that has left the scope", async () => {
    await plan("patch", 10, 40);
    await turnsUntil(start + 15 * minute);
    await database.db.transaction(async (tx) => {
      await lockCatalogue(tx);
      await database.sql`update integration set tags = '{}'`;
      await lockDispatch(tx, await refreshMembership(tx));
    });
    await turnsUntil(start + 30 * minute);
    const [started] = await database.sql<
      { n: number }[]
    >`select count(*)::integer as n from run where started_at > ${start + 15 * minute}::timestamptz`;
    expect(started?.n).toBeGreaterThan(10);
    expect(await reportOf("patch")).toMatchObject({ startedInside: 0, due: 5 });
  });

  it("says observing, not draining, while it only observes", async () => {
    await plan("patch", 10, 40);
    await turnsUntil(start + 12 * minute);
    expect((await reportOf("patch")).state).toBe("quiesced");
    await database.sql`update hold set mode = 'observe'`;
    expect((await reportOf("patch")).state).toBe("observing");
  });
});
