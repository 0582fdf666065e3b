import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { type ReconciliationSummary, summaryOf } from "../reconciliation/summary.js";

/** What was compared after an occurrence; null where its window asks for nothing, or it is not over. */
export interface ReconciledReport {
  readonly reconciled: (ReconciliationSummary & { readonly integrations: number; readonly done: number; readonly failed: number }) | null;
}

/** Sums the comparisons up that were queued when the occurrence closed: `integrations` = `done` + `failed` + those that go on. */
export async function readReconciledReport(tx: Tx, occurrenceId: number): Promise<ReconciledReport> {
  const [counted] = await selectRows<{ readonly integrations: number; readonly done: number; readonly failed: number }>(
    tx,
    sql`
    select count(*)::integer as integrations, count(*) filter (where c.ended_at is not null)::integer as done,
      count(*) filter (where c.ended_at is null and (r.state is null or r.state not in ('queued', 'held', 'running')))::integer as failed
    from reconciliation as c left join run as r on r.id = c.run_id and r.due_at = run_due_of_id(c.run_id) where c.occurrence_id = ${occurrenceId}::bigint`,
  );
  if (counted === undefined || counted.integrations === 0) return { reconciled: null };
  const streams = await selectRows<Parameters<typeof summaryOf>[0][number]>(
    tx,
    sql`
    select s.method, s.equal::float8 as equal, s.only_source::float8 as "onlySource", s.only_target::float8 as "onlyTarget", s.different::float8 as different, s.changing::float8 as changing
    from reconciliation as c join reconciliation_stream as s on s.reconciliation_id = c.id and s.ended_at is not null where c.occurrence_id = ${occurrenceId}::bigint`,
  );
  return { reconciled: { ...counted, ...summaryOf(streams) } };
}
