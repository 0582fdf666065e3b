import type { JobSchedule, WindowInput } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlledTime } from "../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "../../../../test/server/controlled-dispatch.js";
import type { CommandContext } from "../command.js";
import type { Database } from "../db/client.js";
import { advanceWindows } from "../windows/advance.js";
import { cancelWindow, createWindow, updateWindow } from "../windows/commands.js";
import { expandWindows } from "../windows/expand.js";
import { setMode } from "../windows/hold-commands.js";
import { claimRuns, peekDue } from "./claim.js";
import { runNow } from "./commands.js";
import { explainJob } from "./explain.js";
import { finishRuns } from "./finish.js";
import { freePostponed } from "./free-postponed.js";
import { conservation } from "./ledger.js";
import { materialiseRuns } from "./materialise.js";
import { measureDurations } from "./measure-durations.js";
import { sweepReleased } from "./sweep-released.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
/** Ten minutes of every run, and a minute of margin. */
const leadMs = 11 * minute;
const windowAt = start + 60 * minute;

let dispatch: ControlledDispatch;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let worker: string;

beforeEach(async () => {
  dispatch = await controlledDispatch({ name: "would-not-finish-test", start });
  ({ database, time, context, worker } = dispatch);
});

afterEach(() => dispatch.close());

async function seedJob(schedule?: JobSchedule): Promise<void> {
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"] }],
    jobs: [{ key: "orders-sync", integration: "orders", ...(schedule === undefined ? {} : { schedule }) }],
  });
}

/** As many successful runs of ten minutes, seen by the pass that measures them. */
async function learnTenMinutes(samples: number): Promise<void> {
  await database.sql`select ensure_run_partitions(app_now() - interval '7 days', app_now())`;
  await database.sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, attempt, started_at, finished_at)
    select new_run_id(d), d, d, j.id, j.integration_id, i.bucket, 'manual', 'succeeded', d, 1, d, d + interval '10 minutes'
    from job as j join integration as i on i.id = j.integration_id
    cross join lateral (select app_now() - n * interval '1 hour' as d from generate_series(1, ${samples}::integer) as n) as due`;
  await database.sql`update job set durations_stale = true`;
  await measureDurations(context);
}

const window = (patch: Partial<WindowInput> = {}): WindowInput => ({
  title: "ERP patch",
  series: { start: "2026-03-02T11:00", end: "2026-03-02T12:00", timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "erp-team",
  reason: "patch",
  ...patch,
});

async function claimDue() {
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 500, after: null });
  return claimRuns(database.sql, { workerId: worker, runs, limit: 500 });
}

/** Orders a run at this instant and answers what the claim made of it. */
async function orderedAt(instantMs: number): Promise<string> {
  await time.set(instantMs);
  const { runId } = await runNow(context, { job: "orders-sync", reason: "test" });
  await claimDue();
  return stateOf(runId);
}

async function stateOf(runId: string): Promise<string> {
  const [row] = await database.sql<{ state: string; postponed: boolean }[]>`
    select state, postponed_until is not null as postponed from run where id = ${runId}::uuid`;
  if (row === undefined) return "gone";
  return row.postponed ? "postponed" : row.state;
}

async function waiting() {
  const rows = await database.sql<{ state: string; readyAt: number; postponedUntil: number | null; windowKey: string | null }[]>`
    select r.state, r.ready_at as "readyAt", r.postponed_until as "postponedUntil", w.key as "windowKey"
    from run as r left join hold as h on h.id = r.postponed_by left join occurrence as o on o.id = h.occurrence_id
    left join maintenance_window as w on w.id = o.window_id where r.state in ('queued', 'held') and r.due_at <= app_now() order by r.due_at`;
  return rows[0];
}

describe("a run that would not finish before a window", () => {
  it("does not start from the first millisecond on at which it would pass the window's start", async () => {
    await seedJob();
    await learnTenMinutes(40);
    await createWindow(context, window());
    expect(await orderedAt(windowAt - leadMs - 1)).toBe("running");
    await database.sql`update job set running_run_id = null`;
    expect(await orderedAt(windowAt - leadMs), "to end exactly at the start is in time").toBe("running");
    await database.sql`update job set running_run_id = null`;
    expect(await orderedAt(windowAt - leadMs + 1)).toBe("postponed");
    expect(await waiting()).toMatchObject({ readyAt: windowAt, postponedUntil: windowAt, windowKey: "erp-patch" });
  });

  it("waits for the window's beginning, is held by it, and runs after its end", async () => {
    await seedJob();
    await learnTenMinutes(40);
    await createWindow(context, window());
    expect(await orderedAt(windowAt - 5 * minute)).toBe("postponed");
    await time.set(windowAt - 1);
    expect((await claimDue()).claimed).toEqual([]);
    await time.set(windowAt);
    await claimDue();
    expect(await waiting()).toMatchObject({ state: "held", postponedUntil: null });
    await time.set(windowAt + 60 * minute);
    await advanceWindows(context);
    await sweepReleased(context);
    expect((await claimDue()).claimed).toHaveLength(1);
  });

  it("starts all the same with 19 samples, and does not with 20", async () => {
    await seedJob();
    await createWindow(context, window());
    await learnTenMinutes(19);
    expect(await orderedAt(windowAt - minute)).toBe("running");
    await database.sql`update job set running_run_id = null`;
    await time.set(start);
    await learnTenMinutes(1);
    const [job] = await database.sql<{ samples: number; p95Ms: number; leadMs: number }[]>`
      select duration_samples as samples, p95_ms as "p95Ms", finish_lead_ms as "leadMs" from job`;
    expect(job).toEqual({ samples: 20, p95Ms: 10 * minute, leadMs });
    expect(await orderedAt(windowAt - minute)).toBe("postponed");
  });

  it("is kept back no longer than the window's lead limit, and not at all at a limit of 0", async () => {
    await seedJob();
    await learnTenMinutes(40);
    await createWindow(context, window({ drain: { leadLimitMinutes: 5 } }));
    expect(await orderedAt(windowAt - 5 * minute)).toBe("running");
    await database.sql`update job set running_run_id = null`;
    expect(await orderedAt(windowAt - 5 * minute + 1)).toBe("postponed");
    await updateWindow(context, { key: "erp-patch", drain: { leadLimitMinutes: 0 } });
    expect(await freePostponed(context)).toBe(1);
    expect((await claimDue()).claimed).toHaveLength(1);
  });

  it("starts when its job is continuous", async () => {
    await seedJob();
    await learnTenMinutes(40);
    await createWindow(context, window());
    await database.sql`update job set continuous = true`;
    expect(await orderedAt(windowAt - 1)).toBe("running");
  });

  it("starts before a window, or in a deployment, that only observes", async () => {
    await seedJob();
    await learnTenMinutes(40);
    await createWindow(context, window({ mode: "observe" }));
    expect(await orderedAt(windowAt - minute)).toBe("running");
    await database.sql`update job set running_run_id = null`;
    await createWindow(context, window({ key: "second" }));
    expect(await orderedAt(windowAt - minute)).toBe("postponed");
    await setMode(context, { mode: "observe", reason: "test" });
    expect(await freePostponed(context)).toBe(1);
    expect((await claimDue()).claimed).toHaveLength(1);
  });

  it("is ready again at once when the window is cancelled or moved away, and waits for the next one that it would not finish before", async () => {
    await seedJob();
    await learnTenMinutes(40);
    await createWindow(context, window({ key: "first" }));
    await createWindow(context, window({ key: "second", series: { start: "2026-03-02T11:02", end: "2026-03-02T12:00", timeZone: "UTC" } }));
    expect(await orderedAt(windowAt - 5 * minute)).toBe("postponed");
    expect(await waiting()).toMatchObject({ windowKey: "first", readyAt: windowAt });
    expect(await freePostponed(context), "nothing has changed").toBe(0);

    await cancelWindow(context, { key: "first", reason: "not today" });
    expect(await freePostponed(context)).toBe(1);
    await claimDue();
    expect(await waiting()).toMatchObject({ windowKey: "second", readyAt: windowAt + 2 * minute });

    // Moved nearer: it waits for the new beginning.
    await updateWindow(context, { key: "second", series: { start: "2026-03-02T10:58", end: "2026-03-02T12:00", timeZone: "UTC" } });
    await freePostponed(context);
    await claimDue();
    expect(await waiting()).toMatchObject({ windowKey: "second", readyAt: windowAt - 2 * minute });

    await updateWindow(context, { key: "second", series: { start: "2026-03-02T14:00", end: "2026-03-02T15:00", timeZone: "UTC" } });
    await freePostponed(context);
    expect((await claimDue()).claimed).toHaveLength(1);
  });

  it("takes no place under a system's cap from one that can start", async () => {
    await seedCatalogue(database.sql, {
      systems: [{ key: "erp" }, { key: "shop", maxConcurrentRuns: 1 }],
      integrations: [
        { key: "orders", systems: ["shop", "erp"] },
        { key: "prices", systems: ["shop"] },
      ],
      jobs: [
        { key: "orders-sync", integration: "orders" },
        { key: "prices-sync", integration: "prices" },
      ],
    });
    await learnTenMinutes(40);
    await createWindow(context, window());
    await time.set(windowAt - minute);
    await runNow(context, { job: "orders-sync", reason: "test" });
    await runNow(context, { job: "prices-sync", reason: "test" });
    expect((await claimDue()).claimed.map((one) => one.jobKey)).toEqual(["prices-sync"]);
  });

  it("loses no due time: later ones wait with it, and the ledger accounts for each", async () => {
    await seedJob({ kind: "interval", everySeconds: 60, startsAt: start });
    await learnTenMinutes(40);
    await createWindow(context, window());
    for (let at = windowAt - leadMs - minute; at <= windowAt + 62 * minute; at += minute / 2) {
      await time.set(at);
      await expandWindows(context);
      await materialiseRuns(context);
      await advanceWindows(context);
      await freePostponed(context);
      await sweepReleased(context);
      const { claimed } = await claimDue();
      // Each takes no time at all here; what they are expected to take stands on the job.
      await finishRuns(context, {
        workerId: worker,
        runs: claimed.map(({ runId, dueAt, attempt, retry }) => ({
          runId,
          dueAt,
          attempt,
          retry,
          jitter: 0,
          outcome: { kind: "succeeded", figures: {} },
        })),
      });
    }
    const inside = await database.sql`
      select started_at from run where trigger = 'schedule' and started_at > ${windowAt - leadMs}::timestamptz and started_at < ${windowAt + 60 * minute}::timestamptz`;
    expect(inside).toEqual([]);
    const ledger = await conservation(database.db, context.zones, { from: start, to: windowAt + 62 * minute });
    expect(ledger.differences).toEqual([]);
    expect(ledger.accounted).toBe(ledger.expected);
  });

  it("is explained in a sentence", async () => {
    await seedJob();
    await learnTenMinutes(143);
    await createWindow(context, window());
    expect(await orderedAt(windowAt - 8 * minute)).toBe("postponed");
    const explained = await explainJob(database.db, "orders-sync");
    expect(explained.state).toBe("waiting");
    expect(explained.sentence).toContain(
      'would not finish: it takes up to 10 min (p95 of 143 runs), the window "ERP patch" begins in 8 min',
    );
  });
});
