import { isLive } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { incidentRefused, lockIncidents, lockLive, noteDeed, requireText } from "./commands.js";
import { placeAlerts, type SaidAlert } from "./place-alerts.js";
import { mergeAway } from "./write-plan.js";

/** Alerts of one split. */
const maxSplit = 1_000;

/** Puts one incident under another, for good: its alerts go there. Throws QSC_INCIDENT_NOT_FOUND, _MERGE and _REASON. */
export function mergeIncidents(
  context: CommandContext,
  input: { readonly id: number; readonly into: number; readonly reason: string },
): Promise<void> {
  const reason = requireText(input.reason, "reason");
  const { id, into } = input;
  if (id === into) return Promise.reject(incidentRefused("MERGE", "An incident cannot be merged into itself. Name another one.", "into"));
  return inTransaction(context, async (tx) => {
    const [from, to] = await lockIncidents(tx, [id, into]);
    if (from === undefined || to === undefined) throw new Error("lockIncidents answered too little.");
    if (from.state === "closed" || from.state === "merged")
      throw incidentRefused("MERGE", `Incident ${id} is ${from.state} and stays as it is.`);
    if (!isLive(to.state))
      throw incidentRefused("MERGE", `Incident ${into} is ${to.state}: nothing can be merged into it. Open it first.`, "into");
    const now = await readNow(tx);
    await tx.execute(sql`
      update incident set severity = (select severity from incident where id = any (array[${id}, ${into}]::bigint[])
        order by array_position(array['critical', 'major', 'minor', 'warning', 'info'], severity) limit 1) where id = ${into}::bigint`);
    await tx.execute(sql`update alert_standing set placed_by = ${context.actor.name} where incident_id = ${id}::bigint`);
    await mergeAway(tx, { from: id, into, actor: context.actor, now, reason });
  });
}

/**
 * Takes alerts out of an incident into a new one. Correlation leaves both as they are. Throws QSC_INCIDENT_NOT_FOUND, _STATE, _REASON, and _SPLIT where
 * an alert is not of the incident, or none would be left. Answers the new incident's number.
 */
export function splitIncident(
  context: CommandContext,
  input: { readonly id: number; readonly alerts: readonly number[]; readonly reason: string },
): Promise<{ readonly id: number }> {
  const reason = requireText(input.reason, "reason");
  const alerts = [...new Set(input.alerts)];
  return inTransaction(context, async (tx) => {
    const incident = await lockLive(tx, input.id);
    if (alerts.length === 0 || alerts.length > maxSplit)
      throw incidentRefused("SPLIT", `${alerts.length} alerts are named. Expected 1 to ${maxSplit}.`, "alerts");
    const found = await selectRows<{ id: number }>(
      tx,
      sql`select alert_id as id from alert_standing where incident_id = ${input.id}::bigint and alert_id = any (${bigints(alerts)}) for update`,
    );
    const missing = alerts.filter((id) => !found.some((one) => one.id === id));
    if (missing.length > 0)
      throw incidentRefused(
        "SPLIT",
        `Alert ${missing.slice(0, 10).join(", ")} is not of incident ${input.id}. Its alerts: quiesce incidents show ${input.id}.`,
        "alerts",
      );
    if (found.length === incident.alerts)
      throw incidentRefused("SPLIT", `These are all alerts of incident ${input.id}. Leave at least one with it.`, "alerts");
    const now = await readNow(tx);
    const root = await rootOf(tx, alerts);
    const [made] = await tx.execute<{ id: number }>(sql`
      insert into incident (state, severity, title, root_node, root_alert_id, system_id, owner_team, started_at, opened_at, changed_at)
      select 'open', a.severity, a.title, ${root.node}, a.id, coalesce(${root.systemId}::integer, i.system_id, e.system_id), i.owner_team, a.started_at, ${now}::timestamptz, ${now}::timestamptz
      from alert as a join endpoint as e on e.id = a.endpoint_id cross join incident as i
      where a.id = ${root.alert}::bigint and i.id = ${input.id}::bigint
      returning id`);
    if (made === undefined) throw new Error("An alert that was locked is not there.");
    await tx.execute(sql`
      update alert_standing set incident_id = ${made.id}::bigint, joined_at = ${now}::timestamptz, placed_by = ${context.actor.name} where alert_id = any (${bigints(alerts)})`);
    const after = { from: String(input.id), into: String(made.id), alerts: found.length };
    const said = { action: "incident.split", kind: "split", reason, now, before: { alerts: incident.alerts } } as const;
    await noteDeed(tx, context, {
      ...said,
      incidentId: input.id,
      event: "incident.split",
      text: `${found.length} of its alerts were split off into incident ${made.id}.`,
      after,
    });
    await noteDeed(tx, context, {
      ...said,
      incidentId: made.id,
      event: "incident.opened",
      text: `Split off from incident ${input.id}.`,
      after,
    });
    return { id: made.id };
  });
}

/** The worst of alerts, the oldest of these, and the thing that it is about: found as the looks find it, so that what comes later meets it there. */
async function rootOf(
  tx: Tx,
  alerts: readonly number[],
): Promise<{ readonly alert: number; readonly node: string; readonly systemId: number | null }> {
  const [worst] = await selectRows<SaidAlert & { readonly id: number }>(
    tx,
    sql`
    select a.id, e.key as source, a.endpoint_id as "endpointId", e.system_id as "endpointSystemId", a.origin, a.resource_name as resource, a.resource_parents as parents
    from alert as a join endpoint as e on e.id = a.endpoint_id where a.id = any (${bigints(alerts)})
    order by array_position(array['critical', 'major', 'minor', 'warning', 'info'], a.severity), a.started_at, a.id limit 1`,
  );
  if (worst === undefined) throw new Error("Alerts that were locked are not there.");
  const { nodes, systemIds } = await placeAlerts(tx, [worst]);
  const node = nodes[0] ?? "";
  return { alert: worst.id, node, systemId: systemIds.get(node) ?? null };
}
