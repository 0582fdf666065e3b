import {
  backtestCorrelation,
  BACKTEST_MAX_ALERTS,
  type CorrelatedAlert,
  type CorrelationBacktest,
  type CorrelationRule,
  correlationRulesSchema,
  DomainError,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents } from "../events/append-events.js";
import { requireText } from "./commands.js";
import { placeAlerts, type SaidAlert } from "./place-alerts.js";
import { loadRules, replaceRules } from "./rule-store.js";

/** Reads rules as people write them. Throws QSC_RULE_INVALID, which says where and what. */
export function readRules(rules: unknown): readonly CorrelationRule[] {
  const parsed = correlationRulesSchema.safeParse(rules);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).join(".");
  throw new DomainError("QSC_RULE_INVALID", `${path === "" ? "The rules" : `rules.${path}`}: ${issue?.message ?? "not understood"}.`, {
    field: path === "" ? "rules" : `rules.${path}`,
  });
}

/** Puts rules of correlation into force in place of all others, in their order, from the next look on. Throws QSC_RULE_INVALID and QSC_INCIDENT_REASON. */
export function saveRules(
  context: CommandContext,
  input: { readonly rules: unknown; readonly reason: string },
): Promise<readonly CorrelationRule[]> {
  const rules = readRules(input.rules);
  const reason = requireText(input.reason, "reason");
  return putIntoForce(context, { action: "correlation-rules.save", reason, rulesOf: () => rules });
}

/** Takes one rule out of force; the others stay in their order. Throws QSC_RULE_NOT_FOUND and QSC_INCIDENT_REASON. */
export function deleteRule(
  context: CommandContext,
  input: { readonly key: string; readonly reason: string },
): Promise<readonly CorrelationRule[]> {
  const { key } = input;
  const reason = requireText(input.reason, "reason");
  const rulesOf = (before: readonly CorrelationRule[]): readonly CorrelationRule[] => {
    if (before.some(({ id }) => id === key)) return before.filter(({ id }) => id !== key);
    throw new DomainError("QSC_RULE_NOT_FOUND", `There is no rule "${key}" in force. List them: quiesce correlation-rules list.`, {
      field: "key",
    });
  };
  return putIntoForce(context, { action: "correlation-rules.delete", reason, rulesOf });
}

/** Changes the list of rules as a whole: two who do so at once follow one another, each seeing what the other did. */
function putIntoForce(
  context: CommandContext,
  change: {
    readonly action: string;
    readonly reason: string;
    readonly rulesOf: (before: readonly CorrelationRule[]) => readonly CorrelationRule[];
  },
): Promise<readonly CorrelationRule[]> {
  const { action, reason, rulesOf } = change;
  return inTransaction(context, async (tx) => {
    await tx.execute(sql`lock table correlation_rule in share row exclusive mode`);
    const before = await loadRules(tx);
    const rules = rulesOf(before);
    await replaceRules(tx, rules);
    const subject = { subjectKind: "control", subjectKey: "correlation-rules" } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action, reason, before, after: rules });
    await appendEvents(tx, [
      { ...subject, kind: "control.correlation-rules-changed", payload: { rules: rules.map(({ id }) => id), reason } },
    ]);
    return rules;
  });
}

interface Recorded extends SaidAlert {
  readonly id: number;
  readonly fingerprint: string;
  readonly severity: CorrelatedAlert["severity"];
  readonly title: string;
  readonly kind: string;
  readonly labels: { readonly [name: string]: string };
  readonly startedAt: number;
  readonly heardAt: number;
}

/** Tries rules on the alerts that were recorded in a time, beside those in force. Writes nothing. What a window kept quiet is left out. Throws QSC_RULE_INVALID. */
export async function previewRules(
  database: Database,
  input: { readonly rules: unknown; readonly from: number; readonly to: number },
): Promise<CorrelationBacktest> {
  const proposed = readRules(input.rules);
  const rows = await selectRows<Recorded>(
    database.db,
    sql`
    select a.id, e.key as source, a.endpoint_id as "endpointId", e.system_id as "endpointSystemId", a.origin, a.fingerprint, a.severity, a.title,
      a.resource_kind as kind, a.resource_name as resource, a.resource_parents as parents, a.labels, a.started_at as "startedAt", coalesce(t.eligible_at, a.first_seen_at) as "heardAt"
    from alert as a join endpoint as e on e.id = a.endpoint_id left join alert_standing as t on t.alert_id = a.id
    where a.first_seen_at >= ${input.from}::timestamptz and a.first_seen_at < ${input.to}::timestamptz
      and not exists (select from alert_reason as r where r.alert_id = a.id and r.kind = 'window' and r.mutes and r.ended_at is null)
    order by a.id desc limit ${BACKTEST_MAX_ALERTS}`,
  );
  const { nodes: places, suffers } = await placeAlerts(database.db, rows);
  const alerts = rows.map(({ id, ...alert }, at): CorrelatedAlert => ({ id: String(id), ...alert, node: places[at] ?? "" }));
  const nodes = new Set([...suffers.keys(), ...alerts.map(({ node }) => node)]);
  const topology = [...nodes].map((key) => ({ key, dependsOn: suffers.get(key) ?? [] }));
  return backtestCorrelation({ topology, alerts, current: await loadRules(database.db), proposed });
}
