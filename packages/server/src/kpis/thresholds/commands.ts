import { type alertSeverities, checkThreshold, DomainError, objectiveLimits, type ThresholdTerms } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { appendEvents } from "../../events/append-events.js";
import { integrationsOf } from "../kpi-scope.js";
import { reasonOf } from "../objectives/commands.js";
import { endKpiAlert } from "../raise-kpi-alert.js";
import { kpiScopeOf, scopeJson, type StoredScope } from "../stored-scope.js";
import { thresholdFingerprint } from "./fingerprint.js";
import { lockThreshold, statesOf, type ThresholdRow } from "./store.js";

/** Thresholds of a deployment: each is looked at twice a minute. */
const mostThresholds = 500;
const KEY = /^[a-z0-9][a-z0-9._-]*$/;

export interface ThresholdInput extends ThresholdTerms {
  readonly key: string;
  readonly title: string;
  readonly scope: StoredScope;
  readonly step: "minute" | "hour";
  readonly severity: (typeof alertSeverities)[number];
  readonly reason: string;
}

/**
 * Makes a threshold, or puts other terms in the place of its own; then its alerts end and it judges anew, from now on. Throws QSC_THRESHOLD_INVALID, QSC_THRESHOLDS_FULL
 * and QSC_KPI_SCOPE.
 */
export function saveThreshold(context: CommandContext, input: ThresholdInput): Promise<{ readonly id: number }> {
  checkNames(input);
  checkThreshold(input);
  const reason = reasonOf(input.reason);
  return inTransaction(context, async (tx) => {
    await integrationsOf(tx, kpiScopeOf(input.scope));
    const before = await lockThreshold(tx, input.key);
    if (before === null) await refuseFull(tx);
    else await endAlerts(tx, before);
    const [row] = await tx.execute<{ id: number }>(sql`
      insert into threshold (key, title, scope, kpi, comparison, value, clear_value, step, rule, severity)
      values (${input.key}, ${input.title}, ${scopeJson(input.scope)}, ${input.kpi}, ${input.comparison}, ${input.value}, ${input.clearValue}, ${input.step},
        ${input.rule}, ${input.severity})
      on conflict (key) do update set title = excluded.title, scope = excluded.scope, kpi = excluded.kpi, comparison = excluded.comparison,
        value = excluded.value, clear_value = excluded.clear_value, step = excluded.step, rule = excluded.rule, severity = excluded.severity,
        updated_at = app_now(), looked_at = null, problem = null
      returning id`);
    if (row === undefined) throw new Error("The threshold was not written.");
    const subject = { subjectKind: "threshold", subjectKey: input.key } as const;
    const { reason: _reason, ...after } = input;
    await recordAudit(tx, {
      ...subject,
      actor: context.actor,
      action: "threshold.save",
      reason,
      ...(before === null ? {} : { before: termsOf(before) }),
      after,
    });
    await appendEvents(tx, [{ ...subject, kind: "threshold.saved", payload: { title: input.title, by: context.actor.name } }]);
    return { id: row.id };
  });
}

/** Takes a threshold away; its alerts end. Throws QSC_THRESHOLD_NOT_FOUND. */
export function deleteThreshold(context: CommandContext, input: { readonly key: string; readonly reason: string }): Promise<void> {
  const reason = reasonOf(input.reason);
  return inTransaction(context, async (tx) => {
    const before = await lockThreshold(tx, input.key);
    if (before === null) throw thresholdNotFound(input.key);
    await endAlerts(tx, before);
    await tx.execute(sql`delete from threshold where id = ${before.id}`);
    const subject = { subjectKind: "threshold", subjectKey: input.key } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "threshold.delete", reason, before: termsOf(before) });
    await appendEvents(tx, [{ ...subject, kind: "threshold.deleted", payload: { title: before.title, by: context.actor.name } }]);
  });
}

export function thresholdNotFound(key: string): DomainError {
  return new DomainError("QSC_THRESHOLD_NOT_FOUND", `There is no threshold "${key.slice(0, 100)}". List them: quiesce thresholds list.`, {
    field: "key",
  });
}

function checkNames({ key, title }: ThresholdInput): void {
  const refuse = (field: string, words: string): never => {
    throw new DomainError("QSC_THRESHOLD_INVALID", `${field} ${words}`, { field: `input.${field}` });
  };
  if (!KEY.test(key) || key.length > objectiveLimits.charactersOfKey)
    refuse(
      "key",
      `is "${key.slice(0, 60)}"; expected lowercase letters, digits, dots and dashes, ${objectiveLimits.charactersOfKey} at most.`,
    );
  if (title.trim() === "" || title.length > objectiveLimits.charactersOfTitle)
    refuse("title", `is empty or longer than ${objectiveLimits.charactersOfTitle} characters.`);
}

async function refuseFull(tx: Tx): Promise<void> {
  const [row] = await tx.execute<{ n: number }>(sql`select count(*)::integer as n from threshold`);
  if ((row?.n ?? 0) < mostThresholds) return;
  throw new DomainError("QSC_THRESHOLDS_FULL", `There are ${mostThresholds} thresholds already. Delete one that nobody needs.`);
}

async function endAlerts(tx: Tx, { id, key }: ThresholdRow): Promise<void> {
  const now = await readNow(tx);
  for (const { integrationId, endpointId } of await statesOf(tx, [id]))
    if (endpointId !== null)
      await endKpiAlert(tx, { endpointId, now }, { fingerprint: thresholdFingerprint(key, integrationId), endedAt: now });
  await tx.execute(sql`delete from threshold_state where threshold_id = ${id}`);
}

function termsOf({ key, title, scope, kpi, comparison, value, clearValue, step, rule, severity }: ThresholdRow): object {
  return { key, title, scope, kpi, comparison, value, clearValue, step, rule, severity };
}
