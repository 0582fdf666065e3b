import type { IncidentChange, IncidentPlan, NewIncident } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudits } from "../audit/record-audit.js";
import { type Actor, systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";
import { appendEvents, type NewEvent } from "../events/append-events.js";
import { endOffer } from "./end-offer.js";
import { addEntries, type NewEntry } from "./entries.js";
import { followRoot, ownerOf } from "./follow-root.js";
import { linkProblem } from "./problems.js";
import type { Situation } from "./situation.js";

interface Writing {
  readonly situation: Situation;
  /** Alerts whose incidents a storm keeps quiet. */
  readonly quiet: ReadonlySet<number>;
  readonly now: number;
}

/** Writes what a look decided, with entries, audit and events. */
export async function writePlan(tx: Tx, { plan, ...writing }: Writing & { readonly plan: IncidentPlan }): Promise<void> {
  for (const opened of plan.opens) await open(tx, opened, writing);
  for (const change of plan.changes) await apply(tx, change, writing);
  await endQuiet(tx, writing);
}

async function open(tx: Tx, opened: NewIncident, { situation, quiet, now }: Writing): Promise<void> {
  const { anchor, rootNode, rootAlert, title, severity, alerts, startedAt } = opened;
  const root = situation.alerts.find(({ id }) => id === rootAlert);
  const systemId = situation.systemIds.get(rootNode) ?? root?.systemId ?? null;
  const rows = await tx.execute<{ id: number; ownerTeam: string | null }>(sql`
    insert into incident (state, severity, title, root_node, root_alert_id, system_id, anchor_alert_id, quiet, owner_team, started_at, opened_at, changed_at)
    select 'open', ${severity}, ${title}, ${rootNode}, ${rootAlert}::bigint, ${systemId}::integer, ${anchor}::bigint, ${quiet.has(anchor)},
      ${ownerOf(systemId)}, ${startedAt}::timestamptz, ${now}::timestamptz, ${now}::timestamptz
    on conflict (anchor_alert_id) do nothing
    returning id, owner_team as "ownerTeam"`);
  const [row] = rows;
  // Its alerts were split off or merged away by somebody since, and its first one still names the incident that they made of it.
  if (row === undefined) return;
  await join(tx, { incidentId: row.id, alerts, now });
  const facts = { severity, title, root: rootNode, alerts: alerts.length, ownerTeam: row.ownerTeam };
  await note(tx, now, {
    incidentId: row.id,
    action: "incident.open",
    entries: [{ incidentId: row.id, kind: "opened", text: `Opened with ${count(alerts.length)} at ${rootNode}.`, data: facts }],
    events: [{ kind: "incident.opened", subjectKind: "incident", subjectKey: String(row.id), payload: facts }],
    after: facts,
  });
  await linkProblem(tx, { incidentId: row.id, rootNode, systemId, title, now });
}

async function apply(tx: Tx, change: IncidentChange, { situation, now }: Writing): Promise<void> {
  const { id, joins, severity, state, mergedInto, root } = change;
  const before = situation.incidents.find((incident) => incident.id === id);
  if (before === undefined) return;
  if (mergedInto !== null) return mergeAway(tx, { from: id, into: mergedInto, actor: systemActor, now });
  if (joins.length > 0) await join(tx, { incidentId: id, alerts: joins, now });
  const systemId =
    root === null ? null : (situation.systemIds.get(root.node) ?? situation.alerts.find((one) => one.id === root.alert)?.systemId ?? null);
  await tx.execute(sql`
    update incident set severity = ${severity}, changed_at = ${now}::timestamptz, state = coalesce(${state}, state),
      resolved_at = case ${state}::text when 'resolved' then ${now}::timestamptz when 'open' then null else resolved_at end,
      closed_at = case ${state}::text when 'closed' then ${now}::timestamptz else closed_at end,
      reopened = reopened + case ${state}::text when 'open' then 1 else 0 end, kept_open = kept_open and ${joins.length === 0},
      root_node = coalesce(${root?.node ?? null}, root_node), root_alert_id = coalesce(${root?.alert ?? null}::bigint, root_alert_id),
      title = coalesce(${root?.title ?? null}, title), system_id = coalesce(${systemId}::integer, system_id)
    where id = ${id}::bigint`);
  if (state === "closed") await endOffer(tx, { incidentId: id, actor: systemActor, now });
  if (root !== null) await followRoot(tx, { incidentId: id, node: root.node, systemId, title: root.title, now });
  const said: NewEntry[] = [];
  const events: NewEvent[] = [];
  const say = (kind: NewEntry["kind"], event: string, text: string, payload: { readonly [name: string]: unknown }): void => {
    said.push({ incidentId: id, kind, text, data: payload });
    events.push({ kind: event, subjectKind: "incident", subjectKey: String(id), payload });
  };
  if (joins.length > 0) say("grew", "incident.grew", `${count(joins.length)} more came to it.`, { alerts: joins.length });
  if (severity !== before.severity) say("severity", "incident.worsened", `It is ${severity} now.`, { before: before.severity, severity });
  if (root !== null)
    say("root", "incident.rerooted", `The probable cause lies at ${root.node}.`, { before: before.rootNode, root: root.node });
  if (state !== null) say("state", "incident.state-changed", stateWords[state], { before: before.state, state, by: "quiesce" });
  await note(tx, now, {
    incidentId: id,
    action: state === null ? "incident.grow" : `incident.${stateActions[state]}`,
    entries: said,
    events,
    after: { severity, state: state ?? before.state, joined: joins.length },
  });
}

const stateWords = {
  open: "Opened again: it came back within half an hour.",
  resolved: "Resolved: none of its alerts fires any more.",
  closed: "Closed: it was resolved a day ago.",
} as const;
const stateActions = { open: "reopen", resolved: "resolve", closed: "close" } as const;

/** Puts one incident under another: its alerts go there, for good. Both are locked. */
export async function mergeAway(
  tx: Tx,
  {
    from,
    into,
    actor,
    now,
    reason,
  }: { readonly from: number; readonly into: number; readonly actor: Actor; readonly now: number; readonly reason?: string },
): Promise<void> {
  await tx.execute(sql`update alert_standing set incident_id = ${into}::bigint where incident_id = ${from}::bigint`);
  await tx.execute(sql`
    update incident set state = 'merged', merged_into = ${into}::bigint, changed_at = ${now}::timestamptz, offered_to = null, offered_by = null, offer_reason = null, offered_at = null
    where id = ${from}::bigint`);
  await tx.execute(sql`update incident set merged_into = ${into}::bigint where merged_into = ${from}::bigint`);
  await note(tx, now, {
    incidentId: from,
    actor,
    ...(reason === undefined ? {} : { reason }),
    action: "incident.merge",
    entries: [
      { incidentId: from, kind: "merged", text: `Merged into incident ${into}.`, data: { into } },
      { incidentId: into, kind: "merged", text: `Incident ${from} was merged into it.`, data: { from } },
    ],
    events: [
      { kind: "incident.merged", subjectKind: "incident", subjectKey: String(from), payload: { into: String(into), by: actor.name } },
    ],
    after: { into },
  });
}

async function join(
  tx: Tx,
  { incidentId, alerts, now }: { readonly incidentId: number; readonly alerts: readonly number[]; readonly now: number },
) {
  await tx.execute(sql`
    update alert_standing set incident_id = ${incidentId}::bigint, joined_at = ${now}::timestamptz where alert_id = any (${bigints(alerts)}) and incident_id is null`);
}

/** The storm that kept them quiet is over: their teams are told now. */
async function endQuiet(tx: Tx, { situation, quiet, now }: Writing): Promise<void> {
  const still = new Set(situation.alerts.flatMap(({ id, incident }) => (incident !== null && quiet.has(id) ? [incident] : [])));
  await tx.execute(sql`
    update incident set quiet = false, changed_at = ${now}::timestamptz
    where quiet and state in ('open', 'acknowledged', 'in-progress', 'on-hold') and opened_at < ${now}::timestamptz and not (id = any (${bigints([...still])}))`);
}

async function note(
  tx: Tx,
  now: number,
  noted: {
    readonly incidentId: number;
    readonly action: string;
    /** Quiesce itself when left out. */
    readonly actor?: Actor;
    readonly reason?: string;
    readonly entries: readonly NewEntry[];
    readonly events: readonly NewEvent[];
    readonly after: unknown;
  },
): Promise<void> {
  const { incidentId, action, actor = systemActor, reason, entries, events, after } = noted;
  await addEntries(tx, { actor, now }, entries);
  const said = reason === undefined ? {} : { reason };
  await recordAudits(tx, [{ actor, action, subjectKind: "incident", subjectKey: String(incidentId), ...said, after }]);
  await appendEvents(tx, events);
}

function count(alerts: number): string {
  return alerts === 1 ? "one alert" : `${alerts} alerts`;
}
