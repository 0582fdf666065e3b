import type { DifferenceKind, ReconciliationCounts, ReconciliationMethod } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage } from "../db/read-page.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import type { DifferenceState } from "./difference-store.js";
import type { DifferenceSample, ReconciliationPhase } from "./store.js";

export const reconciliationOrigins = ["request", "schedule", "window"] as const;
export const reconciliationStates = ["waiting", "running", "done", "failed"] as const;
export const reconciliationPhases = [
  "source",
  "target",
  "comparing",
  "second-look",
  "done",
] as const satisfies readonly ReconciliationPhase[];

/** A comparison as the API shows it. */
export interface ReconciliationView {
  readonly id: number;
  readonly integrationId: number;
  readonly runId: string;
  readonly origin: (typeof reconciliationOrigins)[number];
  readonly occurrenceId: number | null;
  readonly state: (typeof reconciliationStates)[number];
  readonly requestedBy: string;
  readonly reason: string | null;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
}

/** One stream of it. */
export interface ReconciliationStreamView extends ReconciliationCounts {
  readonly reconciliationId: number;
  readonly stream: string;
  readonly method: ReconciliationMethod | null;
  readonly phase: ReconciliationPhase;
  readonly sourceRecords: number;
  readonly targetRecords: number;
  readonly unfit: number;
  readonly isTruncated: boolean;
  readonly samples: readonly DifferenceSample[];
  readonly startedAt: number;
  readonly endedAt: number | null;
}

/** A run that mends, with what has become of the differences. */
export interface ResyncView {
  readonly reconciliationId: number;
  readonly runId: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly createdAt: number;
}

/** How many differences of a stream have come to what. */
export interface DifferenceCountView {
  readonly reconciliationId: number;
  readonly stream: string;
  readonly kind: DifferenceKind;
  readonly state: DifferenceState;
  readonly count: number;
}

const from = sql`reconciliation as c left join run as r on r.id = c.run_id and r.due_at = run_due_of_id(c.run_id)`;
/** Told by its run; one whose run is no longer kept and that never ended was given up. */
const columns = sql`c.id::float8 as id, c.integration_id as "integrationId", c.run_id as "runId", c.origin, c.occurrence_id::float8 as "occurrenceId",
  case when c.ended_at is not null then 'done' when r.state = 'running' then 'running' when r.state in ('queued', 'held') then 'waiting' else 'failed' end as state,
  c.requested_by as "requestedBy", c.reason, c.created_at as "createdAt", c.started_at as "startedAt", c.ended_at as "endedAt"`;

export function reconciliationsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly ReconciliationView[]> {
  return selectRows(database.db, sql`select ${columns} from ${from} where c.id = any (${bigints(ids)})`);
}

/** A page of comparisons, the newest first. */
export function reconciliationPage(
  database: Database,
  args: PageArgs,
  filter: { readonly integrationId?: number | undefined; readonly integration?: string | null | undefined },
): Promise<Page<ReconciliationView>> {
  const where: SQL[] = [
    ...(filter.integrationId === undefined ? [] : [sql`c.integration_id = ${filter.integrationId}`]),
    ...(typeof filter.integration === "string"
      ? [sql`c.integration_id = (select i.id from integration as i where i.key = ${filter.integration})`]
      : []),
  ];
  return readPage<ReconciliationView>(database, args, {
    columns,
    from,
    where,
    sort: [{ column: sql`c.id`, type: "bigint", of: (row) => row.id }],
    direction: "desc",
  });
}

export function streamsOfReconciliations(database: Database, ids: readonly number[]): Promise<readonly ReconciliationStreamView[]> {
  return selectRows(
    database.db,
    sql`
    select s.reconciliation_id::float8 as "reconciliationId", s.stream, s.method, s.phase, s.source_records::float8 as "sourceRecords", s.target_records::float8 as "targetRecords",
      s.equal::float8 as equal, s.only_source::float8 as "onlySource", s.only_target::float8 as "onlyTarget", s.different::float8 as different, s.changing::float8 as changing,
      s.unfit::float8 as unfit, s.is_truncated as "isTruncated", s.samples, s.started_at as "startedAt", s.ended_at as "endedAt"
    from reconciliation_stream as s where s.reconciliation_id = any (${bigints(ids)}) order by s.reconciliation_id, s.stream`,
  );
}

export function resyncsOfReconciliations(database: Database, ids: readonly number[]): Promise<readonly ResyncView[]> {
  return selectRows(
    database.db,
    sql`
    select s.reconciliation_id::float8 as "reconciliationId", s.run_id as "runId", s.requested_by as "requestedBy", s.reason, s.created_at as "createdAt"
    from reconciliation_resync as s where s.reconciliation_id = any (${bigints(ids)}) order by s.id`,
  );
}

export function differenceCounts(database: Database, ids: readonly number[]): Promise<readonly DifferenceCountView[]> {
  return selectRows(
    database.db,
    sql`
    select d.reconciliation_id::float8 as "reconciliationId", d.stream, d.kind, d.state, count(*)::integer as count
    from reconciliation_difference as d where d.reconciliation_id = any (${bigints(ids)}) group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
  );
}

/** What an integration's key is, of a comparison that the caller may see; null when there is none. */
export async function integrationOfReconciliation(database: Database, id: number): Promise<string | null> {
  const [row] = await selectRows<{ readonly key: string }>(
    database.db,
    sql`select i.key from reconciliation as c join integration as i on i.id = c.integration_id where c.id = ${id}::bigint`,
  );
  return row?.key ?? null;
}
