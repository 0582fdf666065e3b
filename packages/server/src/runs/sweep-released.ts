import { resumeOrder, upstreamRanks, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { holdsNow, holdsRun } from "./active-holds.js";
import { joinRamps, targetsOf } from "./ramp.js";
import { loadResumeFacts } from "./resume-facts.js";
import { sweepIntegration } from "./sweep-integration.js";
import { readOpenSince } from "./open-since.js";

interface Sweeping {
  readonly database: Database;
  readonly zones: ZoneData;
}

export interface SweepResult {
  readonly integrations: number;
  readonly queued: number;
  readonly skipped: number;
  readonly coalesced: number;
  /** It stopped at its bound, and there is more. */
  readonly more: boolean;
}

/**
 * Lets go every held run that no hold covers any more, by its job's catch-up policy, upstream first, spread over time for each target system. It
 * needs no memory of what was released: whatever is held and uncovered is due, so a server that died midway is carried on by the next.
 * `thorough` looks at every integration with held runs, otherwise at those of which a hold was released lately; `maxTransactions` bounds one call.
 */
export async function sweepReleased(
  context: Sweeping,
  options: { readonly thorough?: boolean; readonly maxTransactions?: number } = {},
): Promise<SweepResult> {
  const { thorough = true, maxTransactions = Number.POSITIVE_INFINITY } = options;
  const total = { integrations: 0, queued: 0, skipped: 0, coalesced: 0 };
  let transactions = 0;
  for (const one of await waitingIntegrations(context, thorough)) {
    total.integrations += 1;
    for (let more = true; more;) {
      if (transactions >= maxTransactions) return { ...total, more: true };
      const swept = await sweepIntegration(context, one.id);
      // Another server has taken over; it sees what we see.
      if (swept === "busy") return { ...total, more: false };
      transactions += 1;
      total.queued += swept.queued;
      total.skipped += swept.skipped;
      total.coalesced += swept.coalesced;
      more = swept.more;
    }
  }
  await joinRamps(context);
  return { ...total, more: false };
}

interface Waiting {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly targetIds: readonly number[];
  readonly sourceIds: readonly number[];
}

/** The integrations with held runs that nothing covers, upstream first. */
async function waitingIntegrations(context: Sweeping, thorough: boolean): Promise<readonly Waiting[]> {
  // Without the runs: to plan a statement over all their days costs more than to run it, and this is asked twice a second.
  const changed = await context.database.db.execute(sql`
    select where ${thorough}::boolean or exists (select from control where mode = 'observe')
      or exists (select from hold_member as m where m.released_at is not null and m.settled_at is null)
      or exists (select from hold as h where h.canary_of is not null and h.released_at is null)`);
  if (changed.length === 0) return [];
  const since = await readOpenSince(context.database.db);
  const waiting = await context.database.db.execute<Waiting>(sql`
    with candidate as (
      select m.integration_id as id from hold_member as m where m.released_at is not null and m.settled_at is null
      union
      -- First runs that may pass the hold that keeps the rest.
      select r.integration_id from hold as h join canary as c on c.hold_id = h.id join run as r on r.id = c.run_id and r.due_at = c.run_due_at
        and r.due_at >= ${since}::timestamptz
      where h.canary_of is not null and h.released_at is null and r.state = 'held'
      union
      -- In mode observe nothing covers any more, although nothing was released.
      select held.id from held_integrations() as held(id) where ${thorough}::boolean or exists (select from control where mode = 'observe')
    )
    select i.id, array(select target.system_id from ${targetsOf} as target) as "targetIds",
      array(select route.system_id from integration_system as route where route.integration_id = i.id and route.role <> 'target') as "sourceIds"
    from candidate join integration as i on i.id = candidate.id
    cross join lateral (
      select exists (select from hold_member as m cross join control as c where m.integration_id = i.id and ${holdsNow}) as now) as covered
    where exists (
      select from run as r
      where r.integration_id = i.id and r.state = 'held' and r.due_at >= ${since}::timestamptz
        -- Under a hold only what may pass one is looked at in detail.
        and (not covered.now or (r.passes_holds is not null
          and not exists (select from hold_member as m cross join control as c where m.integration_id = r.integration_id and ${holdsRun}))))`);
  if (waiting.length < 2) return waiting;
  return resumeOrder(waiting, upstreamRanks(await loadResumeFacts(context.database.db)));
}
