import { type AccessSecurity, type EndpointSecurity, parseDurationMs, type SecurityScore, securityScore } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import { credentialsOf } from "../credentials/queries.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { integers } from "../db/sql-arrays.js";
import { integrationsOf, type KpiScope } from "./kpi-scope.js";

/**
 * The score of the endpoints on the routes of a scope's integrations. `seen` says which integrations these are, `whole` knows what may be known of them: the
 * answer has numbers alone. Throws QSC_KPI_SCOPE.
 */
export async function readSecurityScore(
  { seen, whole }: { readonly seen: Database; readonly whole: Database },
  scope: KpiScope,
): Promise<SecurityScore & { readonly endpoints: number }> {
  const integrations = await integrationsOf(seen.db, scope);
  const endpoints = await selectRows<{ id: number; isWeb: boolean; hasSecrets: boolean }>(
    whole.db,
    sql`
    select e.id, e.config::text ~ 'https?://' as "isWeb",
      exists (select from endpoint_secret as s where s.endpoint_id = e.id) or exists (select from credential as c where c.endpoint_id = e.id and c.in_force) as "hasSecrets"
    from endpoint as e where exists (select from integration as i where i.id = any (${integers(integrations.map(({ id }) => id))})
      and (e.id in (i.source_endpoint_id, i.target_endpoint_id)
        or exists (select from integration_system as r where r.integration_id = i.id and r.system_id = e.system_id)))
    order by e.id`,
  );
  const ids = endpoints.map(({ id }) => id);
  const [ways, credentials] = [await waysOf(whole.db, ids), await credentialsOf(whole, ids)];
  const credentialOf = new Map(credentials.map((one) => [one.endpointId, one]));
  const facts = endpoints.map(({ id, isWeb, hasSecrets }): EndpointSecurity => {
    const credential = credentialOf.get(id);
    const every = credential?.policy.every ?? null;
    return {
      credential:
        hasSecrets && credential !== undefined
          ? { since: credential.since, everyMs: every === null ? null : (parseDurationMs(every) ?? null) }
          : null,
      isWeb: isWeb || ways.has(id),
      way: ways.get(id) ?? null,
    };
  });
  return { ...securityScore(facts, await accessOf(whole.db), await readNow(whole.db)), endpoints: endpoints.length };
}

async function waysOf(tx: Tx, endpointIds: readonly number[]): Promise<ReadonlyMap<number, NonNullable<EndpointSecurity["way"]>>> {
  const rows = await selectRows<NonNullable<EndpointSecurity["way"]> & { readonly id: number }>(
    tx,
    sql`
    select endpoint_id as id, max(checked_at) as "checkedAt", min(expires_at) filter (where kind = 'certificate-expiry') as "certificateEndsAt",
      bool_or(kind in ('certificate-untrusted', 'certificate-name', 'protocol-old')) as "hasBadTls", bool_or(kind = 'plain-text') as "isPlainText"
    from endpoint_finding where endpoint_id = any (${integers(endpointIds)}) group by endpoint_id`,
  );
  return new Map(rows.map(({ id, ...way }) => [id, way]));
}

/** Of the last review that was closed. A grant stayed wide when less was suggested and it was kept. */
async function accessOf(tx: Tx): Promise<AccessSecurity> {
  const [review] = await selectRows<{ id: number; closedAt: number }>(
    tx,
    sql`select id, closed_at as "closedAt" from access_review where closed_at is not null order by closed_at desc, id desc limit 1`,
  );
  if (review === undefined) return { reviewedAt: null, reviewed: 0, leftWide: 0 };
  const [counts] = await selectRows<{ reviewed: number; leftWide: number }>(
    tx,
    sql`select count(*)::integer as reviewed, (count(*) filter (where suggested and outcome in ('kept', 'changed')))::integer as "leftWide"
      from access_review_item where review_id = ${review.id}`,
  );
  return { reviewedAt: review.closedAt, reviewed: counts?.reviewed ?? 0, leftWide: counts?.leftWide ?? 0 };
}
