import {
  type CorrelatedAlert,
  type CorrelatedIncident,
  type CorrelationDecision,
  type CorrelationHistory,
  type CorrelationSetting,
  CORRELATION_TICK_MS,
  type QuietReason,
} from "./correlation.js";
import { tickOf, worseSeverity } from "./correlation-lane.js";
import { Correlator, correlationMemoryMs } from "./correlator.js";

type Growing = { -readonly [Key in keyof CorrelatedIncident]: CorrelatedIncident[Key] } & { alerts: string[]; merged: string[] };

/** Folds a list of alerts, in any order, into the incidents that they would have become: every tick from the first alert until nothing waits any more. */
export function correlate(setting: CorrelationSetting, alerts: readonly CorrelatedAlert[]): CorrelationHistory {
  const correlator = new Correlator(setting);
  const history = new HistoryOfDecisions();
  const sorted = alerts.toSorted((a, b) => a.heardAt - b.heardAt || (a.id < b.id ? -1 : 1));
  const settleMs = correlationMemoryMs(setting.rules);
  let next = 0;
  for (let now = tickOf(sorted[0]?.heardAt ?? 0), quietFrom = now; now <= quietFrom; now += CORRELATION_TICK_MS) {
    for (let alert = sorted[next]; alert !== undefined && alert.heardAt <= now; alert = sorted[(next += 1)]) {
      correlator.observe(alert);
      quietFrom = now + settleMs;
    }
    for (const decision of correlator.tick(now)) history.add(decision, now);
    const following = sorted[next];
    if (following === undefined) continue;
    // After so long a silence nothing is remembered, and the ticks until the next alert would decide nothing.
    if (now >= quietFrom) now = tickOf(following.heardAt) - CORRELATION_TICK_MS;
    quietFrom = Math.max(quietFrom, now + CORRELATION_TICK_MS);
  }
  return history.result();
}

/** What decisions, one after the other, add up to. */
export class HistoryOfDecisions {
  readonly #incidents = new Map<string, Growing>();
  readonly #suppressed = new Map<string, QuietReason>();

  /** Adds a decision of the tick `now`. */
  add(decision: CorrelationDecision, now: number): void {
    switch (decision.kind) {
      case "raise": {
        const { incident, rule, rootNode, rootAlert, severity, alerts } = decision;
        this.#incidents.set(incident, {
          incident,
          rule,
          rootNode,
          rootAlert,
          severity,
          raisedAt: now,
          alerts: [...alerts],
          merged: [],
          notified: false,
        });
        return;
      }
      case "attach": {
        const found = this.#incidents.get(decision.incident);
        if (found === undefined) return;
        for (const alert of decision.alerts) found.alerts.push(alert);
        found.severity = worseSeverity(found.severity, decision.severity);
        return;
      }
      case "merge":
        return this.#merge(decision.incident, decision.into);
      case "re-root": {
        const found = this.#incidents.get(decision.incident);
        if (found === undefined) return;
        found.rootNode = decision.rootNode;
        found.rootAlert = decision.rootAlert;
        return;
      }
      case "notify": {
        const found = this.#incidents.get(decision.incident);
        if (found !== undefined) found.notified = true;
        return;
      }
      case "suppress":
        this.#suppressed.set(decision.alert, decision.reason);
        return;
      case "annotate":
      case "storm":
        return;
    }
  }

  /** What there is now. */
  result(): CorrelationHistory {
    return { incidents: [...this.#incidents.values()], suppressed: new Map(this.#suppressed) };
  }

  #merge(incident: string, into: string): void {
    const gone = this.#incidents.get(incident);
    const survivor = this.#incidents.get(into);
    if (gone === undefined || survivor === undefined) return;
    for (const alert of gone.alerts) survivor.alerts.push(alert);
    survivor.merged.push(incident, ...gone.merged);
    survivor.severity = worseSeverity(survivor.severity, gone.severity);
    this.#incidents.delete(incident);
  }
}
