import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scoreStorm } from "../../../../test/incidents/storm-score.js";
import { madeStorm, madeTopology, seeded } from "../../../../test/incidents/storm-world.js";
import { correlate, HistoryOfDecisions } from "./correlate.js";
import {
  CORRELATION_TICK_MS,
  type CorrelatedAlert,
  type CorrelatedIncident,
  type CorrelationDecision,
  type CorrelationSetting,
} from "./correlation.js";
import { tickOf } from "./correlation-lane.js";
import { type CorrelationRule, correlationRuleSchema } from "./correlation-rule.js";
import { Correlator } from "./correlator.js";

const start = Date.UTC(2026, 0, 5);
const second = 1_000;
let written = 0;
const alert = (node: string, atSeconds: number, more: Partial<CorrelatedAlert> = {}): CorrelatedAlert => ({
  id: `a${String((written += 1)).padStart(6, "0")}`,
  fingerprint: `${node}/ping`,
  node,
  severity: "major",
  title: `${node} is down`,
  source: "monitor",
  kind: "host",
  startedAt: start + atSeconds * second,
  heardAt: start + atSeconds * second,
  ...more,
});
const rule = (more: object): CorrelationRule => correlationRuleSchema.parse({ id: "rule", ...more });
const node = (key: string, ...dependsOn: string[]) => ({ key, dependsOn });
/** A switch with a host behind it that has a service, and a second host. */
const rack = [node("switch"), node("host", "switch"), node("service", "host"), node("other", "switch")];
const sets = (list: readonly { readonly alerts: readonly string[] }[]) =>
  new Set(list.map(({ alerts }) => alerts.toSorted(byText).join(" ")));
const byText = (a: string, b: string): number => (a < b ? -1 : 1);

describe("alerts of what depends on each other", () => {
  it("are one incident whose root is what the others depend on", () => {
    const alerts = [alert("switch", 0), alert("host", 5), alert("service", 9), alert("other", 20)];
    const [incident, ...more] = correlate({ topology: rack, rules: [] }, alerts).incidents;
    expect(more).toEqual([]);
    expect(incident).toMatchObject({ rootNode: "switch", rootAlert: alerts[0]?.id, notified: true });
    expect(incident?.alerts).toHaveLength(4);
  });

  it("find their root when it is heard of last, inside the hold", () => {
    const { incidents } = correlate({ topology: rack, rules: [] }, [alert("service", 0), alert("host", 8), alert("switch", 21)]);
    expect(incidents.map(({ rootNode }) => rootNode)).toEqual(["switch"]);
  });

  it("keep the incident that was raised when the root comes after the hold, and merge the younger ones into it", () => {
    const first = alert("host", 0);
    const { incidents } = correlate({ topology: rack, rules: [] }, [first, alert("other", 10), alert("switch", 55)]);
    expect(incidents).toMatchObject([{ incident: first.id, rootNode: "switch", merged: [expect.any(String)] }]);
    expect(incidents[0]?.alerts).toHaveLength(3);
  });

  it("stay apart when the one below began more than the slack before the one above", () => {
    expect(correlate({ topology: rack, rules: [] }, [alert("host", 0), alert("switch", 61)]).incidents).toHaveLength(2);
  });

  it("stay apart when only what both depend on would join them, and it is well", () => {
    expect(correlate({ topology: rack, rules: [] }, [alert("host", 0), alert("other", 2)]).incidents).toHaveLength(2);
  });

  it("are not joined by something that depends on both: two causes stay two incidents", () => {
    const topology = [node("a"), node("b"), node("both", "a", "b")];
    const { incidents } = correlate({ topology, rules: [] }, [alert("a", 0), alert("b", 3), alert("both", 6)]);
    expect(incidents.map(({ rootNode }) => rootNode).toSorted()).toEqual(["a", "b"]);
  });

  it("are not looked for beyond the hops of the rule", () => {
    const setting = (maxHops: number) => ({ topology: rack, rules: [rule({ topology: { maxHops, rootSlackSeconds: 60 } })] });
    const alerts = [alert("switch", 0), alert("host", 1)];
    expect(correlate(setting(0), alerts).incidents).toHaveLength(2);
    expect(correlate(setting(1), alerts).incidents).toHaveLength(1);
  });

  it("are one incident in a circle of dependencies, with the first of them as root", () => {
    const topology = [node("a", "b"), node("b", "c"), node("c", "a")];
    const { incidents } = correlate({ topology, rules: [] }, [alert("b", 0), alert("a", 5), alert("c", 9)]);
    expect(incidents.map(({ rootNode }) => rootNode)).toEqual(["b"]);
  });
});

describe("an incident", () => {
  it("takes repeats of a node, and begins anew after a silence longer than the window", () => {
    const { incidents } = correlate({ topology: [], rules: [] }, [alert("x", 0), alert("x", 290), alert("x", 900)]);
    expect(incidents.map(({ alerts }) => alerts.length)).toEqual([2, 1]);
  });

  it("is not made the cause of others by a node that chatters while another cause is there", () => {
    const topology = [node("noisy"), node("quiet"), node("both", "noisy", "quiet")];
    const chatter = Array.from({ length: 10 }, (_, n) => alert("noisy", n * 60));
    const { incidents } = correlate({ topology, rules: [] }, [...chatter, alert("quiet", 500), alert("both", 541)]);
    expect(incidents.find(({ rootNode }) => rootNode === "quiet")?.alerts).toHaveLength(2);
  });

  it("is not made the cause by what chatters, though its last beginning is the nearest in time", () => {
    const topology = [node("noisy"), node("quiet"), node("both", "noisy", "quiet")];
    const setting = { topology, rules: [] };
    const after = [alert("quiet", 1_500), alert("noisy", 1_530), alert("both", 1_541)];
    const rootOfBoth = (alerts: readonly CorrelatedAlert[]) =>
      correlate(setting, alerts).incidents.find((one) => one.alerts.includes(after[2]?.id ?? ""))?.rootNode;
    expect(rootOfBoth([alert("noisy", 300), alert("noisy", 900), ...after])).toBe("quiet");
    // With two beginnings it is no chatter, and the nearest is believed.
    expect(rootOfBoth([alert("noisy", 900), ...after])).toBe("noisy");
  });

  it("stays open for others as long as its newest node is no older than the window, and repeats do not keep it open", () => {
    const grown = [alert("switch", 0), alert("host", 250)];
    // 500 s after the switch, 250 after the host that came to it.
    expect(correlate({ topology: rack, rules: [] }, [...grown, alert("other", 500)]).incidents).toHaveLength(1);
    // The host says it again, and is the same trouble as before.
    expect(correlate({ topology: rack, rules: [] }, [...grown, alert("host", 540), alert("other", 600)]).incidents).toHaveLength(2);
  });

  it("looks for the cause no further than the hops of the rule: beyond them what is near in time decides", () => {
    const topology = [node("near"), node("far"), node("middle", "far"), node("below", "near", "middle")];
    const alerts = [alert("far", 0), alert("near", 20), alert("middle", 28), alert("below", 30)];
    const rootOfBelow = (maxHops: number) => {
      const rules = [rule({ topology: { maxHops, rootSlackSeconds: 60 } })];
      return correlate({ topology, rules }, alerts).incidents.find((one) => one.alerts.includes(alerts[3]?.id ?? ""))?.rootNode;
    };
    expect(rootOfBelow(3)).toBe("near");
    // One step away, the middle is the nearest; its own cause is the far one.
    expect(rootOfBelow(1)).toBe("far");
  });

  it("never mixes what groupBy keeps apart", () => {
    const rules = [rule({ groupBy: ["label:site"] })];
    const alerts = [alert("switch", 0, { labels: { site: "east" } }), alert("host", 4, { labels: { site: "west" } })];
    expect(correlate({ topology: rack, rules }, alerts).incidents).toHaveLength(2);
  });
});

describe("rules and storms", () => {
  it("suppress what is not critical with the rule's name, and leave critical ones alone", () => {
    const rules = [rule({ id: "lab", match: { node: ["lab-*"] }, action: "SUPPRESS" })];
    const alerts = [alert("lab-1", 0), alert("lab-1", 3, { severity: "critical" })];
    const { incidents, suppressed } = correlate({ topology: [], rules }, alerts);
    expect([...suppressed]).toEqual([[alerts[0]?.id, { kind: "rule", rule: "lab" }]]);
    expect(incidents).toMatchObject([{ severity: "critical", notified: true }]);
  });

  it("tell what a storm kept quiet when it is over, and a critical incident at once", () => {
    const correlator = new Correlator({ topology: [], rules: [rule({ storm: { enter: 20, leave: 5 }, holdSeconds: 0 })] });
    for (let n = 0; n < 30; n += 1) correlator.observe(alert(`x${n}`, 1, n === 7 ? { severity: "critical" } : {}));
    const during = correlator.tick(start + CORRELATION_TICK_MS);
    expect(during.filter(({ kind }) => kind === "notify")).toHaveLength(1);
    expect(during.flatMap((one) => (one.kind === "raise" && one.quiet.length > 0 ? [one.severity] : []))).toHaveLength(29);
    const after: CorrelationDecision[] = [];
    for (let tick = 2; tick < 20; tick += 1) after.push(...correlator.tick(start + tick * CORRELATION_TICK_MS));
    expect(after.filter((one) => one.kind === "notify" && one.why === "storm-over")).toHaveLength(29);
  });

  it("tell a quiet incident as soon as a critical alert comes to it, itself or by a merge", () => {
    const correlator = new Correlator({ topology: rack, rules: [rule({ storm: { enter: 20, leave: 5 }, holdSeconds: 0 })] });
    const tick = (n: number, ...alerts: readonly CorrelatedAlert[]) => {
      for (const one of alerts) correlator.observe(one);
      return correlator.tick(start + n * CORRELATION_TICK_MS).flatMap((one) => (one.kind === "notify" ? [one] : []));
    };
    const noise = Array.from({ length: 30 }, (_, n) => alert(`x${n}`, 1));
    const host = alert("host", 1);
    expect(tick(1, ...noise, host)).toEqual([]);
    expect(tick(2, alert("x3", 6, { severity: "critical" }))).toEqual([{ kind: "notify", incident: noise[3]?.id, why: "critical" }]);
    const other = alert("other", 11, { severity: "critical" });
    expect(tick(3, other)).toEqual([{ kind: "notify", incident: other.id, why: "raised" }]);
    // The switch joins both: the older one, which nobody was told of, takes in the one that was told.
    expect(tick(4, alert("switch", 16))).toEqual([{ kind: "notify", incident: host.id, why: "critical" }]);
  });

  it("refuse a rule whose hold is longer than its window, and keys that they do not know", () => {
    expect(correlationRuleSchema.safeParse({ id: "a", holdSeconds: 60, windowSeconds: 30 }).success).toBe(false);
    expect(correlationRuleSchema.safeParse({ id: "a", holdSecond: 60 }).error?.message).toContain("did you mean holdSeconds");
  });
});

const anyAlert = fc.record({
  node: fc.nat(24),
  atMs: fc.integer({ min: 0, max: 900_000 }),
  lateMs: fc.integer({ min: 0, max: 60_000 }),
  check: fc.nat(2),
  severity: fc.constantFrom("critical" as const, "major" as const, "info" as const),
  site: fc.constantFrom("east", "west"),
});
const anyRules = fc.subarray([
  rule({ id: "mute", match: { severity: ["info", "critical"], labels: { site: ["w*"] } }, action: "SUPPRESS" }),
  rule({ id: "note", match: { severity: ["major"] }, action: "ANNOTATE" }),
  rule({ id: "sites", match: { node: ["n1*"] }, groupBy: ["label:site"], windowSeconds: 60, holdSeconds: 10 }),
  rule({ id: "stormy", storm: { enter: 12, leave: 4 }, holdSeconds: 20 }),
]);
const anyWorld = fc.tuple(fc.nat(1_000), fc.array(anyAlert, { minLength: 1, maxLength: 120 }), anyRules).map(([seed, words, rules]) => ({
  setting: { topology: madeTopology(25, seeded(seed)), rules },
  alerts: words.map(({ node: number, atMs, lateMs, check, severity, site }, index) =>
    alert(`n${number}`, 0, {
      id: `w${String(index).padStart(4, "0")}`,
      fingerprint: `n${number}/${check}`,
      severity,
      labels: { site },
      startedAt: start + atMs,
      heardAt: start + atMs + lateMs,
    }),
  ),
}));

describe("whatever is heard", () => {
  it("a critical alert ends in an incident that is told, and every alert in one incident or on record as suppressed", () => {
    fc.assert(
      fc.property(anyWorld, ({ setting, alerts }) => {
        const { incidents, suppressed } = correlate(setting, alerts);
        const placed = incidents.flatMap((incident) => incident.alerts);
        expect([...placed, ...suppressed.keys()].toSorted()).toEqual(alerts.map(({ id }) => id).toSorted());
        const told = new Set(incidents.flatMap((incident) => (incident.notified ? incident.alerts : [])));
        for (const { id, severity } of alerts) if (severity === "critical") expect(told.has(id), id).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("the order of what is heard within a tick changes no incident", () => {
    fc.assert(
      fc.property(anyWorld, fc.nat(), ({ setting, alerts }, seed) => {
        const random = seeded(seed);
        const shuffled = alerts.map((one) => ({ one, by: tickOf(one.heardAt) + random() })).toSorted((a, b) => a.by - b.by);
        const run = (list: readonly CorrelatedAlert[]) => sets(inGivenOrder(setting, list));
        expect(run(shuffled.map(({ one }) => one))).toEqual(run(alerts.toSorted((a, b) => a.heardAt - b.heardAt)));
      }),
    );
  });

  it("what was raised stays: with everything that is heard later each incident keeps its key and its alerts, or is merged into another with them", () => {
    fc.assert(
      fc.property(anyWorld, fc.integer({ min: 1, max: 200 }), ({ setting, alerts }, ticks) => {
        const kill = start + ticks * CORRELATION_TICK_MS;
        const early = incidentsAt(setting, alerts, kill);
        const late = incidentsAt(setting, alerts, start + 1_500_000);
        const now = new Map(late.flatMap((one) => [one.incident, ...one.merged].map((key) => [key, new Set(one.alerts)] as const)));
        for (const { incident, alerts: ids } of early)
          for (const id of ids) expect(now.get(incident)?.has(id), `${id} of ${incident}`).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("a process that starts anew and folds the list again, in pieces or at once, decides the same", () => {
    fc.assert(
      fc.property(anyWorld, ({ setting, alerts }) => {
        const whole = correlate(setting, alerts.toReversed()).incidents;
        expect(incidentsAt(setting, alerts, start + 4_500_000)).toEqual(whole);
      }),
    );
  });
});

/** What a correlator that hears the alerts one by one has made of them by an instant. */
function incidentsAt(setting: CorrelationSetting, alerts: readonly CorrelatedAlert[], until: number): readonly CorrelatedIncident[] {
  const correlator = new Correlator(setting);
  const history = new HistoryOfDecisions();
  const waiting = alerts.toSorted((a, b) => a.heardAt - b.heardAt || (a.id < b.id ? -1 : 1));
  for (let now = tickOf(start); now <= until; now += CORRELATION_TICK_MS) {
    while (waiting[0] !== undefined && waiting[0].heardAt <= now) for (const one of waiting.splice(0, 1)) correlator.observe(one);
    for (const decision of correlator.tick(now)) history.add(decision, now);
  }
  return history.result().incidents;
}

function inGivenOrder(setting: CorrelationSetting, alerts: readonly CorrelatedAlert[]): readonly CorrelatedIncident[] {
  const correlator = new Correlator(setting);
  const history = new HistoryOfDecisions();
  let next = 0;
  for (let now = tickOf(start); now <= start + 1_200_000; now += CORRELATION_TICK_MS) {
    for (let one = alerts[next]; one !== undefined && tickOf(one.heardAt) <= now; one = alerts[(next += 1)]) correlator.observe(one);
    for (const decision of correlator.tick(now)) history.add(decision, now);
  }
  return history.result().incidents;
}

describe("a made-up hour of storms", () => {
  const world = (seed: number, late: number) =>
    madeStorm({ seed, nodes: 1_000, failures: 12, chattering: 0.02, alone: 0.03, late, latenessMs: 45_000 });
  // Seeds 1 to 8 were looked at while the walk was written; these were not.
  const heldOut = Array.from({ length: 8 }, (_, n) => 1_001 + n);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it.each([
    ["monitors in time", 0, 0.9],
    ["a third of the monitors late by up to 45 s", 0.33, 0.75],
    ["every monitor late by up to 45 s", 1, 0.75],
  ])("becomes incidents that agree with what failed: %s", (_, late, atLeast) => {
    const scores = heldOut.map((seed) => {
      const made = world(seed, late);
      const { incidents } = correlate({ topology: made.topology, rules: [] }, made.alerts);
      const told = new Set(incidents.flatMap((one) => (one.notified ? one.alerts : [])));
      for (const { id, severity } of made.alerts) if (severity === "critical") expect(told.has(id), `seed ${seed}, ${id}`).toBe(true);
      return scoreStorm(made, incidents);
    });
    expect(mean(scores.map(({ pairF1 }) => pairF1)), JSON.stringify(scores)).toBeGreaterThanOrEqual(atLeast);
    expect(mean(scores.map(({ root }) => root)), JSON.stringify(scores)).toBeGreaterThanOrEqual(0.9);
  });
});
