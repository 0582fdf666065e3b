import { type CorrelationRule, correlationRulesSchema } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** The rules in force, in their order. */
export async function loadRules(tx: Tx): Promise<readonly CorrelationRule[]> {
  const rows = await selectRows<{ document: unknown }>(tx, sql`select document from correlation_rule order by place`);
  return correlationRulesSchema.parse(rows.map(({ document }) => document));
}

/** Puts these rules into force in place of all others. */
export async function replaceRules(tx: Tx, rules: readonly CorrelationRule[]): Promise<void> {
  await tx.execute(sql`delete from correlation_rule`);
  const rows = rules.map((document, place) => ({ key: document.id, place, document }));
  await tx.execute(sql`
    insert into correlation_rule (key, place, document)
    select key, place, document from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(key text, place integer, document jsonb)`);
}
