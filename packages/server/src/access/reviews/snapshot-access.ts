import {
  type AccessFacts,
  type AccessSubject,
  type AccessSuggestion,
  type Action,
  actions,
  type Grant,
  readGrants,
  suggestForAccess,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { texts } from "../../db/sql-arrays.js";

/** A use of a right; days are UTC, as 2026-11-20. */
export interface RecordedUse {
  readonly action: Action;
  readonly firstUsedOn: string;
  readonly lastUsedOn: string;
}

/** What there was to decide on when a review was opened. It is evidence: instants are ISO 8601 in UTC. */
export interface AccessSnapshot {
  /** The account's name; of a token, of the account that it belongs to. */
  readonly account: string;
  readonly token: { readonly name: string; readonly prefix: string } | null;
  readonly owner: string | null;
  readonly ownerState: "known" | "unknown" | "disabled" | null;
  /** The identity provider that grants. */
  readonly issuer: string | null;
  readonly grants: readonly Grant[];
  readonly createdBy: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly disabledAt: string | null;
  readonly expiresAt: string | null;
  readonly validTokens: number;
  readonly used: readonly RecordedUse[];
  readonly suggestions: readonly AccessSuggestion[];
}

/** Somebody's access, before it is an item of a review. */
export interface FoundAccess {
  readonly subject: AccessSubject;
  readonly principalId: number;
  readonly tokenId: number | null;
  readonly snapshot: AccessSnapshot;
}

interface AccessRow {
  readonly subject: AccessSubject;
  readonly principalId: number;
  readonly tokenId: number | null;
  readonly account: string;
  readonly tokenName: string | null;
  readonly prefix: string | null;
  readonly owner: string | null;
  readonly ownerState: "known" | "unknown" | "disabled" | null;
  readonly issuer: string | null;
  readonly grants: unknown;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly disabledAt: number | null;
  readonly expiresAt: number | null;
  readonly validTokens: number;
  readonly used: readonly { readonly action: string; readonly firstUsedOn: string; readonly lastUsedOn: string }[];
}

const DAY_MS = 86_400_000;
const isValid = sql`t.revoked_at is null and (t.expires_at is null or t.expires_at > app_now())`;

/** A team by its key or title, or one that the catalogue names; or an account by its name. */
const ownerState = sql`case when p.owner is null then null when lower(p.owner) in (select name from answering) then 'known'
  when lower(p.owner) in (select lower(name) from principal) then 'disabled' else 'unknown' end`;
const answering = sql`
  select lower(key) as name from team union select lower(title) from team union select lower(owner_team) from system where owner_team is not null
  union select lower(owner_team) from integration where owner_team is not null union select lower(name) from principal where disabled_at is null`;

/** Everybody of these kinds whose access is open, with what speaks against it; accounts first, at most `most` and one more. */
export async function snapshotAccess(
  tx: Tx,
  wanted: { readonly subjects: readonly AccessSubject[]; readonly unusedDays: number; readonly now: number; readonly most: number },
): Promise<readonly FoundAccess[]> {
  const { subjects, unusedDays, now, most } = wanted;
  const rows = await selectRows<AccessRow>(
    tx,
    sql`
    with answering as (${answering}), account as (
      select p.*, ${ownerState} as owner_state, (select count(*)::integer from api_token as t where t.principal_id = p.id and ${isValid}) as valid_tokens,
        greatest(p.last_seen_at, (select max(t.last_used_at) from api_token as t where t.principal_id = p.id),
          (select max(s.last_used_at) from session as s where s.principal_id = p.id)) as seen_at
      from principal as p
    ), found as (
      select p.kind as subject, p.id as principal_id, null::bigint as token_id, p.name as account, null::text as token_name, null::text as prefix,
        p.owner, p.owner_state, p.issuer, p.grants, p.created_by, p.created_at, p.seen_at as last_used_at, p.disabled_at, null::timestamptz as expires_at, p.valid_tokens
      from account as p where p.kind = any(${texts(subjects)}) and (p.disabled_at is null or p.valid_tokens > 0)
      union all
      select 'token', p.id, t.id, p.name, t.name, t.prefix, p.owner, p.owner_state, null, t.grants, t.created_by, t.created_at, t.last_used_at,
        p.disabled_at, t.expires_at, 0
      from api_token as t join account as p on p.id = t.principal_id where 'token' = any(${texts(subjects)}) and ${isValid}
    )
    select subject, principal_id as "principalId", token_id as "tokenId", account, token_name as "tokenName", prefix, owner, owner_state as "ownerState", issuer,
      grants, created_by as "createdBy", created_at as "createdAt", last_used_at as "lastUsedAt", disabled_at as "disabledAt", expires_at as "expiresAt",
      valid_tokens as "validTokens",
      (select coalesce(jsonb_agg(jsonb_build_object('action', u.action, 'firstUsedOn', to_char(u.first_used_on, 'YYYY-MM-DD'),
          'lastUsedOn', to_char(u.last_used_on, 'YYYY-MM-DD')) order by u.action), '[]')
        from access_use as u where u.principal_id = f.principal_id and u.token_id is not distinct from f.token_id) as used
    from found as f order by f.token_id is not null, f.principal_id, f.token_id limit ${most + 1}`,
  );
  const recordedSince = await recordingBegan(tx);
  return rows.map((row) => ({
    subject: row.subject,
    principalId: row.principalId,
    tokenId: row.tokenId,
    snapshot: snapshotOf(row, { recordedSince, now, unusedDays }),
  }));
}

/** Since when use is recorded: the end of the first day, so that no day counts that was not watched whole. */
async function recordingBegan(tx: Tx): Promise<number | null> {
  const [row] = await selectRows<{ day: string | null }>(tx, sql`select to_char(min(first_used_on), 'YYYY-MM-DD') as day from access_use`);
  return typeof row?.day === "string" ? endOfDay(row.day) : null;
}

const endOfDay = (day: string): number => Date.parse(`${day}T00:00:00Z`) + DAY_MS - 1;

function snapshotOf(
  row: AccessRow,
  { recordedSince, now, unusedDays }: { readonly recordedSince: number | null; readonly now: number; readonly unusedDays: number },
): AccessSnapshot {
  const grants = readGrants(row.grants);
  const used = row.used.flatMap((use): readonly RecordedUse[] => {
    const action = actions.find((one) => one === use.action);
    return action === undefined ? [] : [{ ...use, action }];
  });
  const facts: AccessFacts = {
    ...row,
    grants,
    grantedByProvider: row.issuer !== null,
    owner: row.owner === null ? null : { name: row.owner, state: row.ownerState ?? "unknown" },
    used: used.map(({ action, lastUsedOn }) => ({ action, lastUsedAt: endOfDay(lastUsedOn) })),
    recordedSince,
  };
  return {
    account: row.account,
    token: row.tokenName === null ? null : { name: row.tokenName, prefix: row.prefix ?? "" },
    owner: row.owner,
    ownerState: row.ownerState,
    issuer: row.issuer,
    grants,
    createdBy: row.createdBy,
    createdAt: new Date(row.createdAt).toISOString(),
    lastUsedAt: isoOf(row.lastUsedAt),
    disabledAt: isoOf(row.disabledAt),
    expiresAt: isoOf(row.expiresAt),
    validTokens: row.validTokens,
    used,
    suggestions: suggestForAccess(facts, now, { unusedDays }),
  };
}

export function isoOf(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}
