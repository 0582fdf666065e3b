import { decideNotice, incidentMessage, type IncidentMessageFacts, isTold, type IncidentState } from "@quiesce/core";
import type { Alert } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { appendEvents } from "../events/append-events.js";
import { destinationOf } from "../notifications/destination.js";
import { insertMessages } from "../notifications/insert-messages.js";
import { addEntries } from "./entries.js";

/** Integrations that a message names of each incident. */
const maxIntegrations = 20;

interface Row extends IncidentMessageFacts {
  readonly id: number;
  readonly state: IncidentState;
  readonly severity: Alert["severity"];
  readonly quiet: boolean;
  readonly toldSeverity: Alert["severity"] | null;
  readonly toldOver: boolean | null;
}

interface Hook {
  readonly incidentId: number;
  readonly id: number;
  readonly team: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly observe: boolean;
}

/**
 * Tells teams what became of incidents since they were told last, in the transaction of the look: one message for each webhook and kind, however many
 * incidents it is about. Answers of how many they were told.
 */
export async function tellTeams(tx: Tx, now: number): Promise<number> {
  const rows = await liveRows(tx);
  const notices = rows.flatMap((row) => {
    const told = row.toldSeverity === null || row.toldOver === null ? null : { severity: row.toldSeverity, over: row.toldOver };
    const notice = decideNotice({ ...row, told });
    return notice === null ? [] : [{ row, kind: `incident.${notice}` }];
  });
  if (notices.length === 0) return 0;
  const hooks = await hooksOf(
    tx,
    notices.map(({ row }) => row.id),
  );
  await queueIncidentMessages(tx, { at: now, notices, hooks });
  await tx.execute(sql`
    update incident as i set told_severity = i.severity, told_over = i.state not in ('open', 'acknowledged', 'in-progress', 'on-hold'), told_at = ${now}::timestamptz
    where i.id = any (${bigints(notices.map(({ row }) => row.id))})`);
  await addEntries(
    tx,
    { actor: systemActor, now },
    notices.map(({ row, kind }) => {
      const teams = [...new Set(hooks.filter((hook) => hook.incidentId === row.id).map(({ team }) => team))];
      const text =
        teams.length === 0
          ? "Nobody could be told: no team that it concerns has a webhook or a mail address."
          : `Told: ${teams.join(", ")}.`;
      return { incidentId: row.id, kind: "told", text, data: { notice: kind, teams } };
    }),
  );
  await appendEvents(
    tx,
    notices.map(({ row, kind }) => ({ kind: "incident.told", subjectKind: "incident", subjectKey: row.key, payload: { notice: kind } })),
  );
  return notices.length;
}

/** Writes one message for each webhook and kind. */
export async function queueIncidentMessages(
  tx: Tx,
  told: {
    readonly at: number;
    readonly notices: readonly { readonly row: IncidentMessageFacts & { readonly id: number }; readonly kind: string }[];
    readonly hooks: readonly Hook[];
    readonly event?: { readonly [name: string]: unknown };
  },
): Promise<void> {
  const { at, notices, hooks, event } = told;
  const kinds = [...new Set(notices.map(({ kind }) => kind))];
  const byHook = new Map(hooks.map((hook) => [hook.id, hook]));
  const messages = [...byHook.values()].flatMap((hook) =>
    kinds.flatMap((kind) => {
      if (!isTold(hook, { kind, observing: false })) return [];
      const concerns = new Set(hooks.filter(({ id }) => id === hook.id).map(({ incidentId }) => incidentId));
      const incidents = notices.filter((one) => one.kind === kind && concerns.has(one.row.id)).map(({ row }) => factsOf(row));
      if (incidents.length === 0) return [];
      const payload = incidentMessage(kind, { at, incidents, ...(event === undefined ? {} : { event }) });
      return [{ kind, webhook_id: hook.id, team: hook.team, destination: destinationOf(hook.url), thing: "incidents", payload }];
    }),
  );
  await insertMessages(tx, messages);
}

function factsOf({
  key,
  title,
  state,
  severity,
  root,
  system,
  ownerTeam,
  openedAt,
  resolvedAt,
  alerts,
  integrations,
}: IncidentMessageFacts): IncidentMessageFacts {
  return { key, title, state, severity, root, system, ownerTeam, openedAt, resolvedAt, alerts, integrations };
}

const facts = sql`i.id, i.id::text as key, i.title, i.state, i.severity, i.root_node as root, s.key as system, i.owner_team as "ownerTeam", i.opened_at as "openedAt",
  i.resolved_at as "resolvedAt", i.quiet, i.told_severity as "toldSeverity", i.told_over as "toldOver",
  (select count(*)::integer from alert_standing as t where t.incident_id = i.id) as alerts,
  array(select g.key from integration_system as r join integration as g on g.id = r.integration_id where r.system_id = i.system_id order by g.key limit ${maxIntegrations}) as integrations`;

function liveRows(tx: Tx): Promise<readonly Row[]> {
  return selectRows<Row>(
    tx,
    sql`
    select ${facts} from incident as i left join system as s on s.id = i.system_id
    where i.state in ('open', 'acknowledged', 'in-progress', 'on-hold', 'resolved')
      and (i.told_at is null or i.told_severity <> i.severity or i.told_over = (i.state <> 'resolved')) order by i.id`,
  );
}

/** One incident as messages tell it. */
export async function messageFactsOf(tx: Tx, incidentId: number): Promise<Row | undefined> {
  const [row] = await selectRows<Row>(
    tx,
    sql`select ${facts} from incident as i left join system as s on s.id = i.system_id where i.id = ${incidentId}::bigint`,
  );
  return row;
}

/** The webhooks of the teams that incidents concern: their owners, and those of integrations that pass through the system. */
export function hooksOf(tx: Tx, incidentIds: readonly number[]): Promise<readonly Hook[]> {
  return selectRows<Hook>(
    tx,
    sql`
    select i.id as "incidentId", k.id, t.key as team, k.url, k.events, k.observe
    from incident as i join team as t on t.key = i.owner_team or t.key = i.offered_to
      or exists (select from integration_system as r join integration as g on g.id = r.integration_id where r.system_id = i.system_id and g.owner_team = t.key)
    join team_webhook as k on k.team_id = t.id
    where i.id = any (${bigints(incidentIds)}) and k.disabled_at is null order by i.id, k.id`,
  );
}
