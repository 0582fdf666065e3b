import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage } from "../db/read-page.js";
import { selectRows } from "../db/select-rows.js";
import { bigints, texts } from "../db/sql-arrays.js";

export const conflictStates = ["open", "decided", "settled"] as const;
export const conflictKinds = ["changed", "refused", "deleted"] as const;

/** A field of a record about which two sides do not agree, or did not. */
export interface SyncConflictView {
  readonly id: number;
  readonly integrationId: number;
  readonly stream: string;
  readonly recordKey: string;
  readonly field: string;
  readonly kind: (typeof conflictKinds)[number];
  readonly agreed: unknown;
  readonly source: unknown;
  readonly target: unknown;
  readonly rule: string;
  readonly message: string | null;
  readonly state: (typeof conflictStates)[number];
  readonly winner: "source" | "target" | null;
  readonly runId: string | null;
  readonly decidedBy: string | null;
  readonly reason: string | null;
  readonly at: number;
  readonly decidedAt: number | null;
}

const columns = sql`c.id, c.integration_id as "integrationId", c.stream, c.record_key as "recordKey", c.field, c.kind, c.agreed, c.source, c.target, c.rule,
  c.message, c.state, c.winner, c.run_id as "runId", c.decided_by as "decidedBy", c.reason, c.at, c.decided_at as "decidedAt"`;

export function syncConflictsByIds(database: Database, ids: readonly string[]): Promise<readonly SyncConflictView[]> {
  return selectRows(database.db, sql`select ${columns} from sync_conflict as c where c.id = any(${bigints(ids)})`);
}

export interface SyncConflictFilter {
  /** Its key. */
  readonly integration?: string | null | undefined;
  readonly stream?: string | null | undefined;
  readonly recordKey?: string | null | undefined;
  readonly states?: readonly string[] | null | undefined;
}

/** Conflicts, newest first. */
export function syncConflictPage(
  database: Database,
  args: PageArgs & { readonly filter: SyncConflictFilter },
): Promise<Page<SyncConflictView>> {
  const { integration, stream, recordKey, states } = args.filter;
  const where: SQL[] = [];
  if (typeof integration === "string") where.push(sql`c.integration_id = (select i.id from integration as i where i.key = ${integration})`);
  if (typeof stream === "string") where.push(sql`c.stream = ${stream}`);
  if (typeof recordKey === "string") where.push(sql`c.record_key = ${recordKey}`);
  if (Array.isArray(states)) where.push(sql`c.state = any(${texts(states)})`);
  return readPage<SyncConflictView>(database, args, {
    columns,
    from: sql`sync_conflict as c`,
    where,
    sort: [{ column: sql`c.id`, type: "bigint", of: (row) => row.id }],
    direction: "desc",
  });
}
