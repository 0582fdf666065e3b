import { ConnectorError } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ResumeBench, resumeBench } from "../../../../test/server/resume-bench.js";
import { checkReadiness } from "./check-readiness.js";
import { updateWindow } from "./commands.js";
import { endWindowEarly, extendWindow } from "./occurrence-commands.js";
import { currentOrNextOccurrences } from "./queries.js";
import { resumeWindow } from "./resume-window.js";
import { occurrenceState } from "@quiesce/core";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const end = start + 10 * minute;
let bench: ResumeBench;

beforeEach(async () => {
  bench = await resumeBench({
    start,
    catalogue: {
      systems: [{ key: "erp" }, { key: "crm" }],
      integrations: [{ key: "orders", systems: ["erp"] }],
      jobs: [{ key: "orders-sync", integration: "orders", schedule: { kind: "interval", everySeconds: 60, startsAt: start } }],
    },
  });
  await bench.endpoint("erp-api", "erp");
  await bench.endpoint("crm-api", "crm");
});

afterEach(async () => {
  await bench.close();
});

const state = async () => {
  const [one] = await currentOrNextOccurrences(bench.database, [1]);
  return one === undefined ? "none" : occurrenceState(one, one.asOf);
};

/** Moves on in steps; answers when the first run started, or null. */
async function firstStart(until: number, stepMs = 5_000): Promise<number | null> {
  for (let now = await bench.time.now(); now < until; now = await bench.time.advance(stepMs)) {
    if ((await bench.turn()).length > 0) return now;
  }
  return null;
}

describe("the end of a window", () => {
  it("is a release when the systems of its scope are ready, within the turn", async () => {
    await bench.window();
    await bench.time.set(start + minute);
    await bench.turn();
    await bench.time.set(end);
    await bench.turn();
    expect(await state()).toBe("verifying");
    expect(await bench.turn()).toHaveLength(1);
    // What only others depend on is not asked: the scope names the ERP.
    expect(bench.asked).toEqual(["erp-api"]);
    expect(await bench.events("window.verification-started")).toMatchObject([{ checks: 1 }]);
  });

  it("holds on until they are, asking after 5, 10, 20 seconds, and nothing starts meanwhile", async () => {
    await bench.window();
    bench.answers.set("erp-api", new ConnectorError("unavailable", "connection refused"));
    await bench.time.set(end - minute);
    await bench.turn();
    await bench.time.set(end);
    expect(await firstStart(end + 30_000)).toBeNull();
    expect(await state()).toBe("verifying");
    // At the end, and 5 and 15 seconds after it.
    expect(bench.asked).toHaveLength(3);
    bench.answers.set("erp-api", { status: "up", inMaintenance: true });
    expect(await firstStart(end + 60_000)).toBeNull();
    expect((await bench.events("window.readiness-checked")).map((event) => event["error"])).toEqual([
      "unavailable: connection refused",
      "The system says that it is in maintenance.",
    ]);
    bench.answers.set("erp-api", { status: "degraded" });
    const startedAt = await firstStart(end + 3 * minute);
    expect(startedAt).toBeGreaterThanOrEqual(end + 75_000);
    expect(await bench.events("window.released")).toMatchObject([{ reason: "its systems are ready" }]);
  });

  it("is overrun after the policy's wait, says so once, goes on asking, and is released when they are ready", async () => {
    await bench.window({ resume: { readiness: { maxWaitMinutes: 1 } } });
    bench.answers.set("erp-api", { status: "down", message: "upgrade failed" });
    await bench.time.set(end - minute);
    await bench.turn();
    await bench.time.set(end);
    expect(await firstStart(end + 65_000)).toBeNull();
    expect(await state()).toBe("overrun");
    expect(await firstStart(end + 5 * minute, 10_000)).toBeNull();
    expect(await bench.events("window.overrun")).toMatchObject([
      { owner: "erp-team", failing: [{ endpoint: "erp-api", error: "down: upgrade failed" }] },
    ]);
    bench.answers.clear();
    expect(await firstStart(end + 15 * minute, 10_000)).not.toBeNull();
  });

  it("is released by hand with skipReadiness, on record; without it the systems are asked again at once", async () => {
    await bench.window();
    bench.answers.set("erp-api", { status: "down" });
    await bench.time.set(end);
    await bench.turn();
    await bench.turn();
    expect(bench.asked).toHaveLength(1);
    await resumeWindow(bench.context, { key: "patch", reason: "try now" });
    await bench.turn();
    expect(bench.asked).toHaveLength(2);
    await resumeWindow(bench.context, { key: "patch", skipReadiness: true, reason: "the check is broken" });
    expect(await bench.turn()).toHaveLength(1);
    const audit = await bench.database.sql`select action, reason from audit_entry where action like 'occurrence.%' order by id`;
    expect(audit).toEqual([
      { action: "occurrence.open", reason: "its start was reached" },
      { action: "occurrence.check", reason: "try now" },
      { action: "occurrence.release", reason: "the check is broken" },
    ]);
    await expect(resumeWindow(bench.context, { key: "patch", reason: "again" })).rejects.toThrow(/QSC_WINDOW_NOT_WAITING|waits to resume/);
  });

  it("that comes early asks as well, and cannot come twice", async () => {
    await bench.window();
    bench.answers.set("erp-api", { status: "down" });
    await bench.time.set(start + minute);
    await bench.turn();
    await endWindowEarly(bench.context, { key: "patch", reason: "done" });
    expect(await firstStart(start + 2 * minute, 20_000)).toBeNull();
    expect(await state()).toBe("verifying");
    await expect(endWindowEarly(bench.context, { key: "patch", reason: "done" })).rejects.toMatchObject({ code: "QSC_WINDOW_VERIFYING" });
    bench.answers.clear();
    expect(await firstStart(start + 4 * minute)).not.toBeNull();
  });

  it("that is moved later takes the question back, and asks anew at the new end", async () => {
    await bench.window();
    bench.answers.set("erp-api", { status: "down" });
    await bench.time.set(end);
    await bench.turn();
    await extendWindow(bench.context, { key: "patch", until: end + 10 * minute, reason: "not done" });
    bench.answers.clear();
    expect(await firstStart(end + 9 * minute, 20_000)).toBeNull();
    expect(await state()).toBe("quiesced");
    expect(await firstStart(end + 12 * minute, 20_000)).toBeGreaterThanOrEqual(end + 10 * minute);
  });

  it("asks nobody when the policy says so, when the systems have no endpoint, and when a connector cannot check", async () => {
    await bench.database.sql`delete from endpoint where key = 'erp-api'`;
    await bench.endpoint("erp-files", "erp", "silent");
    await bench.window();
    await bench.time.set(end);
    await bench.turn();
    expect(await bench.turn()).toHaveLength(1);
    await updateWindow(bench.context, { key: "patch", resume: { readiness: { check: false } } });
    expect(bench.asked).toEqual([]);
    const [row] = await bench.database.sql<{ resume: unknown }[]>`select resume from maintenance_window`;
    expect(row?.resume).toEqual({ readiness: { check: false, maxWaitMinutes: 30 }, canaries: 1, failureBound: 0.5, reconcile: false });
  });

  it("is asked by one of several servers at a time, and an answer that comes after its lease counts for nothing", async () => {
    await bench.window();
    await bench.time.set(end);
    await bench.turn();
    const open: (() => void)[] = [];
    const slow = {
      isReady: () =>
        new Promise<{ ready: boolean; why: null }>((resolve) => {
          open.push(() => resolve({ ready: true, why: null }));
        }),
    };
    await bench.database.sql`update readiness_check set ok = false, attempts = 0, next_at = app_now()`;
    await bench.database.sql`update occurrence set released_at = null, closed_at = null`;
    const first = checkReadiness({ database: bench.database, probe: slow });
    await expect.poll(() => open.length).toBe(1);
    expect(await checkReadiness({ database: bench.database, probe: slow })).toBe(0);
    // Its server is taken for dead, and another asks.
    await bench.time.advance(31_000);
    bench.answers.set("erp-api", { status: "down" });
    expect(await checkReadiness({ database: bench.database, probe: bench.probe })).toBe(1);
    open[0]?.();
    await first;
    const [row] = await bench.database.sql<{ ok: boolean; attempts: number }[]>`select ok, attempts from readiness_check`;
    expect(row).toEqual({ ok: false, attempts: 2 });
  });
});
