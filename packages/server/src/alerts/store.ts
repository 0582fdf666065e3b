import type { Episode } from "@quiesce/core";
import type { Alert } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { texts } from "../db/sql-arrays.js";

/** Who says that something is wrong: a monitor, this server whose own calls fail, or this server by its figures. */
export type AlertOrigin = "monitor" | "check" | "kpi";

/** An episode as it is stored. */
export interface StoredEpisode extends Episode {
  readonly id: number;
  readonly fingerprint: string;
}

const episode = sql`a.id, a.fingerprint, a.status, a.severity, a.title, a.started_at as "startedAt", coalesce(a.said_started_at, a.started_at) as "saidStartedAt", a.ended_at as "endedAt", a.remote_id as "remoteId",
  a.suppressed_by as "suppressedBy", a.acknowledged_by as "acknowledgedBy"`;

/** The first half of the lock's key; the second is the endpoint. */
const ENDPOINT_LOCK = 0x51_5c_61_6c;

/** What one monitor says is folded in by one at a time, whoever heard it. */
export async function lockAlertsOf(tx: Tx, endpointId: number): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${ENDPOINT_LOCK}, ${endpointId})`);
}

/** The newest episode of each fingerprint. */
export async function newestEpisodes(
  tx: Tx,
  endpointId: number,
  fingerprints: readonly string[],
): Promise<ReadonlyMap<string, StoredEpisode>> {
  const rows = await selectRows<StoredEpisode>(
    tx,
    sql`
    select ${episode} from (select distinct unnest(${texts(fingerprints)}) as fingerprint) as f
    cross join lateral (
      select * from alert as x where x.endpoint_id = ${endpointId} and x.fingerprint = f.fingerprint order by x.id desc limit 1) as a`,
  );
  return new Map(rows.map((row) => [row.fingerprint, row]));
}

/** Everything that a monitor said and that fires, except these, and what was first heard of at that instant or later. */
export async function firingExcept(
  tx: Tx,
  endpointId: number,
  except: { readonly fingerprints: readonly string[]; readonly heardAfter: number },
): Promise<readonly StoredEpisode[]> {
  return selectRows<StoredEpisode>(
    tx,
    sql`select ${episode} from alert as a where a.endpoint_id = ${endpointId} and a.status = 'firing' and a.origin = 'monitor' and a.first_seen_at < ${except.heardAfter}::timestamptz
      and a.fingerprint <> all (${texts(except.fingerprints)}) order by a.id`,
  );
}

/** An episode that begins; `endedAt` of one that nobody heard of before its end. */
export interface NewEpisode {
  readonly alert: Alert;
  readonly startedAt: number;
  readonly endedAt: number | null;
}

/** Writes episodes that begin, in their order; answers their ids. */
export async function insertEpisodes(
  tx: Tx,
  at: { readonly endpointId: number; readonly origin: AlertOrigin; readonly now: number },
  episodes: readonly NewEpisode[],
): Promise<readonly number[]> {
  if (episodes.length === 0) return [];
  const rows = episodes.map(({ alert, startedAt, endedAt }, n) => ({
    n,
    fingerprint: alert.fingerprint,
    remote_id: alert.id,
    status: endedAt === null ? "firing" : "resolved",
    severity: alert.severity,
    title: alert.title,
    resource_kind: alert.resource.kind,
    resource_name: alert.resource.name,
    resource_parents: alert.resource.parents ?? [],
    labels: alert.labels ?? {},
    suppressed_by: alert.suppressedBy ?? [],
    acknowledged_by: alert.acknowledgedBy ?? null,
    url: alert.url ?? null,
    raw: alert.raw ?? null,
    started_at: new Date(startedAt).toISOString(),
    // Only where it lies before: most begin when their monitor says so.
    said_started_at: Date.parse(alert.startsAt) < startedAt ? new Date(alert.startsAt).toISOString() : null,
    ended_at: endedAt === null ? null : new Date(endedAt).toISOString(),
  }));
  const written = await selectRows<{ id: number }>(
    tx,
    sql`
    with written as (
    insert into alert (endpoint_id, origin, fingerprint, remote_id, status, severity, title, resource_kind, resource_name, resource_parents, labels, suppressed_by,
      acknowledged_by, url, raw, started_at, said_started_at, ended_at, ended_by, first_seen_at, changed_at)
    select ${at.endpointId}, ${at.origin}, r.fingerprint, r.remote_id, r.status, r.severity, r.title, r.resource_kind, r.resource_name, r.resource_parents, r.labels, r.suppressed_by,
      r.acknowledged_by, r.url, r.raw, r.started_at, r.said_started_at, r.ended_at, case when r.ended_at is not null then ${at.origin}::text end, ${at.now}::timestamptz, ${at.now}::timestamptz
    from jsonb_to_recordset(${storable(rows)}::text::jsonb) as r(n integer, fingerprint text, remote_id text, status text, severity text, title text,
      resource_kind text, resource_name text, resource_parents text[], labels jsonb, suppressed_by text[], acknowledged_by text, url text, raw jsonb,
      started_at timestamptz, said_started_at timestamptz, ended_at timestamptz)
    order by r.n returning id),
    standing as (insert into alert_standing (alert_id) select id from written)
    select id from written order by id`,
  );
  return written.map(({ id }) => id);
}

/** Writes what a monitor says otherwise now. */
export async function changeEpisodes(
  tx: Tx,
  now: number,
  changes: readonly { readonly id: number; readonly alert: Alert }[],
): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes.map(({ id, alert }) => ({
    id,
    severity: alert.severity,
    title: alert.title,
    remote_id: alert.id,
    labels: alert.labels ?? {},
    suppressed_by: alert.suppressedBy ?? [],
    acknowledged_by: alert.acknowledgedBy ?? null,
    url: alert.url ?? null,
  }));
  await tx.execute(sql`
    update alert as a set severity = r.severity, title = r.title, remote_id = r.remote_id, labels = r.labels, suppressed_by = r.suppressed_by,
      acknowledged_by = r.acknowledged_by, url = r.url, changed_at = ${now}::timestamptz
    from jsonb_to_recordset(${storable(rows)}::text::jsonb) as r(id bigint, severity text, title text, remote_id text, labels jsonb, suppressed_by text[],
      acknowledged_by text, url text)
    where a.id = r.id`);
}

/** Ends episodes. */
export async function endEpisodes(
  tx: Tx,
  at: { readonly now: number; readonly by: AlertOrigin | "snapshot" },
  ends: readonly { readonly id: number; readonly endedAt: number }[],
): Promise<void> {
  if (ends.length === 0) return;
  const rows = ends.map(({ id, endedAt }) => ({ id, ended_at: new Date(endedAt).toISOString() }));
  await tx.execute(sql`
    update alert as a set status = 'resolved', ended_at = r.ended_at, ended_by = ${at.by}, changed_at = ${at.now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(id bigint, ended_at timestamptz) where a.id = r.id`);
}

/** JSON as PostgreSQL can hold it: what a monitor writes may have a NUL in it. */
function storable(rows: unknown): string {
  return JSON.stringify(rows).replaceAll("\\u0000", "");
}
