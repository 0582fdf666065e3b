import type { Role } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";
import { selectRows } from "../db/select-rows.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../graphql/paging.js";

/** A token without its secret, which nobody has any more. */
export interface TokenView {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

const columns = sql`id, name, prefix, role, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt",
  last_used_at as "lastUsedAt"`;

export function tokensByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly TokenView[]> {
  return selectRows(database.db, sql`select ${columns} from api_token where id = any(${bigints(ids)})`);
}

/** A page of tokens, newest first. */
export function tokenPage(database: Database, args: PageArgs): Promise<Page<TokenView>> {
  const byId: SortKey<TokenView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns, from: sql`api_token`, where: [], sort: [byId], direction: "desc" });
}
