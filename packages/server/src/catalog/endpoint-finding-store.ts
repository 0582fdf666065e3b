import { dueWarning, type EndpointFinding, expirySeverity, type FindingKind, type FindingSeverity } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import { credentialFindingsOf } from "../credentials/queries.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { integers } from "../db/sql-arrays.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import type { SchedulerCheck } from "../scheduler/scheduler-health.js";

/** One finding, as it stands at the time of reading. */
export interface FindingRow {
  readonly endpointId: number;
  readonly kind: FindingKind;
  readonly origin: string;
  readonly severity: FindingSeverity;
  readonly message: string;
  readonly foundAt: number;
  readonly checkedAt: number;
  readonly expiresAt: number | null;
}

/** So many findings the health check names. */
const maxNamed = 5;

/**
 * Writes what a check has found in place of what the last one had. What stays keeps the time since when it is so, and whether teams were told; what is
 * new or worse is an event. What was `unseen` stays as it was known.
 */
export function saveFindings(
  context: { readonly database: Database },
  input: {
    readonly endpointId: number;
    readonly key: string;
    readonly findings: readonly EndpointFinding[];
    readonly unseen: readonly Pick<FindingRow, "kind" | "origin">[];
  },
): Promise<void> {
  const { endpointId, unseen } = input;
  const isUnseen = (one: EndpointFinding): boolean => unseen.some(({ kind, origin }) => kind === one.kind && origin === one.origin);
  const findings = input.findings.filter((one) => !isUnseen(one));
  return inTransaction(context, async (tx) => {
    const [endpoint] = await tx.execute(sql`select id from endpoint where id = ${endpointId} for update`);
    if (endpoint === undefined) return;
    const now = await readNow(tx);
    const before = await selectRows<Pick<FindingRow, "kind" | "origin" | "severity">>(
      tx,
      sql`select kind, origin, severity from endpoint_finding where endpoint_id = ${endpointId}`,
    );
    const kept = JSON.stringify([...findings, ...unseen].map(({ kind, origin }) => ({ kind, origin })));
    const rows = JSON.stringify(findings.map((one) => ({ ...one, expiresAt: payloadInstant(one.expiresAt) })));
    await tx.execute(sql`
      delete from endpoint_finding as f where f.endpoint_id = ${endpointId} and not exists (
        select from jsonb_to_recordset(${kept}::text::jsonb) as n(kind text, origin text) where n.kind = f.kind and n.origin = f.origin)`);
    await tx.execute(sql`
      insert into endpoint_finding as f (endpoint_id, kind, origin, severity, message, found_at, checked_at, expires_at)
      select ${endpointId}::integer, n.kind, n.origin, n.severity, n.message, ${now}::timestamptz, ${now}::timestamptz, n."expiresAt"
      from jsonb_to_recordset(${rows}::text::jsonb) as n(kind text, origin text, severity text, message text, "expiresAt" timestamptz)
      on conflict (endpoint_id, kind, origin) do update set severity = excluded.severity, message = excluded.message, checked_at = excluded.checked_at,
        expires_at = excluded.expires_at, told_days = case when f.expires_at is not distinct from excluded.expires_at then f.told_days end`);
    const known = new Set(before.map(({ kind, origin, severity }) => `${kind} ${origin} ${severity}`));
    const news = findings.filter(({ kind, origin, severity }) => severity !== "info" && !known.has(`${kind} ${origin} ${severity}`));
    await appendEvents(
      tx,
      news.map(({ kind, origin, severity, message }) => ({
        kind: "endpoint.finding",
        subjectKind: "endpoint",
        subjectKey: input.key,
        payload: { finding: kind, origin, severity, message },
      })),
    );
  });
}

/** The findings of endpoints, the worst first. How bad the end of a certificate is depends on the time of reading. */
export async function findingsOf(database: Database, endpointIds: readonly number[]): Promise<readonly FindingRow[]> {
  const rows = await selectRows<FindingRow & { readonly now: number }>(
    database.db,
    sql`
    select endpoint_id as "endpointId", kind, origin, severity, message, found_at as "foundAt", checked_at as "checkedAt", expires_at as "expiresAt", app_now() as now
    from endpoint_finding where endpoint_id = any(${integers(endpointIds)}) order by endpoint_id, kind, origin`,
  );
  const seen = rows.map(({ now, ...row }) => (row.expiresAt === null ? row : { ...row, severity: expirySeverity(row.expiresAt, now) }));
  return [...seen, ...(await credentialFindingsOf(database, endpointIds))];
}

/** Tells of certificates that end in 30, 14, 7 and 1 days, each once. Answers of how many. */
export function warnOfCertificates(context: { readonly database: Database }): Promise<number> {
  return inTransaction(context, async (tx) => {
    const rows = await selectRows<{
      endpointId: number;
      key: string;
      origin: string;
      expiresAt: number;
      toldDays: number | null;
      now: number;
    }>(
      tx,
      sql`
      select f.endpoint_id as "endpointId", e.key, f.origin, f.expires_at as "expiresAt", f.told_days as "toldDays", app_now() as now
      from endpoint_finding as f join endpoint as e on e.id = f.endpoint_id
      where f.expires_at < app_now() + interval '31 days' order by f.endpoint_id, f.origin for update of f skip locked limit 500`,
    );
    const due = rows.flatMap((row) => {
      const days = dueWarning(row, row.now);
      return days === null ? [] : [{ ...row, days }];
    });
    for (const { endpointId, origin, days } of due)
      await tx.execute(
        sql`update endpoint_finding set told_days = ${days} where endpoint_id = ${endpointId} and kind = 'certificate-expiry' and origin = ${origin}`,
      );
    await appendEvents(
      tx,
      due.map(({ key, origin, expiresAt, days }) => ({
        kind: "endpoint.certificate-expiring",
        subjectKind: "endpoint",
        subjectKey: key,
        payload: { origin, expiresAt: payloadInstant(expiresAt), days },
      })),
    );
    return due.length;
  });
}

/** Whether something is wrong with the ways to systems that will stop runs, or lets others read along. */
export async function findingsHealth(tx: Tx): Promise<SchedulerCheck> {
  const name = "endpoints.findings";
  const bad = await selectRows<{ key: string; message: string; total: number }>(
    tx,
    sql`
    select e.key, f.message, (count(*) over ())::integer as total from endpoint_finding as f join endpoint as e on e.id = f.endpoint_id
    where (f.kind <> 'certificate-expiry' and f.severity in ('high', 'critical')) or f.expires_at < app_now() + interval '7 days'
    order by e.key, f.kind limit ${maxNamed}`,
  );
  const [first] = bad;
  if (first === undefined) return { name, status: "pass" };
  return {
    name,
    status: "warn",
    detail: `${bad.map(({ key, message }) => `${key}: ${message}`).join(" ")} Mend it, then check the endpoint again (GraphQL checkEndpoint).`,
    observed: { findings: first.total },
  };
}
