import type { Alert } from "@quiesce/sdk";

/** The names of the stages, in the order in which alerts pass them. */
export const alertStageNames = ["normalise", "deduplicate", "flap-guard", "window", "dependency", "rule", "correlate", "notify"] as const;
export type AlertStageName = (typeof alertStageNames)[number];

/** Why an alert is kept quiet, or only marked. One word for each cause. */
export const alertReasonKinds = ["informational", "monitor", "duplicate", "flapping", "window", "dependency", "rule"] as const;
export type AlertReasonKind = (typeof alertReasonKinds)[number];

/** One reason: which rule said so, by which path it reached the alert, and in words. */
export interface AlertReason {
  readonly kind: AlertReasonKind;
  /** What said so: the key of a window or a rule, the name of a guard. */
  readonly rule: string;
  /** How it reaches the alert, as `shop > erp` (shop needs erp). */
  readonly path: string;
  readonly reason: string;
  /** When it ends by itself, epoch milliseconds; null: nobody knows. */
  readonly until: number | null;
  /** It hides notifications. Otherwise the alert is only marked. See {@link mayMute}. */
  readonly mutes: boolean;
}

/** One episode of one alert on its way through the stages. Instants are epoch milliseconds. */
export interface PipedAlert {
  readonly id: number;
  /** Key of the endpoint that said so. */
  readonly source: string;
  readonly fingerprint: string;
  readonly severity: Alert["severity"];
  readonly status: "firing" | "resolved";
  readonly title: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** The thing it is about: a system of the catalogue, or a resource that only the monitor knows. See `AlertTopology`. */
  readonly node: string;
  readonly labels: { readonly [name: string]: string };
  /** Why the monitor itself keeps quiet about it. */
  readonly suppressedBy: readonly string[];
  /** The incident it belongs to already. */
  readonly incident: number | null;
  /** It was flapping at the last look. */
  readonly wasFlapping: boolean;
  /** It was looked at before. */
  readonly wasConsidered: boolean;
  readonly reasons: readonly AlertReason[];
  /** The alert that it is a symptom or a duplicate of, as the stages found. */
  readonly cause: number | null;
}

/** A stage: alerts with reasons in, alerts with more reasons out. None is ever taken away. */
export interface AlertStage {
  readonly name: AlertStageName;
  apply(alerts: readonly PipedAlert[], now: number): readonly PipedAlert[];
}

/**
 * Law 8, in one place: a critical alert is kept quiet by an active window over what it is about and by nothing else. No rule, flap, duplicate,
 * dependency or word of the monitor mutes it.
 */
export function mayMute(severity: Alert["severity"], kind: AlertReasonKind): boolean {
  return severity !== "critical" || kind === "window";
}

/** Two names as one that no other two have. It is asked for of every alert of every look, so it is no JSON. */
export function pairName(one: string, other: string): string {
  return `${one.length}:${one}${other}`;
}

/**
 * The alert with one reason more, and with its `cause` where the reason names one. Whether it mutes is decided here, not by who found the reason.
 */
export function withReason(alert: PipedAlert, found: Omit<AlertReason, "mutes">, cause = alert.cause): PipedAlert {
  return { ...alert, reasons: [...alert.reasons, { ...found, mutes: mayMute(alert.severity, found.kind) }], cause };
}

/** True when somebody is to be told of the alert: it may open an incident. */
export function opensIncident(alert: PipedAlert): boolean {
  return alert.reasons.every(({ mutes }) => !mutes);
}

const strangers: ReadonlySet<AlertReasonKind> = new Set<AlertReasonKind>(["window", "monitor", "rule"]);

/**
 * True when the alert may belong to an incident: it opens one, or is kept quiet only because it is a part of something larger (a duplicate, a
 * symptom, one that flaps), or is mere information. What a window, a monitor or a rule keeps quiet is on record and in no incident.
 */
export function joinsIncident(alert: PipedAlert): boolean {
  return alert.reasons.every(({ kind, mutes }) => !mutes || !strangers.has(kind));
}

/** Of several alerts the worst severity; `info` of none. */
export function worstSeverity(severities: Iterable<Alert["severity"]>): Alert["severity"] {
  const order: readonly Alert["severity"][] = ["info", "warning", "minor", "major", "critical"];
  let worst = 0;
  for (const severity of severities) worst = Math.max(worst, order.indexOf(severity));
  return order[worst] ?? "info";
}
