import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertStages, type AlertWindow, type RuleWords, throughStages } from "./alert-stages.js";
import { type AlertTopology, waysUp } from "./alert-topology.js";
import { flapBeginnings, flapWindowMs } from "./flap-guard.js";
import { type AlertReason, mayMute, type PipedAlert } from "./piped-alert.js";

const now = Date.UTC(2027, 2, 28, 1, 0, 0);
const minute = 60_000;

type Said = Pick<AlertReason, "kind" | "rule" | "path" | "until" | "mutes">;
interface Verdict {
  readonly reasons: readonly Said[];
  readonly cause: number | null;
}
interface World {
  readonly topology: AlertTopology;
  readonly windows: readonly AlertWindow[];
  readonly rules: RuleWords;
}

const isBefore = (a: PipedAlert, b: PipedAlert): boolean => a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.id < b.id);

/**
 * What the stages say of one alert, looked for anew among all of them: slow, and without anything remembered from one alert to the next. The stages
 * themselves walk once for each thing.
 */
function verdictOf(alert: PipedAlert, all: readonly PipedAlert[], { topology, windows, rules }: World): Verdict {
  const reasons: Said[] = [];
  let cause: number | null = null;
  const say = (kind: AlertReason["kind"], rule: string, path: string, until: number | null = null): void => {
    reasons.push({ kind, rule, path, until, mutes: mayMute(alert.severity, kind) });
  };
  const isFiring = alert.status === "firing";
  if (alert.severity === "info") say("informational", "severity", alert.title);
  if (alert.suppressedBy.length > 0) say("monitor", alert.source, alert.suppressedBy.join(", "));

  const same = all.filter((one) => one.status === "firing" && one.node === alert.node && one.fingerprint === alert.fingerprint);
  const [original] = same.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
  if (isFiring && original !== undefined && original.id !== alert.id) {
    say("duplicate", "deduplicate", `#${original.id}`);
    cause = original.id;
  }

  const ofName = all.filter((one) => one.source === alert.source && one.fingerprint === alert.fingerprint);
  const beginnings = ofName.filter(({ startedAt }) => startedAt > now - flapWindowMs).length;
  if (beginnings >= (ofName.some(({ wasFlapping }) => wasFlapping) ? flapBeginnings.leave + 1 : flapBeginnings.enter))
    say("flapping", "flap-guard", `${beginnings} times`);

  const at = Math.min(now, alert.endedAt ?? now);
  for (const { key, localStart, startsAt, endsAt, covers } of windows) {
    if (startsAt > at || at >= endsAt) continue;
    const way = [...waysUp(topology, alert.node, 10)].find(({ node }) => covers.has(node));
    const path = covers.get(way?.node ?? "");
    if (way !== undefined && path !== undefined)
      say("window", `${key}@${localStart}`, way.node === alert.node ? path : `${way.path} (${path})`, endsAt);
  }

  const broken = (node: string) =>
    all
      .filter((one) => one.status === "firing" && one.severity !== "info" && one.node === node)
      .toSorted((a, b) => (isBefore(a, b) ? -1 : 1))[0];
  for (const way of isFiring ? waysUp(topology, alert.node, 3) : []) {
    const found = way.node === alert.node ? undefined : broken(way.node);
    if (found === undefined || [...waysUp(topology, way.node, 3)].some(({ node }) => node === alert.node)) continue;
    say("dependency", "dependency", way.path);
    cause = found.id;
    break;
  }

  const { suppressedBy, annotations } = rules(alert);
  for (const rule of annotations) reasons.push({ kind: "rule", rule, path: rule, until: null, mutes: false });
  if (suppressedBy !== null) say("rule", suppressedBy, suppressedBy);
  return { reasons, cause };
}

const node = fc.constantFrom("a", "b", "c", "d", "a1:", "m/x", "m/y");
const alertArbitrary = fc.record({
  // Put together, some pairs of a thing and a fingerprint look alike.
  source: fc.constantFrom("m", "n"),
  fingerprint: fc.constantFrom("f", "g", "1:", "1:f"),
  node,
  severity: fc.constantFrom("critical" as const, "major" as const, "info" as const),
  title: fc.constantFrom("it is down", "it is slow"),
  startedAt: fc.integer({ min: -15, max: 0 }).map((minutes) => now + minutes * minute),
  lastsMinutes: fc.option(fc.integer({ min: 0, max: 10 }), { freq: 3 }),
  suppressedBy: fc.constantFrom<readonly string[]>([], [], ["downtime 4"]),
  wasFlapping: fc.boolean(),
});
const windowArbitrary = fc.record({
  key: fc.constantFrom("patch", "move"),
  startsAt: fc.integer({ min: -20, max: 2 }).map((minutes) => now + minutes * minute),
  minutes: fc.integer({ min: 0, max: 30 }),
  covers: fc.array(node, { maxLength: 2 }),
});
const worldArbitrary = fc.record({
  alerts: fc.array(alertArbitrary, { maxLength: 25 }).map((all) =>
    all.map(({ lastsMinutes, ...one }, index): PipedAlert => ({
      ...one,
      id: index + 1,
      status: lastsMinutes === null ? "firing" : "resolved",
      endedAt: lastsMinutes === null ? null : Math.min(now, one.startedAt + lastsMinutes * minute),
      labels: {},
      incident: null,
      wasConsidered: false,
      reasons: [],
      cause: null,
    })),
  ),
  edges: fc.array(fc.tuple(node, node), { maxLength: 12 }),
  windows: fc.array(windowArbitrary, { maxLength: 3 }),
  suppressed: fc.option(node),
});

describe("stages that look at all alerts at once", () => {
  it("say of every alert what a look at it alone among the others says", () => {
    let reasons = 0;
    fc.assert(
      fc.property(worldArbitrary, ({ alerts, edges, windows, suppressed }) => {
        const topology = new Map<string, readonly string[]>();
        for (const [from, to] of edges) topology.set(from, [...new Set([...(topology.get(from) ?? []), to])].toSorted());
        const world: World = {
          topology,
          windows: windows.map(({ minutes, covers, ...one }) => ({
            ...one,
            title: one.key,
            localStart: "2027-03-28T01:00",
            endsAt: one.startsAt + minutes * minute,
            covers: new Map(covers.map((key) => [key, key])),
          })),
          rules: (alert) => ({
            suppressedBy: alert.node === suppressed && alert.severity !== "critical" ? "quiet" : null,
            annotations: alert.severity === "major" ? ["noted"] : [],
          }),
        };
        const piped = throughStages(alertStages(world), alerts, now);
        reasons += piped.reduce((sum, one) => sum + one.reasons.length, 0);
        expect(piped.map(({ id }) => id)).toEqual(alerts.map(({ id }) => id));
        for (const [at, one] of piped.entries()) {
          const said = one.reasons.map(({ reason: _reason, ...rest }) => rest);
          expect({ reasons: said, cause: one.cause }).toEqual(verdictOf(alerts[at] ?? one, alerts, world));
        }
      }),
      { numRuns: 500 },
    );
    expect(reasons).toBeGreaterThan(1_000);
  });
});
