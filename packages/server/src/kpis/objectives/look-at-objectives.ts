import { type BurnRuleName, type BurnVerdict, DomainError, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";
import { alertEndpoint, endKpiAlert, raiseKpiAlert } from "../raise-kpi-alert.js";
import { scopeText } from "../stored-scope.js";
import { burnFingerprint } from "./burn-fingerprint.js";
import { evaluateObjective, type ObjectiveStanding } from "./evaluate-objective.js";
import { burnsOf, lockDueObjective, type ObjectiveRow, type StoredBurn } from "./store.js";

/**
 * Looks at one objective that is due: its state, and the alerts of a budget that is spent too fast, in one transaction under the objective's lock. Several servers
 * may look at once, each at another one; killed in between, the next look finds the same. Answers whether there was one.
 */
export function lookAtObjective(context: { readonly database: Database; readonly zones: ZoneData }): Promise<boolean> {
  return inTransaction(context, async (tx) => {
    const objective = await lockDueObjective(tx, await readNow(tx));
    if (objective === null) return false;
    const now = await readNow(tx);
    const standing = await standingOf({ tx, zones: context.zones }, objective, now);
    if ("problem" in standing) {
      await writeState(tx, { objective, state: "unknown", problem: standing.problem, now });
      return true;
    }
    await writeBurns(tx, { objective, standing, now });
    await writeState(tx, { objective, state: standing.state, problem: null, now, standing });
    return true;
  });
}

/** A scope may have lost its last integration since: that is told, and stops nothing. */
async function standingOf(
  context: { readonly tx: Tx; readonly zones: ZoneData },
  objective: ObjectiveRow,
  now: number,
): Promise<ObjectiveStanding | { readonly problem: string }> {
  try {
    return await evaluateObjective(context, objective, now);
  } catch (error) {
    if (error instanceof DomainError) return { problem: error.message };
    throw error;
  }
}

async function writeState(
  tx: Tx,
  of: {
    readonly objective: ObjectiveRow;
    readonly state: ObjectiveRow["state"];
    readonly problem: string | null;
    readonly now: number;
    readonly standing?: ObjectiveStanding;
  },
): Promise<void> {
  const { objective, state, problem, now, standing } = of;
  const isOther = state !== objective.state;
  await tx.execute(sql`
    update objective set looked_at = ${now}::timestamptz, problem = ${problem}, state = ${state},
      state_since = case when ${isOther} then ${now}::timestamptz else state_since end
    where id = ${objective.id}`);
  if (!isOther) return;
  await appendEvents(tx, [
    {
      kind: "objective.state-changed",
      subjectKind: "objective",
      subjectKey: objective.key,
      payload: {
        title: objective.title,
        before: objective.state,
        state,
        achieved: standing?.figures.achieved ?? null,
        remainingShare: standing?.figures.remainingShare ?? null,
      },
    },
  ]);
}

async function writeBurns(
  tx: Tx,
  of: { readonly objective: ObjectiveRow; readonly standing: ObjectiveStanding; readonly now: number },
): Promise<void> {
  const { objective, standing, now } = of;
  const known = new Map((await burnsOf(tx, objective.id)).map((burn) => [burn.rule, burn]));
  for (const verdict of standing.burns) {
    const { name } = verdict.rule;
    const before = known.get(name);
    if (verdict.isBurning && before === undefined) await beginBurn(tx, { objective, standing, verdict, now });
    // Nothing is known in maintenance, out of hours or without samples: that is no recovery.
    if (before !== undefined && !verdict.isBurning && verdict.short !== null) await endBurn(tx, { objective, before, now });
  }
}

async function beginBurn(
  tx: Tx,
  of: { readonly objective: ObjectiveRow; readonly standing: ObjectiveStanding; readonly verdict: BurnVerdict; readonly now: number },
): Promise<void> {
  const { objective, standing, verdict, now } = of;
  const { scope, key } = objective;
  const { name, severity, action } = verdict.rule;
  const system = scope.kind === "system" ? scope.name : null;
  const endpointId = objective.alerts ? await alertEndpoint(tx, { integrationIds: standing.worst, system }) : null;
  await tx.execute(sql`
    insert into objective_burn (objective_id, rule, since, endpoint_id) values (${objective.id}, ${name}, ${now}::timestamptz, ${endpointId})`);
  await burnEvent(tx, objective, { kind: "objective.burn-began", rule: name, since: now, rate: verdict.long });
  if (endpointId === null) return;
  const worst = standing.integrations.find(({ id }) => id === standing.worst[0]);
  await raiseKpiAlert(
    tx,
    { endpointId, now },
    {
      fingerprint: burnFingerprint(key, name),
      severity,
      title: `${objective.title}: the error budget of ${scopeText(scope)} is spent ${(verdict.long ?? 0).toFixed(1)} times too fast`,
      resource: { kind: "objective", name: key },
      labels: { objective: key, rule: name, action, ...(worst === undefined ? {} : { integration: worst.key }) },
      startedAt: now,
    },
  );
}

async function endBurn(tx: Tx, of: { readonly objective: ObjectiveRow; readonly before: StoredBurn; readonly now: number }): Promise<void> {
  const { objective, before, now } = of;
  await tx.execute(sql`delete from objective_burn where objective_id = ${objective.id} and rule = ${before.rule}`);
  await burnEvent(tx, objective, { kind: "objective.burn-ended", rule: before.rule, since: before.since, rate: null });
  if (before.endpointId !== null)
    await endKpiAlert(
      tx,
      { endpointId: before.endpointId, now },
      { fingerprint: burnFingerprint(objective.key, before.rule), endedAt: now },
    );
}

async function burnEvent(
  tx: Tx,
  { key, title }: ObjectiveRow,
  of: { readonly kind: string; readonly rule: BurnRuleName; readonly since: number; readonly rate: number | null },
): Promise<void> {
  const { kind, rule, since, rate } = of;
  await appendEvents(tx, [
    { kind, subjectKind: "objective", subjectKey: key, payload: { title, rule, since: payloadInstant(since), rate } },
  ]);
}
