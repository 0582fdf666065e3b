import { DomainError, type Principal, type Role } from "@quiesce/core";
import type { Database } from "../db/client.js";
import { hashToken, looksLikeToken } from "./tokens.js";

/** A caller who showed a valid token. */
export interface Authenticated {
  readonly tokenId: number;
  readonly principal: Principal;
}

interface TokenRow {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly revoked: boolean;
  readonly expired: boolean;
}

/**
 * Recognises the bearer of an Authorization header. Throws QSC_ACCESS_TOKEN_MISSING, QSC_ACCESS_TOKEN_INVALID, QSC_ACCESS_TOKEN_REVOKED or
 * QSC_ACCESS_TOKEN_EXPIRED; the last two only ever to somebody who holds the token.
 */
export async function authenticate(database: Database, header: string | null | undefined): Promise<Authenticated> {
  const secret = bearer(header);
  if (secret === null) {
    throw new DomainError("QSC_ACCESS_TOKEN_MISSING", "This needs an API token in the header: Authorization: Bearer qsc_…");
  }
  // `last_used_at` is for people; once a minute is precise enough and spares a write a request.
  const rows = looksLikeToken(secret)
    ? await database.sql<TokenRow[]>`
        with found as (
          select *, revoked_at is not null as revoked, coalesce(expires_at <= app_now(), false) as expired from api_token where hash = ${hashToken(secret)}
        ), used as (
          update api_token as t set last_used_at = app_now() from found
          where t.id = found.id and not found.revoked and not found.expired
            and (found.last_used_at is null or found.last_used_at < app_now() - interval '1 minute')
        )
        select id, name, role, revoked, expired from found`
    : [];
  const row = rows[0];
  if (row === undefined)
    throw new DomainError(
      "QSC_ACCESS_TOKEN_INVALID",
      "The API token is not known here. Check that it was copied whole, and to this server.",
    );
  if (row.revoked)
    throw new DomainError("QSC_ACCESS_TOKEN_REVOKED", `The API token "${row.name}" was revoked. Ask an admin for another one.`);
  if (row.expired)
    throw new DomainError("QSC_ACCESS_TOKEN_EXPIRED", `The API token "${row.name}" has expired. Ask an admin for another one.`);
  return { tokenId: row.id, principal: { name: row.name, role: row.role, scope: { kind: "all" } } };
}

/** Those of the tokens that are no longer valid. */
export async function invalidTokens(database: Database, tokenIds: readonly number[]): Promise<readonly number[]> {
  if (tokenIds.length === 0) return [];
  const rows = await database.sql<{ id: number }[]>`
    select wanted.id::float8 as id from unnest(${database.sql.array([...tokenIds], 1016)}::bigint[]) as wanted(id)
    left join api_token as t on t.id = wanted.id and t.revoked_at is null and (t.expires_at is null or t.expires_at > app_now())
    where t.id is null`;
  return rows.map((row) => row.id);
}

function bearer(header: string | null | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;
}
