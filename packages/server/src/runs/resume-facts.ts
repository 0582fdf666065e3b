import type { ResumeFacts } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { targetsOf } from "./ramp.js";

/** What of the whole catalogue decides which system is upstream of which. */
export async function loadResumeFacts(tx: Tx): Promise<ResumeFacts> {
  const flows = await tx.execute<{ from: number; to: number }>(sql`
    select distinct source.system_id as "from", target.system_id as "to"
    from integration as i join integration_system as source on source.integration_id = i.id and source.role <> 'target'
    cross join lateral ${targetsOf} as target`);
  const dependencies = await tx.execute<{ systemId: number; dependsOnId: number }>(sql`
    select system_id as "systemId", depends_on_id as "dependsOnId" from system_dependency where strength = 'hard'`);
  return { flows, dependencies };
}
