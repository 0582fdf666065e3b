import type { JobSchedule } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlledTime } from "../../../../test/database/control-time.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type ControlledDispatch, controlledDispatch } from "../../../../test/server/controlled-dispatch.js";
import type { CommandContext } from "../command.js";
import type { Database } from "../db/client.js";
import { claimRuns, peekDue } from "../runs/claim.js";
import { materialiseRuns } from "../runs/materialise.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { advanceWindows } from "./advance.js";
import { createWindow } from "./commands.js";
import { pause, resume, setMode } from "./hold-commands.js";
import { countsOfHolds } from "./queries.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const everyMinute: JobSchedule = { kind: "interval", everySeconds: 60, startsAt: start };

let dispatch: ControlledDispatch;
let database: Database;
let time: ControlledTime;
let context: CommandContext;
let worker: string;

beforeEach(async () => {
  dispatch = await controlledDispatch({ name: "advance-test", start });
  ({ database, time, context, worker } = dispatch);
  await seedCatalogue(database.sql, {
    integrations: [{ key: "orders" }],
    jobs: [{ key: "orders-sync", integration: "orders", schedule: everyMinute }],
  });
  await createWindow(context, {
    key: "patch",
    title: "patch",
    series: { start: "2026-03-02T10:00", end: "2026-03-02T10:10", timeZone: "UTC" },
    scope: { integrations: ["orders"] },
    owner: "erp-team",
    reason: "patch",
  });
});

afterEach(() => dispatch.close());

async function turn(): Promise<void> {
  await materialiseRuns(context);
  await advanceWindows(context);
  await sweepReleased(context);
  await advanceWindows(context);
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 500, after: null });
  await claimRuns(database.sql, { workerId: worker, runs, limit: 500 });
}

const occurrence = async () =>
  (
    await database.sql<{ holdId: number; quiescedAt: number | null; releasedAt: number | null; closedAt: number | null }[]>`
    select h.id as "holdId", o.quiesced_at as "quiescedAt", o.released_at as "releasedAt", o.closed_at as "closedAt"
    from occurrence as o join hold as h on h.occurrence_id = o.id`
  )[0];
const holdsOfHeldRuns = async () =>
  (await database.sql<{ heldBy: number[] }[]>`select distinct held_by as "heldBy" from run where state = 'held'`).map((row) => row.heldBy);
const events = async (kind: string) =>
  database.sql<{ payload: { heldBy?: number[] }; subject: string }[]>`
    select payload, subject_key as subject from event_inbox where kind = ${kind} order by id`;

describe("held runs whose hold ends while another covers them", () => {
  it("are held by the other from then on, are announced again, and the first window closes", async () => {
    await time.set(start + minute);
    await turn();
    const window = (await occurrence())?.holdId ?? 0;
    await time.set(start + 5 * minute);
    const manual = await pause(context, { scope: { integrations: ["orders"] }, until: null, reason: "checking" });
    await turn();
    expect(await holdsOfHeldRuns()).toContainEqual([window]);
    const announcedBefore = (await events("run.held")).length;

    await time.set(start + 10 * minute);
    await turn();
    expect(await occurrence()).toMatchObject({ releasedAt: start + 10 * minute, closedAt: start + 10 * minute });
    const now = await holdsOfHeldRuns();
    for (const heldBy of now) expect(heldBy).toContain(manual.holdId);
    expect(now).toContainEqual([window, manual.holdId]);
    const again = (await events("run.held")).slice(announcedBefore);
    expect(again.map((event) => event.payload.heldBy)).toContainEqual([manual.holdId]);

    const [held] = await database.sql<{ dues: number }[]>`select sum(due_count)::integer as dues from run where state = 'held'`;
    const counts = await countsOfHolds(database, [window, manual.holdId]);
    expect(counts.map((one) => one.heldRuns)).toEqual([0, held?.dues]);
    expect(held?.dues).toBeGreaterThanOrEqual(10);

    const settled = (await events("run.held")).length;
    await turn();
    expect(await events("run.held")).toHaveLength(settled);
    expect(await events("window.closed")).toHaveLength(1);
  });

  it("stay the window's own while it lasts, and keep it from closing until they are let go", async () => {
    await time.set(start + 5 * minute);
    const manual = await pause(context, { scope: { integrations: ["orders"] }, until: null, reason: "checking" });
    await turn();
    await resume(context, { holdId: manual.holdId, reason: "fine" });
    await turn();
    const window = (await occurrence())?.holdId ?? 0;
    for (const heldBy of await holdsOfHeldRuns()) expect(heldBy).toContain(window);
    await time.set(start + 10 * minute);
    await advanceWindows(context);
    expect(await occurrence()).toMatchObject({ releasedAt: start + 10 * minute, closedAt: null });
    await sweepReleased(context);
    await advanceWindows(context);
    expect(await occurrence()).toMatchObject({ closedAt: start + 10 * minute });
  });
});

describe("quiesced", () => {
  it("is not said while the deployment only observes, and is taken back when it begins to", async () => {
    await time.set(start + minute);
    await turn();
    expect((await occurrence())?.quiescedAt).toBe(start + minute);
    await setMode(context, { mode: "observe", reason: "trial" });
    await advanceWindows(context);
    expect((await occurrence())?.quiescedAt).toBeNull();
    expect(await events("window.unquiesced")).toHaveLength(1);
    await advanceWindows(context);
    expect((await occurrence())?.quiescedAt).toBeNull();
    await setMode(context, { mode: "enforce", reason: "in earnest" });
    await time.set(start + 2 * minute);
    await advanceWindows(context);
    expect((await occurrence())?.quiescedAt).toBe(start + 2 * minute);
  });
});
