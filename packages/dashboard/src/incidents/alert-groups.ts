import type { IncidentAlertsQuery } from "./incident.generated.js";
import type { TouchedSystem } from "./root-paths.js";

export type IncidentAlert = IncidentAlertsQuery["alerts"]["nodes"][number];
export type AlertReason = IncidentAlert["reasons"][number];

/** Alerts about one system, or about a thing that only a monitor knows. */
export interface AlertGroup {
  /** The system's key, or endpoint/resource as the incident's root names it. */
  readonly node: string;
  readonly name: string;
  readonly isRoot: boolean;
  readonly alerts: readonly IncidentAlert[];
  readonly firing: number;
  readonly muted: number;
}

/** Alerts by the system that they are about, the root first, then what fires most. */
export function alertGroups(
  alerts: readonly IncidentAlert[],
  { systems, root }: { readonly systems: readonly TouchedSystem[]; readonly root: string },
): readonly AlertGroup[] {
  const groups = new Map<string, { readonly name: string; readonly alerts: IncidentAlert[] }>();
  for (const alert of alerts) {
    const { node, name } = nodeOf(alert, systems);
    const group = groups.get(node) ?? { name, alerts: [] };
    group.alerts.push(alert);
    groups.set(node, group);
  }
  return [...groups]
    .map(([node, { name, alerts: own }]) => ({
      node,
      name,
      isRoot: node === root,
      alerts: own,
      firing: own.filter(({ status }) => status === "FIRING").length,
      muted: own.filter(({ isMuted }) => isMuted).length,
    }))
    .toSorted((a, b) => Number(b.isRoot) - Number(a.isRoot) || b.firing - a.firing || (a.name < b.name ? -1 : 1));
}

/** A monitor's alert is about the system that it watches under this name; a failed call of this server about the endpoint's. */
function nodeOf(alert: IncidentAlert, systems: readonly TouchedSystem[]): { readonly node: string; readonly name: string } {
  const { endpoint, origin, resourceName } = alert;
  if (origin === "CHECK") return { node: endpoint.system.key, name: endpoint.system.name };
  const watched = systems.find(({ monitoredBy }) =>
    monitoredBy.some((monitor) => monitor.endpoint.key === endpoint.key && monitor.resources.includes(resourceName)),
  );
  const named = watched ?? systems.find(({ key }) => key === resourceName);
  return named === undefined ? { node: `${endpoint.key}/${resourceName}`, name: resourceName } : { node: named.key, name: named.name };
}

/** One reason for which alerts are quiet, and of how many. */
export interface QuietReason {
  readonly reason: AlertReason;
  readonly count: number;
}

/** Quiet alerts that fire, by what keeps them quiet now, the reason of most of them first. One that is over has nothing left to keep quiet. */
export function quietReasons(alerts: readonly Pick<IncidentAlert, "isMuted" | "reasons" | "status">[]): readonly QuietReason[] {
  const counts = new Map<string, { readonly reason: AlertReason; count: number }>();
  for (const { isMuted, reasons, status } of alerts) {
    if (!isMuted || status !== "FIRING") continue;
    const reason = reasons.find(({ mutes, endedAt }) => mutes && endedAt === null) ?? reasons.find(({ mutes }) => mutes);
    if (reason === undefined) continue;
    // Symptoms of one cause by different ways are one line.
    const key = JSON.stringify(
      reason.kind === "DEPENDENCY" ? [reason.kind, reason.path.split(" > ").at(-1)] : [reason.kind, reason.rule, reason.until],
    );
    const known = counts.get(key) ?? { reason, count: 0 };
    known.count += 1;
    counts.set(key, known);
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count);
}
