import { type EvidenceRun, joinEvidence } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { groupRows } from "../db/group-rows.js";
import { selectRows } from "../db/select-rows.js";
import { integers } from "../db/sql-arrays.js";
import { decodeRuns, type EncodedRun } from "./evidence-runs.js";
import type { Period } from "./kpi-scope.js";
import { evidenceMetric } from "./metrics.js";

const DAY_MS = 86_400_000;

/** What checks of integrations said, of the whole days that a period touches. */
export async function readEvidence(
  tx: Tx,
  of: { readonly integrationIds: readonly number[]; readonly period: Period },
): Promise<ReadonlyMap<number, readonly EvidenceRun[]>> {
  const from = Math.floor(of.period.start / DAY_MS) * DAY_MS;
  const rows = await selectRows<{ integrationId: number; runs: readonly EncodedRun[] }>(
    tx,
    sql`
    select s.integration_id as "integrationId", d.evidence as runs from kpi_series as s join kpi_day as d on d.series_id = s.id
    where s.metric = ${evidenceMetric} and s.integration_id = any (${integers(of.integrationIds)}) and d.evidence is not null
      and d.at >= ${from}::timestamptz and d.at < ${of.period.end}::timestamptz
    order by d.at`,
  );
  const days = groupRows(rows, ({ integrationId }) => integrationId);
  return new Map([...days].map(([id, list]) => [id, joinEvidence(list.map(({ runs }) => decodeRuns(runs)))]));
}
