import { joinsIncident, opensIncident, type PipedAlert } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";
import { appendEvents, type NewEvent } from "../events/append-events.js";
import type { StoredAlert } from "./situation.js";

/**
 * Writes how alerts stand, and the reasons for it: new ones begin, those that hold no more end. Nothing of an alert itself is touched. Answers since
 * when each may belong to an incident.
 */
export async function writeStanding(
  tx: Tx,
  { before, after, now }: { readonly before: readonly StoredAlert[]; readonly after: readonly PipedAlert[]; readonly now: number },
): Promise<{ readonly eligibleAt: ReadonlyMap<number, number> }> {
  const known = new Map(before.map((alert) => [alert.id, alert]));
  const eligibleAt = new Map<number, number>();
  const rows = after.map((alert) => {
    const joins = joinsIncident(alert);
    const since = joins ? (known.get(alert.id)?.eligibleAt ?? now) : null;
    if (since !== null) eligibleAt.set(alert.id, since);
    return {
      id: alert.id,
      flapping: alert.reasons.some(({ kind }) => kind === "flapping"),
      muted: !opensIncident(alert),
      eligible_at: since === null ? null : new Date(since).toISOString(),
    };
  });
  await tx.execute(sql`
    update alert_standing as t set flapping = r.flapping, muted = r.muted, eligible_at = r.eligible_at, considered_at = coalesce(t.considered_at, ${now}::timestamptz)
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(id bigint, flapping boolean, muted boolean, eligible_at timestamptz)
    where t.alert_id = r.id and (t.considered_at is null or (t.flapping, t.muted) <> (r.flapping, r.muted) or t.eligible_at is distinct from r.eligible_at)`);
  await writeReasons(tx, { after, now });
  return { eligibleAt };
}

async function writeReasons(tx: Tx, { after, now }: { readonly after: readonly PipedAlert[]; readonly now: number }): Promise<void> {
  // What has ended keeps the reasons that it ended with: they are its record.
  const firing = after.filter(({ status, wasConsidered }) => status === "firing" || !wasConsidered);
  const rows = firing.flatMap(({ id, reasons }) =>
    reasons.map(({ kind, rule, path, reason, mutes, until }) => ({
      id,
      kind,
      rule,
      path,
      reason,
      mutes,
      until: until === null ? null : new Date(until).toISOString(),
    })),
  );
  const wanted = sql`jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
    as r(id bigint, kind text, rule text, path text, reason text, mutes boolean, until timestamptz)`;
  await tx.execute(sql`
    update alert_reason as x set ended_at = ${now}::timestamptz
    where x.ended_at is null and x.alert_id = any (${bigints(firing.map(({ id }) => id))})
      and not exists (select from ${wanted} where r.id = x.alert_id and r.kind = x.kind and r.rule = x.rule)`);
  const begun = await tx.execute<{ alert_id: number; kind: string; rule: string; path: string; mutes: boolean; endpoint: string }>(sql`
    with begun as (
      insert into alert_reason (alert_id, kind, rule, path, reason, mutes, until, began_at)
      select r.id, r.kind, r.rule, r.path, r.reason, r.mutes, r.until, ${now}::timestamptz from ${wanted}
      on conflict (alert_id, kind, rule) where ended_at is null
        do update set path = excluded.path, reason = excluded.reason, mutes = excluded.mutes, until = excluded.until
        where (alert_reason.path, alert_reason.reason, alert_reason.mutes) <> (excluded.path, excluded.reason, excluded.mutes)
          or alert_reason.until is distinct from excluded.until
      returning alert_id, kind, rule, path, mutes, xmax = 0 as is_new)
    select b.alert_id, b.kind, b.rule, b.path, b.mutes, e.key as endpoint
    from begun as b join alert as a on a.id = b.alert_id join endpoint as e on e.id = a.endpoint_id
    where b.is_new and b.mutes order by b.alert_id`);
  await appendEvents(
    tx,
    begun.map(({ alert_id: alert, kind, rule, path, endpoint }): NewEvent => ({
      kind: "alert.suppressed",
      subjectKind: "endpoint",
      subjectKey: endpoint,
      payload: { alert: String(alert), by: kind, rule, path },
    })),
  );
}
