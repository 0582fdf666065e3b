import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

/** Whose value stands: that of the source, or that of the target. */
export const conflictWinners = ["source", "target"] as const;
export type ConflictWinner = (typeof conflictWinners)[number];

interface Conflict {
  readonly [column: string]: unknown;
  readonly integrationId: number;
  readonly integrationKey: string;
  readonly stream: string;
  readonly recordKey: string;
  readonly field: string;
  readonly kind: "changed" | "refused" | "deleted";
  readonly state: string;
}

function refused(what: "REASON" | "NOT_FOUND" | "DECIDED" | "GONE", message: string, field = "key"): DomainError {
  const codes = {
    REASON: "QSC_SYNC_CONFLICT_REASON",
    NOT_FOUND: "QSC_SYNC_CONFLICT_NOT_FOUND",
    DECIDED: "QSC_SYNC_CONFLICT_DECIDED",
    GONE: "QSC_SYNC_CONFLICT_GONE",
  } as const;
  return new DomainError(codes[what], message, { field });
}

/**
 * Decides an open conflict: the next run of the integration writes the winner's value to the other side. Throws QSC_SYNC_CONFLICT_REASON,
 * _NOT_FOUND, _DECIDED and _GONE.
 */
export function decideSyncConflict(
  context: CommandContext,
  input: { readonly id: number; readonly winner: ConflictWinner; readonly reason: string },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    if (input.reason.trim() === "") throw refused("REASON", "The reason is empty. Say why this side's value stands.", "reason");
    const conflict = await lockConflict(tx, input.id);
    await tx.execute(sql`
      update sync_conflict set state = 'decided', winner = ${input.winner}, decided_by = ${`${context.actor.kind}:${context.actor.name}`}, reason = ${input.reason},
        decided_at = app_now() where id = ${input.id}::bigint`);
    await prepareRecord(tx, conflict, input);
    const { integrationKey, stream, field, kind } = conflict;
    await recordAudit(tx, {
      actor: context.actor,
      action: "sync-conflict.decide",
      subjectKind: "integration",
      subjectKey: integrationKey,
      reason: input.reason,
      after: { conflict: input.id, stream, field, kind, winner: input.winner },
    });
    const payload = { conflict: input.id, stream, field, winner: input.winner };
    await appendEvents(tx, [
      { kind: "integration.conflict-decided", subjectKind: "integration", subjectKey: integrationKey, integrationKey, payload },
    ]);
    return { id: input.id };
  });
}

async function lockConflict(tx: Tx, id: number): Promise<Conflict> {
  const found = await tx.execute<Pick<Conflict, "integrationId" | "stream" | "recordKey">>(sql`
    select integration_id as "integrationId", stream, record_key as "recordKey" from sync_conflict where id = ${id}::bigint`);
  const [place] = found;
  if (place === undefined) throw refused("NOT_FOUND", `There is no sync conflict ${id}. List them: quiesce sync-conflicts list`);
  // The record first, as runs lock them.
  await tx.execute(sql`
    select from sync_record where integration_id = ${place.integrationId} and stream = ${place.stream} and key = ${place.recordKey} for update`);
  const rows = await tx.execute<Conflict>(sql`
    select c.integration_id as "integrationId", i.key as "integrationKey", c.stream, c.record_key as "recordKey", c.field, c.kind, c.state
    from sync_conflict as c join integration as i on i.id = c.integration_id where c.id = ${id}::bigint for update of c`);
  const [conflict] = rows;
  if (conflict === undefined) throw refused("NOT_FOUND", `There is no sync conflict ${id}. List them: quiesce sync-conflicts list`);
  if (conflict.state !== "open")
    throw refused("DECIDED", `The sync conflict ${id} is ${conflict.state} already, so there is nothing to decide. List the open ones.`);
  return conflict;
}

/**
 * What the loser holds becomes what was agreed, so that the winner's value is the only change and flows by itself. Of a record that the source has
 * deleted, everything: agreed on, the target's record goes; agreed on nothing, it stays.
 */
async function prepareRecord(
  tx: Tx,
  conflict: Conflict,
  { id, winner }: { readonly id: number; readonly winner: ConflictWinner },
): Promise<void> {
  const { integrationId, stream, recordKey, field } = conflict;
  const loser = winner === "source" ? sql`target` : sql`source`;
  const agreed =
    conflict.kind === "deleted"
      ? winner === "source"
        ? sql`coalesce(target, '{}')`
        : sql`'{}'::jsonb`
      : sql`agreed || jsonb_build_object(${field}::text, ${loser} -> ${field}::text)`;
  const rows = await tx.execute(sql`
    update sync_record set agreed = ${agreed}, settled = settled + 1, sent_to_source = '{}', sent_to_target = '{}',
      is_due = ${conflict.kind !== "deleted" || winner === "source"}
    where integration_id = ${integrationId} and stream = ${stream} and key = ${recordKey}
      and (${conflict.kind === "deleted"} or ${loser} ? ${field}::text)
    returning key`);
  if (rows.length === 0)
    throw refused(
      "GONE",
      `The record of the sync conflict ${id} is not known any more, or its key holds a secret. Change the value at one of the sides instead.`,
    );
}
