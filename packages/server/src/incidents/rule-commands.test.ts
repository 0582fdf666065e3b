import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { deleteRule, previewRules, saveRules } from "./rule-commands.js";
import { loadRules } from "./rule-store.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const AWHILE = 60;
const hour = 3_600_000;

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
});
afterEach(() => bench?.close());

const preview = (rules: unknown, from = start - hour, to = start + hour) => previewRules(bench.database, { rules, from, to });
const save = (rules: unknown) => saveRules(bench.context, { rules, reason: "measured" });
const quietTests = { id: "tests", match: { node: ["archive"] }, action: "SUPPRESS" };

describe("rules tried on what was recorded", () => {
  it("make of it what the looks made of it, beside what they would make, and write nothing", async () => {
    await bench.says("erp");
    await bench.says("shop", { severity: "major" });
    await bench.says("archive", { severity: "minor" });
    await bench.pass(AWHILE);
    const written = async () =>
      (await bench.database.sql`select (select count(*) from event_inbox) as events, (select count(*) from audit_entry) as entries`)[0];
    const before = await written();
    const tried = await preview([quietTests]);
    expect(tried.summary).toBe("Would have made 1 incident of 3 alerts (now 2); suppresses 1 alert; hides no critical.");
    expect(tried.current.largest.map(({ rootNode, alerts }) => [rootNode, alerts.length])).toEqual([
      ["erp", 2],
      ["archive", 1],
    ]);
    expect((await bench.incidents()).map(({ root }) => root).toSorted()).toEqual(["archive", "erp"]);
    expect(await written()).toEqual(before);
    expect(await loadRules(bench.database.db)).toEqual([]);
  });

  it("are not tried on what a window kept quiet to its end, and are on what it let go at its end", async () => {
    await bench.window("erp-patch", { systems: ["erp"], inMinutes: 1, minutes: 5 });
    await bench.time.advance(60_000);
    await bench.says("erp");
    await bench.says("shop");
    await bench.pass(30);
    expect((await preview([])).alerts).toBe(0);
    await bench.says("shop", { status: "resolved" });
    await bench.time.advance(5 * 60_000);
    await bench.pass(AWHILE);
    const tried = await preview([]);
    expect(tried).toMatchObject({ alerts: 1, proposed: { incidents: 1 } });
    expect(tried.proposed.largest).toMatchObject([{ rootNode: "erp" }]);
  });

  it("take what was heard in the time that was asked for, half-open", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    expect((await preview([], start, start + 1)).alerts).toBe(1);
    expect((await preview([], start + 1)).alerts).toBe(0);
    expect((await preview([], start - hour, start)).alerts).toBe(0);
  });

  it("hide no critical alert, whatever they say", async () => {
    await bench.says("archive");
    await bench.pass(AWHILE);
    expect(await preview([quietTests])).toMatchObject({ hiddenCriticals: [], proposed: { incidents: 1, suppressed: 0 } });
  });

  it("are refused with the place that is wrong", async () => {
    await expect(preview([{ id: "a", holdSeconds: 60, windowSeconds: 30 }])).rejects.toMatchObject({
      code: "QSC_RULE_INVALID",
      field: "rules.0.holdSeconds",
    });
  });
});

describe("rules in force", () => {
  it("decide from the next look on, and no more when they are deleted", async () => {
    await save([quietTests, { id: "later" }]);
    await bench.says("archive", { severity: "minor" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toEqual([]);
    expect(await bench.reasons()).toContain("archive rule tests tests");
    await deleteRule(bench.context, { key: "tests", reason: "no tests any more" });
    expect((await loadRules(bench.database.db)).map(({ id }) => id)).toEqual(["later"]);
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ root: "archive" }]);
  });

  it("lose nothing to two who delete at once, and refuse to delete what is not there", async () => {
    await save([{ id: "a" }, { id: "b" }, { id: "c" }]);
    let both: readonly Promise<unknown>[] = [];
    // Nobody writes rules until both have come as far as they can: to read them would be allowed.
    await bench.database.sql.begin(async (other) => {
      await other`lock table correlation_rule in exclusive mode`;
      both = ["a", "c"].map((key) => deleteRule(bench.context, { key, reason: "at once" }));
      await vi.waitFor(
        async () =>
          expect(
            await bench.database.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          ).toHaveLength(2),
        { timeout: 60_000, interval: 10 },
      );
    });
    await Promise.all(both);
    expect((await loadRules(bench.database.db)).map(({ id }) => id)).toEqual(["b"]);
    await expect(deleteRule(bench.context, { key: "a", reason: "again" })).rejects.toMatchObject({ code: "QSC_RULE_NOT_FOUND" });
    await expect((async () => deleteRule(bench.context, { key: "b", reason: " " }))()).rejects.toMatchObject({
      code: "QSC_INCIDENT_REASON",
    });
  });
});
