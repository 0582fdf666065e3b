import type { Alert } from "@quiesce/sdk";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { statementsOf } from "../../../../test/server/statements-of.js";
import { endWindowEarly } from "../windows/occurrence-commands.js";
import { moveIncident } from "./commands.js";
import { type AlertLook, lookAtAlerts } from "./look-at-alerts.js";
import { saveRules } from "./rule-commands.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const MINUTE = 60_000;

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
});
afterEach(() => bench?.close());

const look = (): Promise<AlertLook> => lookAtAlerts({ database: bench.database });
/** Looks without the time going on, until nothing is left to do. */
const untilQuiet = async (): Promise<void> => {
  for (let looks = 0; !(await look()).quiet; looks += 1) expect(looks).toBeLessThan(10);
};

describe("a look after which nothing was written and no instant came", () => {
  it("reads no alert, however many fire", async () => {
    for (const resource of ["erp", "shop", "archive", "web1", "web2"]) await bench.says(resource);
    await bench.pass(60);
    await untilQuiet();
    let found: AlertLook | undefined;
    const statements = await statementsOf(bench.database, async () => (found = await look()));
    expect(found).toMatchObject({ looked: true, quiet: true, alerts: 0 });
    expect(statements.filter((statement) => /\balert\b|\balert_standing\b|\bincident\b|\bsystem\b|\bhold\b/.test(statement))).toEqual([]);
    expect(statements.length).toBeLessThanOrEqual(6);
  });

  it.each([
    ["an alert begins", () => bench.says("db")],
    ["an alert changes its words", () => bench.says("erp", { title: "erp is burning" })],
    ["an alert ends", () => bench.says("erp", { status: "resolved" })],
    [
      "a system comes to need another",
      () => bench.database.sql`insert into system_dependency (system_id, depends_on_id, strength)
      select a.id, b.id, 'hard' from system as a, system as b where a.key = 'archive' and b.key = 'erp'`,
    ],
    [
      "a monitor's names change",
      () => bench.database.sql`insert into system_monitor (system_id, endpoint_id, resources, suppress)
      select s.id, e.id, array['web1'], 'notifications' from system as s, endpoint as e where s.key = 'archive' and e.key = 'nagios'`,
    ],
    ["windows are only observed", () => bench.database.sql`update control set mode = 'observe'`],
    ["a window is made", () => bench.window("patch", { systems: ["erp"], inMinutes: 1, minutes: 10 })],
    ["a person moves an incident", () => moveIncident(bench.context, { id: 1, to: "acknowledged", reason: null, evenIfFiring: false })],
  ])("is over when %s", async (_what, happens) => {
    await bench.says("erp");
    await bench.pass(60);
    await untilQuiet();
    await happens();
    expect(await look()).toMatchObject({ looked: true, quiet: false });
  });

  it("does not miss what was written while it looked and committed afterwards", async () => {
    await bench.says("erp");
    await bench.pass(60);
    await untilQuiet();
    const other = await bench.database.sql.reserve();
    await other`begin`;
    await other`set local idle_in_transaction_session_timeout = 0`;
    await other`update alert set title = 'erp is burning'`;
    expect(await look()).toMatchObject({ quiet: true });
    await other`commit`;
    other.release();
    expect(await look()).toMatchObject({ quiet: false });
  });

  it("lasts until a window over an alert begins, and until it ends", async () => {
    await bench.window("patch", { systems: ["erp"], inMinutes: 30, minutes: 10 });
    await bench.says("erp");
    await bench.pass(10 * 60);
    const begins = start + 30 * MINUTE;
    for (const turn of [begins, begins + 10 * MINUTE]) {
      // Nothing else is due shortly before.
      await bench.time.set(turn - MINUTE);
      await untilQuiet();
      await bench.time.set(turn - 1);
      expect(await look()).toMatchObject({ quiet: true });
      await bench.time.set(turn);
      expect(await look()).toMatchObject({ quiet: false });
    }
  });

  it("lasts until correlation has waited long enough for a cause", async () => {
    await bench.says("erp");
    await untilQuiet();
    await bench.time.advance(20_000);
    expect(await look()).toMatchObject({ quiet: true });
    await bench.time.advance(20_000);
    expect(await look()).toMatchObject({ quiet: false, opened: 1 });
  });

  it("is whole again when the clock went back", async () => {
    await bench.says("erp");
    await bench.pass(60);
    await untilQuiet();
    await bench.time.advance(-MINUTE);
    expect(await look()).toMatchObject({ quiet: false });
  });
});

describe("whatever happens", () => {
  const resource = fc.constantFrom("erp", "shop", "db", "newsletter", "web1");
  const severity = fc.constantFrom<Alert["severity"]>("critical", "major", "warning", "info");
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ does: fc.constant("fires" as const), resource, severity }) },
    { weight: 5, arbitrary: fc.record({ does: fc.constant("ends" as const), resource }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("flaps" as const), resource, severity }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant("window" as const), resource: fc.constantFrom("erp", "db", "shop") }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("ends-window" as const) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("resolves" as const), incident: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("rule" as const), holdSeconds: fc.constantFrom(0, 30, 90) }) },
    {
      weight: 9,
      arbitrary: fc.record({
        does: fc.constant("waits" as const),
        seconds: fc.constantFrom(5, 5, 30, 30, 60, 200, 290, 600, 3_000, 90_000),
      }),
    },
  );
  const written = async (): Promise<unknown> => [
    await bench.database.sql`select md5(string_agg(t::text, '|' order by t.id)) as rows from incident as t`,
    await bench.database.sql`select md5(string_agg(t::text, '|' order by t.alert_id)) as rows from alert_standing as t`,
    await bench.database.sql`select md5(string_agg(t::text, '|' order by t.id)) as rows from alert_reason as t`,
    await bench.database.sql`select transaction_id from alert_news`,
  ];

  it("a whole look in the place of a quiet one would change nothing", { timeout: 600_000 }, async () => {
    const seen = { quiet: 0, whole: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { sql } = bench.database;
        await sql`truncate incident, alert, problem restart identity cascade`;
        await sql`update hold set released_at = app_now() where released_at is null`;
        await sql`delete from correlation_rule`;
        // What lies behind is not looked at any more.
        await bench.time.advance(3 * 3_600_000);
        let windows = 0;
        for (const one of steps) {
          if (one.does === "fires") await bench.says(one.resource, { severity: one.severity });
          if (one.does === "ends") await bench.says(one.resource, { status: "resolved" });
          if (one.does === "flaps")
            for (let times = 0; times < 5; times += 1) {
              await bench.says(one.resource, { severity: one.severity });
              await bench.time.advance(2_000);
              await bench.says(one.resource, { severity: one.severity, status: "resolved" });
            }
          if (one.does === "window") {
            windows += 1;
            await bench.window(`w${await bench.time.now()}-${windows}`, { systems: [one.resource], inMinutes: 1, minutes: 7 });
          }
          if (one.does === "ends-window") {
            const [open] = await sql<{ key: string }[]>`
              select w.key from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id
              where h.released_at is null and h.begins_at <= app_now() and h.expires_at > app_now() limit 1`;
            if (open !== undefined) await endWindowEarly(bench.context, { key: open.key, reason: "done" });
          }
          if (one.does === "resolves")
            await moveIncident(bench.context, { id: one.incident, to: "resolved", reason: "enough", evenIfFiring: true }).catch(
              () => undefined,
            );
          if (one.does === "rule")
            await saveRules(bench.context, { rules: [{ id: "all", holdSeconds: one.holdSeconds }], reason: "tried" });
          if (one.does === "waits") await bench.time.advance(one.seconds * 1_000);
          // What is left to do is done in the next look, and the time stands still.
          let found = await look();
          for (let again = 0; again < 3 && !found.quiet; again += 1) found = await look();
          seen[found.quiet ? "quiet" : "whole"] += 1;
          if (!found.quiet) continue;
          const before = await written();
          const [kept] = await sql<{ looked: Date; due: Date }[]>`select looked_at as looked, due_at as due from alert_look`;
          const whole = await lookAtAlerts({ database: bench.database }, { whole: true });
          expect(whole).toMatchObject({ quiet: false, opened: 0, changed: 0, told: 0 });
          expect(await written()).toEqual(before);
          // The next step meets the instant that was found before, not one that was found just now.
          if (kept !== undefined) await sql`update alert_look set looked_at = ${kept.looked}, due_at = ${kept.due}`;
        }
      }),
      { numRuns: 10 },
    );
    expect(seen.quiet).toBeGreaterThan(50);
  });
});
