import { checkObjective, checkServiceHours, DomainError, type Kpi, type ObjectiveIndicator, requireZone } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { appendEvents } from "../../events/append-events.js";
import { integrationsOf } from "../kpi-scope.js";
import { endKpiAlert } from "../raise-kpi-alert.js";
import type { ServiceAgreement } from "../sla-report.js";
import { kpiScopeOf, scopeJson, type StoredScope } from "../stored-scope.js";
import { burnFingerprint } from "./burn-fingerprint.js";
import { burnsOf, lockObjective, type ObjectiveRow } from "./store.js";

/** Objectives of a deployment: each is looked at every minute. */
const mostObjectives = 500;
const charactersOfReason = 1_000;

export interface ObjectiveInput {
  readonly key: string;
  readonly title: string;
  readonly scope: StoredScope;
  readonly indicator: ObjectiveIndicator;
  readonly kpi: Kpi | null;
  readonly limit: number | null;
  readonly target: number;
  readonly periodDays: number;
  readonly agreement: ServiceAgreement;
  readonly alerts: boolean;
  readonly reason: string;
}

/**
 * Makes an objective, or puts other terms in the place of its own; its alerts end, and the next look judges anew. Throws QSC_OBJECTIVE_INVALID, QSC_OBJECTIVES_FULL,
 * QSC_KPI_SCOPE, QSC_KPI_SERVICE_HOURS and QSC_TIME_ZONE_UNKNOWN.
 */
export function saveObjective(context: CommandContext, input: ObjectiveInput): Promise<{ readonly id: number }> {
  checkObjective(input);
  checkAgreement(context, input.agreement);
  const reason = reasonOf(input.reason);
  return inTransaction(context, async (tx) => {
    await integrationsOf(tx, kpiScopeOf(input.scope));
    const before = await lockObjective(tx, input.key);
    if (before === null) await refuseFull(tx);
    else await endBurns(tx, before);
    const [row] = await tx.execute<{ id: number }>(sql`
      insert into objective (key, title, scope, indicator, kpi, limit_value, target, period_days, agreement, alerts)
      values (${input.key}, ${input.title}, ${scopeJson(input.scope)}, ${input.indicator}, ${input.kpi}, ${input.limit}, ${input.target}, ${input.periodDays},
        ${JSON.stringify(input.agreement)}::text::jsonb, ${input.alerts})
      on conflict (key) do update set title = excluded.title, scope = excluded.scope, indicator = excluded.indicator, kpi = excluded.kpi,
        limit_value = excluded.limit_value, target = excluded.target, period_days = excluded.period_days, agreement = excluded.agreement,
        alerts = excluded.alerts, updated_at = app_now(), looked_at = null, problem = null
      returning id`);
    if (row === undefined) throw new Error("The objective was not written.");
    const subject = { subjectKind: "objective", subjectKey: input.key } as const;
    const { reason: _reason, ...after } = input;
    await recordAudit(tx, {
      ...subject,
      actor: context.actor,
      action: "objective.save",
      reason,
      ...(before === null ? {} : { before: termsOf(before) }),
      after,
    });
    await appendEvents(tx, [{ ...subject, kind: "objective.saved", payload: { title: input.title, by: context.actor.name } }]);
    return { id: row.id };
  });
}

/** Takes an objective away; its alerts end. Throws QSC_OBJECTIVE_NOT_FOUND. */
export function deleteObjective(context: CommandContext, input: { readonly key: string; readonly reason: string }): Promise<void> {
  const reason = reasonOf(input.reason);
  return inTransaction(context, async (tx) => {
    const before = await lockObjective(tx, input.key);
    if (before === null) throw objectiveNotFound(input.key);
    await endBurns(tx, before);
    await tx.execute(sql`delete from objective where id = ${before.id}`);
    const subject = { subjectKind: "objective", subjectKey: input.key } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "objective.delete", reason, before: termsOf(before) });
    await appendEvents(tx, [{ ...subject, kind: "objective.deleted", payload: { title: before.title, by: context.actor.name } }]);
  });
}

export function objectiveNotFound(key: string): DomainError {
  return new DomainError("QSC_OBJECTIVE_NOT_FOUND", `There is no objective "${key.slice(0, 100)}". List them: quiesce objectives list.`, {
    field: "key",
  });
}

/** What somebody wrote as the reason of a change. Throws QSC_OBJECTIVE_INVALID. */
export function reasonOf(reason: string): string {
  const text = reason.trim();
  if (text !== "" && text.length <= charactersOfReason) return text;
  throw new DomainError("QSC_OBJECTIVE_INVALID", `reason has ${text.length} characters; expected 1 to ${charactersOfReason}.`, {
    field: "input.reason",
  });
}

function checkAgreement({ zones }: CommandContext, agreement: ServiceAgreement): void {
  requireZone(zones, agreement.timeZone, "input.agreement.timeZone");
  for (const hours of agreement.serviceHours) checkServiceHours(hours);
}

async function refuseFull(tx: Tx): Promise<void> {
  // Two that are made at once may see the same number: the limit is soft by as many as are made together.
  const [row] = await tx.execute<{ n: number }>(sql`select count(*)::integer as n from objective`);
  if ((row?.n ?? 0) < mostObjectives) return;
  throw new DomainError("QSC_OBJECTIVES_FULL", `There are ${mostObjectives} objectives already. Delete one that nobody reads.`);
}

async function endBurns(tx: Tx, { id, key }: ObjectiveRow): Promise<void> {
  const now = await readNow(tx);
  for (const { rule, endpointId } of await burnsOf(tx, id))
    if (endpointId !== null) await endKpiAlert(tx, { endpointId, now }, { fingerprint: burnFingerprint(key, rule), endedAt: now });
  await tx.execute(sql`delete from objective_burn where objective_id = ${id}`);
}

function termsOf({ key, title, scope, indicator, kpi, limit, target, periodDays, agreement, alerts }: ObjectiveRow): object {
  return { key, title, scope, indicator, kpi, limit, target, periodDays, agreement, alerts };
}
