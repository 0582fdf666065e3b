import type { IntegrationEntry, TrialCandidate, TrialFigures, TrialKind, TrialSettings, TrialState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage } from "../db/read-page.js";
import { selectRows } from "../db/select-rows.js";
import type { RecordDifference } from "./running-trial.js";

/** Another definition that is, or was, tried on an integration. */
export interface TrialRow {
  readonly id: number;
  readonly integrationId: number;
  readonly kind: TrialKind;
  readonly state: TrialState;
  readonly candidate: TrialCandidate;
  readonly definition: IntegrationEntry | null;
  readonly version: number | null;
  readonly settings: TrialSettings & { readonly sinceCursor: boolean };
  readonly figures: TrialFigures;
  readonly differences: readonly RecordDifference[];
  readonly runId: string | null;
  readonly startedBy: string;
  readonly reason: string;
  readonly verdict: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
}

const columns = sql`t.id, t.integration_id as "integrationId", t.kind, t.state, t.candidate, t.definition, t.version, t.settings, t.figures, t.differences, t.run_id as "runId",
  t.started_by as "startedBy", t.reason, t.verdict, t.started_at as "startedAt", t.ended_at as "endedAt"`;

export async function trialById(database: Database, id: number): Promise<TrialRow | null> {
  const [row] = await selectRows<TrialRow>(database.db, sql`select ${columns} from integration_trial as t where t.id = ${id}::bigint`);
  return row ?? null;
}

/** The trials of an integration, newest first. */
export function trialPage(database: Database, integrationId: number, args: PageArgs): Promise<Page<TrialRow>> {
  return readPage<TrialRow>(database, args, {
    columns,
    from: sql`integration_trial as t`,
    where: [sql`t.integration_id = ${integrationId}`],
    sort: [{ column: sql`t.id`, type: "bigint", of: (row) => row.id }],
    direction: "desc",
  });
}
