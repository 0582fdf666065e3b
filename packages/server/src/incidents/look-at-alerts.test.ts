import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { incidentBench, type IncidentBench } from "../../../../test/server/incident-bench.js";
import { takeAlerts } from "../alerts/take-alerts.js";
import { inTransaction, readNow } from "../command.js";
import { type AlertLook, lookAtAlerts } from "./look-at-alerts.js";

const start = Date.parse("2026-03-02T10:00:00Z");
/** Longer than an incident waits for its cause. */
const AWHILE = 60;
const PATIENCE = { timeout: 60_000, interval: 20 };

let bench: IncidentBench;
beforeEach(async () => {
  bench = await incidentBench(start);
});
afterEach(() => bench?.close());

const events = async (like: string) =>
  (await bench.database.sql<{ kind: string }[]>`select kind from event_inbox where kind like ${like} order by id`).map(({ kind }) => kind);

describe("alerts outside of windows", () => {
  it("come to one incident with the cause as its root, told once, and resolved when the last one ends", async () => {
    await bench.says("shop", { severity: "major" });
    await bench.says("erp");
    await bench.pass(10);
    await bench.says("newsletter", { severity: "minor" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toEqual([
      {
        id: 1,
        state: "open",
        severity: "critical",
        root: "erp",
        told: true,
        ownerTeam: "erp-team",
        mergedInto: null,
        alerts: ["shop", "erp", "newsletter"],
      },
    ]);
    expect(await bench.reasons()).toContain("shop dependency dependency shop > erp");
    for (const resource of ["erp", "newsletter"]) await bench.says(resource, { status: "resolved" });
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "open" }]);
    await bench.says("shop", { status: "resolved" });
    await bench.pass(10);
    expect(await bench.incidents()).toMatchObject([{ state: "resolved" }]);
    expect(await events("incident.told")).toEqual(["incident.told", "incident.told"]);
  });

  it("open the same incident again when they come back within half an hour, and another one later", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await bench.time.advance(20 * 60_000);
    await bench.says("erp");
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ id: 1, state: "open", alerts: ["erp", "erp"] }]);
    await bench.says("erp", { status: "resolved" });
    await bench.pass(10);
    await bench.time.advance(31 * 60_000);
    await bench.says("erp");
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([
      { id: 1, state: "resolved" },
      { id: 2, state: "open" },
    ]);
  });

  it("of one thing that two monitors watch are one incident", async () => {
    await bench.says("archive");
    await bench.says("archive", { monitor: "second" });
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ root: "archive", alerts: ["archive", "archive"] }]);
  });

  it("that have nothing to do with each other are incidents of their own", async () => {
    await bench.says("archive");
    await bench.says("db");
    await bench.says("web07", { severity: "warning" });
    await bench.pass(AWHILE);
    expect((await bench.incidents()).map(({ root }) => root).toSorted()).toEqual(["archive", "db", "nagios/web07"]);
  });

  it("that a monitor knows behind a parent come to the parent's incident", async () => {
    const behind = { severity: "major" as const, resource: { kind: "host", name: "", parents: ["switch"] } };
    for (let n = 1; n <= 20; n += 1) await bench.says(`host${n}`, { ...behind, resource: { ...behind.resource, name: `host${n}` } });
    await bench.says("switch");
    await bench.pass(AWHILE);
    const [incident, ...more] = await bench.incidents();
    expect(more).toEqual([]);
    expect(incident).toMatchObject({ root: "nagios/switch", severity: "critical" });
    expect(incident?.alerts).toHaveLength(21);
  });

  it("that flap stay in one incident that does not come and go with them", async () => {
    for (let times = 0; times < 6; times += 1) {
      await bench.says("archive", { severity: "major" });
      await bench.pass(10);
      await bench.says("archive", { severity: "major", status: "resolved" });
      await bench.pass(10);
    }
    const told = (await events("incident.told")).length;
    for (let times = 0; times < 6; times += 1) {
      await bench.says("archive", { severity: "major" });
      await bench.pass(10);
      await bench.says("archive", { severity: "major", status: "resolved" });
      await bench.pass(10);
    }
    expect(await bench.incidents()).toHaveLength(1);
    expect(await events("incident.told")).toHaveLength(told);
    await bench.time.advance(15 * 60_000);
    await bench.pass(5);
    expect(await bench.incidents()).toMatchObject([{ state: "resolved" }]);
  });

  it("that come back a third time in a month are linked to a problem", async () => {
    for (let times = 0; times < 3; times += 1) {
      await bench.says("erp");
      await bench.pass(AWHILE);
      await bench.says("erp", { status: "resolved" });
      await bench.pass(10);
      await bench.time.advance(3 * 3_600_000);
    }
    const rows = await bench.database.sql<{ root: string; incidents: number }[]>`
      select p.root_node as root, (select count(*)::integer from incident as i where i.problem_id = p.id) as incidents from problem as p`;
    expect([...rows]).toEqual([{ root: "erp", incidents: 3 }]);
  });
});

describe("alerts in a window", () => {
  it("raise nothing; what recovered inside is on record with the window, and what still fires at its end is raised once", async () => {
    await bench.window("erp-patch", { systems: ["erp"], inMinutes: 1, minutes: 10 });
    await bench.time.advance(60_000);
    await bench.says("erp");
    await bench.says("shop");
    await bench.pass(120);
    expect(await bench.incidents()).toEqual([]);
    expect((await bench.reasons()).filter((one) => one.includes(" window "))).toEqual([
      "erp window erp-patch@2026-03-02T10:01 erp",
      "shop window erp-patch@2026-03-02T10:01 shop > erp",
    ]);
    await bench.says("shop", { status: "resolved" });
    await bench.pass(8 * 60 + AWHILE);
    expect(await bench.incidents()).toMatchObject([{ root: "erp", alerts: ["erp"], told: true }]);
    await bench.pass(AWHILE);
    expect(await events("incident.opened")).toHaveLength(1);
    expect(await events("incident.told")).toHaveLength(1);
    // Nothing is hidden from the record.
    expect((await bench.database.sql`select from alert`).length).toBe(2);
    expect(await bench.reasons()).toContain("shop window erp-patch@2026-03-02T10:01 shop > erp");
  });

  it("of what a window does not take down are raised as ever: softly dependent systems and those that it does not name", async () => {
    await bench.window("erp-patch", { systems: ["erp"], inMinutes: 1, minutes: 10 });
    await bench.time.advance(60_000);
    await bench.says("newsletter");
    await bench.says("db");
    await bench.pass(AWHILE);
    expect((await bench.incidents()).map(({ root }) => root).toSorted()).toEqual(["db", "newsletter"]);
  });
});

describe("looks", () => {
  it("decide the same after a restart: a second database without incidents comes to the same ones from the alerts alone", async () => {
    await bench.says("shop", { severity: "major" });
    await bench.pass(20);
    await bench.says("erp");
    await bench.says("archive", { severity: "minor" });
    await bench.pass(AWHILE);
    const before = await bench.incidents();
    await bench.database.sql`truncate incident restart identity cascade`;
    await bench.database.sql`truncate alert_standing, alert_reason`;
    await bench.database.sql`insert into alert_standing (alert_id) select id from alert`;
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toEqual(before);
  });

  it("on two servers at once double nothing, whichever comes first", async () => {
    for (const resource of ["erp", "archive", "db"]) await bench.says(resource);
    for (let passed = 0; passed < AWHILE; passed += 5) {
      await bench.time.advance(5_000);
      await Promise.all([1, 2, 3, 4].map(() => lookAtAlerts({ database: bench.database })));
    }
    const found = await bench.incidents();
    expect(found.flatMap(({ alerts }) => alerts).toSorted()).toEqual(["archive", "db", "erp"]);
    expect(await events("incident.opened")).toHaveLength(found.length);
    expect(await events("incident.told")).toHaveLength(found.length);
  });

  it("that saw different alerts of one cause make one incident: while one decides, another goes away", async () => {
    const { database } = bench;
    // Heard first and committed late: who does not see it yet takes the next one for the first.
    let commit = (): void => undefined;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    const slow = inTransaction({ database }, async (tx) => {
      await tx.execute(sql`set local idle_in_transaction_session_timeout = 0`);
      const now = await readNow(tx);
      const [row] = await tx.execute<{ id: number }>(sql`select id from endpoint where key = 'second'`);
      const alert = {
        id: "late",
        fingerprint: "erp",
        status: "firing" as const,
        severity: "critical" as const,
        title: "erp is down",
        startsAt: new Date(now).toISOString(),
        resource: { kind: "host", name: "erp" },
      };
      await takeAlerts(tx, { endpoint: { id: row?.id ?? 0, key: "second" }, alerts: [alert], completeAsOf: null, now });
      await committed;
    });
    // A sequence says 1 also before its first number is taken.
    const isWritten = async () => (await database.sql<{ is_called: boolean }[]>`select is_called from alert_id_seq`)[0]?.is_called;
    await vi.waitFor(async () => expect(await isWritten()).toBe(true), PATIENCE);
    await bench.says("erp");
    await lookAtAlerts({ database });
    await bench.time.advance(40_000);

    const keeper = await database.sql.reserve();
    await keeper`begin`;
    await keeper`set local idle_in_transaction_session_timeout = 0`;
    await keeper`select from alert_standing where alert_id = 2 for update`;
    const waiting = async () =>
      (
        await database.sql<{ n: number }[]>`
        select count(*)::integer as n from pg_locks as l join pg_stat_activity as a on a.pid = l.pid
        where not l.granted and l.locktype in ('transactionid', 'tuple') and a.datname = current_database()`
      )[0]?.n;
    const one = lookAtAlerts({ database });
    await vi.waitFor(async () => expect(await waiting()).toBe(1), PATIENCE);
    commit();
    await slow;
    let answer: AlertLook | undefined;
    const other = lookAtAlerts({ database }).then((look) => (answer = look));
    await vi.waitFor(async () => expect(answer !== undefined || (await waiting()) === 2).toBe(true), PATIENCE);
    await keeper`commit`;
    keeper.release();
    await Promise.all([one, other]);
    await bench.pass(AWHILE);
    expect(await bench.incidents()).toMatchObject([{ root: "erp", alerts: ["erp", "erp"] }]);
    expect(answer).toMatchObject({ looked: false });
  });

  it("touch only the rows of alerts that stand otherwise than before", async () => {
    await bench.says("erp");
    await bench.says("shop", { severity: "major" });
    await bench.says("archive", { severity: "info" });
    await bench.pass(AWHILE);
    const rows = async () => [
      ...(await bench.database.sql<{ row: string }[]>`
        select a.resource_name || ' ' || t.ctid || ' ' || t.xmin as row from alert_standing as t join alert as a on a.id = t.alert_id
        union all select a.resource_name || ' reason ' || r.ctid || ' ' || r.xmin || ' ' || r.xmax from alert_reason as r join alert as a on a.id = r.alert_id
        order by 1`),
    ];
    const before = await rows();
    expect(before).toHaveLength(5);
    await bench.pass(30);
    expect(await rows()).toEqual(before);
    await bench.says("erp", { title: "erp is down and out" });
    await bench.pass(5);
    const after = new Set((await rows()).map(({ row }) => row));
    const touched = before.filter(({ row }) => !after.has(row)).map(({ row }) => row.split(" ")[0]);
    // The words of the reason of the shop name the alert of the ERP.
    expect(new Set(touched)).toEqual(new Set(["shop"]));
  });

  it("write the reasons of alerts of which nobody knows what was written last: those of an earlier version", async () => {
    await bench.says("erp");
    await bench.says("shop", { severity: "major" });
    await bench.pass(AWHILE);
    await bench.database.sql`update alert_standing set reasons_digest = null`;
    await bench.says("erp", { status: "resolved" });
    await bench.pass(5);
    expect(await bench.reasons()).toEqual([]);
    const ended = await bench.database.sql`select from alert_reason where kind = 'dependency' and ended_at is not null`;
    expect(ended).toHaveLength(1);
  });

  it("say that an alert is kept quiet, and once that nothing keeps it quiet any more", async () => {
    await bench.says("erp");
    await bench.says("shop", { severity: "major" });
    await bench.pass(AWHILE);
    expect(await events("alert.%suppressed")).toEqual(["alert.suppressed"]);
    await bench.says("erp", { status: "resolved" });
    await bench.pass(20);
    expect(await events("alert.%suppressed")).toEqual(["alert.suppressed", "alert.unsuppressed"]);
    await bench.says("shop", { severity: "major", status: "resolved" });
    await bench.pass(20);
    expect(await events("alert.%suppressed")).toHaveLength(2);
  });

  it("that find nothing new write nothing", async () => {
    await bench.says("erp");
    await bench.pass(AWHILE);
    const counts = async () =>
      (await bench.database.sql`select (select count(*) from event_inbox) as events, (select count(*) from audit_entry) as entries`)[0];
    const before = await counts();
    await bench.pass(30);
    expect(await counts()).toEqual(before);
  });
});
