import { DomainError, type RetainedTable, retentionDays } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

/** For how many days each is kept. */
export type RetentionDays = { readonly [table in RetainedTable]: number };

/** As long as nobody says otherwise. */
export const usualRetention: RetentionDays = {
  run: retentionDays.run.usual,
  event_log: retentionDays.event_log.usual,
  kpi_sample: retentionDays.kpi_sample.usual,
};

/** What an operator set for the whole deployment; null: as the servers are configured. */
export interface RetentionSetting {
  readonly runDays: number | null;
  readonly eventDays: number | null;
}

export async function retentionSetting(tx: Tx): Promise<RetentionSetting> {
  const rows = await tx.execute<{ runDays: number | null; eventDays: number | null }>(sql`
    select run_retention_days as "runDays", event_retention_days as "eventDays" from control`);
  const row = rows[0];
  if (row === undefined) throw new Error("control has no row.");
  return { runDays: row.runDays, eventDays: row.eventDays };
}

/** The deployment's setting, and where it has none the server's configuration. */
export async function retentionInForce(tx: Tx, configured: RetentionDays): Promise<RetentionDays> {
  const { runDays, eventDays } = await retentionSetting(tx);
  return { ...configured, run: runDays ?? configured.run, event_log: eventDays ?? configured.event_log };
}

/** Sets for how long runs and events are kept, on every server. Throws QSC_CONTROL_RETENTION_DAYS and QSC_CONTROL_RETENTION_REASON. */
export function setRetention(context: CommandContext, input: RetentionSetting & { readonly reason: string }): Promise<RetentionSetting> {
  const { runDays, eventDays } = input;
  const reason = input.reason.trim();
  return inTransaction(context, async (tx) => {
    if (reason === "")
      throw new DomainError("QSC_CONTROL_RETENTION_REASON", "The reason is empty. Say why this is kept for so long, and no longer.", {
        field: "reason",
      });
    for (const [field, table, days] of [
      ["runDays", "run", runDays],
      ["eventDays", "event_log", eventDays],
    ] as const) {
      const { least, most } = retentionDays[table];
      if (days !== null && (!Number.isInteger(days) || days < least || days > most))
        throw new DomainError(
          "QSC_CONTROL_RETENTION_DAYS",
          `${field} is ${days}. Expected ${least} to ${most}, or null for the servers' configuration.`,
          { field },
        );
    }
    await tx.execute(sql`select from control for update`);
    const before = await retentionSetting(tx);
    const after = { runDays, eventDays };
    await tx.execute(sql`update control set run_retention_days = ${runDays}::integer, event_retention_days = ${eventDays}::integer`);
    const subject = { subjectKind: "control", subjectKey: "retention" } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "control.set-retention", reason, before, after });
    await appendEvents(tx, [{ ...subject, kind: "control.retention-changed", payload: { ...after, reason } }]);
    return after;
  });
}
