import { afterEach, beforeEach, expect, it } from "vitest";
import { type MeasuredBench, measuredBench } from "../../../../../test/server/measured-bench.js";
import { deleteThreshold, saveThreshold } from "./commands.js";
import { lookAtThreshold } from "./look-at-thresholds.js";

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse("2026-03-02T00:00:00Z");

let bench: MeasuredBench;
beforeEach(async () => {
  bench = await measuredBench(start);
});
afterEach(() => bench?.close());

const save = async (more: Partial<Parameters<typeof saveThreshold>[1]> = {}) =>
  saveThreshold(bench.context, {
    key: "slow",
    title: "Slow answers",
    scope: { kind: "all", name: "" },
    kpi: "response-time",
    comparison: "above",
    value: 500,
    clearValue: 400,
    step: "minute",
    rule: "three-in-a-row",
    severity: "major",
    reason: "agreed",
    ...more,
  });
const answers = (from: number, to: number, value: (at: number) => number) => ({
  integration: "orders",
  metric: "response",
  from,
  to,
  value,
});
const eventKinds = async () =>
  (await bench.database.sql<{ kind: string }[]>`select kind from event_inbox where subject_kind = 'threshold' order by id`).map(
    ({ kind }) => kind,
  );

it("raises one alert from the first bad point on, and ends it at the first good one behind the value at which it clears", async () => {
  await save();
  await bench.lookAt(start + minute);
  const slow = start + 10 * minute;
  const fine = start + 20 * minute;
  // From fine on it lies between both values, from five minutes later on it is well.
  await bench.push(answers(start, start + hour, (at) => (at < slow ? 100 : at < fine ? 600 : at < fine + 5 * minute ? 450 : 100)));
  await bench.lookAt(slow + 2.6 * minute);
  expect(await bench.kpiAlerts()).toEqual([]);
  await bench.lookAt(slow + 4 * minute);
  await bench.lookAt(slow + 5 * minute);
  expect(await bench.kpiAlerts()).toMatchObject([
    {
      status: "firing",
      severity: "major",
      endpoint: "erp-api",
      resource: "slow",
      startedAt: slow,
      title: "Slow answers: response-time of orders is 600 ms, above 500 ms",
      labels: { threshold: "slow", integration: "orders", kpi: "response-time" },
    },
  ]);
  await bench.lookAt(fine + 5 * minute);
  expect(await bench.kpiAlerts()).toMatchObject([{ status: "firing" }]);
  await bench.lookAt(start + hour);
  const [orders] = await bench.database.sql`select state->'last' as last from threshold_state where state->>'last' is not null`;
  expect(orders?.["last"]).toEqual({ at: start + 58 * minute, value: 100 });
  expect(await bench.kpiAlerts()).toMatchObject([{ status: "resolved", startedAt: slow, endedAt: fine + 5 * minute }]);
  expect(await eventKinds()).toEqual(["threshold.saved", "threshold.broke", "threshold.cleared"]);
});

it("judges no history: what was bad before it was made raises nothing", async () => {
  await bench.push(answers(start, start + hour, () => 900));
  await bench.time.set(start + hour);
  await save();
  await bench.look();
  expect(await bench.kpiAlerts()).toEqual([]);
  await bench.push(answers(start + hour, start + 2 * hour, () => 900));
  await bench.lookAt(start + hour + 5 * minute);
  expect(await bench.kpiAlerts()).toHaveLength(1);
});

it("is silent in a window: its points neither break nor clear it", async () => {
  await save();
  await bench.lookAt(start + minute);
  await bench.window("patches", { systems: ["erp"], inMinutes: 9, minutes: 30 });
  await bench.push(answers(start, start + hour, (at) => (at >= start + 9 * minute && at < start + 41 * minute ? 900 : 100)));
  await bench.lookAt(start + 40 * minute);
  expect(await bench.kpiAlerts()).toEqual([]);
  await bench.lookAt(start + 50 * minute);
  // The two bad minutes that followed the window are not three.
  expect(await bench.kpiAlerts()).toEqual([]);
});

it("is looked at by one server at a time, and goes on where a killed one stood", async () => {
  await save();
  await bench.lookAt(start + minute);
  await bench.push(answers(start, start + hour, () => 900));
  await bench.time.set(start + 3 * minute);
  const looked = await Promise.all([lookAtThreshold(bench), lookAtThreshold(bench), lookAtThreshold(bench)]);
  expect(looked.filter(Boolean)).toHaveLength(1);
  await bench.lookAt(start + 4 * minute);
  await bench.lookAt(start + 10 * minute);
  expect(await bench.kpiAlerts()).toHaveLength(1);
});

it("ends its alerts when it changes, when it is deleted, and when an integration leaves its scope", async () => {
  await bench.database.sql`update integration set tags = '{sales}' where key = 'orders'`;
  await save({ scope: { kind: "tag", name: "sales" } });
  await bench.lookAt(start + minute);
  await bench.push(answers(start, start + 2 * hour, () => 900));
  await bench.lookAt(start + 10 * minute);
  const firing = async () => (await bench.kpiAlerts()).filter(({ status }) => status === "firing").length;
  expect(await firing()).toBe(1);
  await save({ scope: { kind: "tag", name: "sales" }, value: 700 });
  expect(await firing()).toBe(0);
  await bench.lookAt(start + 11 * minute);
  await bench.lookAt(start + 20 * minute);
  expect(await firing()).toBe(1);
  await bench.database.sql`update integration set tags = '{}' where key = 'orders'`;
  await bench.lookAt(start + 21 * minute);
  expect(await firing()).toBe(0);
  await bench.database.sql`update integration set tags = '{sales}' where key = 'orders'`;
  await bench.lookAt(start + 22 * minute);
  await bench.lookAt(start + 30 * minute);
  expect(await firing()).toBe(1);
  await deleteThreshold(bench.context, { key: "slow", reason: "gone" });
  expect(await firing()).toBe(0);
});

it("is refused with terms that are none", async () => {
  await expect(save({ clearValue: 900 })).rejects.toMatchObject({ code: "QSC_THRESHOLD_INVALID", field: "input.clearValue" });
  await expect(save({ key: "No Key" })).rejects.toMatchObject({ code: "QSC_THRESHOLD_INVALID", field: "input.key" });
  await expect(save({ scope: { kind: "team", name: "nobody" } })).rejects.toMatchObject({ code: "QSC_KPI_SCOPE" });
  await expect(deleteThreshold(bench.context, { key: "none", reason: "r" })).rejects.toMatchObject({ code: "QSC_THRESHOLD_NOT_FOUND" });
});
