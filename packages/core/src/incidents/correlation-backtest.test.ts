import { describe, expect, it } from "vitest";
import { madeStorm } from "../../../../test/incidents/storm-world.js";
import { BACKTEST_MAX_ALERTS, backtestCorrelation } from "./correlation-backtest.js";
import { correlationRuleSchema } from "./correlation-rule.js";

const storm = madeStorm({ seed: 2_001, nodes: 300, failures: 5, chattering: 0.03, alone: 0.02, late: 0, latenessMs: 0 });
const alerts = storm.alerts;
const { topology } = storm;

describe("a rule that is tried on recorded alerts", () => {
  it("says what it would have made of them beside what is in force, and that it hides no critical", () => {
    const apart = correlationRuleSchema.parse({ id: "apart", topology: { maxHops: 0, rootSlackSeconds: 0 } });
    const tried = backtestCorrelation({ topology, alerts, current: [apart], proposed: [] });
    expect(tried.proposed.incidents).toBeLessThan(tried.current.incidents / 2);
    expect(tried.summary).toBe(
      `Would have made ${tried.proposed.incidents} incidents of ${alerts.length.toLocaleString("en")} alerts (now ${tried.current.incidents}); hides no critical.`,
    );
    expect(tried.proposed.largest[0]?.alerts.length).toBeGreaterThan(10);
  });

  it("counts what it suppresses, and leaves every critical alert told, whatever it matches", () => {
    const mute = correlationRuleSchema.parse({ id: "mute", action: "SUPPRESS" });
    const tried = backtestCorrelation({ topology, alerts, current: [], proposed: [mute] });
    const critical = alerts.filter(({ severity }) => severity === "critical").length;
    expect(tried.proposed.suppressed).toBe(alerts.length - critical);
    expect(tried.hiddenCriticals).toEqual([]);
    expect(tried.summary).toContain("hides no critical");
  });

  it("takes the newest when there are more than it may try, and says how many it left out", () => {
    const [one] = alerts;
    if (one === undefined) throw new Error("the storm has no alert");
    const many = Array.from({ length: BACKTEST_MAX_ALERTS + 7 }, (_, n) => ({
      ...one,
      id: `m${n}`,
      startedAt: one.startedAt + n,
      heardAt: one.startedAt + n,
    }));
    const tried = backtestCorrelation({ topology: [], alerts: many, current: [], proposed: [] });
    expect(tried).toMatchObject({ alerts: BACKTEST_MAX_ALERTS, leftOut: 7, proposed: { incidents: 1 } });
  });
});
