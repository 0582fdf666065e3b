import { createIntl } from "react-intl";
import { describe, expect, it } from "vitest";
import { periodOf, stepOf } from "./period.js";
import { scopeInput, scopeOf } from "./scope.js";
import { agreementOf, kpiSearch } from "./search.js";
import { securityLosses } from "./security-losses.js";
import { bandColumns, maintenanceOnce, seriesColumns } from "./series-data.js";
import { availabilityText, changeText, figureText, wholeLength } from "./units.js";
import { drawnOf, type FigureNow, isUnmeasured, whyUnmeasured } from "./use-figures.js";
import { brokenWithin, judges } from "./use-thresholds.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (text: string) => Date.parse(text);
const intl = createIntl({ locale: "en-GB" });
const spanish = createIntl({ locale: "es-ES" });

describe("a period", () => {
  const zone = "Europe/Madrid";
  const now = at("2026-11-21T08:12:34Z");

  it("ends with the minute that runs", () => {
    expect(periodOf("day", { now, zone })).toEqual({ from: at("2026-11-20T08:13:00Z"), to: at("2026-11-21T08:13:00Z") });
  });
  it("begins at the zone's midnight, also where clocks change", () => {
    expect(periodOf("month", { now, zone })?.from).toBe(at("2026-10-31T23:00:00Z"));
    expect(periodOf("last-month", { now, zone })).toEqual({ from: at("2026-09-30T22:00:00Z"), to: at("2026-10-31T23:00:00Z") });
    expect(periodOf("last-month", { now: at("2026-01-05T00:00:00Z"), zone: "UTC" })).toEqual({
      from: at("2025-12-01T00:00:00Z"),
      to: at("2026-01-01T00:00:00Z"),
    });
  });
  it("has the second of two days in it, and is none in the wrong order or without days", () => {
    const one = periodOf("dates", { now, zone, first: "2026-10-25", last: "2026-10-25" });
    // The clocks went back: 25 hours.
    expect((one?.to ?? 0) - (one?.from ?? 0)).toBe(25 * HOUR_MS);
    for (const [first, last] of [
      ["2026-10-26", "2026-10-25"],
      ["", "2026-10-25"],
      ["2026-10-25", "nonsense"],
      ["2026-99-01", "2026-10-25"],
    ])
      expect(periodOf("dates", { now, zone, first, last })).toBeNull();
  });
  it("is drawn in steps of which one answer has enough", () => {
    const long = (ms: number) => stepOf({ from: 0, to: ms });
    expect([long(6 * HOUR_MS), long(6 * HOUR_MS + 1), long(60 * DAY_MS), long(60 * DAY_MS + 1)]).toEqual(["MINUTE", "HOUR", "HOUR", "DAY"]);
  });
});

describe("the address", () => {
  it("keeps what it knows, one scope alone, and reads numbers back as keys", () => {
    expect(
      kpiSearch({ system: 2027, tag: "x", period: "week", kpi: "queue-depth", notice: 48, approval: true, first: "2026-10-25" }),
    ).toEqual({
      system: "2027",
      period: "week",
      kpi: "queue-depth",
      notice: 48,
      approval: true,
      first: "2026-10-25",
    });
    expect(kpiSearch({ period: "ever", kpi: "x", notice: -1, allowance: "much", approval: "yes" })).toEqual({});
  });
  it("becomes the scope and the agreement of the API", () => {
    expect(scopeInput(scopeOf({ team: "sales" }))).toEqual({ team: "sales" });
    expect(scopeInput(scopeOf({}))).toBeNull();
    expect(agreementOf({ notice: 0.5 }, "UTC")).toEqual({
      timeZone: "UTC",
      minimumNoticeSeconds: 1_800,
      monthlyAllowanceSeconds: null,
      needsApproval: null,
    });
  });
});

describe("a series", () => {
  const figures = { value: 1, samples: 1, p50: 1, p95: 2, p99: 3 };
  it("has every step of its period, and nothing where nothing was measured", () => {
    const period = { from: at("2026-11-20T08:30:00Z"), to: at("2026-11-20T11:00:00Z") };
    const columns = seriesColumns([{ at: "2026-11-20T09:00:00Z", figures }], { period, step: "HOUR", lines: ["p95", "p50"] });
    expect(columns.at).toEqual([8, 9, 10].map((hour) => at("2026-11-20T00:00:00Z") / 1_000 + hour * 3_600));
    expect(columns.lines).toEqual([
      [null, 2, null],
      [null, 1, null],
    ]);
  });
  it("has the band of the hour that a step lies in, and none for days", () => {
    const bands = [{ at: "2026-11-20T09:00:00Z", low: 1, high: 5 }];
    const half = [at("2026-11-20T08:59:00Z") / 1_000, at("2026-11-20T09:59:00Z") / 1_000];
    expect(bandColumns(bands, { at: half, step: "MINUTE" })).toEqual({ low: [null, 1], high: [null, 5] });
    expect(bandColumns(bands, { at: half, step: "DAY" })).toBeNull();
    expect(bandColumns([], { at: half, step: "HOUR" })).toBeNull();
  });
  it("shades a window once, however many integrations it covered", () => {
    const one = (key: string, startsAt: string) => ({ key, startsAt, endsAt: startsAt });
    const integrations = [
      { maintenance: [one("b", "2026-11-21T00:00:00Z")] },
      { maintenance: [one("a", "2026-11-20T00:00:00Z"), one("b", "2026-11-21T00:00:00Z")] },
    ];
    expect(maintenanceOnce(integrations).map(({ key }) => key)).toEqual(["a", "b"]);
  });
});

describe("a figure", () => {
  it("of availability is cut, never rounded up", () => {
    expect([
      availabilityText(0.999996, intl),
      availabilityText(1, intl),
      availabilityText(0.29, intl),
      availabilityText(null, intl),
    ]).toEqual(["99.999%", "100.000%", "29.000%", "–"]);
    expect(availabilityText(0.999996, spanish)).toMatch(/^99,999\s%$/);
  });
  it("is told in its unit", () => {
    expect([
      figureText(9.46, "ms", intl),
      figureText(120, "ms", intl),
      figureText(1_240, "ms", intl),
      figureText(150_000, "ms", intl),
    ]).toEqual(["9.5 ms", "120 ms", "1.24 s", "3 min"]);
    expect([
      figureText(0.0123, "share", intl),
      figureText(12.34, "1/s", intl),
      figureText(42, "count", intl),
      figureText(null, "ms", intl),
    ]).toEqual(["1.23%", "12.3/s", "42", "–"]);
  });
  it("is compared in points of a percentage or in percent, and not with nothing", () => {
    expect(changeText(0.995, 0.99, { unit: "share", intl })).toBe("+0.5 pp");
    expect(changeText(80, 100, { unit: "ms", intl })).toBe("-20%");
    expect([
      changeText(1, null, { unit: "ms", intl }),
      changeText(1, 0, { unit: "ms", intl }),
      changeText(1, 1, { unit: "ms", intl }),
    ]).toEqual([null, null, null]);
  });
  it("of time is told to the millisecond, so that a row adds up", () => {
    expect([0, 90_061_001, DAY_MS, 7_553_999.9999].map(wholeLength)).toEqual(["0", "1 d 1 h 1 min 1 s 1 ms", "1 d", "2 h 5 min 54 s"]);
  });
});

describe("what lowers the security score", () => {
  const part = (name: "TLS" | "CERTIFICATE" | "ACCESS_REVIEW", weight: number, value: number | null) => ({
    part: name,
    weight,
    value,
    judged: 1,
    bad: 1,
  });
  it("is told in points that add up to what is missing, the most expensive first", () => {
    const losses = securityLosses([part("TLS", 20, 0.5), part("CERTIFICATE", 15, 1), part("ACCESS_REVIEW", 15, 0)]);
    expect(losses.map((one) => [one.part, one.lost])).toEqual([
      ["ACCESS_REVIEW", 30],
      ["TLS", 20],
      ["CERTIFICATE", 0],
    ]);
  });
  it("leaves out what cannot be had, whose weight falls to the others", () => {
    const losses = securityLosses([part("TLS", 20, null), part("ACCESS_REVIEW", 15, 0)]);
    expect(losses.map((one) => [one.part, one.lost])).toEqual([
      ["ACCESS_REVIEW", 100],
      ["TLS", null],
    ]);
  });
});

describe("a figure that nobody measures", () => {
  const none: FigureNow = { name: "response-time", kpi: "RESPONSE_TIME", unit: "ms", now: null, before: null };
  const runs: FigureNow = { ...none, name: "run-time", kpi: "RUN_TIME", now: 12 };
  it("has nothing now and had nothing before", () => {
    expect([none, runs, { ...none, before: 3 }].map(isUnmeasured)).toEqual([true, false, false]);
  });
  it("is drawn only when the address asks for it, or there is no other", () => {
    expect([drawnOf([none, runs], undefined), drawnOf([none, runs], "response-time"), drawnOf([none], undefined)]).toEqual([
      "run-time",
      "response-time",
      "response-time",
    ]);
  });
  it("names the metric that has to be handed in", () => {
    expect([whyUnmeasured("SYNC_ACCURACY"), whyUnmeasured("CHECK_TIME").reason, whyUnmeasured("RETRY_RATE").reason]).toEqual([
      { reason: "HANDED", metric: "sync" },
      "CHECKS",
      "RUNS",
    ]);
  });
});

describe("a threshold", () => {
  const scope = (of: { readonly [kind in "integration" | "system" | "team" | "tag"]?: string }) => ({
    scope: { integration: null, system: null, team: null, tag: null, ...of },
  });
  const orders = { kind: "integration", key: "orders" } as const;
  const about = { ownerTeam: "sales-team", tags: ["sales"], systems: [{ role: "VIA" as const, system: { id: "1", key: "erp" } }] };
  it("is shown with an integration that it judges, by its name or as one of many", () => {
    for (const of of [{ integration: "orders" }, { system: "erp" }, { team: "sales-team" }, { tag: "sales" }, {}])
      expect([of, judges(scope(of), orders, about)]).toEqual([of, true]);
    for (const of of [{ integration: "stock" }, { system: "shop" }, { team: "finance" }, { tag: "x" }])
      expect([of, judges(scope(of), orders, about)]).toEqual([of, false]);
  });
  it("is shown with another scope when it names that very one, and everything shows all", () => {
    const erp = { kind: "system", key: "erp" } as const;
    expect([judges(scope({ system: "erp" }), erp, null), judges(scope({ integration: "orders" }), erp, null)]).toEqual([true, false]);
    expect([judges(scope({ system: "erp" }), null, null), judges(scope({}), null, null)]).toEqual([true, true]);
  });
  it("is broken within an integration only where it is that one", () => {
    const broken = ["orders", "stock"].map((key) => ({
      since: "2026-11-21T08:00:00Z",
      hasAlert: true,
      integration: { id: key, key, name: key },
    }));
    expect(brokenWithin({ broken }, orders).map(({ integration }) => integration.key)).toEqual(["orders"]);
    expect(brokenWithin({ broken }, null)).toHaveLength(2);
  });
});
