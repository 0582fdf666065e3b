import {
  decideCanaries,
  type CanaryVerdict,
  readinessRetryMs,
  type ResumePolicy,
  resumePolicySchema,
  type WindowScope,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { chooseCanaries, type CanaryCandidate, canaryCandidates, canaryResults } from "./canary-store.js";
import { lockDispatch } from "./locks.js";
import { announce, announceOverrunOf, askReadiness } from "./readiness.js";
import { releaseHold } from "./release-hold.js";

interface CanaryHold {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly occurrenceId: number;
  readonly trial: number;
  readonly resume: unknown;
  readonly scope: WindowScope;
}

/**
 * Brings every hold that tries first runs to what these imply: chooses them, lets go what waits for a system that has taken them, and holds the
 * rest again where they failed. Derived from stored facts, so it may be called by any server at any moment. Answers how many holds changed.
 */
export async function advanceCanaries(context: { readonly database: Database }): Promise<number> {
  const trying = await context.database.db.execute<{ id: number; occurrenceId: number }>(sql`
    select h.id, o.id as "occurrenceId" from hold as h join occurrence as o on o.id = h.canary_of
    where h.released_at is null and h.canary_of is not null and o.reheld_at is null order by h.id limit 1000`);
  let changed = 0;
  for (const one of trying) changed += (await inTransaction(context, (tx) => advanceOne(tx, one))) ? 1 : 0;
  return changed;
}

async function advanceOne(tx: Tx, one: { readonly id: number; readonly occurrenceId: number }): Promise<boolean> {
  await tx.execute(sql`select from occurrence where id = ${one.occurrenceId} for update`);
  const rows = await tx.execute<CanaryHold>(sql`
    select h.id, h.canary_of as "occurrenceId", h.canary_trial as trial, h.resume, h.scope
    from hold as h join occurrence as o on o.id = h.canary_of
    where h.id = ${one.id} and h.released_at is null and o.reheld_at is null for update of h`);
  const hold = rows[0];
  if (hold === undefined) return false;
  const policy = resumePolicySchema.parse(hold.resume);
  const results = await canaryResults(tx, hold);
  const wantsMore = results.some(({ succeeded, failed, pending }) => succeeded + failed + pending < policy.canaries);
  const candidates = wantsMore ? await canaryCandidates(tx, hold) : [];
  const verdicts = new Map(
    results.map((facts) => {
      const available = candidates.filter((candidate) => candidate.targetIds.includes(facts.systemId)).length;
      return [facts.systemId, decideCanaries({ ...facts, available }, policy)] as const;
    }),
  );
  const chosen = chosenOf(candidates, verdicts);
  await chooseCanaries(tx, hold, chosen);
  return (await letGo(tx, hold, verdicts, policy)) || chosen.length > 0;
}

/** The first candidates, in their order, that fill the places of their systems. */
function chosenOf(
  candidates: readonly CanaryCandidate[],
  verdicts: ReadonlyMap<number, CanaryVerdict>,
): readonly { readonly candidate: CanaryCandidate; readonly systemIds: readonly number[] }[] {
  const room = new Map([...verdicts].map(([id, verdict]) => [id, verdict.kind === "wait" ? verdict.choose : 0]));
  return candidates.flatMap((candidate) => {
    const systemIds = candidate.targetIds.filter((id) => (room.get(id) ?? 0) > 0);
    for (const id of systemIds) room.set(id, (room.get(id) ?? 0) - 1);
    return systemIds.length === 0 ? [] : [{ candidate, systemIds }];
  });
}

/** What waits only for systems that have taken their first runs goes; what is left, when nothing is undecided any more, is held again. */
async function letGo(tx: Tx, hold: CanaryHold, verdicts: ReadonlyMap<number, CanaryVerdict>, policy: ResumePolicy): Promise<boolean> {
  const now = await readNow(tx);
  const of = (kind: CanaryVerdict["kind"]) => [...verdicts].filter(([, verdict]) => verdict.kind === kind).map(([id]) => id);
  const waiting = of("wait");
  const failed = of("failed");
  if (waiting.length + failed.length === 0) {
    const reason = "the first runs succeeded";
    await lockDispatch(tx, await releaseHold(tx, { holdId: hold.id, actor: systemActor, reason, now }));
    return true;
  }
  const passed = of("passed");
  const freed = await tx.execute<{ id: number }>(sql`
    update hold_member as m set released_at = ${now}::timestamptz from integration as i
    where m.hold_id = ${hold.id} and m.released_at is null and i.id = m.integration_id
      and not exists (
        select from integration_system as route where route.integration_id = i.id and route.role = 'target'
          and route.system_id <> all (${sql.param(passed)}::integer[]))
      and not exists (select from endpoint as e where e.id = i.target_endpoint_id and e.system_id <> all (${sql.param(passed)}::integer[]))
    returning m.integration_id as id`);
  if (waiting.length === 0) await holdAgain(tx, { hold, verdicts, policy, now });
  await lockDispatch(
    tx,
    freed.map((row) => row.id),
  );
  return freed.length > 0 || waiting.length === 0;
}

/** The first runs failed: the rest stays held until the systems pass their checks, after a while that grows with the trials, or somebody acts. */
async function holdAgain(
  tx: Tx,
  input: {
    readonly hold: CanaryHold;
    readonly verdicts: ReadonlyMap<number, CanaryVerdict>;
    readonly policy: ResumePolicy;
    readonly now: number;
  },
): Promise<void> {
  const { hold, policy, now } = input;
  const { occurrenceId } = hold;
  const keys = await tx.execute<{ id: number; key: string }>(sql`select id, key from system`);
  const keyOf = new Map(keys.map((row) => [row.id, row.key]));
  const failed = [...input.verdicts].flatMap(([id, verdict]) =>
    verdict.kind === "failed" ? [{ system: keyOf.get(id) ?? String(id), failed: verdict.failed, ended: verdict.ended }] : [],
  );
  const reason = `First runs failed on ${failed.map((one) => `${one.system} (${one.failed} of ${one.ended})`).join(", ")}`;
  await tx.execute(sql`update hold set reason = ${reason} where id = ${hold.id}`);
  await recordAudit(tx, {
    actor: systemActor,
    action: "hold.hold-again",
    subjectKind: "hold",
    subjectKey: String(hold.id),
    reason,
    after: { trial: hold.trial, systems: failed },
  });
  await tx.execute(sql`update occurrence set reheld_at = ${now}::timestamptz where id = ${occurrenceId}`);
  await announce(tx, { occurrenceId, kind: "window.reheld", payload: { holdId: hold.id, trial: hold.trial, reason, systems: failed } });
  const from = now + readinessRetryMs(hold.trial);
  if (policy.readiness.check && (await askReadiness(tx, { occurrenceId, scope: hold.scope, from })) > 0) return;
  // Nothing that could be asked will change anything: somebody has to.
  await tx.execute(sql`update occurrence set overrun_at = coalesce(overrun_at, ${now}::timestamptz) where id = ${occurrenceId}`);
  await announceOverrunOf(tx, { occurrenceId, since: now });
}
