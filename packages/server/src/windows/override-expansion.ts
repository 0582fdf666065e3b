import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { lockCatalogue, lockDispatch } from "./locks.js";

/** Nobody knows which windows hold meanwhile: a longer order must be given again, by somebody who has looked again. */
const longestOverrideMs = 24 * 3_600_000;

/**
 * An operator's order to start runs although the windows are not computed past now, until `until` (epoch ms), at most 24 hours ahead. Holds that
 * are written already still hold. A new order replaces the one before, also with an earlier end. Throws QSC_CONTROL_OVERRIDE_UNTIL and
 * QSC_CONTROL_OVERRIDE_REASON.
 */
export function overrideExpansion(
  context: CommandContext,
  input: { readonly until: number; readonly reason: string },
): Promise<{ readonly until: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const now = await readNow(tx);
    const { until } = input;
    const reason = input.reason.trim();
    if (reason === "") {
      throw new DomainError(
        "QSC_CONTROL_OVERRIDE_REASON",
        "The reason is empty. Say why runs may start although nobody knows which windows hold.",
        {
          field: "reason",
        },
      );
    }
    if (until <= now || until > now + longestOverrideMs) {
      throw new DomainError(
        "QSC_CONTROL_OVERRIDE_UNTIL",
        `An order until ${new Date(until).toISOString()} does not fit. Give a time in the next 24 hours, after ${new Date(now).toISOString()}.`,
        { field: "until" },
      );
    }
    const before = await tx.execute<{ until: number | null }>(sql`
      select nullif(expansion_override_until, '-infinity') as until from control for update`);
    await tx.execute(sql`update control set expansion_override_until = ${new Date(until).toISOString()}::timestamptz`);
    const subject = { subjectKind: "control", subjectKey: "expansion" } as const;
    await recordAudit(tx, {
      ...subject,
      actor: context.actor,
      action: "control.override-expansion",
      reason,
      before: { until: payloadInstant(before[0]?.until ?? null) },
      after: { until: payloadInstant(until) },
    });
    await appendEvents(tx, [{ ...subject, kind: "control.expansion-overridden", payload: { until: payloadInstant(until), reason } }]);
    await lockDispatch(tx, "all");
    return { until };
  });
}
