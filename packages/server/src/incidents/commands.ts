import { decideIncidentStep, DomainError, type IncidentState, isLive } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { endOffer } from "./end-offer.js";
import { addEntries, type IncidentEntryKind } from "./entries.js";
import { hooksOf, messageFactsOf, queueIncidentMessages } from "./tell-teams.js";

const codes = {
  NOT_FOUND: "QSC_INCIDENT_NOT_FOUND",
  STATE: "QSC_INCIDENT_STATE",
  FIRING: "QSC_INCIDENT_FIRING",
  REASON: "QSC_INCIDENT_REASON",
  TEXT: "QSC_INCIDENT_TEXT",
  TEAM: "QSC_INCIDENT_TEAM",
  TRANSFER: "QSC_INCIDENT_TRANSFER",
  MERGE: "QSC_INCIDENT_MERGE",
  SPLIT: "QSC_INCIDENT_SPLIT",
  PROBLEM: "QSC_INCIDENT_PROBLEM",
} as const;

export function incidentRefused(what: keyof typeof codes, message: string, field = "key"): DomainError {
  return new DomainError(codes[what], message, { field });
}

/** A note or a reason has so many characters at most. */
const maxText = 10_000;

/** An incident, locked until the transaction ends. */
export interface LockedIncident {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly state: IncidentState;
  readonly ownerTeam: string | null;
  readonly assignee: string | null;
  readonly offeredTo: string | null;
  readonly firing: number;
  readonly alerts: number;
}

/** Locks incidents in the order of their numbers. Throws QSC_INCIDENT_NOT_FOUND. */
export async function lockIncidents(tx: Tx, ids: readonly number[]): Promise<readonly LockedIncident[]> {
  const found: LockedIncident[] = [];
  for (const id of ids.toSorted((a, b) => a - b)) {
    await tx.execute(sql`select from incident where id = ${id}::bigint for update`);
    const [row] = await tx.execute<LockedIncident>(sql`
      select i.id, i.state, i.owner_team as "ownerTeam", i.assignee, i.offered_to as "offeredTo",
        (select count(*)::integer from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = i.id and a.status = 'firing') as firing,
        (select count(*)::integer from alert_standing as t where t.incident_id = i.id) as alerts
      from incident as i where i.id = ${id}::bigint`);
    if (row === undefined) throw incidentRefused("NOT_FOUND", `There is no incident ${id}. List them: quiesce incidents list.`);
    found.push(row);
  }
  return ids.map((id) => found.find((one) => one.id === id) as LockedIncident);
}

/** What was done to an incident, for its timeline, the audit trail and the live events. */
export interface Deed {
  readonly incidentId: number;
  readonly action: string;
  readonly event: string;
  readonly kind: IncidentEntryKind;
  readonly text: string;
  readonly reason?: string | undefined;
  readonly before?: { readonly [name: string]: unknown };
  readonly after: { readonly [name: string]: unknown };
}

/** Writes a deed down: in the timeline, in the audit trail, and as an event. */
export async function noteDeed(tx: Tx, context: CommandContext, { now, ...deed }: Deed & { readonly now: number }): Promise<void> {
  const { incidentId, action, event, kind, text, reason, before, after } = deed;
  const { actor } = context;
  await tx.execute(sql`update incident set changed_at = ${now}::timestamptz where id = ${incidentId}::bigint`);
  await addEntries(tx, { actor, now }, [{ incidentId, kind, text, data: { ...after, ...(reason === undefined ? {} : { reason }) } }]);
  const subject = { subjectKind: "incident", subjectKey: String(incidentId) } as const;
  await recordAudit(tx, {
    ...subject,
    actor,
    action,
    after,
    ...(reason === undefined ? {} : { reason }),
    ...(before === undefined ? {} : { before }),
  });
  await appendEvents(tx, [{ ...subject, kind: event, payload: { ...after, by: actor.name } }]);
}

export function requireText(text: string, field: "reason" | "text"): string {
  const said = text.trim();
  if (said === "" || said.length > maxText)
    throw incidentRefused(
      field === "reason" ? "REASON" : "TEXT",
      `The ${field} has ${said.length} characters. Expected 1 to ${maxText}: it stays on the incident's timeline.`,
      field,
    );
  return said;
}

/**
 * Takes an incident to another state by the one table of states. Throws QSC_INCIDENT_NOT_FOUND, _STATE where the table has no such way, _FIRING where
 * alerts still fire (what fires is never closed), and _REASON: putting on hold, and resolving what fires, want a reason.
 */
export function moveIncident(
  context: CommandContext,
  input: {
    readonly id: number;
    readonly to: Exclude<IncidentState, "merged">;
    readonly reason: string | null;
    readonly evenIfFiring: boolean;
  },
): Promise<void> {
  const { id, to, evenIfFiring } = input;
  return inTransaction(context, async (tx) => {
    const [incident] = await lockIncidents(tx, [id]);
    if (incident === undefined) throw new Error("lockIncidents answered nothing.");
    const verdict = decideIncidentStep(incident, { to, evenIfFiring });
    if (verdict.kind === "refuse")
      throw incidentRefused(
        verdict.why === "firing" ? "FIRING" : "STATE",
        `Incident ${id}: ${verdict.reason}`,
        verdict.why === "firing" ? "key" : "state",
      );
    const needsReason = to === "on-hold" || (to === "resolved" && incident.firing > 0) || to === "open";
    const reason = needsReason || input.reason !== null ? requireText(input.reason ?? "", "reason") : undefined;
    const now = await readNow(tx);
    const { actor } = context;
    await tx.execute(sql`
      update incident set state = ${to}, hold_reason = ${to === "on-hold" ? (reason ?? null) : null},
        acknowledged_at = case when ${to} in ('acknowledged', 'in-progress') then coalesce(acknowledged_at, ${now}::timestamptz) else acknowledged_at end,
        assignee = case when ${to} in ('acknowledged', 'in-progress') then coalesce(assignee, ${actor.name}) else assignee end,
        resolved_at = case ${to}::text when 'resolved' then ${now}::timestamptz when 'open' then null else resolved_at end,
        closed_at = case ${to}::text when 'closed' then ${now}::timestamptz else null end,
        reopened = reopened + case ${to}::text when 'open' then 1 else 0 end,
        kept_open = case ${to}::text when 'open' then ${incident.firing === 0} when 'resolved' then false else kept_open end
      where id = ${id}::bigint`);
    if (to === "closed") await endOffer(tx, { incidentId: id, actor, now });
    await noteDeed(tx, context, {
      incidentId: id,
      action: "incident.move",
      event: "incident.state-changed",
      kind: "state",
      text: `It is ${to.replaceAll("-", " ")}.`,
      reason,
      before: { state: incident.state },
      after: { state: to },
      now,
    });
  });
}

/** Writes a note on the timeline, of whatever state. Throws QSC_INCIDENT_NOT_FOUND and QSC_INCIDENT_TEXT. */
export function noteIncident(context: CommandContext, input: { readonly id: number; readonly text: string }): Promise<void> {
  const text = requireText(input.text, "text");
  return inTransaction(context, async (tx) => {
    await lockIncidents(tx, [input.id]);
    const now = await readNow(tx);
    const after = { characters: text.length };
    await noteDeed(tx, context, { incidentId: input.id, action: "incident.note", event: "incident.noted", kind: "note", text, after, now });
  });
}

/** Says who works on an incident; null: nobody. Throws QSC_INCIDENT_NOT_FOUND and _STATE. */
export function assignIncident(
  context: CommandContext,
  input: { readonly id: number; readonly assignee: string | null; readonly reason: string | null },
): Promise<void> {
  return inTransaction(context, async (tx) => {
    const incident = await lockLive(tx, input.id);
    const assignee = input.assignee === null ? null : requireText(input.assignee, "text").slice(0, 200);
    const now = await readNow(tx);
    await tx.execute(sql`update incident set assignee = ${assignee} where id = ${input.id}::bigint`);
    await noteDeed(tx, context, {
      incidentId: input.id,
      action: "incident.assign",
      event: "incident.assigned",
      kind: "assigned",
      text: assignee === null ? "Nobody works on it." : `${assignee} works on it.`,
      ...(input.reason === null ? {} : { reason: input.reason }),
      before: { assignee: incident.assignee },
      after: { assignee },
      now,
    });
  });
}

/** Offers an incident to another team, which is told; it stays where it is until that team accepts. Throws QSC_INCIDENT_TEAM, _REASON, _STATE and _NOT_FOUND. */
export function offerIncident(
  context: CommandContext,
  input: { readonly id: number; readonly team: string; readonly reason: string },
): Promise<void> {
  const reason = requireText(input.reason, "reason");
  const { id, team } = input;
  return inTransaction(context, async (tx) => {
    const incident = await lockLive(tx, id);
    const known = await tx.execute(sql`select from team where key = ${team}`);
    if (known.length === 0) throw incidentRefused("TEAM", `There is no team "${team}". List them: quiesce team list.`, "team");
    if (incident.ownerTeam === team) throw incidentRefused("TEAM", `Incident ${id} is with the team "${team}" already.`, "team");
    const now = await readNow(tx);
    await tx.execute(sql`
      update incident set offered_to = ${team}, offered_by = ${context.actor.name}, offer_reason = ${reason}, offered_at = ${now}::timestamptz where id = ${id}::bigint`);
    await noteDeed(tx, context, {
      incidentId: id,
      action: "incident.offer",
      event: "incident.transfer-offered",
      kind: "offered",
      text: `Offered to ${team}.`,
      reason,
      before: { ownerTeam: incident.ownerTeam },
      after: { offeredTo: team },
      now,
    });
    const row = await messageFactsOf(tx, id);
    if (row === undefined) return;
    const hooks = (await hooksOf(tx, [id])).filter((hook) => hook.team === team);
    await queueIncidentMessages(tx, {
      at: now,
      notices: [{ row, kind: "incident.transfer-offered" }],
      hooks,
      event: { offeredTo: team, by: context.actor.name, reason },
    });
  });
}

/**
 * Accepts an offered incident for the team that it was offered to, or declines it. Throws QSC_INCIDENT_TRANSFER when none is offered, QSC_INCIDENT_STATE when one
 * that is over is accepted (its offer stands while it may open again), and _NOT_FOUND.
 */
export function answerOffer(
  context: CommandContext,
  input: { readonly id: number; readonly accept: boolean; readonly reason: string | null },
): Promise<void> {
  const { id, accept } = input;
  return inTransaction(context, async (tx) => {
    const [incident] = await lockIncidents(tx, [id]);
    const team = incident?.offeredTo ?? null;
    if (incident === undefined || team === null)
      throw incidentRefused("TRANSFER", `Incident ${id} is offered to nobody, so there is nothing to answer.`);
    if (accept && !isLive(incident.state))
      throw incidentRefused(
        "STATE",
        `Incident ${id} is ${incident.state}: nothing is left to take over. The offer stands if it opens again; decline it, or leave it.`,
      );
    const reason = accept && input.reason === null ? undefined : requireText(input.reason ?? "", "reason");
    const now = await readNow(tx);
    await tx.execute(sql`
      update incident set owner_team = case when ${accept} then offered_to else owner_team end, assignee = case when ${accept} then ${context.actor.name} else assignee end,
        offered_to = null, offered_by = null, offer_reason = null, offered_at = null where id = ${id}::bigint`);
    await noteDeed(tx, context, {
      incidentId: id,
      action: accept ? "incident.accept" : "incident.decline",
      event: accept ? "incident.transfer-accepted" : "incident.transfer-declined",
      kind: accept ? "accepted" : "declined",
      text: accept ? `${team} took it over.` : `${team} did not take it.`,
      reason,
      before: { ownerTeam: incident.ownerTeam },
      after: { ownerTeam: accept ? team : incident.ownerTeam },
      now,
    });
  });
}

/** An incident on which work goes on, locked. Throws QSC_INCIDENT_STATE for others. */
export async function lockLive(tx: Tx, id: number): Promise<LockedIncident> {
  const [incident] = await lockIncidents(tx, [id]);
  if (incident === undefined) throw new Error("lockIncidents answered nothing.");
  if (!isLive(incident.state)) throw incidentRefused("STATE", `Incident ${id} is ${incident.state}: nobody works on it any more.`);
  return incident;
}
