import { type Grant, readGrants } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";
import { selectRows } from "../db/select-rows.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";

/** A token without its secret, which nobody has any more. */
export interface TokenView {
  readonly id: number;
  readonly name: string;
  readonly prefix: string;
  readonly grants: readonly Grant[];
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

const columns = sql`id, name, prefix, grants, created_by as "createdBy", created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt",
  last_used_at as "lastUsedAt"`;

export async function tokensByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly TokenView[]> {
  const rows = await selectRows<TokenView>(database.db, sql`select ${columns} from api_token where id = any(${bigints(ids)})`);
  return rows.map((row) => ({ ...row, grants: readGrants(row.grants) }));
}

/** A page of tokens, newest first. */
export function tokenPage(database: Database, args: PageArgs): Promise<Page<TokenView>> {
  const byId: SortKey<TokenView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns, from: sql`api_token`, where: [], sort: [byId], direction: "desc" });
}
