import type { WindowInput } from "@quiesce/core";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ControlledTime } from "../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "../../../../test/server/controlled-dispatch.js";
import { clock } from "../clock.js";
import type { CommandContext } from "../command.js";
import type { Database } from "../db/client.js";
import { breakGlass } from "../runs/break-glass.js";
import { type ClaimedRun, claimRuns, peekDue } from "../runs/claim.js";
import { runNow } from "../runs/commands.js";
import { finishRuns, type RunOutcome } from "../runs/finish.js";
import { enterGate } from "../runs/gate.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { stoppedOutcome } from "../pipeline/run-outcome.js";
import type { AbortReason } from "../scheduler/run-executor.js";
import { RunWorker } from "../scheduler/run-worker.js";
import { advanceWindows } from "./advance.js";
import { createWindow } from "./commands.js";
import { meetDrainDeadlines } from "./drain-deadlines.js";
import { endWindowEarly } from "./occurrence-commands.js";
import { windowReport } from "./report.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const windowAt = start + 10 * minute;

let dispatch: ControlledDispatch;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let worker: string;

beforeEach(async () => {
  dispatch = await controlledDispatch({ name: "drain-test", start });
  ({ database, time, context, worker } = dispatch);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"] }, { key: "stock", systems: ["erp"], idempotent: false }, { key: "leads" }],
    jobs: [
      { key: "orders-sync", integration: "orders" },
      { key: "stock-sync", integration: "stock" },
      { key: "leads-sync", integration: "leads" },
    ],
  });
});

afterEach(() => dispatch.close());

const window = (drain: WindowInput["drain"], patch: Partial<WindowInput> = {}): WindowInput => ({
  key: "erp-patch",
  title: "ERP patch",
  series: { start: "2026-03-02T10:10", end: "2026-03-02T11:00", timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "erp-team",
  reason: "patch",
  drain,
  ...patch,
});

async function startRuns(jobs: readonly string[]): Promise<readonly ClaimedRun[]> {
  for (const job of jobs) await runNow(context, { job, reason: "test" });
  return (await claimDue()).claimed;
}

async function claimDue() {
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 500, after: null });
  return claimRuns(database.sql, { workerId: worker, runs, limit: 500 });
}

const finish = (runs: readonly ClaimedRun[], outcome: RunOutcome) =>
  finishRuns(context, {
    workerId: worker,
    runs: runs.map(({ runId, dueAt, attempt, retry }) => ({ runId, dueAt, attempt, retry, jitter: 0, outcome })),
  });

async function eventsOf(kinds: readonly string[]) {
  return [
    ...(await database.sql<{ kind: string; payload: Record<string, unknown> }[]>`
      select kind, payload from event_inbox where kind = any (${[...kinds]}::text[]) order by id`),
  ];
}

const told = async () =>
  (
    await database.sql<{ job: string }[]>`
    select j.key as job from run as r join job as j on j.id = r.job_id where r.abort_requested_at is not null order by j.key`
  ).map((row) => row.job);

const stateOfOccurrence = async () =>
  (await database.sql<{ quiesced: boolean }[]>`select quiesced_at is not null as quiesced from occurrence`)[0]?.quiesced;

describe("the drain deadline of a window", () => {
  it("tells runs in flight on what it covers to stop, from its millisecond on, once, and no others", async () => {
    await createWindow(context, window({ deadlineMinutes: 5, atDeadline: "abort" }));
    await startRuns(["orders-sync", "stock-sync", "leads-sync"]);
    await time.set(windowAt + 5 * minute - 1);
    await advanceWindows(context);
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 0, aborted: 0 });
    await time.set(windowAt + 5 * minute);
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 1, aborted: 2 });
    expect(await told()).toEqual(["orders-sync", "stock-sync"]);
    expect(await meetDrainDeadlines(context), "a second look").toEqual({ overdue: 0, aborted: 0 });
    const [event, ...more] = await eventsOf(["window.drain-deadline-passed"]);
    expect(more).toEqual([]);
    expect(event?.payload).toMatchObject({ localStart: "2026-03-02T10:10", atDeadline: "abort", inFlight: 2, aborted: 2, leases: 0 });
  });

  it("gives an aborted run back without counting an attempt; it is held, and runs after the window", async () => {
    await createWindow(context, window({ deadlineMinutes: 0 }));
    const runs = await startRuns(["orders-sync"]);
    await time.set(windowAt);
    await advanceWindows(context);
    await meetDrainDeadlines(context);
    await finish(runs, stoppedOutcome({ why: "window" }, {}));
    expect((await eventsOf(["run.aborted"])).map((event) => event.payload["reason"])).toEqual(["window"]);
    expect((await claimDue()).held).toBe(1);
    await advanceWindows(context);
    expect(await stateOfOccurrence()).toBe(true);
    const row = async () =>
      (await database.sql`select state, attempt, given_back as "givenBack", abort_requested_at is not null as told, error from run`)[0];
    expect(await row()).toMatchObject({ state: "held", attempt: 1, givenBack: 1, error: null });
    const report = await windowReport(database.db, context.zones, { key: "erp-patch" });
    expect(report).toMatchObject({ drainMs: 0, aborted: 1, failed: 0 });

    await time.set(windowAt + 50 * minute);
    await advanceWindows(context);
    await sweepReleased(context);
    const again = (await claimDue()).claimed;
    expect(again.map((run) => run.attempt)).toEqual([2]);
    expect(await row(), "the next attempt is told nothing").toMatchObject({ state: "running", told: false });
  });

  it("leaves them running where its policy says so, and says that once", async () => {
    await createWindow(context, window({ deadlineMinutes: 5, atDeadline: "leave" }));
    await startRuns(["orders-sync"]);
    await time.set(windowAt + 6 * minute);
    await advanceWindows(context);
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 1, aborted: 0 });
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 0, aborted: 0 });
    expect(await told()).toEqual([]);
    expect((await eventsOf(["window.drain-deadline-passed"]))[0]?.payload).toMatchObject({ atDeadline: "leave", inFlight: 1, aborted: 0 });
  });

  it("cannot end work in the hands of others: a gate lease is named and left", async () => {
    await createWindow(context, window({ deadlineMinutes: 5 }));
    await enterGate(context, { integration: "orders", leaseSeconds: 3_600 });
    await time.set(windowAt + 5 * minute);
    await advanceWindows(context);
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 1, aborted: 0 });
    expect((await eventsOf(["window.drain-deadline-passed"]))[0]?.payload).toMatchObject({ inFlight: 1, aborted: 0, leases: 1 });
  });

  it("is no concern of a window without one, of one that only observes, of one that has ended, or of an empty one", async () => {
    await createWindow(context, window(undefined, { key: "endless" }));
    await createWindow(context, window({ deadlineMinutes: 1 }, { key: "observing", mode: "observe" }));
    await createWindow(context, window({ deadlineMinutes: 1 }, { key: "over", scope: { integrations: ["stock"] } }));
    await createWindow(context, window({ deadlineMinutes: 1 }, { key: "empty", scope: { integrations: ["leads"] } }));
    await startRuns(["orders-sync", "stock-sync"]);
    await time.set(windowAt + 30_000);
    await advanceWindows(context);
    await endWindowEarly(context, { key: "over", reason: "done" });
    await time.set(windowAt + 30 * minute);
    await advanceWindows(context);
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 0, aborted: 0 });
    expect(await told()).toEqual([]);
  });

  it("says in the report how long it took until nothing was in flight", async () => {
    await createWindow(context, window(undefined));
    const runs = await startRuns(["orders-sync"]);
    await time.set(windowAt);
    await advanceWindows(context);
    await time.set(windowAt + 7 * minute + 1);
    await finish(runs, { kind: "succeeded", figures: {} });
    await advanceWindows(context);
    expect(await windowReport(database.db, context.zones, { key: "erp-patch" })).toMatchObject({
      drainMs: 7 * minute + 1,
      aborted: 0,
      breakGlass: [],
    });
  });
});

describe("break-glass", () => {
  async function openAndQuiesced(): Promise<void> {
    await createWindow(context, window(undefined));
    await time.set(windowAt);
    await advanceWindows(context);
    expect(await stateOfOccurrence()).toBe(true);
  }

  it("runs one job through one window; the window is unquiesced from the order on until the run has ended", async () => {
    await openAndQuiesced();
    const { runId } = await breakGlass(context, { job: "orders-sync", window: "erp-patch", reason: "payroll is due" });
    expect(await stateOfOccurrence(), "at the answer").toBe(false);
    await advanceWindows(context);
    expect(await stateOfOccurrence(), "before its start").toBe(false);
    await runNow(context, { job: "stock-sync", reason: "ordinary" });
    const { claimed } = await claimDue();
    expect(claimed.map((run) => run.runId)).toEqual([runId]);
    await finish(claimed, { kind: "succeeded", figures: {} });
    await advanceWindows(context);
    expect(await stateOfOccurrence()).toBe(true);
    expect((await eventsOf(["window.quiesced", "window.unquiesced"])).map((event) => event.kind)).toEqual([
      "window.quiesced",
      "window.unquiesced",
      "window.quiesced",
    ]);
    const report = await windowReport(database.db, context.zones, { key: "erp-patch" });
    expect(report.startedInside).toBe(0);
    expect(report.breakGlass).toEqual([
      { runId, job: "orders-sync", by: "tester", reason: "payroll is due", orderedAt: windowAt, startedAt: windowAt, state: "succeeded" },
    ]);
    const audit = await database.sql`select actor, subject_key as job, reason from audit_entry where action = 'run.break-glass'`;
    expect(audit).toEqual([{ actor: "token:tester", job: "orders-sync", reason: "payroll is due" }]);
  });

  it("passes that window alone: another that covers the job holds the run", async () => {
    await openAndQuiesced();
    await createWindow(context, window(undefined, { key: "other", scope: { integrations: ["orders"] } }));
    await breakGlass(context, { job: "orders-sync", window: "erp-patch", reason: "payroll is due" });
    expect(await claimDue()).toMatchObject({ claimed: [], held: 1 });
  });

  it("is not told to stop at the drain deadline of the window that it passes", async () => {
    await createWindow(context, window({ deadlineMinutes: 1 }));
    await time.set(windowAt + 30_000);
    await advanceWindows(context);
    await breakGlass(context, { job: "orders-sync", window: "erp-patch", reason: "payroll is due" });
    expect((await claimDue()).claimed).toHaveLength(1);
    await time.set(windowAt + 5 * minute);
    expect(await meetDrainDeadlines(context)).toEqual({ overdue: 0, aborted: 0 });
  });

  it("starts before a window that it would not finish before", async () => {
    await createWindow(context, window(undefined));
    await database.sql`update job set finish_lead_ms = ${20 * minute}, p95_ms = ${18 * minute}, duration_samples = 50`;
    await runNow(context, { job: "orders-sync", reason: "ordinary" });
    expect((await claimDue()).claimed).toEqual([]);
    await breakGlass(context, { job: "orders-sync", window: "erp-patch", reason: "payroll is due" });
    expect((await claimDue()).claimed).toHaveLength(1);
  });

  it("is refused without a reason, for a job that the window does not hold, and for a window that is far", async () => {
    await openAndQuiesced();
    const code = (order: Parameters<typeof breakGlass>[1]) =>
      breakGlass(context, order).then(
        () => "ordered",
        (error: { code: string }) => error.code,
      );
    expect(await code({ job: "orders-sync", window: "erp-patch", reason: "  " })).toBe("QSC_BREAK_GLASS_REASON");
    expect(await code({ job: "leads-sync", window: "erp-patch", reason: "r" })).toBe("QSC_BREAK_GLASS_NOT_HELD");
    expect(await code({ job: "nobody", window: "erp-patch", reason: "r" })).toBe("QSC_JOB_NOT_FOUND");
    expect(await code({ job: "orders-sync", window: "nothing", reason: "r" })).toBe("QSC_WINDOW_NOT_FOUND");
    await createWindow(
      context,
      window(undefined, { key: "far", series: { start: "2026-03-03T10:10", end: "2026-03-03T11:00", timeZone: "UTC" } }),
    );
    expect(await code({ job: "orders-sync", window: "far", reason: "r" })).toBe("QSC_BREAK_GLASS_NOT_HELD");
    expect(await stateOfOccurrence()).toBe(true);
  });
});

describe("a worker whose run is to stop", () => {
  it("fires the run's signal within two seconds, by its own look", async () => {
    await createWindow(context, window({ deadlineMinutes: 0 }));
    let reason: AbortReason | undefined;
    const executor = {
      execute: (_run: unknown, signal: AbortSignal) =>
        new Promise<RunOutcome>((resolve) => {
          signal.addEventListener("abort", () => {
            reason = signal.reason as AbortReason;
            resolve(stoppedOutcome(reason, {}));
          });
        }),
    };
    const runWorker = new RunWorker({
      database,
      leaseDatabase: database,
      executor,
      log: pino({ enabled: false }),
      lease: { leaseMs: 60_000, marginMs: 10_000, renewEveryMs: 10_000 },
      name: "busy",
      maxConcurrentRuns: 4,
      random: () => 0,
    });
    await runWorker.start();
    try {
      const workerId = runWorker.workerId ?? "";
      const { runId } = await runNow(context, { job: "orders-sync", reason: "test" });
      const claimedAtMs = clock.monotonicMs();
      const { claimed } = await claimRuns(database.sql, { workerId, runs: [{ id: runId, dueAt: start }], limit: 1 });
      runWorker.run(claimed, { workerId, claimedAtMs, refusal: null }, () => undefined);
      await time.set(windowAt);
      await advanceWindows(context);
      expect(reason).toBeUndefined();
      expect((await meetDrainDeadlines(context)).aborted).toBe(1);
      await vi.waitFor(() => expect(reason).toEqual({ why: "window" }), { timeout: 60_000 });
      await vi.waitFor(
        async () => expect((await database.sql`select state, reason from run`)[0]).toEqual({ state: "queued", reason: "window" }),
        { timeout: 60_000 },
      );
    } finally {
      await runWorker.stop(0);
    }
  });
});
