import { DomainError, type Principal, type Role } from "@quiesce/core";
import type { Database } from "../db/client.js";
import { hashToken, looksLikeToken } from "./tokens.js";

/** A caller who showed a valid token. */
export interface Authenticated {
  readonly tokenId: number;
  readonly principal: Principal;
  /** When the token ends by itself; null: never. */
  readonly expiresAt: number | null;
}

interface TokenRow {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: number | null;
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
        select id, name, role, expires_at as "expiresAt", revoked, expired from found`
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
  return callerOf(row);
}

/** The callers of those of the tokens that are valid now, with the rights that they have now. */
export async function callersOf(database: Database, tokenIds: readonly number[]): Promise<ReadonlyMap<number, Authenticated>> {
  if (tokenIds.length === 0) return new Map();
  const rows = await database.sql<Omit<TokenRow, "revoked" | "expired">[]>`
    select id, name, role, expires_at as "expiresAt" from api_token
    where id = any(${database.sql.array([...tokenIds], 1016)}::bigint[]) and revoked_at is null and (expires_at is null or expires_at > app_now())`;
  return new Map(rows.map((row) => [row.id, callerOf(row)]));
}

function callerOf({ id, name, role, expiresAt }: Pick<TokenRow, "id" | "name" | "role" | "expiresAt">): Authenticated {
  return { tokenId: id, principal: { name, role, scope: { kind: "all" } }, expiresAt };
}

function bearer(header: string | null | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? null;
}
