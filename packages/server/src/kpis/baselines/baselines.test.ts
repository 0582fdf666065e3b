import { afterEach, beforeEach, expect, it } from "vitest";
import { type MeasuredBench, measuredBench } from "../../../../../test/server/measured-bench.js";
import { forgetSums } from "../retention/forget-sums.js";
import { deleteAnomalyRule, saveAnomalyRule } from "./commands.js";
import { learnBaselines } from "./learn-baselines.js";
import { anomaliesOf, bandsOf } from "./store.js";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse("2026-03-02T00:00:00Z");
/** Two days are known before anybody looks: 576 points. */
const now = start + 2 * day;

let bench: MeasuredBench;
let integrationId: number;
beforeEach(async () => {
  bench = await measuredBench(start);
  const [row] = await bench.database.sql<{ id: number }[]>`select id from integration where key = 'orders'`;
  integrationId = row?.id ?? 0;
});
afterEach(() => bench?.close());

/** Slower by day than by night, with some noise that is the same in every run. */
const usual = (at: number): number => 100 + 40 * Math.sin((at / day) * 2 * Math.PI) + (((at / minute) * 7_919) % 13);
const answers = (from: number, to: number, value: (at: number) => number = usual) => ({
  integration: "orders",
  metric: "response",
  from,
  to,
  value,
});
async function learnAt(at: number): Promise<void> {
  await bench.time.set(at);
  for (let more = true; more;) ({ more } = await learnBaselines(bench));
}
const found = () =>
  anomaliesOf(bench.database.db, { integrationId, kpi: "response-time", period: { start: start - day, end: start + 30 * day } });
const states = () =>
  bench.database.sql<{ throughAt: number; state: string }[]>`select through_at as "throughAt", state from kpi_baseline order by kpi`;
const rule = (more: Partial<Parameters<typeof saveAnomalyRule>[1]> = {}) =>
  saveAnomalyRule(bench.context, {
    key: "unusual",
    title: "Unusual",
    scope: { kind: "all", name: "" },
    kpi: null,
    severity: "minor",
    leastScore: 0.8,
    reason: "tried for a week",
    ...more,
  });

it("learns what is known already, finds a spike within minutes of it, and explains it", async () => {
  await bench.push(answers(start, now));
  await learnAt(now);
  expect(await found()).toEqual([]);
  const spike = now + 30 * minute;
  await bench.push(answers(now, now + hour, (at) => (at >= spike && at < spike + 5 * minute ? 2_000 : usual(at))));
  await learnAt(spike + 5 * minute);
  expect(await found()).toEqual([]);
  await learnAt(spike + 6 * minute);
  const [anomaly, ...others] = await found();
  expect(others).toEqual([]);
  expect(anomaly).toMatchObject({
    at: spike,
    isNewExtreme: true,
    explanation: expect.stringMatching(/2000 ms is above the usual .* ms/) as unknown,
  });
  expect(anomaly?.value).toBeCloseTo(2_000, -2);
  const events = await bench.database.sql<{ payload: object }[]>`select payload from event_inbox where kind = 'anomaly.found'`;
  expect(events).toMatchObject([{ payload: { kpi: "response-time", explanation: anomaly?.explanation } }]);
  // Nobody asked for alerts.
  expect(await bench.kpiAlerts()).toEqual([]);
});

it("has a band for every hour that follows the usual day", async () => {
  await bench.push(answers(start, now));
  await learnAt(now);
  const bands = await bandsOf(bench.database.db, { integrationId, kpi: "response-time", period: { start, end: now } });
  // 200 points are learned in silence: nearly 17 hours.
  expect(bands.length).toBeGreaterThan(29);
  for (const { low, high, expected } of bands) {
    expect(low).toBeLessThanOrEqual(high);
    expect(expected).toBeGreaterThan(50);
  }
});

it("neither judges nor learns what lies within a window", async () => {
  await bench.window("patches", { systems: ["erp"], inMinutes: (2 * day) / minute, minutes: 60 });
  await bench.push(answers(start, now));
  await learnAt(now + minute);
  const [before] = await states();
  await bench.push(answers(now, now + hour, () => 5_000));
  await learnAt(now + hour + minute);
  const [after] = await states();
  expect(await found()).toEqual([]);
  expect(after?.throughAt).toBeGreaterThan(before?.throughAt ?? 0);
  expect(after?.state === before?.state).toBe(true);
  // The first point after the window is judged by what was usual before it.
  await bench.push(answers(now + hour, now + 2 * hour, () => 5_000));
  await learnAt(now + hour + 10 * minute);
  expect(await found()).toHaveLength(1);
});

it("comes to the same with two servers, and in however many looks it reads", async () => {
  const series = answers(start, now + 3 * hour, (at) => (at >= now + hour && at < now + hour + 5 * minute ? 2_000 : usual(at)));
  await bench.push(series);
  await bench.time.set(now);
  // Of two looks at once one learns; the other goes away empty, or finds that nothing is left.
  const looks = await Promise.all([learnBaselines(bench), learnBaselines(bench)]);
  expect(looks.reduce((sum, look) => sum + look.series, 0)).toBe(1);
  for (let at = now; at <= now + 3 * hour; at += 5 * minute) await learnAt(at);
  const [stepwise] = await states();
  const anomalies = await found();
  expect(anomalies.length).toBeGreaterThan(0);
  await bench.database.sql`delete from kpi_baseline`;
  await bench.database.sql`delete from anomaly`;
  await learnAt(now + 3 * hour);
  const [atOnce] = await states();
  expect(atOnce?.state === stepwise?.state).toBe(true);
  expect((await found()).map(({ at, score, explanation }) => ({ at, score, explanation }))).toEqual(
    anomalies.map(({ at, score, explanation }) => ({ at, score, explanation })),
  );
});

it("raises an alert where a rule asks for it, once, and ends it half an hour after the last anomaly", async () => {
  await rule();
  await bench.push(answers(start, now));
  await learnAt(now);
  const spike = now + 30 * minute;
  await bench.push(answers(now, now + 2 * hour, (at) => (at >= spike && at < spike + 5 * minute ? 2_000 : usual(at))));
  await learnAt(spike + 6 * minute);
  await learnAt(spike + 12 * minute);
  expect(await bench.kpiAlerts()).toMatchObject([
    {
      status: "firing",
      severity: "minor",
      endpoint: "erp-api",
      resource: "orders/response-time",
      startedAt: spike,
      labels: { rule: "unusual", integration: "orders" },
    },
  ]);
  await learnAt(spike + 36 * minute);
  expect(await bench.kpiAlerts()).toMatchObject([{ status: "resolved", endedAt: spike + 30 * minute }]);
});

it("raises none of another figure, of a lower score, of history, or of a rule that is gone", async () => {
  await bench.push(answers(start, now));
  await learnAt(now);
  const spikeAt = async (at: number, from: number) => {
    await bench.push(answers(from, at + 10 * minute, (one) => (one >= at && one < at + 5 * minute ? 2_000 : usual(one))));
    return at;
  };
  await rule({ kpi: "run-time" });
  await rule({ key: "high", leastScore: 90 });
  await learnAt((await spikeAt(now + 30 * minute, now)) + 6 * minute);
  expect(await found()).toHaveLength(1);
  await deleteAnomalyRule(bench.context, { key: "unusual", reason: "r" });
  await deleteAnomalyRule(bench.context, { key: "high", reason: "r" });
  await expect(deleteAnomalyRule(bench.context, { key: "high", reason: "r" })).rejects.toMatchObject({
    code: "QSC_ANOMALY_RULE_NOT_FOUND",
  });
  await rule();
  // An anomaly that is found hours later is history.
  await bench.push(
    answers(now + 40 * minute, now + 3 * day, (at) => (at >= now + 2 * day && at < now + 2 * day + 5 * minute ? 9_000 : usual(at))),
  );
  await learnAt(now + 3 * day);
  expect((await found()).length).toBeGreaterThan(1);
  expect(await bench.kpiAlerts()).toEqual([]);
});

it("begins no more series than there is room for", async () => {
  await bench.push(answers(start, now), { ...answers(start, now), metric: "check" });
  await bench.time.set(now);
  expect(await learnBaselines(bench, 1)).toEqual({ series: 2, more: false });
  await bench.database.sql`delete from kpi_baseline where kpi = 'check-time'`;
  expect(await learnBaselines(bench, 1)).toEqual({ series: 0, more: false });
});

it("lets bands and anomalies go after 400 days", async () => {
  const ages = [399, 401];
  for (const age of ages) {
    const at = start - age * day;
    await bench.database
      .sql`insert into kpi_band (integration_id, kpi, at, low, high, expected) values (${integrationId}, 'run-time', ${at}::timestamptz, 1, 3, 2)`;
    await bench.database
      .sql`insert into anomaly (integration_id, kpi, at, value, score, view, seen, low, high, expected, new_extreme, explanation, found_at)
      values (${integrationId}, 'run-time', ${at}::timestamptz, 9, 3, 'value', 9, 1, 3, 2, true, 'slow', app_now())`;
  }
  expect(await forgetSums(bench)).toBe(2);
  const left = await bench.database.sql<{ at: number }[]>`select at from anomaly union all select at from kpi_band`;
  expect(left.map(({ at }) => at)).toEqual([start - 399 * day, start - 399 * day]);
});

it("is refused a rule that is none", async () => {
  await expect(async () => rule({ leastScore: 0 })).rejects.toMatchObject({ code: "QSC_ANOMALY_RULE_INVALID", field: "input.leastScore" });
  await expect(async () => rule({ key: "Not a key" })).rejects.toMatchObject({ code: "QSC_ANOMALY_RULE_INVALID", field: "input.key" });
  await expect(rule({ scope: { kind: "system", name: "none" } })).rejects.toMatchObject({ code: "QSC_KPI_SCOPE" });
});
