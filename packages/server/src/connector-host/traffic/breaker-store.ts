import {
  admitCalls,
  type Admission,
  afterAnswer,
  afterAway,
  afterProbe,
  afterRateLimit,
  type BreakerFacts,
  closedBreaker,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { takeCheck } from "../../alerts/take-check.js";
import { inTransaction, readNow } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";
import { storableText } from "../../pipeline/storable-json.js";

/** A probe that has not ended after this time is taken over by another server. */
const PROBE_LEASE_MS = 30_000;
const REASON_MAX_LENGTH = 500;

/** What happened at an endpoint. */
export type CallNews =
  | { readonly kind: "away"; readonly reason: string }
  | { readonly kind: "rate-limited"; readonly reason: string; readonly retryAfterMs: number | undefined }
  | { readonly kind: "answer" }
  /** The outcome of a probe; null: the connector cannot check. */
  | { readonly kind: "probed"; readonly isThere: boolean | null; readonly reason: string | null };

interface Endpoint {
  readonly id: number;
  readonly key: string;
}

interface BreakerRow extends BreakerFacts {
  readonly [column: string]: unknown;
  readonly openedAt: number | null;
  readonly reason: string | null;
}

/** Writes down what happened, with the event that follows from it, and answers whether calls may begin now. */
export function noteCall(context: { readonly database: Database }, endpoint: Endpoint, news: CallNews): Promise<Admission> {
  return inTransaction(context, async (tx) => {
    const before = await lockBreaker(tx, endpoint.id);
    const now = await readNow(tx);
    const after = factsAfter(before, news, now);
    await save(tx, { endpoint, before, after, news, now });
    return admitCalls(after, now);
  });
}

/** Whether calls to an endpoint may begin now, and whether anything is noted about it that an answer would wipe out. */
export async function readAdmission(tx: Tx, endpointId: number): Promise<{ readonly admission: Admission; readonly isNoted: boolean }> {
  const rows = await tx.execute<BreakerRow & { now: number }>(sql`
    select failures, pauses, probe_at as "probeAt", delayed_until as "delayedUntil", app_now()::timestamptz as now
    from endpoint_breaker where endpoint_id = ${endpointId}`);
  const [row] = rows;
  if (row === undefined) return { admission: { kind: "go" }, isNoted: false };
  return { admission: admitCalls(row, row.now), isNoted: row.failures > 0 };
}

/** Takes one probe that is due, for this server alone. */
export async function takeDueProbe(tx: Tx): Promise<Endpoint | undefined> {
  const rows = await tx.execute<{ id: number; key: string }>(sql`
    with due as (
      select endpoint_id from endpoint_breaker
      where probe_at <= app_now() and (probe_lease_until is null or probe_lease_until < app_now())
      order by probe_at limit 1 for update skip locked
    )
    update endpoint_breaker as b set probe_lease_until = app_now() + ${`${PROBE_LEASE_MS} milliseconds`}::interval
    from due, endpoint as e where b.endpoint_id = due.endpoint_id and e.id = b.endpoint_id
    returning e.id, e.key`);
  return rows[0];
}

async function lockBreaker(tx: Tx, endpointId: number): Promise<BreakerRow> {
  await tx.execute(sql`insert into endpoint_breaker (endpoint_id) values (${endpointId}) on conflict do nothing`);
  const rows = await tx.execute<BreakerRow>(sql`
    select failures, pauses, probe_at as "probeAt", delayed_until as "delayedUntil", opened_at as "openedAt", reason
    from endpoint_breaker where endpoint_id = ${endpointId} for update`);
  return rows[0] ?? { ...closedBreaker, openedAt: null, reason: null };
}

function factsAfter(before: BreakerFacts, news: CallNews, now: number): BreakerFacts {
  switch (news.kind) {
    case "away":
      return afterAway(before, now);
    case "rate-limited":
      return afterRateLimit(before, news.retryAfterMs, now);
    case "answer":
      return afterAnswer(before);
    case "probed":
      // Somebody's check may have closed it meanwhile.
      return before.probeAt === null ? before : afterProbe(before, news.isThere, now);
  }
}

async function save(
  tx: Tx,
  change: {
    readonly endpoint: Endpoint;
    readonly before: BreakerRow;
    readonly after: BreakerFacts;
    readonly news: CallNews;
    readonly now: number;
  },
): Promise<void> {
  const { endpoint, before, after, news, now } = change;
  const said = "reason" in news && news.reason !== null ? storableText(news.reason.slice(0, REASON_MAX_LENGTH)) : before.reason;
  const reason = after.failures === 0 && news.kind !== "rate-limited" ? null : said;
  const opens = before.probeAt === null && after.probeAt !== null;
  const closes = before.probeAt !== null && after.probeAt === null;
  const openedAt = after.probeAt === null ? null : opens ? now : before.openedAt;
  await tx.execute(sql`
    update endpoint_breaker set failures = ${after.failures}, pauses = ${after.pauses}, probe_at = ${after.probeAt}::timestamptz,
      delayed_until = ${after.delayedUntil}::timestamptz, opened_at = ${openedAt}::timestamptz, reason = ${reason}, updated_at = ${now}::timestamptz,
      probe_lease_until = null
    where endpoint_id = ${endpoint.id}`);
  const event = (kind: string, payload: object) => ({
    kind,
    subjectKind: "endpoint" as const,
    subjectKey: endpoint.key,
    payload: { ...payload },
  });
  if (opens || closes) await takeCheck(tx, endpoint, { ok: closes, reason, now });
  if (opens)
    await appendEvents(tx, [
      event("endpoint.breaker-opened", { failures: after.failures, probeAt: payloadInstant(after.probeAt), reason }),
    ]);
  if (closes)
    await appendEvents(tx, [
      event("endpoint.breaker-closed", {
        openedAt: payloadInstant(before.openedAt),
        probed: news.kind === "probed" && news.isThere === true,
      }),
    ]);
  if (after.delayedUntil !== null && (before.delayedUntil ?? 0) < now && after.delayedUntil > now)
    await appendEvents(tx, [event("endpoint.rate-limited", { until: payloadInstant(after.delayedUntil), reason })]);
}
