import type { Alert } from "@quiesce/sdk";
import type { CorrelationRule } from "./correlation-rule.js";
import type { TopologyNode } from "./correlation-topology.js";

/** Ticks lie at multiples of this on the time line, so that every process, and a process that starts again, decides at the same instants. */
export const CORRELATION_TICK_MS = 5_000;

/**
 * One beginning of an alert (an episode's first word), as correlation sees it: stored facts that never change. How an alert ends plays no part in what
 * it belongs to, so an old list gives the same incidents as the one that grew.
 */
export interface CorrelatedAlert {
  /** The episode's id, unique. */
  readonly id: string;
  /** What is the same each time this trouble comes back; repeats of one fingerprint are chatter. */
  readonly fingerprint: string;
  /** Key of the thing in the topology. One that the topology does not know stands alone: its alerts belong together, nothing leads from it or to it. */
  readonly node: string;
  readonly severity: Alert["severity"];
  readonly title: string;
  /** The monitor's or connector's endpoint that said it. */
  readonly source: string;
  /** The resource's kind, as the monitor calls it (host, service, queue). */
  readonly kind: string;
  readonly labels?: { readonly [name: string]: string } | undefined;
  /** When the trouble began, by the monitor. Epoch ms. */
  readonly startedAt: number;
  /** When it was taken in, by the database's clock. Epoch ms. It decides in which tick the alert is looked at. */
  readonly heardAt: number;
}

/** Why an incident is raised without telling anybody yet, or why an alert got none. */
export type QuietReason =
  | { readonly kind: "rule"; readonly rule: string }
  /** So many alerts of this lane began within the last minute when it was raised. */
  | { readonly kind: "storm"; readonly rule: string; readonly alertsPerMinute: number };

/** What one tick decides. `incident` is the incident's key: the id of the first alert of it, so it is the same whoever decides it. */
export type CorrelationDecision =
  /**
   * A new incident. `rootNode` and `rootAlert` are its probable cause, `alerts` those of that node; the others follow in the same tick as `attach`, and
   * `severity` is the worst of all of them. It is told to people only by `notify`.
   */
  | {
      readonly kind: "raise";
      readonly incident: string;
      /** Id of the rule it follows. */
      readonly rule: string;
      /** The values of the rule's groupBy, in its order. */
      readonly group: readonly string[];
      readonly rootNode: string;
      readonly rootAlert: string;
      readonly severity: Alert["severity"];
      readonly alerts: readonly string[];
      /** Nobody is told for these reasons; empty when a `notify` follows in the same tick. */
      readonly quiet: readonly QuietReason[];
    }
  /** More alerts of an incident that is there. `path` leads from their node to the cause, for one that is new in it; empty for repeats. */
  | {
      readonly kind: "attach";
      readonly incident: string;
      readonly alerts: readonly string[];
      readonly severity: Alert["severity"];
      readonly path: readonly string[];
    }
  /** A cause that lies further up was heard of later. The incident stays the same. */
  | { readonly kind: "re-root"; readonly incident: string; readonly rootNode: string; readonly rootAlert: string }
  /** Both have one cause. `into` is the older one and never itself merged at that tick. */
  | { readonly kind: "merge"; readonly incident: string; readonly into: string }
  /** The incident is to be told: at its raise, when a critical alert comes to one that was quiet, or when the storm that kept it quiet is over. */
  | { readonly kind: "notify"; readonly incident: string; readonly why: "raised" | "critical" | "storm-over" }
  /** The alert belongs to no incident; it stays on record with the reason. Never a critical one. */
  | { readonly kind: "suppress"; readonly alert: string; readonly reason: QuietReason }
  /** A rule says something about an alert and nothing else. */
  | { readonly kind: "annotate"; readonly alert: string; readonly rule: string }
  | { readonly kind: "storm"; readonly state: "begins" | "ends"; readonly rule: string; readonly group: readonly string[] };

/** What correlation works on. When the catalogue or the rules change, a new correlator folds the recent alerts again. */
export interface CorrelationSetting {
  readonly topology: readonly TopologyNode[];
  /** The first rule of action GROUP or SUPPRESS that matches an alert has it; what none matches follows `usualCorrelationRule`. */
  readonly rules: readonly CorrelationRule[];
}

/** What a list of alerts became. */
export interface CorrelationHistory {
  readonly incidents: readonly CorrelatedIncident[];
  /** Alerts without an incident, by id. */
  readonly suppressed: ReadonlyMap<string, QuietReason>;
}

/** One incident as a list of alerts made it; merged ones are not listed, their alerts are in the one they were merged into. */
export interface CorrelatedIncident {
  readonly incident: string;
  readonly rule: string;
  readonly rootNode: string;
  readonly rootAlert: string;
  readonly severity: Alert["severity"];
  /** Epoch ms of the tick that raised it. */
  readonly raisedAt: number;
  /** By id, in the order in which they came to it. */
  readonly alerts: readonly string[];
  /** Keys of the incidents that were merged into it. */
  readonly merged: readonly string[];
  readonly notified: boolean;
}
