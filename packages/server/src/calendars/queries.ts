import type { FeedScope, ImportSettings } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import type { ImportReport } from "./table.js";

/** A feed without its address, which nobody has any more but those who were given it. */
export interface FeedView {
  readonly id: number;
  readonly title: string;
  readonly scope: FeedScope;
  readonly prefix: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly lastReadAt: number | null;
  readonly revokedAt: number | null;
}

/** An imported calendar. Of its address only the origin is shown: the rest may be secret. */
export interface ImportView {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly origin: string | null;
  readonly everySeconds: number | null;
  readonly settings: ImportSettings;
  readonly nextAt: number | null;
  readonly attemptedAt: number | null;
  readonly succeededAt: number | null;
  readonly failures: number;
  readonly problem: string | null;
  readonly report: ImportReport | null;
  readonly windows: number;
  readonly createdBy: string;
  readonly createdAt: number;
}

const feedColumns = sql`id, title, scope, prefix, created_by as "createdBy", created_at as "createdAt", last_read_at as "lastReadAt", revoked_at as "revokedAt"`;
const importColumns = sql`i.id, i.key, i.title, i.origin, i.every_seconds as "everySeconds", i.settings, i.next_at as "nextAt", i.attempted_at as "attemptedAt",
  i.succeeded_at as "succeededAt", i.failures, i.problem, i.report, i.created_by as "createdBy", i.created_at as "createdAt",
  (select count(*)::integer from calendar_import_event as e join maintenance_window as w on w.id = e.window_id
    where e.import_id = i.id and w.cancelled_at is null) as windows`;

export function feedsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly FeedView[]> {
  return selectRows(database.db, sql`select ${feedColumns} from calendar_feed where id = any(${bigints(ids)})`);
}

/** A page of feeds, newest first. */
export function feedPage(database: Database, args: PageArgs): Promise<Page<FeedView>> {
  const byId: SortKey<FeedView> = { column: sql`id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns: feedColumns, from: sql`calendar_feed`, where: [], sort: [byId], direction: "desc" });
}

export function importsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly ImportView[]> {
  return selectRows(database.db, sql`select ${importColumns} from calendar_import as i where i.id = any(${bigints(ids)})`);
}

/** The import of that key; null when there is none, or none any more. */
export async function importByKey(database: Database, key: string): Promise<ImportView | null> {
  const [row] = await selectRows<ImportView>(
    database.db,
    sql`select ${importColumns} from calendar_import as i where i.key = ${key} and i.removed_at is null`,
  );
  return row ?? null;
}

/** A page of imports by key. */
export function importPage(database: Database, args: PageArgs): Promise<Page<ImportView>> {
  const byKey: SortKey<ImportView> = { column: sql`i.key`, type: "text", of: (row) => row.key };
  return readPage(database, args, {
    columns: importColumns,
    from: sql`calendar_import as i`,
    where: [sql`i.removed_at is null`],
    sort: [byKey],
    direction: "asc",
  });
}
