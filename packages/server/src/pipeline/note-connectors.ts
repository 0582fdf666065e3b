import { sql } from "drizzle-orm";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import type { RunConnector } from "../runs/run-connectors.js";
import type { RunWork } from "./pipeline-run.js";

/** Notes the connectors that an attempt works with: one statement, fenced by worker and attempt as everything that a run writes. */
export async function noteConnectors(
  { database, run }: Pick<RunWork, "database" | "run">,
  used: readonly { readonly side: RunConnector["side"]; readonly endpoint: Pick<OpenEndpoint, "key" | "connector"> }[],
): Promise<void> {
  const connectors: readonly RunConnector[] = used.map(({ side, endpoint }) => ({ side, endpoint: endpoint.key, ...endpoint.connector }));
  await database.db.execute(sql`
    update run set connectors = ${JSON.stringify(connectors)}::text::jsonb
    where id = ${run.runId}::uuid and due_at = ${run.dueAt}::timestamptz and state = 'running' and worker_id = ${run.workerId}::uuid and attempt = ${run.attempt}`);
}
