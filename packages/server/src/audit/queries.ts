import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";
import { selectRows } from "../db/select-rows.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";

export interface AuditView {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectKey: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly position: number | null;
  readonly hash: string | null;
  readonly sealedAt: number | null;
}

const columns = sql`id, at, actor, action, subject_kind as "subjectKind", subject_key as "subjectKey", reason, before, after,
  position, encode(hash, 'hex') as hash, sealed_at as "sealedAt"`;

export function auditByIds(database: Database, ids: readonly string[]): Promise<readonly AuditView[]> {
  return selectRows(database.db, sql`select ${columns} from audit_entry where id = any(${bigints(ids)})`);
}

export interface AuditFilter {
  readonly subjectKind?: string | null | undefined;
  readonly subjectKey?: string | null | undefined;
  readonly actor?: string | null | undefined;
  readonly action?: string | null | undefined;
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
}

/** A page of the audit trail, newest first. */
export function auditPage(
  database: Database,
  args: PageArgs & { readonly filter?: AuditFilter | null | undefined },
): Promise<Page<AuditView>> {
  const { subjectKind, subjectKey, actor, action, from, to } = args.filter ?? {};
  const where: SQL[] = [];
  if (typeof subjectKind === "string") where.push(sql`subject_kind = ${subjectKind}`);
  if (typeof subjectKey === "string") where.push(sql`subject_key = ${subjectKey}`);
  if (typeof actor === "string") where.push(sql`actor = ${actor}`);
  if (typeof action === "string") where.push(sql`action = ${action}`);
  if (typeof from === "number") where.push(sql`at >= ${from}::timestamptz`);
  if (typeof to === "number") where.push(sql`at < ${to}::timestamptz`);
  const byTime: SortKey<AuditView> = { column: sql`at`, type: "timestamptz", of: (row) => row.at };
  const byId: SortKey<AuditView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns, from: sql`audit_entry`, where, sort: [byTime, byId], direction: "desc" });
}
