import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { lockCatalogue, lockDispatch } from "../windows/locks.js";
import { knownWindow } from "../windows/save-window.js";
import { lockMeantOccurrence } from "../windows/store.js";
import type { OccurrenceRow } from "../windows/table.js";

interface Passage {
  readonly jobId: number;
  readonly integrationId: number;
  readonly integrationKey: string;
  readonly bucket: number;
  readonly holdId: number;
}

/**
 * Runs one job once through one occurrence of a window, by somebody's order and with a reason. It passes that hold alone: whatever else covers
 * the job holds this run too. A window that was quiesced is so no longer, from this answer on: whoever works on the system hears of it before
 * the run begins.
 */
export function breakGlass(
  context: CommandContext,
  input: { readonly job: string; readonly window: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<{ readonly runId: string }> {
  return inTransaction(context, async (tx) => {
    const reason = input.reason.trim();
    if (reason === "") {
      throw new DomainError("QSC_BREAK_GLASS_REASON", "The reason is empty. Say why this run cannot wait for the end of the window.", {
        field: "reason",
      });
    }
    await lockCatalogue(tx);
    const window = await knownWindow(tx, input.window);
    const now = await readNow(tx);
    const one = await lockMeantOccurrence(tx, { windowId: window.id, localStart: input.localStart, now });
    const passage = await passageOf(tx, input.job, one);
    if (one === undefined || passage === undefined) throw notInTheWay(input);
    await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
    const rows = await tx.execute<{ id: string }>(sql`
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, passes_holds, requested_by, reason)
      values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${passage.jobId}, ${passage.integrationId}, ${passage.bucket},
        'break-glass', 'queued', ${now}::timestamptz, array[${passage.holdId}]::bigint[], ${context.actor.name}, ${reason})
      returning id`);
    const runId = rows[0]?.id;
    if (runId === undefined) throw new Error("The run was not written.");
    const named = { window: window.key, occurrence: one.localStart, reason };
    await recordAudit(tx, {
      actor: context.actor,
      action: "run.break-glass",
      subjectKind: "job",
      subjectKey: input.job,
      reason,
      after: { runId, holdId: passage.holdId, window: window.key, localStart: one.localStart },
    });
    await appendEvents(tx, [
      {
        kind: "run.queued",
        subjectKind: "run",
        subjectKey: runId,
        integrationKey: passage.integrationKey,
        payload: { job: input.job, trigger: "break-glass", by: context.actor.name, ...named },
      },
    ]);
    await takeQuiescedBack(tx, { one, key: window.key, now });
    await lockDispatch(tx, [passage.integrationId]);
    return { runId };
  });
}

/** The hold of the occurrence, if it keeps the job from running now or, as the guard before its start does, very soon. Both stay until the commit. */
async function passageOf(tx: Tx, job: string, one: OccurrenceRow | undefined): Promise<Passage | undefined> {
  const jobs = await tx.execute<{ id: number }>(sql`select id from job where key = ${job}`);
  if (jobs.length === 0) throw new DomainError("QSC_JOB_NOT_FOUND", `There is no job "${job}".`, { field: "job" });
  if (one === undefined) return undefined;
  const rows = await tx.execute<Passage & { readonly [column: string]: unknown }>(sql`
    select j.id as "jobId", i.id as "integrationId", i.key as "integrationKey", i.bucket, h.id as "holdId"
    from job as j join integration as i on i.id = j.integration_id
    join hold_member as m on m.integration_id = i.id join hold as h on h.id = m.hold_id
    where j.key = ${job} and h.occurrence_id = ${one.id} and m.released_at is null and m.mode = 'enforce'
      and m.begins_at <= app_now() + m.lead_limit_ms * interval '1 millisecond'
    for key share of j, i`);
  return rows[0];
}

async function takeQuiescedBack(tx: Tx, input: { readonly one: OccurrenceRow; readonly key: string; readonly now: number }): Promise<void> {
  if (input.one.quiescedAt === null) return;
  await tx.execute(sql`update occurrence set quiesced_at = null where id = ${input.one.id}`);
  await appendEvents(tx, [
    {
      kind: "window.unquiesced",
      subjectKind: "window",
      subjectKey: input.key,
      payload: { localStart: input.one.localStart, at: payloadInstant(input.now) },
    },
  ]);
}

function notInTheWay(input: { readonly job: string; readonly window: string; readonly localStart?: string | undefined }): DomainError {
  const which = input.localStart === undefined ? "No open occurrence" : `The occurrence ${input.localStart}`;
  return new DomainError(
    "QSC_BREAK_GLASS_NOT_HELD",
    `${which} of "${input.window}" keeps job "${input.job}" from running, so there is nothing to pass. Ask \`quiesce explain ${input.job}\` what does, or run it by hand.`,
    { field: "window" },
  );
}
