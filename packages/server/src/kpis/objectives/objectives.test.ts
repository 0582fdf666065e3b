import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MeasuredBench, measuredBench } from "../../../../../test/server/measured-bench.js";
import { usualAgreement } from "../sla-report.js";
import { deleteObjective, saveObjective } from "./commands.js";
import { evaluateObjective } from "./evaluate-objective.js";
import { lookAtObjective } from "./look-at-objectives.js";
import { objectiveByKey } from "./store.js";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse("2026-03-02T00:00:00Z");
/** Three days of good checks lie behind it. */
const now = start + 3 * day;

let bench: MeasuredBench;
beforeEach(async () => {
  bench = await measuredBench(start);
});
afterEach(() => bench?.close());

type Input = Parameters<typeof saveObjective>[1];
const save = async (more: Partial<Input> = {}) =>
  saveObjective(bench.context, {
    key: "orders-up",
    title: "Orders are up",
    scope: { kind: "integration", name: "orders" },
    indicator: "availability",
    kpi: null,
    limit: null,
    target: 0.999,
    periodDays: 28,
    agreement: usualAgreement,
    alerts: true,
    reason: "promised",
    ...more,
  });
const checks = (from: number, to: number, ok: (at: number) => boolean = () => true) => ({
  integration: "orders",
  metric: "check",
  from,
  to,
  ok,
});
const standing = async (key = "orders-up") => {
  const objective = await objectiveByKey(bench.database.db, key);
  if (objective === null) throw new Error("no objective");
  return {
    objective,
    ...(await evaluateObjective({ tx: bench.database.db, zones: bench.context.zones }, objective, await bench.time.now())),
  };
};
const events = async () =>
  (await bench.database.sql<{ kind: string }[]>`select kind from event_inbox where subject_kind = 'objective' order by id`).map(
    ({ kind }) => kind,
  );

describe("an objective of availability", () => {
  it("has a budget in eligible time: maintenance that was announced costs none, sudden downtime does", async () => {
    // Known two days before: 01:00 to 03:00 of the third day. Down from then until 03:03.
    await bench.window("patches", { systems: ["erp"], inMinutes: (2 * day + hour) / minute, minutes: 120 });
    const from = start + 2 * day + hour;
    await bench.push(checks(start, now, (at) => !(at >= from && at < from + 2 * hour + 3 * minute)));
    await save({ periodDays: 3 });
    await bench.time.set(now);
    const { figures, days, unit, objective } = await standing();
    expect(unit).toBe("ms");
    expect(figures.spent).toBe(3 * minute);
    expect(figures.valid).toBe(3 * day - 2 * hour);
    expect(days.map(({ spent }) => spent)).toEqual([0, 0, 3 * minute]);
    expect(objective.state).toBe("unknown");
    await bench.look();
    expect((await standing()).objective.state).toBe("met");
  });

  it("counts maintenance as downtime that the agreement does not allow", async () => {
    await bench.window("patches", { systems: ["erp"], inMinutes: (2 * day + hour) / minute, minutes: 120 });
    const from = start + 2 * day + hour;
    await bench.push(checks(start, now, (at) => !(at >= from && at < from + 2 * hour)));
    await save({ periodDays: 3, agreement: { ...usualAgreement, minimumNoticeMs: 7 * day } });
    await bench.lookAt(now);
    const { figures, objective } = await standing();
    expect(figures.spent).toBe(2 * hour);
    expect(objective.state).toBe("missed");
  });

  it("raises one alert when its budget burns, which comes to an incident of the system, and ends it when it is over", async () => {
    const down = now + 40 * minute;
    await bench.push(checks(start, now + hour, (at) => at < down));
    await save();
    await bench.lookAt(now + hour);
    await bench.lookAt(now + hour + minute);
    const raised = await bench.kpiAlerts();
    expect(raised).toMatchObject([
      {
        status: "firing",
        severity: "critical",
        endpoint: "erp-api",
        resource: "orders-up",
        labels: { rule: "14.4x", action: "page", integration: "orders" },
      },
      { status: "firing", severity: "major", labels: { rule: "6x", action: "page" } },
      { status: "firing", severity: "minor", labels: { rule: "3x", action: "ticket" } },
      { status: "firing", severity: "warning", labels: { rule: "1x", action: "ticket" } },
    ]);
    // 20 minutes are more than a thousandth of what is known.
    expect((await standing()).objective.state).toBe("missed");
    await bench.pass(60);
    expect(await bench.incidents()).toMatchObject([{ root: "erp", severity: "critical", state: "open" }]);
    const over = now + 1.5 * hour;
    await bench.push(checks(now + hour, now + 12 * hour, (at) => at >= over));
    await bench.lookAt(over + 10 * minute);
    expect((await bench.kpiAlerts())[0]).toMatchObject({ status: "resolved" });
    await bench.lookAt(now + 9 * hour);
    expect((await bench.kpiAlerts()).map(({ status }) => status)).toEqual(["resolved", "resolved", "resolved", "resolved"]);
    expect((await events()).filter((kind) => kind === "objective.burn-began")).toHaveLength(4);
    expect((await events()).filter((kind) => kind === "objective.burn-ended")).toHaveLength(4);
  });

  it("is at risk while it burns and something is left", async () => {
    await bench.push(checks(start, now + hour, (at) => at < now + 40 * minute));
    await save({ target: 0.99 });
    await bench.lookAt(now + hour);
    expect((await bench.kpiAlerts()).map(({ labels }) => labels["rule"])).toContain("14.4x");
    expect((await standing()).objective.state).toBe("at-risk");
    expect(await events()).toContain("objective.state-changed");
  });

  it("goes on after a process was killed, and with two servers at once, without a second alert", async () => {
    await bench.push(checks(start, now + hour, (at) => at < now + 40 * minute));
    await save();
    await bench.time.set(now + hour);
    const looked = await Promise.all([lookAtObjective(bench.context), lookAtObjective(bench.context), lookAtObjective(bench.context)]);
    expect(looked.filter(Boolean)).toHaveLength(1);
    expect(await bench.kpiAlerts()).toHaveLength(4);
    const failing = {
      ...bench.context,
      zones: new Proxy(bench.context.zones, {
        get: () => {
          throw new Error("killed");
        },
      }),
    };
    await bench.time.advance(minute);
    await expect(lookAtObjective(failing)).rejects.toThrow("killed");
    await bench.look();
    expect(await bench.kpiAlerts()).toHaveLength(4);
  });

  it("keeps its alert through a window, in which nothing is known to be well again", async () => {
    const agreement = { ...usualAgreement, minimumNoticeMs: 0 };
    await bench.push(checks(start, now + hour, (at) => at < now + 40 * minute));
    await save({ agreement });
    await bench.lookAt(now + hour);
    expect(await bench.kpiAlerts()).toHaveLength(4);
    await bench.window("patches", { systems: ["erp"], inMinutes: 0, minutes: 120 });
    await bench.push(checks(now + hour, now + 2 * hour, () => true));
    await bench.lookAt(now + 2 * hour);
    expect((await bench.kpiAlerts()).map(({ status }) => status)).toEqual(["firing", "firing", "firing", "firing"]);
  });

  it("keeps its alert while nothing is heard: no evidence is no recovery", async () => {
    await bench.push(checks(start, now + hour, (at) => at < now + 40 * minute));
    await save({ target: 0.99 });
    await bench.lookAt(now + hour);
    const firing = async () =>
      (await bench.kpiAlerts()).filter(({ status, labels }) => status === "firing" && labels["rule"] === "14.4x").length;
    expect(await firing()).toBe(1);
    await bench.lookAt(now + hour + 20 * minute);
    expect(await firing()).toBe(1);
  });

  it("raises none without an endpoint on its routes, or when it shall not, and says so", async () => {
    await bench.push(checks(start, now + hour, (at) => at < now + 40 * minute));
    await save({ alerts: false });
    await bench.lookAt(now + hour);
    expect(await bench.kpiAlerts()).toEqual([]);
    expect(await events()).toContain("objective.burn-began");
    await bench.database.sql`update integration set target_endpoint_id = null`;
    await bench.database.sql`delete from endpoint where key = 'erp-api'`;
    await save({ alerts: true });
    await bench.lookAt(now + hour + minute);
    expect(await bench.kpiAlerts()).toEqual([]);
    expect((await events()).filter((kind) => kind === "objective.burn-began")).toHaveLength(8);
  });

  it("ends its alerts when its terms change, and when it is deleted", async () => {
    await bench.push(checks(start, now + hour, (at) => at < now + 40 * minute));
    await save();
    await bench.lookAt(now + hour);
    await save({ target: 0.9, title: "Less" });
    expect((await bench.kpiAlerts()).every(({ status }) => status === "resolved")).toBe(true);
    await bench.time.advance(minute);
    await save({ target: 0.9995 });
    await bench.look();
    expect((await bench.kpiAlerts()).filter(({ status }) => status === "firing")).toHaveLength(4);
    await deleteObjective(bench.context, { key: "orders-up", reason: "gone" });
    expect((await bench.kpiAlerts()).filter(({ status }) => status === "firing")).toEqual([]);
    await expect(deleteObjective(bench.context, { key: "orders-up", reason: "gone" })).rejects.toMatchObject({
      code: "QSC_OBJECTIVE_NOT_FOUND",
    });
    const audited = await bench.database.sql<
      { action: string }[]
    >`select action from audit_entry where subject_kind = 'objective' order by id`;
    expect(audited.map(({ action }) => action)).toEqual(["objective.save", "objective.save", "objective.save", "objective.delete"]);
  });

  it("says why it knows nothing when its scope has lost its last integration", async () => {
    await save();
    await bench.database.sql`update integration set key = 'renamed' where key = 'orders'`;
    await bench.lookAt(now);
    expect(await objectiveByKey(bench.database.db, "orders-up")).toMatchObject({
      state: "unknown",
      problem: expect.stringMatching(/no integration/) as unknown,
    });
  });

  it("is refused with terms that are none", async () => {
    await expect(save({ target: 1 })).rejects.toMatchObject({ code: "QSC_OBJECTIVE_INVALID", field: "input.target" });
    await expect(save({ scope: { kind: "integration", name: "nothing" } })).rejects.toMatchObject({ code: "QSC_KPI_SCOPE" });
    await expect(save({ agreement: { ...usualAgreement, timeZone: "Mars/Base" } })).rejects.toMatchObject({
      code: "QSC_TIME_ZONE_UNKNOWN",
    });
    await expect(save({ reason: " " })).rejects.toMatchObject({ code: "QSC_OBJECTIVE_INVALID", field: "input.reason" });
  });
});

describe("an objective of events", () => {
  it("leaves out what began in announced maintenance or out of hours, to the minute", async () => {
    await bench.window("patches", { systems: ["erp"], inMinutes: (2 * day + 10.5 * hour) / minute, minutes: 45 });
    const window = { from: start + 2 * day + 10.5 * hour, to: start + 2 * day + 11.25 * hour };
    const bad = (at: number) => at >= window.from - 2 * minute && at < window.to + 3 * minute;
    const series = {
      integration: "orders",
      metric: "response",
      from: start,
      to: now,
      perMinute: 2,
      value: (at: number) => (bad(at) ? 900 : 100),
    };
    await bench.push(series);
    const hours = { days: [1, 2, 3, 4, 5, 6, 7], from: "08:00", to: "18:00" };
    await save({
      key: "fast",
      indicator: "latency",
      kpi: "response-time",
      limit: 300,
      periodDays: 3,
      agreement: { ...usualAgreement, serviceHours: [hours] },
    });
    await bench.time.set(now);
    const { figures, unit, days } = await standing("fast");
    expect(unit).toBe("events");
    expect(figures).toMatchObject({ valid: 2 * 60 * (3 * 10 - 0.75), spent: 10 });
    expect(days.map(({ valid }) => valid)).toEqual([1_200, 1_200, 1_110]);
  });

  it("counts the days of the agreement's zone", async () => {
    const series = { integration: "orders", metric: "delivery", from: start, to: now, ok: (at: number) => at !== start + day - hour };
    await bench.push(series);
    const agreement = { ...usualAgreement, timeZone: "Europe/Berlin" };
    await save({ key: "delivered", indicator: "share", kpi: "delivery-success", periodDays: 2, agreement });
    await bench.time.set(now);
    const { days, figures } = await standing("delivered");
    expect(figures.valid).toBe(2 * 1_440);
    // 23:00 to 23:00 of UTC.
    expect(days.map(({ valid }) => valid)).toEqual([1_380, 1_440, 60]);
  });
});
