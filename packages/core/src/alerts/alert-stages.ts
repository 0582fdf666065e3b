import { waysUp, type AlertTopology } from "./alert-topology.js";
import { flapStep } from "./flap-guard.js";
import { type AlertReason, type AlertStage, pairName, type PipedAlert, withReason } from "./piped-alert.js";

/** So far a window or a broken dependency reaches along what things need. */
const MAX_STEPS = 10;
/** So far a symptom is looked for behind a thing that is broken. */
const MAX_SYMPTOM_STEPS = 3;

/** An occurrence of a window as alerts meet it. Half-open, epoch milliseconds. */
export interface AlertWindow {
  readonly key: string;
  readonly title: string;
  readonly localStart: string;
  readonly startsAt: number;
  /** Its planned end, or its release if that came before: what is not back by then is news. */
  readonly endsAt: number;
  /** Nodes that it takes down, with the path by which. */
  readonly covers: ReadonlyMap<string, string>;
}

/** What the rules that somebody made say of one alert. */
export type RuleWords = (alert: PipedAlert) => { readonly suppressedBy: string | null; readonly annotations: readonly string[] };

/** What the stages look at beside the alerts. */
export interface AlertSurroundings {
  readonly topology: AlertTopology;
  readonly windows: readonly AlertWindow[];
  readonly rules: RuleWords;
}

/**
 * The stages that find reasons, in their order. Correlation and notification follow them: they look at all alerts together and write (see
 * `planIncidents`). Each answers every alert that it was given.
 */
export function alertStages(surroundings: AlertSurroundings): readonly AlertStage[] {
  const { topology, windows, rules } = surroundings;
  return [
    { name: "normalise", apply: (alerts) => alerts.map(normalised) },
    { name: "deduplicate", apply: deduplicated },
    { name: "flap-guard", apply: flapStep },
    { name: "window", apply: (alerts, now) => inWindows(alerts, { windows, topology, now }) },
    { name: "dependency", apply: (alerts) => behindBroken(alerts, topology) },
    { name: "rule", apply: (alerts) => alerts.map((alert) => ruled(alert, rules)) },
  ];
}

/** Sends alerts through stages, one after the other. */
export function throughStages(stages: readonly AlertStage[], alerts: readonly PipedAlert[], now: number): readonly PipedAlert[] {
  return stages.reduce((sum, stage) => stage.apply(sum, now), alerts);
}

function normalised(alert: PipedAlert): PipedAlert {
  if (alert.severity !== "info" && alert.suppressedBy.length === 0) return alert;
  const quiet: readonly Omit<AlertReason, "mutes">[] = [
    ...(alert.severity === "info"
      ? [
          {
            kind: "informational",
            rule: "severity",
            path: alert.title,
            reason: "It is information, nobody has to act.",
            until: null,
          } as const,
        ]
      : []),
    ...(alert.suppressedBy.length > 0
      ? [
          {
            kind: "monitor",
            rule: alert.source,
            path: alert.suppressedBy.join(", "),
            reason: `The monitor keeps quiet about it: ${alert.suppressedBy.join(", ")}.`,
            until: null,
          } as const,
        ]
      : []),
  ];
  return quiet.reduce((sum, one) => withReason(sum, one), alert);
}

/** One thing that several monitors call by the same name with the same fingerprint is one: the oldest that fires stands for the others. */
function deduplicated(alerts: readonly PipedAlert[]): readonly PipedAlert[] {
  const first = new Map<string, PipedAlert>();
  const names = alerts.map(({ node, fingerprint }) => pairName(node, fingerprint));
  for (const [at, alert] of alerts.entries()) {
    if (alert.status !== "firing") continue;
    const name = names[at] ?? "";
    const known = first.get(name);
    if (known === undefined || isBefore(alert, known)) first.set(name, alert);
  }
  return alerts.map((alert, at) => {
    const original = alert.status === "firing" ? first.get(names[at] ?? "") : undefined;
    if (original === undefined || original.id === alert.id) return alert;
    const reason = `Alert ${original.id} of ${original.source} says the same of the same thing.`;
    return withReason(alert, { kind: "duplicate", rule: "deduplicate", path: `#${original.id}`, reason, until: null }, original.id);
  });
}

function isBefore(a: PipedAlert, b: PipedAlert): boolean {
  return a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.id < b.id);
}

function inWindows(
  alerts: readonly PipedAlert[],
  { windows, topology, now }: { readonly windows: readonly AlertWindow[]; readonly topology: AlertTopology; readonly now: number },
): readonly PipedAlert[] {
  if (windows.length === 0) return alerts;
  // A thing that has many alerts is walked from once: its ways are those of all of them.
  const paths = new Map<string, readonly { readonly window: AlertWindow; readonly path: string }[]>();
  const over = (node: string) => {
    const known = paths.get(node);
    if (known !== undefined) return known;
    const found = windows.flatMap((window) => {
      const path = coverPath(node, window, topology);
      return path === null ? [] : [{ window, path }];
    });
    paths.set(node, found);
    return found;
  };
  return alerts.map((alert) => {
    // What has ended is judged at its end: it recovered inside and stays on record, however late somebody looks.
    const at = Math.min(now, alert.endedAt ?? now);
    return over(alert.node)
      .filter(({ window: { startsAt, endsAt } }) => startsAt <= at && at < endsAt)
      .reduce((sum, { window: { key, title, localStart, endsAt }, path }) => {
        const reason = `In the window "${title}" (${key}).`;
        return withReason(sum, { kind: "window", rule: `${key}@${localStart}`, path, reason, until: endsAt });
      }, alert);
  });
}

function coverPath(node: string, { covers }: AlertWindow, topology: AlertTopology): string | null {
  for (const way of waysUp(topology, node, MAX_STEPS)) {
    const path = covers.get(way.node);
    if (path !== undefined) return way.node === node ? path : `${way.path} (${path})`;
  }
  return null;
}

/** A symptom: something that its thing needs is broken as well, and said so. */
function behindBroken(alerts: readonly PipedAlert[], topology: AlertTopology): readonly PipedAlert[] {
  const firing = new Map<string, PipedAlert>();
  for (const alert of alerts) {
    if (alert.status !== "firing" || alert.severity === "info") continue;
    const known = firing.get(alert.node);
    if (known === undefined || isBefore(alert, known)) firing.set(alert.node, alert);
  }
  // What is broken behind a thing is the same for all of its alerts.
  const behind = new Map<string, BrokenBehind | null>();
  return alerts.map((alert) => {
    if (alert.status !== "firing") return alert;
    const known = behind.get(alert.node);
    const found = known === undefined ? brokenBehind(alert.node, firing, topology) : known;
    if (known === undefined) behind.set(alert.node, found);
    if (found === null) return alert;
    const { path, reason, cause } = found;
    return withReason(alert, { kind: "dependency", rule: "dependency", path, reason, until: null }, cause);
  });
}

/** The alert of the nearest thing that is broken and that another thing needs. */
interface BrokenBehind {
  readonly path: string;
  readonly reason: string;
  readonly cause: number;
}

function brokenBehind(node: string, firing: ReadonlyMap<string, PipedAlert>, topology: AlertTopology): BrokenBehind | null {
  for (const way of waysUp(topology, node, MAX_SYMPTOM_STEPS)) {
    const cause = way.node === node ? undefined : firing.get(way.node);
    // Two that need each other are no symptoms of each other.
    if (cause === undefined || needs(topology, way.node, node)) continue;
    const reason = `${way.node}, which it needs, is broken: alert ${cause.id}, "${cause.title}".`;
    return { path: way.path, reason, cause: cause.id };
  }
  return null;
}

function needs(topology: AlertTopology, from: string, what: string): boolean {
  for (const { node } of waysUp(topology, from, MAX_SYMPTOM_STEPS)) if (node === what) return true;
  return false;
}

function ruled(alert: PipedAlert, rules: RuleWords): PipedAlert {
  const { suppressedBy, annotations } = rules(alert);
  if (suppressedBy === null && annotations.length === 0) return alert;
  const notes = annotations.map(
    (rule) => ({ kind: "rule", rule, path: rule, reason: `The rule "${rule}" marks it.`, until: null, mutes: false }) as const,
  );
  const marked = { ...alert, reasons: [...alert.reasons, ...notes] };
  if (suppressedBy === null) return marked;
  return withReason(marked, {
    kind: "rule",
    rule: suppressedBy,
    path: suppressedBy,
    reason: `The rule "${suppressedBy}" suppresses it.`,
    until: null,
  });
}
