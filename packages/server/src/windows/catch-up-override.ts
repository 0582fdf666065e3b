import { type CatchUp, DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { readOpenSince } from "../runs/open-since.js";

/** What an operator says for one resume instead of the jobs' own policies; `confirmAll` is their word that `all` is meant for cursor jobs too. */
export interface CatchUpOverride {
  readonly catchUp?: CatchUp | undefined;
  readonly confirmAll?: boolean | undefined;
}

const maxNamed = 5;

/**
 * Stores with a hold what shall become of the runs it held; the sweep asks for it when it lets them go. `all` on jobs that read from a cursor
 * wants confirmation: the first run reads all there is, and the others cost a start each and find nothing. Throws QSC_RESUME_ALL_UNCONFIRMED.
 */
export async function overrideCatchUp(tx: Tx, input: CatchUpOverride & { readonly holdId: number }): Promise<void> {
  const { holdId, catchUp } = input;
  if (catchUp === undefined) return;
  if (catchUp === "all" && input.confirmAll !== true) {
    const since = await readOpenSince(tx);
    const reading = await tx.execute<{ key: string }>(sql`
      select j.key from hold_member as m join integration as i on i.id = m.integration_id join job as j on j.integration_id = i.id
      where m.hold_id = ${holdId} and m.released_at is null and jsonb_array_length(i.streams) > 0
        and exists (select from run as r where r.job_id = j.id and r.state = 'held' and r.due_at >= ${since}::timestamptz)
      order by j.key limit ${maxNamed + 1}`);
    if (reading.length > 0) {
      const named = reading.slice(0, maxNamed).map((row) => row.key);
      throw new DomainError(
        "QSC_RESUME_ALL_UNCONFIRMED",
        `${named.join(", ")}${reading.length > maxNamed ? " and others" : ""} read from a cursor: their first run takes everything, and each further due time starts a run that finds nothing. Confirm it (confirmAll, --confirm-all), or take COALESCE.`,
        { field: "catchUp" },
      );
    }
  }
  await tx.execute(sql`update hold set catch_up = ${catchUp} where id = ${holdId}`);
}
