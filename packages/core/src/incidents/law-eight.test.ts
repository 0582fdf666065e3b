import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertStages, type AlertWindow, throughStages } from "../alerts/alert-stages.js";
import { waysUp } from "../alerts/alert-topology.js";
import { joinsIncident, type PipedAlert } from "../alerts/piped-alert.js";
import { decideNotice } from "./decide-notice.js";
import type { IncidentState } from "./incident-state.js";
import { type AlertGroup, type KnownIncident, planIncidents } from "./plan-incidents.js";

const SECOND = 1_000;
const TICK = 20 * SECOND;
const END = 1_500 * SECOND;

const nodes = ["erp", "shop", "crm", "db", "nagios/web01", "nagios/web02"] as const;
const severity = fc.constantFrom<PipedAlert["severity"]>("critical", "critical", "major", "minor", "warning", "info");
const instant = fc.integer({ min: 0, max: 1_200 }).map((seconds) => seconds * SECOND);
const node = fc.constantFrom(...nodes);

const story = fc.record({
  needs: fc.array(fc.tuple(node, node), { maxLength: 8 }),
  alerts: fc.array(
    fc.record({
      node,
      severity,
      fingerprint: fc.constantFrom("a", "b"),
      source: fc.constantFrom("nagios", "alertmanager"),
      startedAt: instant,
      lasts: fc.option(fc.integer({ min: 0, max: 200 }), { nil: null, freq: 4 }),
      lateBy: fc.integer({ min: 0, max: 45 }),
      silenced: fc.boolean(),
      worsens: fc.option(fc.integer({ min: 1, max: 400 }), { nil: null, freq: 2 }),
    }),
    { maxLength: 40 },
  ),
  // A storm, and one that comes and goes.
  storm: fc.option(fc.record({ at: instant, severity, count: fc.integer({ min: 10, max: 40 }) }), { nil: null }),
  flaps: fc.option(
    fc.record({ node, severity, at: instant, everySeconds: fc.integer({ min: 3, max: 60 }), times: fc.integer({ min: 5, max: 20 }) }),
    {
      nil: null,
    },
  ),
  windows: fc.array(fc.record({ node, startsAt: instant, lasts: fc.integer({ min: 60, max: 900 }) }), { maxLength: 4 }),
  rules: fc.array(fc.record({ fingerprint: fc.constantFrom("a", "b"), node }), { maxLength: 3 }),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

interface Told extends Omit<
  PipedAlert,
  "status" | "incident" | "wasFlapping" | "wasConsidered" | "cause" | "reasons" | "labels" | "title"
> {
  readonly heardAt: number;
  /** From then on its monitor calls it critical. */
  readonly criticalFrom: number;
}

function toldOf({ alerts, storm, flaps }: Story): readonly Told[] {
  const single = alerts.map(({ lasts, lateBy, silenced, worsens, ...one }) => ({
    ...one,
    criticalFrom: worsens === null ? Number.POSITIVE_INFINITY : one.startedAt + (lateBy + worsens) * SECOND,
    endedAt: lasts === null ? null : one.startedAt + lasts * SECOND,
    heardAt: one.startedAt + lateBy * SECOND,
    suppressedBy: silenced ? ["downtime 7"] : [],
  }));
  const many = Array.from({ length: storm?.count ?? 0 }, (_, n) => ({
    node: nodes[n % nodes.length] ?? "erp",
    severity: n === 0 ? ("critical" as const) : (storm?.severity ?? "minor"),
    fingerprint: `storm ${n}`,
    source: "nagios",
    startedAt: storm?.at ?? 0,
    endedAt: null,
    heardAt: storm?.at ?? 0,
    suppressedBy: [],
    criticalFrom: Number.POSITIVE_INFINITY,
  }));
  const coming = Array.from({ length: flaps?.times ?? 0 }, (_, n) => {
    const startedAt = (flaps?.at ?? 0) + n * (flaps?.everySeconds ?? 1) * SECOND;
    return {
      node: flaps?.node ?? "erp",
      severity: flaps?.severity ?? "minor",
      fingerprint: "flaps",
      source: "nagios",
      startedAt,
      endedAt: startedAt + SECOND,
      heardAt: startedAt,
      suppressedBy: [],
      criticalFrom: Number.POSITIVE_INFINITY,
    };
  });
  return [...single, ...many, ...coming].toSorted((a, b) => a.heardAt - b.heardAt).map((one, index) => ({ id: index + 1, ...one }));
}

/** Groups by the furthest thing that is needed and has an alert: what correlation does, in its simplest form. */
function groupsOf(alerts: readonly PipedAlert[], topology: ReadonlyMap<string, readonly string[]>): readonly AlertGroup[] {
  const joining = alerts.filter(joinsIncident);
  const broken = new Map(joining.toReversed().map((alert) => [alert.node, alert]));
  const groups = new Map<string, { rootNode: string; rootAlert: number; alerts: number[] }>();
  for (const alert of joining) {
    let root = alert;
    for (const way of waysUp(topology, alert.node, 3)) root = broken.get(way.node) ?? root;
    const group = groups.get(root.node) ?? { rootNode: root.node, rootAlert: root.id, alerts: [] };
    group.alerts.push(alert.id);
    groups.set(root.node, group);
  }
  return [...groups.values()];
}

interface Incident extends KnownIncident {
  mergedInto: number | null;
  told: { severity: PipedAlert["severity"]; over: boolean } | null;
}

/** Looks at everything again and again, as a server does, and writes down what it decided. */
function play(told: Story) {
  const heard = toldOf(told);
  const topology = new Map<string, string[]>();
  // Without circles, as correlation sees a topology once things that need each other are one.
  for (const [from, to] of told.needs) if (nodes.indexOf(from) < nodes.indexOf(to)) topology.set(from, [...(topology.get(from) ?? []), to]);
  const windows = told.windows.map((one, n): AlertWindow => ({
    key: `window-${n}`,
    title: "Patches",
    localStart: "2026-01-01T02:00",
    startsAt: one.startsAt,
    endsAt: one.startsAt + one.lasts * SECOND,
    covers: new Map([[one.node, one.node]]),
  }));
  const stages = alertStages({
    topology,
    windows,
    rules: (alert) => ({
      suppressedBy: told.rules.some((rule) => rule.fingerprint === alert.fingerprint && rule.node === alert.node) ? "quiet" : null,
      annotations: [],
    }),
  });
  const home = new Map<number, number>();
  const flapping = new Set<number>();
  const listed = new Map<number, string>();
  const incidents = new Map<number, Incident>();
  let notices = 0;
  let emptyAgain = true;
  const look = (now: number, repeat: boolean): void => {
    const alerts = heard
      .filter(({ heardAt }) => heardAt <= now)
      .map(({ heardAt: _heardAt, endedAt, criticalFrom, ...one }): PipedAlert => ({
        ...one,
        severity: criticalFrom <= now && criticalFrom < (endedAt ?? END) ? "critical" : one.severity,
        title: one.fingerprint,
        labels: {},
        status: endedAt !== null && endedAt <= now ? "resolved" : "firing",
        endedAt: endedAt !== null && endedAt <= now ? endedAt : null,
        incident: home.get(one.id) ?? null,
        wasFlapping: flapping.has(one.id),
        wasConsidered: false,
        reasons: [],
        cause: null,
      }));
    const piped = throughStages(stages, alerts, now);
    flapping.clear();
    for (const alert of piped) {
      if (alert.reasons.some(({ kind }) => kind === "flapping")) flapping.add(alert.id);
      const window = alert.reasons.find(({ kind, mutes }) => kind === "window" && mutes);
      if (window === undefined) listed.delete(alert.id);
      else listed.set(alert.id, window.rule);
    }
    const plan = planIncidents({ alerts: piped, incidents: [...incidents.values()], groups: groupsOf(piped, topology) }, now);
    if (repeat && (plan.opens.length > 0 || plan.changes.length > 0)) emptyAgain = false;
    for (const one of plan.opens) {
      const id = incidents.size + 1;
      incidents.set(id, {
        ...one,
        id,
        state: "open",
        openedAt: now,
        resolvedAt: null,
        mergedInto: null,
        told: null,
        placedByPeople: false,
        keptOpen: false,
      });
      for (const alert of one.alerts) home.set(alert, id);
    }
    for (const change of plan.changes) {
      const incident = incidents.get(change.id);
      if (incident === undefined) throw new Error("a change of nothing");
      for (const alert of change.joins) home.set(alert, change.id);
      const state: IncidentState = change.mergedInto === null ? (change.state ?? incident.state) : "merged";
      const resolvedAt = change.state === "resolved" ? now : incident.resolvedAt;
      const rootNode = change.root?.node ?? incident.rootNode;
      incidents.set(change.id, {
        ...incident,
        rootNode,
        severity: change.severity,
        state,
        resolvedAt,
        mergedInto: change.mergedInto ?? incident.mergedInto,
      });
      if (change.mergedInto !== null) for (const [alert, id] of home) if (id === change.id) home.set(alert, change.mergedInto);
    }
    for (const incident of incidents.values()) {
      const notice = decideNotice({ ...incident, quiet: true });
      if (notice === null) continue;
      notices += 1;
      incident.told = { severity: incident.severity, over: incident.state === "resolved" || incident.state === "closed" };
    }
  };
  for (let now = 0; now <= END; now += TICK) {
    look(now, false);
    // What was over before anybody looked opens an incident first and resolves it then.
    look(now, false);
    look(now, true);
  }
  look(END + 3_600 * SECOND, false);
  return { heard, home, listed, incidents, windows, notices, emptyAgain };
}

describe("law 8", () => {
  it("has every critical alert in an incident that was told, or listed under the window in which it recovered, whatever rules, flaps, storms and monitors say", () => {
    const seen = { told: 0, listed: 0 };
    fc.assert(
      fc.property(story, (told) => {
        const { heard, home, listed, incidents } = play(told);
        const wasCritical = ({ severity: said, criticalFrom, endedAt }: Told): boolean =>
          said === "critical" || criticalFrom < (endedAt ?? END);
        for (const alert of heard.filter(wasCritical)) {
          const incident = incidents.get(home.get(alert.id) ?? 0);
          if (incident?.told?.severity === "critical") {
            seen.told += 1;
            continue;
          }
          // It may have become critical in a window, in an incident that was there before for something less, of which a storm told nobody.
          expect(listed.get(alert.id), `alert ${alert.id} is nowhere`).toBeDefined();
          expect(alert.endedAt, `alert ${alert.id} fires after its window`).not.toBeNull();
          seen.listed += 1;
        }
      }),
      { numRuns: 80 },
    );
    // Both took place: the law was asked about something.
    expect(seen.told).toBeGreaterThan(0);
    expect(seen.listed).toBeGreaterThan(0);
  });

  it("comes to rest: one more look at the same moment decides nothing more", () => {
    fc.assert(
      fc.property(story, (told) => play(told).emptyAgain),
      { numRuns: 25 },
    );
  });

  it("keeps every alert: no stage takes one away, and none is in an incident that does not exist", () => {
    fc.assert(
      fc.property(story, (told) => {
        const { home, incidents } = play(told);
        return [...home.values()].every((id) => incidents.get(id)?.state !== "merged" && incidents.has(id));
      }),
      { numRuns: 25 },
    );
  });
});
