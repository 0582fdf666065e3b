import { type CatalogFacts, covered } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { type CoveringHold, loadCatalogFacts, openHolds } from "./store.js";

/** One integration that a hold should cover, and by which path. */
interface WantedMember {
  readonly holdId: number;
  readonly integrationId: number;
  readonly path: string;
}

/**
 * Recomputes which integrations every open hold covers, after the catalogue changed. Whoever joins is covered from now on (or from the hold's
 * start), whoever leaves is let go. Answers the integrations whose cover changed: take their dispatch locks before the commit.
 */
export async function refreshMembership(tx: Tx, options: { readonly integrationIds?: readonly number[] } = {}): Promise<readonly number[]> {
  const facts = await loadCatalogFacts(tx, options.integrationIds);
  return applyMembership(tx, { facts, holds: await openHolds(tx) });
}

/** Brings the members of these holds in line with the facts; only integrations among the facts are touched. */
export async function applyMembership(
  tx: Tx,
  input: { readonly facts: CatalogFacts; readonly holds: readonly CoveringHold[] },
): Promise<readonly number[]> {
  if (input.holds.length === 0 || input.facts.integrations.length === 0) return [];
  const now = await readNow(tx);
  const wanted = wantedMembers(input);
  const holdIds = input.holds.map((one) => one.id);
  const integrationIds = input.facts.integrations.map((one) => one.id);
  // A hold is released by the passing of time, without the catalogue lock. Its row is locked before anybody joins it (and only then: there are
  // many holds), or an integration would join a hold that is being released, and nothing would ever let it go.
  const joined = await tx.execute<{ id: number }>(sql`
    insert into hold_member as m (hold_id, integration_id, begins_at, mode, lead_limit_ms, path)
    select w.hold_id, w.integration_id, greatest(h.begins_at, ${now}::timestamptz), h.mode, h.lead_limit_ms, w.path
    from unnest(${sql.param(wanted.map((one) => one.holdId))}::bigint[], ${sql.param(wanted.map((one) => one.integrationId))}::integer[],
      ${sql.param(wanted.map((one) => one.path))}::text[]) as w(hold_id, integration_id, path)
    join hold as h on h.id = w.hold_id
    where h.released_at is null and not exists (
      select from hold_member as same
      where same.hold_id = w.hold_id and same.integration_id = w.integration_id and same.released_at is null and same.path = w.path)
    order by h.id, w.integration_id
    for share of h
    on conflict (hold_id, integration_id) do update
      set path = excluded.path, released_at = null, settled_at = null,
        begins_at = case when m.released_at is null then m.begins_at else excluded.begins_at end
      where m.released_at is not null or m.path <> excluded.path
    returning integration_id as id`);
  // A member of a hold that has begun stays on record as released; one that never took effect goes.
  const left = await tx.execute<{ id: number }>(sql`
    with wanted as (
      select * from unnest(${sql.param(wanted.map((one) => one.holdId))}::bigint[], ${sql.param(wanted.map((one) => one.integrationId))}::integer[])
        as w(hold_id, integration_id)
    ),
    gone as (
      select m.hold_id, m.integration_id, m.begins_at from hold_member as m
      where m.hold_id = any (${sql.param(holdIds)}::bigint[]) and m.integration_id = any (${sql.param(integrationIds)}::integer[])
        and m.released_at is null
        and not exists (select from wanted as w where w.hold_id = m.hold_id and w.integration_id = m.integration_id)
    ),
    removed as (
      delete from hold_member as m using gone as g
      where m.hold_id = g.hold_id and m.integration_id = g.integration_id and g.begins_at > ${now}::timestamptz
      returning m.integration_id
    ),
    released as (
      update hold_member as m set released_at = ${now}::timestamptz from gone as g
      where m.hold_id = g.hold_id and m.integration_id = g.integration_id and g.begins_at <= ${now}::timestamptz
      returning m.integration_id
    )
    select integration_id as id from removed union select integration_id from released`);
  return [...new Set([...joined, ...left].map((row) => row.id))];
}

/** Holds of one scope and coverage share one reading of the catalogue: a daily window has a hold for every day ahead. */
function wantedMembers(input: { readonly facts: CatalogFacts; readonly holds: readonly CoveringHold[] }): readonly WantedMember[] {
  const byScope = new Map<string, readonly Omit<WantedMember, "holdId">[]>();
  return input.holds.flatMap((one) => {
    const scopeText = `${one.coverage} ${JSON.stringify(one.scope)}`;
    let members = byScope.get(scopeText);
    if (members === undefined) {
      members = covered(input.facts, one.scope, one.coverage).map((found) => ({
        integrationId: found.integrationId,
        path: found.paths.map((path) => `${path.via}: ${path.detail}`).join("; "),
      }));
      byScope.set(scopeText, members);
    }
    return members.map((member) => ({ holdId: one.id, ...member }));
  });
}
