import { type alertSeverities, baselineSettings, DomainError, type Kpi, objectiveLimits } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../../command.js";
import { appendEvents } from "../../events/append-events.js";
import { integrationsOf } from "../kpi-scope.js";
import { reasonOf } from "../objectives/commands.js";
import { kpiScopeOf, scopeJson, type StoredScope } from "../stored-scope.js";
import { lockAnomalyRule } from "./store.js";

const mostRules = 100;
const KEY = /^[a-z0-9][a-z0-9._-]*$/;

export interface AnomalyRuleInput {
  readonly key: string;
  readonly title: string;
  readonly scope: StoredScope;
  readonly kpi: Kpi | null;
  readonly severity: (typeof alertSeverities)[number];
  readonly leastScore: number;
  readonly reason: string;
}

/** Makes a rule by which anomalies raise alerts, or changes it, from the next anomaly on. Throws QSC_ANOMALY_RULE_INVALID and QSC_KPI_SCOPE. */
export function saveAnomalyRule(context: CommandContext, input: AnomalyRuleInput): Promise<void> {
  check(input);
  const reason = reasonOf(input.reason);
  return inTransaction(context, async (tx) => {
    await integrationsOf(tx, kpiScopeOf(input.scope));
    const before = await lockAnomalyRule(tx, input.key);
    const [count] = await tx.execute<{ n: number }>(sql`select count(*)::integer as n from anomaly_rule`);
    if (before === null && (count?.n ?? 0) >= mostRules)
      throw new DomainError("QSC_ANOMALY_RULE_INVALID", `There are ${mostRules} rules already. Delete one that nobody needs.`, {
        field: "input.key",
      });
    const { reason: _reason, ...after } = input;
    await tx.execute(sql`
      insert into anomaly_rule (key, title, scope, kpi, severity, least_score)
      values (${input.key}, ${input.title}, ${scopeJson(input.scope)}, ${input.kpi}, ${input.severity}, ${input.leastScore})
      on conflict (key) do update set title = excluded.title, scope = excluded.scope, kpi = excluded.kpi, severity = excluded.severity,
        least_score = excluded.least_score, updated_at = app_now()`);
    const subject = { subjectKind: "anomaly-rule", subjectKey: input.key } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "anomaly-rule.save", reason, before, after });
    await appendEvents(tx, [{ ...subject, kind: "anomaly-rule.saved", payload: { title: input.title, by: context.actor.name } }]);
  });
}

/** Takes a rule away; alerts that fire end as they would have. Throws QSC_ANOMALY_RULE_NOT_FOUND. */
export function deleteAnomalyRule(context: CommandContext, input: { readonly key: string; readonly reason: string }): Promise<void> {
  const reason = reasonOf(input.reason);
  return inTransaction(context, async (tx) => {
    const before = await lockAnomalyRule(tx, input.key);
    if (before === null)
      throw new DomainError(
        "QSC_ANOMALY_RULE_NOT_FOUND",
        `There is no rule "${input.key.slice(0, 100)}". List them: quiesce anomalies rules.`,
        {
          field: "key",
        },
      );
    await tx.execute(sql`delete from anomaly_rule where id = ${before.id}`);
    const subject = { subjectKind: "anomaly-rule", subjectKey: input.key } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "anomaly-rule.delete", reason, before });
    await appendEvents(tx, [{ ...subject, kind: "anomaly-rule.deleted", payload: { title: before.title, by: context.actor.name } }]);
  });
}

function check({ key, title, leastScore }: AnomalyRuleInput): void {
  const refuse = (field: string, words: string): never => {
    throw new DomainError("QSC_ANOMALY_RULE_INVALID", `${field} ${words}`, { field: `input.${field}` });
  };
  if (!KEY.test(key) || key.length > objectiveLimits.charactersOfKey)
    refuse(
      "key",
      `is "${key.slice(0, 60)}"; expected lowercase letters, digits, dots and dashes, ${objectiveLimits.charactersOfKey} at most.`,
    );
  if (title.trim() === "" || title.length > objectiveLimits.charactersOfTitle)
    refuse("title", `is empty or longer than ${objectiveLimits.charactersOfTitle} characters.`);
  if (!(leastScore >= baselineSettings.threshold && leastScore <= 100))
    refuse("leastScore", `is ${leastScore}; expected ${baselineSettings.threshold} (every anomaly) to 100.`);
}
