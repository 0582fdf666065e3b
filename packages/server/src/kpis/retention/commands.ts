import { checkSampleRetention, DomainError, type SampleRetention, sampleRetentionBounds, unsaidRetention } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { appendEvents } from "../../events/append-events.js";
import { everyMetric, generalRetention, retentionRows, type RetentionRow } from "./store.js";

const charactersOfReason = 1_000;

export interface SampleRetentionInput {
  /** null: every metric that has no days of its own. */
  readonly metric: string | null;
  readonly days: SampleRetention;
  readonly reason: string;
}

/**
 * Says for how long a metric is kept, or every metric of which nothing is said, in the place of what was said before. `sampleDays` is what the server is configured
 * with. Throws QSC_SAMPLE_RETENTION_INVALID and QSC_SAMPLE_RETENTION_FULL.
 */
export function setSampleRetention(context: CommandContext, input: SampleRetentionInput, sampleDays: number): Promise<void> {
  return inTransaction(context, (tx) => writeSampleRetention(tx, context, { ...input, sampleDays }));
}

/** The same in a transaction of the caller. */
export async function writeSampleRetention(
  tx: Tx,
  { actor }: Pick<CommandContext, "actor">,
  input: SampleRetentionInput & { readonly sampleDays: number },
): Promise<void> {
  const { metric, days, sampleDays } = input;
  const reason = reasonOf(input.reason);
  const rows = await retentionRows(tx, { lock: true });
  checkSampleRetention({ metric, days }, { general: generalRetention(rows).days, sampleDays });
  const before = rows.find((row) => row.metric === (metric ?? everyMetric));
  if (before === undefined) refuseFull(rows);
  await writeDays(tx, metric ?? everyMetric, days);
  const subject = { subjectKind: "control", subjectKey: "sample-retention" } as const;
  await recordAudit(tx, {
    ...subject,
    actor,
    action: "control.set-sample-retention",
    reason,
    before: { metric, ...(before?.days ?? unsaidRetention) },
    after: { metric, ...days },
  });
  await appendEvents(tx, [{ ...subject, kind: "control.sample-retention-changed", payload: { metric, ...days, reason } }]);
}

/** A metric that is new here goes on from where all metrics without a row of their own have come to. */
async function writeDays(tx: Tx, metric: string, { sample, minute, hour, day }: SampleRetention): Promise<void> {
  await tx.execute(sql`
    insert into kpi_retention (metric, sample_days, minute_days, hour_days, day_days, samples_kept_from, samples_gone_to, minutes_gone_to, hours_gone_to, days_gone_to)
    select ${metric}, ${sample}::integer, ${minute}::integer, ${hour}::integer, ${day}::integer, samples_kept_from, samples_gone_to, minutes_gone_to, hours_gone_to, days_gone_to
    from kpi_retention where metric = ${everyMetric}
    on conflict (metric) do update set sample_days = excluded.sample_days, minute_days = excluded.minute_days, hour_days = excluded.hour_days,
      day_days = excluded.day_days, changed_at = app_now()`);
}

function refuseFull(rows: readonly RetentionRow[]): void {
  if (rows.length <= sampleRetentionBounds.metrics) return;
  throw new DomainError(
    "QSC_SAMPLE_RETENTION_FULL",
    `${sampleRetentionBounds.metrics} metrics have days of their own already. Take those of one away that needs none, or say it of every metric.`,
    { field: "input.metric" },
  );
}

function reasonOf(reason: string): string {
  const text = reason.trim();
  if (text !== "" && text.length <= charactersOfReason) return text;
  throw new DomainError("QSC_SAMPLE_RETENTION_INVALID", `reason has ${text.length} characters; expected 1 to ${charactersOfReason}.`, {
    field: "input.reason",
  });
}
