import {
  affectedSystems,
  type AlertTopology,
  type AlertWindow,
  type CatalogFacts,
  keptAfterEndMs,
  type KnownIncident,
  type PipedAlert,
  waysUp,
  windowKindEffects,
  windowKinds,
  type WindowScope,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { texts } from "../db/sql-arrays.js";
import { placeAlerts, type SaidAlert } from "./place-alerts.js";

/** One look takes so many alerts, the critical ones first; what is left comes with the next look. */
export const maxAlertsOfLook = 50_000;

/** Chains of systems are not longer; beyond it the path is only not told. */
const maxChain = 50;

/** An alert on its way, with what is stored about it. */
export interface StoredAlert extends PipedAlert {
  readonly kind: string;
  /** The system that it belongs to: its own, or that of the endpoint that speaks of it. */
  readonly systemId: number;
  readonly eligibleAt: number | null;
  readonly placed: boolean;
  /** When it was looked at first; null: now. */
  readonly consideredAt: number | null;
  /** It was kept quiet at the last look. */
  readonly wasMuted: boolean;
  /** Of its open reasons, see `reasonsDigest`; null: nobody knows. */
  readonly reasonsDigest: string | null;
}

/** Everything that one look decides on. */
export interface Situation {
  readonly alerts: readonly StoredAlert[];
  readonly incidents: readonly KnownIncident[];
  readonly windows: readonly AlertWindow[];
  /** What a thing is down with: hard dependencies, and what monitors say it lies behind. */
  readonly needs: AlertTopology;
  /** The same with soft dependencies: what may be the cause of what. */
  readonly suffers: AlertTopology;
  readonly systemIds: ReadonlyMap<string, number>;
}

interface AlertRow extends Omit<StoredAlert, "node" | "systemId" | "reasons" | "cause">, SaidAlert {}

/** Reads what is not settled, with the live incidents locked: nobody changes them while a look decides. */
export async function loadSituation(tx: Tx, now: number): Promise<Situation> {
  const incidents = await liveIncidents(tx);
  const rows = await unsettledAlerts(tx);
  if (rows.length === 0) return { alerts: [], incidents, windows: [], needs: new Map(), suffers: new Map(), systemIds: new Map() };
  const { nodes, facts, keyOf, systemIds, needs, suffers } = await placeAlerts(tx, rows);
  const alerts = rows.map((row, at) => storedAlert(row, { node: nodes[at] ?? "", systemIds }));
  return { alerts, incidents, windows: await mutingWindows(tx, { facts, keyOf, needs, now }), needs, suffers, systemIds };
}

/** Field by field: objects of one shape are half the price of a look at tens of thousands. */
function storedAlert(
  row: AlertRow,
  { node, systemIds }: { readonly node: string; readonly systemIds: ReadonlyMap<string, number> },
): StoredAlert {
  return {
    id: row.id,
    source: row.source,
    fingerprint: row.fingerprint,
    severity: row.severity,
    status: row.status,
    title: row.title,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
    node,
    labels: row.labels,
    suppressedBy: row.suppressedBy,
    incident: row.incident,
    wasFlapping: row.wasFlapping,
    wasConsidered: row.wasConsidered,
    reasons: NO_REASONS,
    cause: null,
    kind: row.kind,
    systemId: systemIds.get(node) ?? row.endpointSystemId,
    eligibleAt: row.eligibleAt,
    placed: row.placed,
    consideredAt: row.consideredAt,
    wasMuted: row.wasMuted,
    reasonsDigest: row.reasonsDigest,
  };
}

const NO_REASONS: StoredAlert["reasons"] = [];

function unsettledAlerts(tx: Tx): Promise<readonly AlertRow[]> {
  return selectRows<AlertRow>(
    tx,
    sql`
    select a.id, e.key as source, a.endpoint_id as "endpointId", e.system_id as "endpointSystemId", a.origin, a.fingerprint, a.severity, a.status, a.title,
      a.started_at as "startedAt", a.ended_at as "endedAt", a.resource_kind as kind, a.resource_name as resource, a.resource_parents as parents, a.labels,
      a.suppressed_by as "suppressedBy", t.incident_id as incident, t.flapping as "wasFlapping", t.considered_at is not null as "wasConsidered",
      t.considered_at as "consideredAt", t.eligible_at as "eligibleAt", t.placed_by is not null as placed, t.muted as "wasMuted", t.reasons_digest as "reasonsDigest"
    from alert_standing as t join alert as a on a.id = t.alert_id join endpoint as e on e.id = a.endpoint_id
    where t.settled_at is null
    order by a.severity <> 'critical', t.considered_at is not null, a.id limit ${maxAlertsOfLook}`,
  );
}

function liveIncidents(tx: Tx): Promise<readonly KnownIncident[]> {
  return selectRows<KnownIncident>(
    tx,
    sql`
    select id, state, severity, root_node as "rootNode", opened_at as "openedAt", resolved_at as "resolvedAt", kept_open as "keptOpen",
      exists (select from alert_standing as t where t.incident_id = incident.id and t.placed_by is not null) as "placedByPeople"
    from incident where state in ('open', 'acknowledged', 'in-progress', 'on-hold', 'resolved') order by id for update`,
  );
}

/** Kinds of windows that keep alerts quiet. */
export const mutingKinds = windowKinds.filter((kind) => windowKindEffects[kind].mutesAlerts);

interface WindowRow {
  readonly key: string;
  readonly title: string;
  readonly localStart: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly scope: WindowScope;
}

/** Occurrences that hold now, or did a while ago. A window keeps quiet what its scope names and what cannot work without it; not the routes of integrations that it names: their systems stay up. */
async function mutingWindows(
  tx: Tx,
  {
    facts,
    keyOf,
    needs,
    now,
  }: { readonly facts: CatalogFacts; readonly keyOf: ReadonlyMap<number, string>; readonly needs: AlertTopology; readonly now: number },
): Promise<readonly AlertWindow[]> {
  const rows = await selectRows<WindowRow>(
    tx,
    sql`
    select w.key, w.title, o.local_start as "localStart", greatest(o.starts_at, h.begins_at) as "startsAt",
      least(o.ends_at, coalesce(h.released_at, o.ends_at)) as "endsAt", h.scope
    from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id
    where h.mode = 'enforce' and w.kind = any (${texts(mutingKinds)}) and h.begins_at <= ${now}::timestamptz
      and o.ends_at > ${now - keptAfterEndMs}::timestamptz
      and exists (select from control as c where c.mode = 'enforce')
    order by o.starts_at, o.id`,
  );
  return rows.map(({ scope, ...window }) => {
    const named = scope.all === true ? { all: true } : { systems: scope.systems ?? [] };
    const keys = affectedSystems(facts, named).flatMap((id) => keyOf.get(id) ?? []);
    const said = new Set(scope.all === true ? keys : (scope.systems ?? []));
    return { ...window, covers: new Map(keys.map((key) => [key, pathTo(said, key, needs)])) };
  });
}

/** By which way a system needs one that a window names. */
function pathTo(named: ReadonlySet<string>, key: string, needs: AlertTopology): string {
  for (const way of waysUp(needs, key, maxChain)) if (named.has(way.node)) return way.path;
  return key;
}

/** Ends what nothing can change any more: it ended long ago, and it was looked at. */
export async function settleAlerts(tx: Tx, { alerts }: Pick<Situation, "alerts">, now: number): Promise<void> {
  // A full look says nothing of what it left for the next one.
  const isOld = (at: number | null): boolean => at !== null && at < now - keptAfterEndMs;
  const mayBeOver = ({ endedAt, consideredAt }: StoredAlert): boolean => isOld(endedAt) && isOld(consideredAt);
  if (alerts.length < maxAlertsOfLook && !alerts.some(mayBeOver)) return;
  await tx.execute(sql`
    update alert_standing as t set settled_at = ${now}::timestamptz from alert as a
    where a.id = t.alert_id and t.settled_at is null and t.considered_at is not null and a.status = 'resolved'
      and a.ended_at < ${now - keptAfterEndMs}::timestamptz and t.considered_at < ${now - keptAfterEndMs}::timestamptz`);
}
