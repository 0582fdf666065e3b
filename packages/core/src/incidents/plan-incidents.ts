import { joinsIncident, opensIncident, pairName, type PipedAlert, worstSeverity } from "../alerts/piped-alert.js";
import { closeAfterMs, type IncidentState, isLive, reopenWithinMs } from "./incident-state.js";

/** An incident as far as correlation is concerned. Instants are epoch milliseconds. */
export interface KnownIncident {
  readonly id: number;
  readonly state: IncidentState;
  readonly severity: PipedAlert["severity"];
  readonly rootNode: string;
  readonly openedAt: number;
  readonly resolvedAt: number | null;
  /** People put alerts into it or took some out: correlation merges it into no other. */
  readonly placedByPeople: boolean;
  /** A person opened it again although nothing fires: it stays so until another alert comes to it, or a person resolves it. */
  readonly keptOpen: boolean;
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
  const byRoot = groupBy(facts.incidents, ({ rootNode }) => rootNode);
  // Only what is in no incident yet asks for it: most looks have nothing of the kind.
  let known: ReadonlyMap<string, number> | null = null;
  const earlier = (alert: PipedAlert) => (known ??= earlierIncidents(facts)).get(episodeName(alert));
  for (const group of facts.groups) {
    const members = group.alerts.flatMap((id) => alerts.get(id) ?? []).filter(joinsIncident);
    const fresh = members.filter(({ incident }) => incident === null);
    const homes = homesOf({ group, members, alerts, incidents, byRoot, earlier, now });
    const [home] = homes;
    if (home !== undefined) {
      draft(home).joins.push(...fresh.map(({ id }) => id));
      const root = alerts.get(group.rootAlert);
      // The cause moves further up from where it was seen: what only came to the incident for another reason moves nothing.
      const knowsOldRoot = members.some(({ node }) => node === home.rootNode);
      if (root !== undefined && knowsOldRoot && home.rootNode !== group.rootNode && isYoung(home, now))
        draft(home).root = { node: group.rootNode, alert: root.id, title: root.title };
      for (const other of homes.slice(1)) {
        if (!isYoung(other, now) || !isLive(other.state) || other.placedByPeople) continue;
        draft(other).mergedInto = home.id;
        draft(home).severities.push(other.severity);
      }
      continue;
    }
    const begun = begin(group, { fresh, alerts });
    if (begun !== null) opens.push(begun);
  }
  const membersOf = groupBy(facts.alerts, ({ incident }) => incident);
  const changes = facts.incidents.flatMap((incident) => {
    const decided = lastStop(drafts, incident.id);
    const joined = (decided?.joins ?? []).flatMap((id) => alerts.get(id) ?? []);
    return changeOf(incident, { draft: decided, joined, members: membersOf.get(incident.id) ?? [], now }) ?? [];
  });
  return { opens, changes };
}

function groupBy<Key, One>(all: readonly One[], keyOf: (one: One) => Key): ReadonlyMap<Key, readonly One[]> {
  const groups = new Map<Key, One[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
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
  const placed = alerts.filter(({ incident }) => incident !== null).toSorted((a, b) => a.id - b.id);
  for (const alert of placed) if (alert.incident !== null) found.set(episodeName(alert), alert.incident);
  return found;
}

function episodeName({ source, node, fingerprint }: PipedAlert): string {
  return pairName(pairName(source, node), fingerprint);
}

/** The incidents that a group may belong to, the one that it does belong to first: the oldest. */
function homesOf(input: {
  readonly group: AlertGroup;
  readonly members: readonly PipedAlert[];
  readonly alerts: ReadonlyMap<number, PipedAlert>;
  readonly incidents: ReadonlyMap<number, KnownIncident>;
  readonly byRoot: ReadonlyMap<string, readonly KnownIncident[]>;
  readonly earlier: (alert: PipedAlert) => number | undefined;
  readonly now: number;
}): readonly KnownIncident[] {
  const { group, members, alerts, incidents, byRoot, earlier, now } = input;
  const hasFresh = members.some(({ incident }) => incident === null);
  // A cause that broke long ago is still the cause, although correlation has stopped waiting for its symptoms.
  const behind = (alert: PipedAlert) => (alert.cause === null ? null : (alerts.get(alert.cause)?.incident ?? null));
  const ids = new Set(members.flatMap((alert) => alert.incident ?? earlier(alert) ?? behind(alert) ?? []));
  const found = [...ids].flatMap((id) => incidents.get(id) ?? []);
  const sameRoot = hasFresh ? (byRoot.get(group.rootNode) ?? []) : [];
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
  {
    draft,
    joined,
    members,
    now,
  }: {
    readonly draft: Draft | undefined;
    /** The alerts of `draft.joins`, and those that are in the incident already. */
    readonly joined: readonly PipedAlert[];
    readonly members: readonly PipedAlert[];
    readonly now: number;
  },
): IncidentChange | null {
  const { joins = [], severities = [], mergedInto = null, root = null } = draft ?? {};
  const { id } = incident;
  if (mergedInto !== null) return { id, joins, severity: incident.severity, state: null, mergedInto, root: null };
  // Also of what has long been in it: a monitor may say later that the same thing has become worse (law 8). In a window that waits for its end.
  const told = [...joined, ...members.filter(joinsIncident)];
  const severity = worstSeverity([incident.severity, ...severities, ...told.map((one) => one.severity)]);
  const goesOn = [members, joined].some((alerts) =>
    alerts.some(({ status, reasons }) => status === "firing" || reasons.some(({ kind }) => kind === "flapping")),
  );
  const isNews = joins.length > 0 || severity !== incident.severity;
  const next = nextState({ incident, reopens: isNews && goesOn, goesOn, hasJoined: joins.length > 0, now });
  const moves = joins.length > 0 || next !== null || root !== null || severity !== incident.severity;
  return moves ? { id, joins, severity, state: next, mergedInto, root } : null;
}

function nextState(facts: {
  readonly incident: KnownIncident;
  readonly reopens: boolean;
  readonly goesOn: boolean;
  readonly hasJoined: boolean;
  readonly now: number;
}): IncidentChange["state"] {
  const { reopens, goesOn, hasJoined, now } = facts;
  const { state, resolvedAt, keptOpen } = facts.incident;
  if (state === "resolved") {
    if (reopens) return "open";
    // What still fires may become worse, and of a closed incident nobody would be told (law 8).
    return !goesOn && resolvedAt !== null && now - resolvedAt >= closeAfterMs ? "closed" : null;
  }
  return isLive(state) && !goesOn && (!keptOpen || hasJoined) ? "resolved" : null;
}
