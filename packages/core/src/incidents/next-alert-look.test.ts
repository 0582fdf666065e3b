import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertStages, throughStages } from "../alerts/alert-stages.js";
import type { PipedAlert } from "../alerts/piped-alert.js";
import { longestQuietMs, nextAlertLookAt } from "./next-alert-look.js";
import { type KnownIncident, planIncidents } from "./plan-incidents.js";

const now = Date.UTC(2027, 2, 28, 1, 0, 0);
const second = 1_000;
const nothing = { alerts: [], incidents: [], raisedAt: [], windowTurnsAt: null };

const alert = fc
  .record({
    fingerprint: fc.constantFrom("a", "b"),
    node: fc.constantFrom("erp", "shop"),
    severity: fc.constantFrom<PipedAlert["severity"]>("critical", "minor", "info"),
    startedAgo: fc.integer({ min: 0, max: 700 }),
    lasts: fc.option(fc.integer({ min: 0, max: 900 })),
    incident: fc.option(fc.constantFrom(1, 2)),
    wasFlapping: fc.boolean(),
  })
  .map(({ startedAgo, lasts, ...one }): Omit<PipedAlert, "id"> => {
    const startedAt = now - startedAgo * second;
    const endedAt = lasts === null ? null : startedAt + lasts * second;
    const status = endedAt === null ? "firing" : "resolved";
    const said = { title: "down", labels: {}, suppressedBy: [], wasConsidered: true, reasons: [], cause: null, source: "nagios" };
    return { ...one, ...said, startedAt, endedAt, status };
  });
const incident = fc
  .record({
    state: fc.constantFrom<KnownIncident["state"]>("open", "resolved"),
    openedAgo: fc.integer({ min: 0, max: 400 }),
    resolvedAgo: fc.constantFrom(0, 1_700, 1_795, 86_200, 86_390),
  })
  .map(({ state, openedAgo, resolvedAgo }): Omit<KnownIncident, "id"> => ({
    state,
    severity: "critical",
    rootNode: "erp",
    openedAt: now - (state === "open" ? openedAgo : resolvedAgo + openedAgo) * second,
    resolvedAt: state === "open" ? null : now - resolvedAgo * second,
    placedByPeople: false,
    keptOpen: true,
  }));

describe("the next look at alerts", () => {
  it("is due when something comes, and at the latest after five minutes", () => {
    expect(nextAlertLookAt(nothing, now)).toBe(now + longestQuietMs);
    expect(nextAlertLookAt({ ...nothing, raisedAt: [now - second, now + 30 * second] }, now)).toBe(now + 30 * second);
    expect(nextAlertLookAt({ ...nothing, windowTurnsAt: now + second }, now)).toBe(now + second);
  });

  it("is due at once when a window turned between reading it and judging by it", () => {
    expect(nextAlertLookAt({ ...nothing, windowTurnsAt: now - second }, now)).toBe(now - second);
  });

  it("is not before the first instant at which stages or states of incidents say otherwise", () => {
    fc.assert(
      fc.property(
        fc.array(alert, { maxLength: 12 }),
        fc.array(incident, { maxLength: 2 }),
        fc.integer({ min: 0, max: longestQuietMs }),
        (said, known, later) => {
          const alerts = said.map((one, at) => ({ ...one, id: at + 1, consideredAt: now }));
          const incidents = known.map((one, at) => ({ ...one, id: at + 1 }));
          const stages = alertStages({ topology: new Map(), windows: [], rules: () => ({ suppressedBy: null, annotations: [] }) });
          const decided = (at: number) => {
            const piped = throughStages(stages, alerts, at);
            return { reasons: piped.map(({ reasons }) => reasons), plan: planIncidents({ alerts: piped, incidents, groups: [] }, at) };
          };
          const piped = throughStages(stages, alerts, now).map((one) => ({ ...one, consideredAt: now }));
          const due = nextAlertLookAt({ alerts: piped, incidents, raisedAt: [], windowTurnsAt: null }, now);
          fc.pre(now + later < due);
          expect(decided(now + later)).toEqual(decided(now));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["a beginning of one that flaps is ten minutes old", 4 * second, null],
    ["a day after its end an incident is closed", 10 * second, now - 86_390 * second],
  ])("is due when %s", (_what, after, resolvedAt) => {
    const flapping = { kind: "flapping", rule: "flap-guard", path: "", reason: "", until: null, mutes: true } as const;
    const startedAt = now - 596 * second;
    const base = { id: 1, source: "nagios", fingerprint: "a", severity: "minor", status: "firing", title: "", endedAt: null } as const;
    const more = { node: "erp", labels: {}, suppressedBy: [], incident: null, wasFlapping: true, wasConsidered: true, cause: null };
    const alerts = resolvedAt === null ? [{ ...base, ...more, startedAt, reasons: [flapping], consideredAt: startedAt }] : [];
    const one = {
      id: 1,
      severity: "minor",
      rootNode: "erp",
      openedAt: now - 90_000 * second,
      placedByPeople: false,
      keptOpen: false,
    } as const;
    const incidents = resolvedAt === null ? [] : [{ ...one, state: "resolved", resolvedAt } as const];
    expect(nextAlertLookAt({ ...nothing, alerts, incidents }, now)).toBe(now + after);
  });
});
