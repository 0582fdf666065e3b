import { type Grant, readGrants } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { tokensByIds, type TokenView } from "./queries.js";

/** A person or a service account. */
export interface PrincipalView {
  readonly id: number;
  readonly kind: "person" | "service";
  readonly name: string;
  readonly issuer: string | null;
  readonly email: string | null;
  readonly owner: string | null;
  readonly grants: readonly Grant[];
  readonly createdBy: string;
  readonly createdAt: number;
  readonly disabledAt: number | null;
  readonly lastSeenAt: number | null;
}

/** A browser's session. */
export interface SessionView {
  readonly id: number;
  readonly principalId: number;
  readonly method: "oidc" | "link";
  readonly browser: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly idleUntil: number;
  readonly expiresAt: number;
}

export interface PrincipalFilter {
  readonly kind?: "person" | "service" | null | undefined;
  readonly disabled?: boolean | null | undefined;
}

// Tokens and sessions note their uses; the account has the latest of them.
const columns = sql`id, kind, name, issuer, email, owner, grants, created_by as "createdBy", created_at as "createdAt", disabled_at as "disabledAt",
  greatest(last_seen_at, (select max(t.last_used_at) from api_token as t where t.principal_id = principal.id),
    (select max(s.last_used_at) from session as s where s.principal_id = principal.id)) as "lastSeenAt"`;

const sessionColumns = sql`id, principal_id as "principalId", method, browser, created_at as "createdAt", last_used_at as "lastUsedAt",
  idle_until as "idleUntil", expires_at as "expiresAt"`;

export async function principalsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly PrincipalView[]> {
  const rows = await selectRows<PrincipalView>(database.db, sql`select ${columns} from principal where id = any(${bigints(ids)})`);
  return rows.map(withGrants);
}

/** By its number or its name; null: there is none. */
export async function principalByKey(database: Database, key: number | string): Promise<PrincipalView | null> {
  const is = typeof key === "number" ? sql`id = ${key}` : sql`name = ${key}`;
  const [row] = await selectRows<PrincipalView>(database.db, sql`select ${columns} from principal where ${is}`);
  return row === undefined ? null : withGrants(row);
}

/** A page of accounts, oldest first. */
export async function principalPage(
  database: Database,
  args: PageArgs & { readonly filter?: PrincipalFilter | null | undefined },
): Promise<Page<PrincipalView>> {
  const byId: SortKey<PrincipalView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  const { kind, disabled } = args.filter ?? {};
  const where: SQL[] = [];
  if (kind !== undefined && kind !== null) where.push(sql`kind = ${kind}`);
  if (typeof disabled === "boolean") where.push(disabled ? sql`disabled_at is not null` : sql`disabled_at is null`);
  const page = await readPage(database, args, { columns, from: sql`principal`, where, sort: [byId], direction: "asc" });
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: withGrants(node) })) };
}

/** The open sessions of accounts, newest first. */
export function openSessionsOf(database: Database, principalIds: readonly number[]): Promise<readonly SessionView[]> {
  return selectRows<SessionView>(
    database.db,
    sql`select ${sessionColumns} from session where principal_id = any(${bigints(principalIds)}) and ended_at is null
      and expires_at > app_now() and idle_until > app_now() order by id desc`,
  );
}

const MOST_TOKENS = 200;

/** The tokens of an account that are valid, newest first; at most 200. */
export async function validTokensOf(database: Database, principalId: number): Promise<readonly TokenView[]> {
  const rows = await selectRows<{ id: number }>(
    database.db,
    sql`select id from api_token where principal_id = ${principalId} and revoked_at is null and (expires_at is null or expires_at > app_now())
      order by id desc limit ${MOST_TOKENS}`,
  );
  return (
    await tokensByIds(
      database,
      rows.map(({ id }) => id),
    )
  ).toSorted((a, b) => b.id - a.id);
}

function withGrants(row: PrincipalView): PrincipalView {
  return { ...row, grants: readGrants(row.grants) };
}
