import {
  credentialFindings,
  type EndpointFinding,
  type RotationFacts,
  rotationPolicySchema,
  type RotationState,
  type RotationTrigger,
} from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { integers, uuids } from "../db/sql-arrays.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { holdsNow } from "../runs/active-holds.js";

/** What is known of an endpoint's credential, without a value of it. */
export interface CredentialFacts extends RotationFacts {
  readonly endpointId: number;
  readonly key: string;
  /** 0: the secrets of the workspace; else the number of the rotation that has put others in their place. */
  readonly version: number;
  readonly isOpen: boolean;
  readonly held: boolean;
}

/** Ends: those of what is in force, be it the workspace's or a rotation's. */
const facts = sql`e.id as "endpointId", e.key, e.rotation as policy, coalesce(c.version, 0) as version, app_now() as now,
  coalesce(c.in_force_since, (select max(s.updated_at) from endpoint_secret as s where s.endpoint_id = e.id), e.created_at) as since,
  least(c.expires_at, (select min(s.expires_at) from endpoint_secret as s where s.endpoint_id = e.id and not (s.name = any (coalesce(c.names, '{}'))))) as "expiresAt",
  exists (select from credential_rotation as r where r.endpoint_id = e.id and r.ended_at is null) as "isOpen",
  (select case when r.state = 'failed' then r.ended_at end from credential_rotation as r where r.endpoint_id = e.id and r.ended_at is not null order by r.ended_at desc limit 1) as "failedAt",
  exists (select from integration as i join hold_member as m on m.integration_id = i.id cross join control as c
    where (i.source_endpoint_id = e.id or i.target_endpoint_id = e.id) and ${holdsNow}) as held`;
const from = sql`endpoint as e left join credential as c on c.endpoint_id = e.id and c.in_force`;

async function factsWhere(tx: Tx, condition: SQL): Promise<readonly (CredentialFacts & { readonly now: number })[]> {
  const rows = await selectRows<CredentialFacts & { readonly now: number }>(tx, sql`select ${facts} from ${from} where ${condition}`);
  return rows.map((row) => ({ ...row, policy: rotationPolicySchema.parse(row.policy) }));
}

/** The facts of endpoints whose secrets may have to be renewed: because of their age or of an end; by id. */
export function credentialFacts(tx: Tx, input: { readonly after: number; readonly limit: number }): Promise<readonly CredentialFacts[]> {
  const ends = sql`(c.expires_at is not null or exists (select from endpoint_secret as s where s.endpoint_id = e.id and s.expires_at is not null))`;
  return factsWhere(tx, sql`e.id > ${input.after} and (e.rotation ->> 'every' is not null or ${ends}) order by e.id limit ${input.limit}`);
}

/** The facts of some endpoints. */
export function credentialsOf(database: Database, endpointIds: readonly number[]): Promise<readonly CredentialFacts[]> {
  return factsWhere(database.db, sql`e.id = any (${integers(endpointIds)})`);
}

/** A finding about an endpoint's own credential, as of now. */
export type CredentialFinding = ReturnType<typeof credentialFindings>[number] & {
  readonly endpointId: number;
  readonly foundAt: number;
  readonly checkedAt: number;
  readonly origin: string;
};

/** What is to be said of the credentials of endpoints. It follows from stored facts and the time, so nothing is stored. */
export async function credentialFindingsOf(database: Database, endpointIds: readonly number[]): Promise<readonly CredentialFinding[]> {
  const known = await factsWhere(database.db, sql`e.id = any (${integers(endpointIds)})`);
  return known.flatMap((one) =>
    credentialFindings(one, one.now).map((finding) => ({
      ...finding,
      endpointId: one.endpointId,
      origin: "credential",
      foundAt: one.since,
      checkedAt: one.now,
    })),
  );
}

/** Endpoints whose credential ends within a week, has ended, or is older than it should be; and rotations that want a person. */
export async function credentialProblems(tx: Tx): Promise<readonly string[]> {
  const rows = await factsWhere(
    tx,
    sql`least(c.expires_at, (select min(s.expires_at) from endpoint_secret as s where s.endpoint_id = e.id)) < app_now() + interval '7 days'
      or e.rotation ->> 'every' is not null order by e.key limit 1000`,
  );
  const bad = (finding: Pick<EndpointFinding, "severity" | "kind">): boolean =>
    finding.kind === "credential-age" || finding.severity === "high" || finding.severity === "critical";
  const problems = rows.flatMap((one) =>
    credentialFindings(one, one.now)
      .filter(bad)
      .map(({ message }) => `${one.key}: ${message}`),
  );
  const waiting = await selectRows<{ key: string }>(
    tx,
    sql`select e.key from credential_rotation as r join endpoint as e on e.id = r.endpoint_id where r.ended_at is null and r.state = 'awaiting' order by e.key limit 1000`,
  );
  return [...problems, ...waiting.map(({ key }) => `${key}: new secrets are awaited from a person.`)];
}

/** A rotation, as people see it. */
export interface RotationView {
  readonly id: string;
  readonly endpointId: number;
  readonly trigger: RotationTrigger;
  readonly state: RotationState;
  readonly requestedBy: string;
  readonly reason: string | null;
  readonly begunAt: number;
  readonly stateSince: number;
  readonly failures: number;
  readonly nextAt: number | null;
  readonly switchedAt: number | null;
  readonly problem: string | null;
  readonly endedAt: number | null;
  readonly secretNames: readonly string[];
}

const rotationColumns = sql`r.id, r.endpoint_id as "endpointId", r.trigger, r.state, r.requested_by as "requestedBy", r.reason, r.begun_at as "begunAt",
  r.state_since as "stateSince", r.failures, case when r.ended_at is null and r.state <> 'awaiting' then r.next_at end as "nextAt", r.switched_at as "switchedAt",
  r.problem, r.ended_at as "endedAt", coalesce(n.names, '{}') as "secretNames"`;
const rotationTables = sql`credential_rotation as r join endpoint as e on e.id = r.endpoint_id left join credential as n on n.id = r.new_credential_id`;

export function rotationsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly RotationView[]> {
  return selectRows(database.db, sql`select ${rotationColumns} from ${rotationTables} where r.id = any (${uuids(ids.map(String))})`);
}

/** A page of rotations, newest first. */
export function rotationPage(
  database: Database,
  args: PageArgs,
  filter: { readonly endpoint?: string | null | undefined; readonly open?: boolean | null | undefined; readonly visible?: SQL | undefined },
): Promise<Page<RotationView>> {
  const { endpoint, open, visible } = filter;
  const where: SQL[] = [
    ...(typeof endpoint === "string" ? [sql`e.key = ${endpoint}`] : []),
    ...(typeof open === "boolean" ? [open ? sql`r.ended_at is null` : sql`r.ended_at is not null`] : []),
    ...(visible === undefined ? [] : [visible]),
  ];
  const sort: SortKey<RotationView>[] = [
    { column: sql`r.begun_at`, type: "timestamptz", of: (row) => row.begunAt },
    { column: sql`r.id`, type: "uuid", of: (row) => row.id },
  ];
  return readPage(database, args, { columns: rotationColumns, from: rotationTables, where, sort, direction: "desc" });
}
