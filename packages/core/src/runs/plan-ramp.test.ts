import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRamp, type RampSystem } from "./plan-ramp.js";

const now = Date.parse("2026-10-25T03:00:00Z");

describe("planRamp", () => {
  it("starts are release + position x step", () => {
    const { readyAt } = planRamp({ systems: [{ systemId: 1, nextAt: 0, stepMs: 200 }], notBefore: [now, now, now] });
    expect(readyAt).toEqual([now, now + 200, now + 400]);
  });

  it("of several target systems the latest place wins, and both go on from there", () => {
    const systems = [
      { systemId: 1, nextAt: now + 1_000, stepMs: 100 },
      { systemId: 2, nextAt: now + 5_000, stepMs: 700 },
    ];
    expect(planRamp({ systems, notBefore: [now] })).toEqual({
      readyAt: [now + 5_000],
      systems: [
        { systemId: 1, nextAt: now + 5_100, stepMs: 100 },
        { systemId: 2, nextAt: now + 5_700, stepMs: 700 },
      ],
    });
  });

  it("what has no target system goes at once", () => {
    expect(planRamp({ systems: [], notBefore: [now, now] }).readyAt).toEqual([now, now]);
  });

  it("in however many parts it is planned, the places are the same, and no system sees two starts closer than its step", () => {
    const system = fc.record({ nextAt: fc.integer({ min: now - 5_000, max: now + 5_000 }), stepMs: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(system, { maxLength: 4 }), fc.nat(20), fc.nat(20), (list, first, second) => {
        const systems: readonly RampSystem[] = list.map((one, systemId) => ({ systemId, ...one }));
        const whole = planRamp({ systems, notBefore: Array.from({ length: first + second }, () => now) });
        const start = planRamp({ systems, notBefore: Array.from({ length: first }, () => now) });
        const rest = planRamp({ systems: start.systems, notBefore: Array.from({ length: second }, () => now) });
        expect([...start.readyAt, ...rest.readyAt]).toEqual(whole.readyAt);
        expect(rest.systems).toEqual(whole.systems);
        for (const [index, at] of whole.readyAt.entries()) {
          expect(at).toBeGreaterThanOrEqual(now);
          for (const { stepMs } of systems) if (index > 0) expect(at - (whole.readyAt[index - 1] ?? 0)).toBeGreaterThanOrEqual(stepMs);
        }
      }),
    );
  });
});
