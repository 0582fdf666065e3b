import { hash } from "node:crypto";
import { joinsIncident, opensIncident, type PipedAlert } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { bigints } from "../db/sql-arrays.js";
import { appendEvents, type NewEvent } from "../events/append-events.js";
import type { StoredAlert } from "./situation.js";

/** How an alert stands after a look. */
interface Standing {
  readonly alert: PipedAlert;
  readonly before: StoredAlert | undefined;
  readonly flapping: boolean;
  readonly muted: boolean;
  readonly eligibleAt: number | null;
  /** What its open reasons are to be; null: it has ended and keeps the reasons that it ended with, which are its record. */
  readonly digest: string | null;
}

/**
 * Writes how alerts stand, and the reasons for it, of those that stand otherwise than at the last look: new reasons begin, those that hold no more end.
 * Nothing of an alert itself is touched. Answers since when each may belong to an incident.
 */
export async function writeStanding(
  tx: Tx,
  { before, after, now }: { readonly before: readonly StoredAlert[]; readonly after: readonly PipedAlert[]; readonly now: number },
): Promise<{ readonly eligibleAt: ReadonlyMap<number, number> }> {
  const known = new Map(before.map((alert) => [alert.id, alert]));
  const eligibleAt = new Map<number, number>();
  const changed: Standing[] = [];
  for (const alert of after) {
    const standing = standingOf(alert, known.get(alert.id), now);
    if (standing.eligibleAt !== null) eligibleAt.set(alert.id, standing.eligibleAt);
    if (isNews(standing)) changed.push(standing);
  }
  if (changed.length === 0) return { eligibleAt };
  const rows = changed.map(({ alert: { id }, before: was, flapping, muted, eligibleAt: since, digest }) => ({
    id,
    flapping,
    muted,
    eligible_at: since === null ? null : new Date(since).toISOString(),
    reasons_digest: digest ?? was?.reasonsDigest ?? null,
  }));
  await tx.execute(sql`
    update alert_standing as t set flapping = r.flapping, muted = r.muted, eligible_at = r.eligible_at, reasons_digest = r.reasons_digest,
      considered_at = coalesce(t.considered_at, ${now}::timestamptz)
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r(id bigint, flapping boolean, muted boolean, eligible_at timestamptz, reasons_digest text)
    where t.alert_id = r.id`);
  await writeReasons(tx, { changed: changed.filter(hasOtherReasons).map(({ alert }) => alert), now });
  await sayUnsuppressed(tx, changed);
  return { eligibleAt };
}

function standingOf(alert: PipedAlert, before: StoredAlert | undefined, now: number): Standing {
  const { status, wasConsidered, reasons } = alert;
  return {
    alert,
    before,
    flapping: reasons.some(({ kind }) => kind === "flapping"),
    muted: !opensIncident(alert),
    eligibleAt: joinsIncident(alert) ? (before?.eligibleAt ?? now) : null,
    digest: status === "firing" || !wasConsidered ? reasonsDigest(alert) : null,
  };
}

/** The same for the same reasons with the same words; empty of none. */
function reasonsDigest({ reasons }: PipedAlert): string {
  if (reasons.length === 0) return "";
  return hash(
    "sha1",
    JSON.stringify(reasons.map(({ kind, rule, path, reason, mutes, until }) => [kind, rule, path, reason, mutes, until])),
  );
}

function isNews(standing: Standing): boolean {
  const { alert, before, flapping, muted, eligibleAt } = standing;
  if (before === undefined || !alert.wasConsidered || hasOtherReasons(standing)) return true;
  return flapping !== before.wasFlapping || muted !== before.wasMuted || eligibleAt !== before.eligibleAt;
}

function hasOtherReasons({ before, digest }: Standing): boolean {
  return digest !== null && digest !== (before?.reasonsDigest ?? null);
}

async function writeReasons(tx: Tx, { changed, now }: { readonly changed: readonly PipedAlert[]; readonly now: number }): Promise<void> {
  if (changed.length === 0) return;
  const rows = changed.flatMap(({ id, reasons }) =>
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
    where x.ended_at is null and x.alert_id = any (${bigints(changed.map(({ id }) => id))})
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

/** What fires and is kept quiet by nothing any more is news for whoever follows alerts. What has ended is not: its reasons are its record. */
async function sayUnsuppressed(tx: Tx, changed: readonly Standing[]): Promise<void> {
  await appendEvents(
    tx,
    changed
      .filter(({ alert, before, muted }) => before?.wasMuted === true && !muted && alert.status === "firing")
      .map(({ alert: { id, source } }): NewEvent => ({
        kind: "alert.unsuppressed",
        subjectKind: "endpoint",
        subjectKey: source,
        payload: { alert: String(id) },
      })),
  );
}
