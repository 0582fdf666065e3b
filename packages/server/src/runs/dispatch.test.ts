import type { JobSchedule } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlledTime } from "../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "../../../../test/server/controlled-dispatch.js";
import type { CommandContext } from "../command.js";
import type { Database } from "../db/client.js";
import { advanceWindows } from "../windows/advance.js";
import { cancelWindow, createWindow } from "../windows/commands.js";
import { pause, resume, setMode } from "../windows/hold-commands.js";
import { endWindowEarly, extendWindow } from "../windows/occurrence-commands.js";
import { expandWindows } from "../windows/expand.js";
import { claimRuns, peekDue } from "./claim.js";
import { runNow } from "./commands.js";
import { finishRuns } from "./finish.js";
import { askGate, enterGate, leaveGate } from "./gate.js";
import { conservation } from "./ledger.js";
import { materialiseRuns } from "./materialise.js";
import { sweepReleased } from "./sweep-released.js";
import { reapRuns } from "./worker-lease.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const retry = { maxAttempts: 3, backoffSeconds: 10, maxBackoffSeconds: 600 };
const everyMinute: JobSchedule = { kind: "interval", everySeconds: 60, startsAt: start };

let dispatch: ControlledDispatch;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let worker: string;

beforeEach(async () => {
  dispatch = await controlledDispatch({ name: "dispatch-test", start });
  ({ database, time, context, worker } = dispatch);
});

afterEach(() => dispatch.close());

/** One full turn of the server's duties at the database's time; answers the runs that started. */
async function turn() {
  await expandWindows(context);
  await materialiseRuns(context);
  await advanceWindows(context);
  await sweepReleased(context);
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 500, after: null });
  return claimRuns(database.sql, { workerId: worker, runs, limit: 500 });
}

async function finishAll(claimed: Awaited<ReturnType<typeof turn>>["claimed"]) {
  return finishRuns(context, {
    workerId: worker,
    runs: claimed.map((one) => ({
      runId: one.runId,
      dueAt: one.dueAt,
      attempt: one.attempt,
      retry,
      jitter: 0,
      outcome: { kind: "succeeded", figures: {} },
    })),
  });
}

/** The runs by state, with how many due times each state accounts for. */
async function states() {
  const rows = await database.sql<{ state: string; dues: number }[]>`
    select state, sum(due_count)::integer as dues from run where due_at <= app_now() group by state order by state`;
  return Object.fromEntries(rows.map((row) => [row.state, row.dues]));
}

const erpWindow = {
  title: "ERP patch",
  series: { start: "2026-03-02T10:10", end: "2026-03-02T10:40", timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "erp-team",
  reason: "patch",
} as const;

const oneJob = (catchUp: "skip" | "coalesce" | "all", schedule: JobSchedule = everyMinute) =>
  seedCatalogue(database.sql, {
    systems: [
      { key: "erp" },
      { key: "shop", dependsOn: [{ system: "erp", strength: "hard" }] },
      { key: "crm", dependsOn: [{ system: "erp", strength: "soft" }] },
    ],
    integrations: [
      { key: "orders", systems: ["erp"] },
      { key: "prices", systems: ["shop"] },
      { key: "leads", systems: ["crm"] },
    ],
    jobs: [{ key: "orders-sync", integration: "orders", schedule, catchUp }],
  });

async function until(instantMs: number, stepMs = minute) {
  for (let now = await time.now(); now < instantMs; now = await time.now()) {
    await time.set(Math.min(instantMs, now + stepMs));
    const { claimed } = await turn();
    await finishAll(claimed);
  }
}

describe("dispatch and windows", () => {
  it("a run due inside a window is held until the window ends, then coalesces into one run", async () => {
    await oneJob("coalesce");
    await createWindow(context, erpWindow);
    await until(start + 39 * minute);
    expect(await states()).toEqual({ succeeded: 10, held: 30 });
    await until(start + 41 * minute);
    const rows = await database.sql<
      { startedAt: number }[]
    >`select started_at as "startedAt" from run where started_at is not null order by started_at`;
    const inside = rows.filter((row) => row.startedAt >= start + 10 * minute && row.startedAt < start + 40 * minute);
    expect(inside).toEqual([]);
    const ledger = await conservation(database.db, context.zones, { from: start, to: start + 41 * minute });
    expect(ledger.differences).toEqual([]);
    expect(ledger.expected).toBe(ledger.accounted);
    expect(ledger.byState["coalesced"]).toBeGreaterThanOrEqual(29);
  });

  it("all keeps every due time in order, skip runs none of them", async () => {
    await oneJob("all");
    await createWindow(context, erpWindow);
    await until(start + 39 * minute);
    const starts: number[] = [];
    for (let at = start + 40 * minute; at < start + 42 * minute; at += 500) {
      await time.set(at);
      const { claimed } = await turn();
      starts.push(...claimed.map((one) => one.dueAt));
      await finishAll(claimed);
    }
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
    expect(starts.length).toBeGreaterThanOrEqual(31);
    const ledger = await conservation(database.db, context.zones, { from: start, to: start + 42 * minute });
    expect(ledger.differences).toEqual([]);
  });

  it("skip lets the due times of the window go", async () => {
    await oneJob("skip");
    await createWindow(context, erpWindow);
    await until(start + 41 * minute);
    expect((await states())["skipped"]).toBeGreaterThanOrEqual(30);
    const ledger = await conservation(database.db, context.zones, { from: start, to: start + 41 * minute });
    expect(ledger.differences).toEqual([]);
  });

  it("a window on a system covers hard dependents and leaves soft ones and others alone", async () => {
    await oneJob("coalesce");
    await createWindow(context, erpWindow);
    await time.set(start + 10 * minute);
    expect((await askGate(database.db, "orders")).kind).toBe("held");
    expect((await askGate(database.db, "prices")).kind).toBe("held");
    expect((await askGate(database.db, "leads")).kind).toBe("open");
    await time.set(start + 10 * minute - 1);
    expect((await askGate(database.db, "orders")).kind).toBe("open");
  });

  it("a window is quiesced only when nothing is in flight", async () => {
    await oneJob("coalesce");
    await createWindow(context, erpWindow);
    await time.set(start + 9 * minute);
    const { claimed } = await turn();
    expect(claimed).toHaveLength(1);
    await time.set(start + 10 * minute);
    await turn();
    const quiescedAt = async () => (await database.sql<{ at: number | null }[]>`select quiesced_at as at from occurrence`)[0]?.at;
    expect(await quiescedAt()).toBeNull();
    await finishAll(claimed);
    await turn();
    expect(await quiescedAt()).toBe(start + 10 * minute);
  });

  it("ending early and extending move only this occurrence", async () => {
    await oneJob("coalesce");
    await createWindow(context, { ...erpWindow, key: "nightly", series: { ...erpWindow.series, rrule: "FREQ=DAILY" } });
    await until(start + 20 * minute);
    await extendWindow(context, { key: "nightly", until: start + 60 * minute, reason: "slow" });
    const ends = async () => (await database.sql<{ at: number }[]>`select ends_at as at from occurrence order by starts_at limit 1`)[0]?.at;
    expect(await ends()).toBe(start + 60 * minute);
    await until(start + 45 * minute);
    expect((await askGate(database.db, "orders")).kind).toBe("held");
    await endWindowEarly(context, { key: "nightly", reason: "done" });
    expect((await askGate(database.db, "orders")).kind).toBe("open");
    await time.set(start + 24 * 60 * minute + 10 * minute);
    expect((await askGate(database.db, "orders")).kind).toBe("held");
    await expect(
      extendWindow(context, { key: "nightly", localStart: "2026-03-02T10:10", until: start + 90 * minute, reason: "no" }),
    ).rejects.toMatchObject({
      code: "QSC_OCCURRENCE_RELEASED",
    });
  });

  it("releasing one hold never lifts another", async () => {
    await oneJob("coalesce");
    await createWindow(context, erpWindow);
    await time.set(start + 15 * minute);
    const made = await pause(context, { scope: { integrations: ["orders"] }, until: null, reason: "checking" });
    await until(start + 50 * minute);
    const verdict = await askGate(database.db, "orders");
    expect(verdict).toMatchObject({ kind: "held", until: null });
    await resume(context, { holdId: made.holdId, reason: "fine" });
    expect((await askGate(database.db, "orders")).kind).toBe("open");
    await until(start + 52 * minute);
    expect((await states())["held"]).toBeUndefined();
  });

  it("mode observe holds nothing and records what would have been held", async () => {
    await oneJob("coalesce");
    await setMode(context, { mode: "observe", reason: "trial" });
    await createWindow(context, erpWindow);
    await until(start + 20 * minute);
    expect(await states()).toEqual({ succeeded: 21 });
    const rows = await database.sql<{ n: number }[]>`select count(*)::integer as n from run where observed_by is not null`;
    expect(rows[0]?.n).toBe(11);
  });

  it("nothing is dispatched while the expansion does not reach past now", async () => {
    await oneJob("coalesce");
    await materialiseRuns(context);
    await database.sql`update control set expanded_until = app_now()`;
    const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 10, after: null });
    expect(await claimRuns(database.sql, { workerId: worker, runs, limit: 10 })).toEqual({
      claimed: [],
      held: 0,
      stale: true,
      at: start,
    });
  });

  it("nothing is started or held by a clock that jumped, until somebody has looked", async () => {
    await oneJob("coalesce");
    await materialiseRuns(context);
    const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 10, after: null });
    await database.sql`update control set clock_stepped_at = app_now()`;
    expect(await claimRuns(database.sql, { workerId: worker, runs, limit: 10 })).toEqual({ claimed: [], held: 0, stale: false, at: null });
    await database.sql`update control set clock_stepped_at = null`;
    expect((await claimRuns(database.sql, { workerId: worker, runs, limit: 10 })).claimed).toHaveLength(1);
  });

  it("a worker that lost its lease can change nothing", async () => {
    await oneJob("coalesce");
    await database.sql`update worker set lease_until = app_now() + interval '30 seconds'`;
    const { claimed } = await turn();
    await time.set(start + 2 * minute);
    expect(await reapRuns(context, { marginMs: 10_000 })).toEqual({ requeued: 1, lost: 0 });
    expect((await finishAll(claimed)).size).toBe(0);
    const rows = await database.sql<{ state: string }[]>`select state from run where id = ${claimed[0]?.runId ?? ""}::uuid`;
    expect(rows[0]?.state).toBe("queued");
  });

  it("refused credentials hold the integration until somebody resumes it", async () => {
    await oneJob("coalesce");
    const { claimed } = await turn();
    const first = claimed[0];
    if (first === undefined) throw new Error("no run");
    await finishRuns(context, {
      workerId: worker,
      runs: [
        {
          runId: first.runId,
          dueAt: first.dueAt,
          attempt: first.attempt,
          retry,
          jitter: 0,
          outcome: {
            kind: "failed",
            figures: {},
            failure: { kind: "auth", rule: { retry: false, holdsIntegration: true }, retryAfterMs: null, ambiguous: false },
            error: { kind: "auth", message: "password refused" },
          },
        },
      ],
    });
    await until(start + 5 * minute);
    const verdict = await askGate(database.db, "orders");
    expect(verdict).toMatchObject({ kind: "held", by: [{ kind: "credentials" }] });
    expect((await states())["held"]).toBe(6);
  });

  it("a manual run inside a window is held and runs afterwards, whatever the catch-up policy", async () => {
    await oneJob("skip", { kind: "cron", expression: "0 3 * * *", timeZone: "UTC" });
    await createWindow(context, erpWindow);
    await time.set(start + 12 * minute);
    const { runId } = await runNow(context, { job: "orders-sync", reason: "please" });
    await turn();
    const state = async () => (await database.sql<{ state: string }[]>`select state from run where id = ${runId}::uuid`)[0]?.state;
    expect(await state()).toBe("held");
    await until(start + 41 * minute);
    expect(await state()).toBe("succeeded");
  });

  it("a gate lease counts as in flight and a window refuses entry", async () => {
    await oneJob("coalesce", { kind: "cron", expression: "0 3 * * *", timeZone: "UTC" });
    await createWindow(context, erpWindow);
    const entry = await enterGate(context, { integration: "orders", leaseSeconds: 3_600 });
    if (!entry.entered) throw new Error("not entered");
    await time.set(start + 11 * minute);
    await turn();
    const quiesced = async () => (await database.sql<{ at: number | null }[]>`select quiesced_at as at from occurrence`)[0]?.at;
    expect(await quiesced()).toBeNull();
    await leaveGate(context, { runId: entry.runId, leaseToken: entry.leaseToken, outcome: "succeeded", exitCode: 0 });
    await turn();
    expect(await quiesced()).toBe(start + 11 * minute);
    expect(await enterGate(context, { integration: "orders", leaseSeconds: 60 })).toMatchObject({ entered: false });
  });

  it("two runs of capped systems never overlap past the cap", async () => {
    await seedCatalogue(database.sql, {
      systems: [{ key: "erp", maxConcurrentRuns: 2 }],
      integrations: [1, 2, 3, 4].map((n) => ({ key: `i${n}`, systems: ["erp"] })),
      jobs: [1, 2, 3, 4].map((n) => ({ key: `j${n}`, integration: `i${n}`, schedule: everyMinute })),
    });
    const first = await turn();
    expect(first.claimed).toHaveLength(2);
    expect((await turn()).claimed).toHaveLength(0);
    await finishAll(first.claimed.slice(0, 1));
    expect((await turn()).claimed).toHaveLength(1);
  });
});

describe("windows and their keys", () => {
  it("a window that was cancelled and is planned again with the same start holds again", async () => {
    await oneJob("coalesce");
    await createWindow(context, { ...erpWindow, key: "patch" });
    await time.set(start + 15 * minute);
    await turn();
    await cancelWindow(context, { key: "patch", reason: "called off" });
    expect((await askGate(database.db, "orders")).kind).toBe("open");
    await createWindow(context, { ...erpWindow, key: "patch" });
    expect((await askGate(database.db, "orders")).kind).toBe("held");
  });
});

describe("what waits", () => {
  /** The server's own rhythm: a pass every two seconds. */
  async function ticking(untilMs: number) {
    for (let now = await time.now(); now < untilMs; now = await time.now()) {
      await time.set(Math.min(untilMs, now + 2_000));
      const { claimed } = await turn();
      await finishAll(claimed);
    }
  }
  const everyFiveSeconds: JobSchedule = { kind: "interval", everySeconds: 5, startsAt: start };
  const rows = async (state: string) =>
    (await database.sql<{ n: number }[]>`select count(*)::integer as n from run where state = ${state}`)[0]?.n ?? 0;

  for (const catchUp of ["coalesce", "skip"] as const) {
    it(`a job that ${catchUp}s keeps a few rows in a window, however many due times fall into it`, async () => {
      await oneJob(catchUp, everyFiveSeconds);
      await createWindow(context, { ...erpWindow, series: { start: "2026-03-02T10:01", end: "2026-03-02T10:05", timeZone: "UTC" } });
      await ticking(start + 4.5 * minute);
      expect(await rows("held")).toBeLessThan(8);
      await ticking(start + 6 * minute);
      const ledger = await conservation(database.db, context.zones, { from: start, to: start + 6 * minute });
      expect(ledger.differences).toEqual([]);
      expect(ledger.expected).toBe(6 * 12);
    });
  }

  it("a job that is slower than its interval keeps one row of what waits", async () => {
    await oneJob("coalesce", everyFiveSeconds);
    await time.set(start);
    const first = await turn();
    expect(first.claimed).toHaveLength(1);
    for (let tick = 1; tick <= 60; tick += 1) {
      await time.set(start + tick * 2_000);
      await turn();
    }
    expect(await rows("queued")).toBeLessThan(8);
    await finishAll(first.claimed);
    const ledger = await conservation(database.db, context.zones, { from: start, to: start + 2 * minute });
    expect(ledger.differences).toEqual([]);
  });
});
