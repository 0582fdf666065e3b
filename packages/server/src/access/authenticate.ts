import { DomainError, readGrants, type Principal, withinGrants } from "@quiesce/core";
import type { Database } from "../db/client.js";
import { hashSecret, looksLikeSecret } from "./secrets.js";

/** What somebody was recognised by: an API token, or the session of a browser. */
export type CredentialKey = `token:${number}` | `session:${number}`;

/** A caller who showed a valid credential. */
export interface Authenticated {
  readonly credential: CredentialKey;
  /** The account behind it: several credentials may belong to one. */
  readonly principalId: number;
  readonly principal: Principal;
  /** When the credential ends by itself; null: never. */
  readonly expiresAt: number | null;
}

interface CredentialRow {
  readonly credential: CredentialKey;
  readonly principalId: number;
  readonly name: string;
  readonly grants: unknown;
  /** Of a person's token: what the person may do. null: nothing bounds the grants. */
  readonly bound?: unknown;
  readonly expiresAt: number | null;
}

/**
 * Recognises the bearer of an Authorization header. Throws QSC_ACCESS_TOKEN_MISSING, QSC_ACCESS_TOKEN_INVALID, QSC_ACCESS_TOKEN_REVOKED,
 * QSC_ACCESS_TOKEN_EXPIRED or QSC_ACCESS_DISABLED; the last three only ever to somebody who holds the token.
 */
export async function authenticate(database: Database, header: string | null | undefined): Promise<Authenticated> {
  const secret = bearer(header);
  if (secret === null) {
    throw new DomainError("QSC_ACCESS_TOKEN_MISSING", "This needs an API token in the header: Authorization: Bearer qsc_…");
  }
  // `last_used_at` is for people; once a minute is precise enough and spares a write a request.
  const rows = looksLikeSecret("token", secret)
    ? await database.sql<(CredentialRow & { token: string; revoked: boolean; expired: boolean; disabled: boolean })[]>`
        with found as (
          select t.*, p.name as principal, case when p.kind = 'person' then p.grants end as bound, p.disabled_at is not null as disabled, t.revoked_at is not null as revoked,
            coalesce(t.expires_at <= app_now(), false) as expired
          from api_token as t join principal as p on p.id = t.principal_id where t.hash = ${hashSecret(secret)}
        ), used as (
          update api_token as t set last_used_at = app_now() from found
          where t.id = found.id and not found.revoked and not found.expired and not found.disabled
            and (found.last_used_at is null or found.last_used_at < app_now() - interval '1 minute')
        )
        select 'token:' || id as credential, principal_id as "principalId", principal as name, name as token, grants, bound, expires_at as "expiresAt",
          revoked, expired, disabled
        from found`
    : [];
  const row = rows[0];
  if (row === undefined)
    throw new DomainError(
      "QSC_ACCESS_TOKEN_INVALID",
      "The API token is not known here. Check that it was copied whole, and to this server.",
    );
  if (row.revoked)
    throw new DomainError("QSC_ACCESS_TOKEN_REVOKED", `The API token "${row.token}" was revoked. Ask an admin for another one.`);
  if (row.expired)
    throw new DomainError("QSC_ACCESS_TOKEN_EXPIRED", `The API token "${row.token}" has expired. Ask an admin for another one.`);
  if (row.disabled) throw disabled(row.name);
  return callerOf(row);
}

/**
 * Recognises the session of a cookie. Throws QSC_ACCESS_SESSION_OVER for one that is unknown, has ended, expired or was idle for too long: which of
 * them it is, is nobody's business who has none. Throws QSC_ACCESS_DISABLED.
 */
export async function authenticateSession(database: Database, secret: string): Promise<Authenticated> {
  const rows = looksLikeSecret("session", secret)
    ? await database.sql<(CredentialRow & { over: boolean; disabled: boolean })[]>`
        with found as (
          select s.*, p.name, p.grants, p.disabled_at is not null as disabled,
            s.ended_at is not null or s.expires_at <= app_now() or s.idle_until <= app_now() as over
          from session as s join principal as p on p.id = s.principal_id where s.hash = ${hashSecret(secret)}
        ), used as (
          update session as s set last_used_at = app_now(), idle_until = least(s.expires_at, app_now() + s.idle_seconds * interval '1 second')
          from found where s.id = found.id and not found.over and not found.disabled
            and found.last_used_at < app_now() - least(60, found.idle_seconds / 10.0) * interval '1 second'
        )
        select 'session:' || id as credential, principal_id as "principalId", name, grants, expires_at as "expiresAt", over, disabled from found`
    : [];
  const row = rows[0];
  if (row === undefined || row.over)
    throw new DomainError("QSC_ACCESS_SESSION_OVER", "The session has ended. Sign in again at /auth/sign-in, or show an API token.");
  if (row.disabled) throw disabled(row.name);
  return callerOf(row);
}

/** The callers of those of the credentials that are valid now, with the rights that they have now. */
export async function callersOf(
  database: Database,
  credentials: readonly CredentialKey[],
): Promise<ReadonlyMap<CredentialKey, Authenticated>> {
  if (credentials.length === 0) return new Map();
  const idsOf = (kind: string) => credentials.filter((one) => one.startsWith(`${kind}:`)).map((one) => Number(one.slice(kind.length + 1)));
  const array = (ids: readonly number[]) => database.sql.array([...ids], 1016);
  const rows = await database.sql<CredentialRow[]>`
    select 'token:' || t.id as credential, p.id as "principalId", p.name, t.grants, case when p.kind = 'person' then p.grants end as bound,
      t.expires_at as "expiresAt"
    from api_token as t join principal as p on p.id = t.principal_id
    where t.id = any(${array(idsOf("token"))}::bigint[]) and t.revoked_at is null and (t.expires_at is null or t.expires_at > app_now())
      and p.disabled_at is null
    union all
    select 'session:' || s.id, p.id, p.name, p.grants, null, s.expires_at from session as s join principal as p on p.id = s.principal_id
    where s.id = any(${array(idsOf("session"))}::bigint[]) and s.ended_at is null and s.expires_at > app_now() and s.idle_until > app_now()
      and p.disabled_at is null`;
  return new Map(rows.map((row) => [row.credential, callerOf(row)]));
}

/** Rows of tokens and of sessions become callers here, and nowhere else. */
function callerOf({ credential, principalId, name, grants: given, bound = null, expiresAt }: CredentialRow): Authenticated {
  const grants = bound === null ? readGrants(given) : withinGrants(readGrants(given), readGrants(bound));
  return { credential, principalId, principal: { name, grants }, expiresAt };
}

function disabled(name: string): DomainError {
  return new DomainError("QSC_ACCESS_DISABLED", `The account "${name}" is disabled. Ask an admin.`);
}

function bearer(header: string | null | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;
}
