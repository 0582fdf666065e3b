import { defaultResumePolicy, resumePolicySchema, systemsToCheck, type WindowScope } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { readNow, systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { announceOpened } from "./announce-opened.js";
import { type Release, releaseHold } from "./release-hold.js";
import { loadCatalogFacts } from "./store.js";

/**
 * The end of an occurrence is permission, not an order: where its policy asks for it the hold stays until the systems are ready. Everything else
 * is released. Answers the integrations whose cover ended; the caller takes their dispatch locks last.
 */
export async function endHold(tx: Tx, input: Release): Promise<readonly number[]> {
  const rows = await tx.execute<{ occurrenceId: number | null; scope: WindowScope; resume: unknown; holds: boolean }>(sql`
    select h.occurrence_id as "occurrenceId", h.scope, h.resume, h.mode = 'enforce' and c.mode = 'enforce' as holds
    from hold as h cross join control as c where h.id = ${input.holdId}`);
  const ended = rows[0];
  // What only observes has nothing to wait with.
  if (ended === undefined || ended.occurrenceId === null || !ended.holds || !resumePolicySchema.parse(ended.resume).readiness.check) {
    return releaseHold(tx, input);
  }
  const { occurrenceId, scope } = ended;
  await announceOpened(tx, { occurrenceId });
  const checks = await askReadiness(tx, { occurrenceId, scope, from: input.now });
  if (checks === 0) return releaseHold(tx, input);
  await tx.execute(sql`update occurrence set verifying_at = ${input.now}::timestamptz, overrun_at = null where id = ${occurrenceId}`);
  await announce(tx, { occurrenceId, kind: "window.verification-started", payload: { checks } });
  return [];
}

/** Notes down the checks that an occurrence waits for, from an instant on. Answers how many: none if its systems have no endpoint. */
export async function askReadiness(
  tx: Tx,
  input: { readonly occurrenceId: number; readonly scope: WindowScope; readonly from: number },
): Promise<number> {
  const systems = systemsToCheck(await loadCatalogFacts(tx), input.scope);
  await forgetReadiness(tx, input.occurrenceId);
  const asked = await tx.execute(sql`
    insert into readiness_check (occurrence_id, endpoint_id, next_at)
    select ${input.occurrenceId}, e.id, ${input.from}::timestamptz from endpoint as e
    where e.system_id = any (${sql.param(systems)}::integer[]) order by e.id
    returning endpoint_id`);
  return asked.length;
}

/** Its checks are not waited for any more: it goes on, or somebody lets it end. */
export async function forgetReadiness(tx: Tx, occurrenceId: number): Promise<void> {
  await tx.execute(sql`delete from readiness_check where occurrence_id = ${occurrenceId}`);
}

/** Occurrences whose systems are asked. `h` is the hold that waits for them: the window's own, or the one that holds again. */
const unready = sql`occurrence as o join hold as h on h.released_at is null
    and ((h.occurrence_id = o.id and o.verifying_at is not null) or (h.canary_of = o.id and o.reheld_at is not null))
  where o.closed_at is null and (o.verifying_at is not null or o.reheld_at is not null)`;
const allReady = sql`exists (select from readiness_check as k where k.occurrence_id = o.id)
  and not exists (select from readiness_check as k where k.occurrence_id = o.id and not k.ok)`;
/** Its end was moved away while it was asked, or the endpoints are gone: nobody is left to ask. */
const nothingToAsk = sql`o.verifying_at is not null and o.released_at is null
  and not exists (select from readiness_check as k where k.occurrence_id = o.id)`;

/** The occurrences whose systems are all ready, with the hold that waited for it. */
export function readyOccurrences(tx: Tx, only: SQL = sql``) {
  return tx.execute<{ occurrenceId: number; holdId: number; reheld: boolean }>(sql`
    select o.id as "occurrenceId", h.id as "holdId", o.reheld_at is not null as reheld
    from ${unready} and ((${allReady}) or (${nothingToAsk})) ${only} order by o.id limit 1000`);
}

/**
 * Inside a transaction that has locked the occurrence: its systems are ready. What waited for its release is released; what was held again after
 * its first runs failed tries other first runs. Answers the integrations whose cover ended.
 */
export async function goOnReady(
  tx: Tx,
  one: { readonly occurrenceId: number; readonly holdId: number; readonly reheld: boolean },
): Promise<readonly number[]> {
  const now = await readNow(tx);
  if (!one.reheld) return releaseHold(tx, { holdId: one.holdId, actor: systemActor, reason: "its systems are ready", now });
  await tryAgain(tx, one);
  return [];
}

/** Tries first runs again after a re-hold. */
export async function tryAgain(tx: Tx, one: { readonly occurrenceId: number; readonly holdId: number }): Promise<void> {
  await tx.execute(sql`update hold set canary_trial = canary_trial + 1 where id = ${one.holdId}`);
  await tx.execute(sql`update occurrence set reheld_at = null where id = ${one.occurrenceId}`);
  await forgetReadiness(tx, one.occurrenceId);
  await announce(tx, { occurrenceId: one.occurrenceId, kind: "window.canaries-retried", payload: {} });
}

/** Says once of every occurrence that waits for longer than its policy allows that it is overrun; the checks go on. Answers how many. */
export async function announceOverrun(tx: Tx): Promise<number> {
  const late = await tx.execute<{ id: number; since: number }>(sql`
    update occurrence as late set overrun_at = app_now()
    from (
      select o.id, coalesce(o.reheld_at, o.verifying_at) as since from ${unready} and o.overrun_at is null
        and coalesce(o.reheld_at, o.verifying_at) + coalesce((h.resume #>> '{readiness,maxWaitMinutes}')::integer, ${defaultResumePolicy.readiness.maxWaitMinutes})
          * interval '1 minute' <= app_now()) as found
    -- Asked of the row as it is once it is locked: whoever extended or released it meanwhile took the question back.
    where late.id = found.id and late.overrun_at is null and coalesce(late.reheld_at, late.verifying_at) = found.since
      and (late.released_at is null or late.reheld_at is not null)
    returning late.id, found.since`);
  for (const { id, since } of late) await announceOverrunOf(tx, { occurrenceId: id, since });
  return late.length;
}

/** Tells of one occurrence that it is overrun, with what its systems said last. */
export async function announceOverrunOf(tx: Tx, input: { readonly occurrenceId: number; readonly since: number }): Promise<void> {
  const failing = await tx.execute<{ endpoint: string; error: string | null }>(sql`
    select e.key as endpoint, k.error from readiness_check as k join endpoint as e on e.id = k.endpoint_id
    where k.occurrence_id = ${input.occurrenceId} and not k.ok order by e.key limit 50`);
  await announce(tx, {
    occurrenceId: input.occurrenceId,
    kind: "window.overrun",
    payload: { since: payloadInstant(input.since), failing: [...failing] },
  });
}

/** An event of an occurrence's window. */
export async function announce(
  tx: Tx,
  input: { readonly occurrenceId: number; readonly kind: string; readonly payload: { readonly [name: string]: unknown } },
): Promise<void> {
  const named = await tx.execute<{ key: string; localStart: string; owner: string }>(sql`
    select w.key, o.local_start as "localStart", w.owner from occurrence as o join maintenance_window as w on w.id = o.window_id where o.id = ${input.occurrenceId}`);
  await appendEvents(
    tx,
    named.map(({ key, localStart, owner }) => ({
      kind: input.kind,
      subjectKind: "window",
      subjectKey: key,
      payload: { localStart, owner, ...input.payload },
    })),
  );
}
