import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { clockStepped } from "./clock-step.js";

/** A hold as a reason: what holds, why, by whom, since and until when. */
export interface HoldReason {
  readonly [column: string]: unknown;
  readonly holdId: number;
  readonly kind: "window" | "manual" | "credentials" | "unready";
  /** The window's title, or the kind in words. */
  readonly title: string;
  readonly windowKey: string | null;
  readonly owner: string;
  readonly reason: string;
  /** By which path the integration is covered. */
  readonly path: string;
  readonly since: number;
  /** null: until somebody lifts it. */
  readonly until: number | null;
}

/**
 * The one predicate of the product, as the claim has it: a hold has begun, is not released for this integration, and is enforced. `m` is the
 * alias of hold_member, `c` of control.
 */
export const holdsNow: SQL = sql`m.begins_at <= app_now() and m.released_at is null and m.mode = 'enforce' and c.mode = 'enforce'`;

/** {@link holdsNow} of a run (alias `r`): a hold that an operator lets it pass does not hold it. */
export const holdsRun: SQL = sql`${holdsNow} and (r.passes_holds is null or m.hold_id <> all (r.passes_holds))`;

/** Nobody knows what holds now, and no operator ordered to go on without knowing: nothing starts. `c` is the alias of control. */
export const expansionStale: SQL = sql`(c.expanded_until <= app_now() and c.expansion_override_until <= app_now())`;

/** Nothing starts anywhere, whatever the holds say: nobody knows what holds, or what time it is. `c` is the alias of control. */
export const dispatchStopped: SQL = sql`(${expansionStale} or ${clockStepped})`;

/** What holds an integration right now, in the order of its beginning; empty when nothing does. */
export async function activeHolds(tx: Tx, integrationId: number): Promise<readonly HoldReason[]> {
  return [
    ...(await tx.execute<HoldReason>(sql`
      select h.id as "holdId", h.kind, coalesce(w.title, case h.kind when 'manual' then 'Paused by hand' when 'credentials' then 'Refused by the system'
          else 'System not ready' end) as title,
        w.key as "windowKey", h.owner, h.reason, m.path, m.begins_at as since, h.expires_at as until
      from hold_member as m cross join control as c join hold as h on h.id = m.hold_id
      left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
      where m.integration_id = ${integrationId} and ${holdsNow}
      order by m.begins_at, h.id`)),
  ];
}

/** When the last of these holds ends as planned; null when one of them is open-ended. Undefined when nothing holds. */
export function heldUntil(holds: readonly HoldReason[]): number | null | undefined {
  if (holds.length === 0) return undefined;
  let until = 0;
  for (const one of holds) {
    if (one.until === null) return null;
    until = Math.max(until, one.until);
  }
  return until;
}
