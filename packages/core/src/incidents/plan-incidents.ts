import { joinsIncident, opensIncident, type PipedAlert, worstSeverity } from "../alerts/piped-alert.js";
import { closeAfterMs, type IncidentState, isLive, reopenWithinMs } from "./incident-state.js";

/** An incident as far as correlation is concerned. Instants are epoch milliseconds. */
export interface KnownIncident {
  readonly id: number;
  readonly state: IncidentState;
  readonly severity: PipedAlert["severity"];
  readonly rootNode: string;
  readonly openedAt: number;
  readonly resolvedAt: number | null;
}

/** Alerts of one cause, as correlation sees them now: the node that is the probable root, and the alert there. */
export interface AlertGroup {
  readonly rootNode: string;
  readonly rootAlert: number;
  readonly alerts: readonly number[];
}

/** An incident that begins. */
export interface NewIncident {
  /** Names it until it has a number: the first of its alerts. */
  readonly anchor: number;
  readonly rootNode: string;
  readonly rootAlert: number;
  readonly title: string;
  readonly severity: PipedAlert["severity"];
  readonly alerts: readonly number[];
  readonly startedAt: number;
}

/** What an incident that is known becomes. */
export interface IncidentChange {
  readonly id: number;
  readonly joins: readonly number[];
  readonly severity: PipedAlert["severity"];
  /** null: as it is. */
  readonly state: "open" | "resolved" | "closed" | null;
  /** The incident that stands for it from now on. */
  readonly mergedInto: number | null;
  /** It turned out that the cause lies here. */
  readonly root: { readonly node: string; readonly alert: number; readonly title: string } | null;
}

export interface IncidentPlan {
  readonly opens: readonly NewIncident[];
  readonly changes: readonly IncidentChange[];
}

/** So long after it opened an incident may still be put under another root, or merged with one that has the same cause. Afterwards people do that. */
export const settlingMs = 300_000;

/**
 * Folds alerts that have passed the stages into incidents. An alert belongs to one incident for good, and an incident keeps its number: what
 * correlation says later moves only incidents that are younger than {@link settlingMs}. The same alerts and incidents give the same plan, and after
 * it was carried out an empty one.
 */
export function planIncidents(
  facts: { readonly alerts: readonly PipedAlert[]; readonly incidents: readonly KnownIncident[]; readonly groups: readonly AlertGroup[] },
  now: number,
): IncidentPlan {
  const alerts = new Map(facts.alerts.map((alert) => [alert.id, alert]));
  const incidents = new Map(facts.incidents.map((incident) => [incident.id, incident]));
  const drafts = new Map<number, Draft>();
  const opens: NewIncident[] = [];
  const draft = (incident: KnownIncident): Draft => {
    const known = drafts.get(incident.id) ?? { joins: [], severities: [], mergedInto: null, root: null };
    drafts.set(incident.id, known);
    return known;
  };
  const earlier = earlierIncidents(facts);
  for (const group of facts.groups) {
    const members = group.alerts.flatMap((id) => alerts.get(id) ?? []).filter(joinsIncident);
    const fresh = members.filter(({ incident }) => incident === null);
    const homes = homesOf({ group, members, alerts, incidents, earlier, now });
    const [home] = homes;
    if (home !== undefined) {
      draft(home).joins.push(...fresh.map(({ id }) => id));
      const root = alerts.get(group.rootAlert);
      // The cause moves further up from where it was seen: what only came to the incident for another reason moves nothing.
      const knowsOldRoot = members.some(({ node }) => node === home.rootNode);
      if (root !== undefined && knowsOldRoot && home.rootNode !== group.rootNode && isYoung(home, now))
        draft(home).root = { node: group.rootNode, alert: root.id, title: root.title };
      for (const other of homes.slice(1)) {
        if (!isYoung(other, now) || !isLive(other.state)) continue;
        draft(other).mergedInto = home.id;
        draft(home).severities.push(other.severity);
      }
      continue;
    }
    const begun = begin(group, { fresh, alerts });
    if (begun !== null) opens.push(begun);
  }
  const changes = facts.incidents.flatMap(
    (incident) => changeOf(incident, { draft: lastStop(drafts, incident.id), alerts: facts.alerts, now }) ?? [],
  );
  return { opens, changes };
}

interface Draft {
  readonly joins: number[];
  /** Of incidents that are merged into it: it is as bad as they are. */
  readonly severities: PipedAlert["severity"][];
  mergedInto: number | null;
  root: IncidentChange["root"];
}

/** What is decided of an incident. Where the one that it is merged into is merged itself, it goes all the way: the older one has the lower end. */
function lastStop(drafts: ReadonlyMap<number, Draft>, id: number): Draft | undefined {
  const draft = drafts.get(id);
  if (draft === undefined || draft.mergedInto === null) return draft;
  let into = draft.mergedInto;
  for (let next = drafts.get(into)?.mergedInto ?? null; next !== null; next = drafts.get(into)?.mergedInto ?? null) into = next;
  return { ...draft, mergedInto: into };
}

/** By source, thing and fingerprint: the incident in which the last episode was. */
function earlierIncidents({ alerts }: { readonly alerts: readonly PipedAlert[] }): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const alert of alerts.toSorted((a, b) => a.id - b.id)) if (alert.incident !== null) found.set(episodeName(alert), alert.incident);
  return found;
}

function episodeName({ source, node, fingerprint }: PipedAlert): string {
  return JSON.stringify([source, node, fingerprint]);
}

/** The incidents that a group may belong to, the one that it does belong to first: the oldest. */
function homesOf(input: {
  readonly group: AlertGroup;
  readonly members: readonly PipedAlert[];
  readonly alerts: ReadonlyMap<number, PipedAlert>;
  readonly incidents: ReadonlyMap<number, KnownIncident>;
  readonly earlier: ReadonlyMap<string, number>;
  readonly now: number;
}): readonly KnownIncident[] {
  const { group, members, alerts, incidents, earlier, now } = input;
  const hasFresh = members.some(({ incident }) => incident === null);
  // A cause that broke long ago is still the cause, although correlation has stopped waiting for its symptoms.
  const behind = (alert: PipedAlert) => (alert.cause === null ? null : (alerts.get(alert.cause)?.incident ?? null));
  const ids = new Set(members.flatMap((alert) => alert.incident ?? earlier.get(episodeName(alert)) ?? behind(alert) ?? []));
  const found = [...ids].flatMap((id) => incidents.get(id) ?? []);
  const sameRoot = hasFresh ? [...incidents.values()].filter(({ rootNode }) => rootNode === group.rootNode) : [];
  const homes = new Map(
    [...found, ...sameRoot].filter((one) => isLive(one.state) || (hasFresh && mayReopen(one, now))).map((one) => [one.id, one]),
  );
  return [...homes.values()].toSorted((a, b) => a.openedAt - b.openedAt || a.id - b.id);
}

function mayReopen({ state, resolvedAt }: KnownIncident, now: number): boolean {
  return state === "resolved" && resolvedAt !== null && now - resolvedAt <= reopenWithinMs;
}

function isYoung({ openedAt }: KnownIncident, now: number): boolean {
  return now - openedAt <= settlingMs;
}

/** An incident of a group that belongs to none; null: nobody is to be told of it. */
function begin(
  { rootNode, rootAlert }: AlertGroup,
  { fresh, alerts }: { readonly fresh: readonly PipedAlert[]; readonly alerts: ReadonlyMap<number, PipedAlert> },
): NewIncident | null {
  if (!fresh.some(mayOpen)) return null;
  const ordered = fresh.toSorted((a, b) => a.startedAt - b.startedAt || a.id - b.id);
  const [first] = ordered;
  const root = alerts.get(rootAlert) ?? first;
  if (first === undefined || root === undefined) return null;
  return {
    anchor: Math.min(...ordered.map(({ id }) => id)),
    rootNode,
    rootAlert: root.id,
    title: root.title,
    severity: worstSeverity(ordered.map(({ severity }) => severity)),
    alerts: ordered.map(({ id }) => id),
    startedAt: first.startedAt,
  };
}

/** What is quiet only for the sake of another alert speaks up when that one is in no incident. What was over before anybody looked is on record, unless it was critical. */
function mayOpen(alert: PipedAlert): boolean {
  if (alert.severity === "info" || (alert.status === "resolved" && alert.severity !== "critical")) return false;
  return opensIncident(alert) || alert.reasons.every(({ kind, mutes }) => !mutes || kind === "dependency" || kind === "duplicate");
}

function changeOf(
  incident: KnownIncident,
  { draft, alerts, now }: { readonly draft: Draft | undefined; readonly alerts: readonly PipedAlert[]; readonly now: number },
): IncidentChange | null {
  const { joins = [], severities = [], mergedInto = null, root = null } = draft ?? {};
  const { id } = incident;
  if (mergedInto !== null) return { id, joins, severity: incident.severity, state: null, mergedInto, root: null };
  const joined = new Set(joins);
  const members = alerts.filter((alert) => alert.incident === id || joined.has(alert.id));
  const severity = worstSeverity([
    incident.severity,
    ...severities,
    ...members.filter((one) => joined.has(one.id)).map((one) => one.severity),
  ]);
  const goesOn = members.some(({ status, reasons }) => status === "firing" || reasons.some(({ kind }) => kind === "flapping"));
  const next = nextState({ incident, reopens: joins.length > 0 && goesOn, goesOn, now });
  const moves = joins.length > 0 || next !== null || root !== null || severity !== incident.severity;
  return moves ? { id, joins, severity, state: next, mergedInto, root } : null;
}

function nextState(facts: {
  readonly incident: KnownIncident;
  readonly reopens: boolean;
  readonly goesOn: boolean;
  readonly now: number;
}): IncidentChange["state"] {
  const { reopens, goesOn, now } = facts;
  const { state, resolvedAt } = facts.incident;
  if (state === "resolved") {
    if (reopens) return "open";
    return resolvedAt !== null && now - resolvedAt >= closeAfterMs ? "closed" : null;
  }
  return isLive(state) && !goesOn ? "resolved" : null;
}
