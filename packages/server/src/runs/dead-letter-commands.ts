import { DomainError } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { texts } from "../db/sql-arrays.js";
import { appendEvents } from "../events/append-events.js";

/** Dead letters that one command deals with. */
const maxLetters = 10_000;

/** Which dead letters; every field given must fit. */
export interface LetterFilter {
  readonly integration?: string | undefined;
  readonly stream?: string | undefined;
  readonly recordKeys?: readonly string[] | undefined;
}

/** One dead letter, locked. */
interface Letter {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly status: "open" | "review" | "replayed" | "discarded";
  readonly isWhole: boolean;
  readonly isUnderWay: boolean;
  readonly integrationId: number;
  readonly integrationKey: string;
  readonly bucket: number;
  readonly jobId: number | null;
  readonly jobKey: string | null;
  readonly stream: string;
  readonly hasStream: boolean;
}

export interface Replay {
  /** One run for each job that has letters to deliver once more. */
  readonly runIds: readonly string[];
  readonly letters: number;
  /** Letters that fit and cannot be replayed: something in them was hidden or left out, their stream is gone, or they are being replayed already. */
  readonly passedOver: number;
}

/**
 * Has one dead letter delivered once more, by a run of its own. One that may have been written already (`review`) wants `inDoubt`: somebody has
 * looked at the target. Throws QSC_DEAD_LETTER_NOT_FOUND, _RESOLVED, _UNDER_WAY, _INCOMPLETE, _IN_DOUBT, _WITHOUT_STREAM and _WITHOUT_JOB.
 */
export function replayDeadLetter(
  context: CommandContext,
  input: { readonly id: number; readonly reason: string; readonly inDoubt: boolean },
): Promise<Replay> {
  return inTransaction(context, async (tx) => {
    requireReason(input.reason);
    const [letter] = await lockLetters(tx, sql`d.id = ${input.id}::bigint`);
    requireReplayable(letter, input);
    const runIds = await queueReplays(tx, context, { letters: [letter], reason: input.reason });
    return { runIds, letters: 1, passedOver: 0 };
  });
}

/** Has every open dead letter that fits delivered once more, at most 10,000 at a time. What is in review is left for {@link replayDeadLetter}. */
export function replayDeadLetters(
  context: CommandContext,
  input: { readonly filter: LetterFilter; readonly reason: string },
): Promise<Replay> {
  return inTransaction(context, async (tx) => {
    requireReason(input.reason);
    const found = await lockLetters(tx, sql`d.status = 'open' and ${fits(input.filter)}`);
    const letters = found.filter((one) => one.isWhole && !one.isUnderWay && one.hasStream && one.jobId !== null);
    const runIds = await queueReplays(tx, context, { letters, reason: input.reason });
    return { runIds, letters: letters.length, passedOver: found.length - letters.length };
  });
}

/** Gives dead letters up: nobody shall deliver them any more. Answers how many. */
export function discardDeadLetters(
  context: CommandContext,
  input: { readonly ids?: readonly number[]; readonly filter?: LetterFilter; readonly reason: string },
): Promise<{ readonly discarded: number }> {
  return inTransaction(context, async (tx) => {
    requireReason(input.reason);
    const which =
      input.ids === undefined
        ? sql`d.status = 'open' and ${fits(input.filter ?? {})}`
        : sql`d.id = any (${sql.param(input.ids)}::bigint[]) and d.status in ('open', 'review')`;
    const found = (await lockLetters(tx, which)).filter((one) => !one.isUnderWay);
    if (found.length === 0) return { discarded: 0 };
    await tx.execute(sql`
      update dead_letter set status = 'discarded', resolved_at = app_now() where id = any (${sql.param(found.map((one) => one.id))}::bigint[])`);
    for (const key of new Set(found.map((one) => one.integrationKey))) {
      const ids = found.flatMap((one) => (one.integrationKey === key ? [one.id] : []));
      await audit(tx, context, { action: "dead-letter.discard", integration: key, ids, reason: input.reason });
    }
    return { discarded: found.length };
  });
}

function requireReason(reason: string): void {
  if (reason.trim() === "")
    throw refused("REASON", "The reason is empty. Say why these records are delivered once more, or given up.", "reason");
}

function requireReplayable(
  letter: Letter | undefined,
  input: { readonly id: number; readonly inDoubt: boolean },
): asserts letter is Letter {
  const name = `The dead letter ${input.id}`;
  if (letter === undefined) throw refused("NOT_FOUND", `There is no dead letter ${input.id}. List them: quiesce dead-letters list`);
  if (letter.status === "replayed" || letter.status === "discarded")
    throw refused("RESOLVED", `${name} is ${letter.status} already, so there is nothing to deliver.`);
  if (letter.isUnderWay) throw refused("UNDER_WAY", `${name} is being delivered once more already. Wait for that run to end.`);
  if (!letter.isWhole)
    throw refused(
      "INCOMPLETE",
      `${name} does not hold the whole record: a secret in it was hidden, or it was too large, or it could not be read. Send it again from its source.`,
    );
  if (letter.status === "review" && !input.inDoubt)
    throw refused(
      "IN_DOUBT",
      `${name} may have been written already, and this target would write it twice. Look there; if it is absent, replay with inDoubt (--in-doubt), else discard it.`,
    );
  if (!letter.hasStream)
    throw refused(
      "WITHOUT_STREAM",
      `${name} is of the stream "${letter.stream}", which integration "${letter.integrationKey}" has no more. Give the integration the stream again, or discard the letter.`,
    );
  if (letter.jobId === null)
    throw refused("WITHOUT_JOB", `No job of integration "${letter.integrationKey}" could deliver it. Give the integration a job.`);
}

function refused(what: keyof typeof codes, message: string, field = "key"): DomainError {
  return new DomainError(codes[what], message, { field });
}

const codes = {
  REASON: "QSC_DEAD_LETTER_REASON",
  SELECTION: "QSC_DEAD_LETTER_SELECTION",
  NOT_FOUND: "QSC_DEAD_LETTER_NOT_FOUND",
  RESOLVED: "QSC_DEAD_LETTER_RESOLVED",
  UNDER_WAY: "QSC_DEAD_LETTER_UNDER_WAY",
  INCOMPLETE: "QSC_DEAD_LETTER_INCOMPLETE",
  IN_DOUBT: "QSC_DEAD_LETTER_IN_DOUBT",
  WITHOUT_STREAM: "QSC_DEAD_LETTER_WITHOUT_STREAM",
  WITHOUT_JOB: "QSC_DEAD_LETTER_WITHOUT_JOB",
} as const;

/** Everything at once is never meant: whoever wants that names each integration. */
function fits({ integration, stream, recordKeys }: LetterFilter): SQL {
  if (integration === undefined && recordKeys === undefined)
    throw refused(
      "SELECTION",
      "The selection names neither an integration nor record keys. Say which dead letters are meant.",
      "selection",
    );
  return sql.join(
    [
      sql`true`,
      ...(integration === undefined ? [] : [sql`i.key = ${integration}`]),
      ...(stream === undefined ? [] : [sql`d.stream = ${stream}`]),
      ...(recordKeys === undefined ? [] : [sql`d.record_key = any (${texts(recordKeys)})`]),
    ],
    sql` and `,
  );
}

/** The letters with the job that delivers them: the push job for what was pushed, else the one that met them, else the first of the integration. */
function lockLetters(tx: Tx, which: SQL): Promise<readonly Letter[]> {
  return tx.execute<Letter>(sql`
    select d.id, d.status, coalesce((d.record -> 'incomplete')::boolean, false) is false and coalesce(d.record ->> 'idempotencyKey', '') <> '' as "isWhole",
      exists (select from run as r where r.id = d.replay_run_id and r.due_at = run_due_of_id(d.replay_run_id) and r.state in ('queued', 'held', 'running')) as "isUnderWay",
      i.id as "integrationId", i.key as "integrationKey", i.bucket, j.id as "jobId", j.key as "jobKey",
      d.stream, i.streams @> jsonb_build_array(jsonb_build_object('stream', d.stream)) as "hasStream"
    from dead_letter as d join integration as i on i.id = d.integration_id
    left join lateral (
      select job.id, job.key from job
      where job.integration_id = i.id
        and job.push = (i.streams @> jsonb_build_array(jsonb_build_object('stream', d.stream, 'push', true)))
      order by job.id = (select r.job_id from run as r where r.id = d.run_id and r.due_at = run_due_of_id(d.run_id)) desc nulls last, job.id limit 1) as j on true
    where ${which} order by d.id limit ${maxLetters} for update of d`);
}

/** One run a job: it takes its letters in their order, through the same claim as every other run. */
async function queueReplays(
  tx: Tx,
  context: CommandContext,
  replay: { readonly letters: readonly Letter[]; readonly reason: string },
): Promise<readonly string[]> {
  const now = await readNow(tx);
  if (replay.letters.length > 0) await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
  const runIds: string[] = [];
  for (const jobId of new Set(replay.letters.map((one) => one.jobId))) {
    const letters = replay.letters.filter((one) => one.jobId === jobId);
    const [first] = letters;
    if (first === undefined) continue;
    const ids = letters.map((one) => one.id);
    const rows = await tx.execute<{ id: string }>(sql`
      with made as (
        insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, requested_by, reason)
        values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${jobId}, ${first.integrationId}, ${first.bucket}, 'replay', 'queued',
          ${now}::timestamptz, ${context.actor.name}, ${replay.reason})
        returning id
      ),
      -- Whoever replays one in doubt has said that it is absent at the target.
      marked as (update dead_letter as d set replay_run_id = made.id, status = 'open' from made where d.id = any (${sql.param(ids)}::bigint[]))
      select id from made`);
    const runId = rows[0]?.id;
    if (runId === undefined) throw new Error("The run was not written.");
    runIds.push(runId);
    await audit(tx, context, { action: "dead-letter.replay", integration: first.integrationKey, ids, reason: replay.reason, runId });
    const payload = { job: first.jobKey, trigger: "replay", letters: ids.length };
    await appendEvents(tx, [{ kind: "run.queued", subjectKind: "run", subjectKey: runId, integrationKey: first.integrationKey, payload }]);
  }
  return runIds;
}

/** So many ids are named in an audit entry; the letters themselves say the rest. */
const maxNamed = 100;

async function audit(
  tx: Tx,
  context: CommandContext,
  what: {
    readonly action: "dead-letter.replay" | "dead-letter.discard";
    readonly integration: string;
    readonly ids: readonly number[];
    readonly reason: string;
    readonly runId?: string;
  },
): Promise<void> {
  const { action, integration, ids, reason, runId } = what;
  await recordAudit(tx, {
    actor: context.actor,
    action,
    subjectKind: "integration",
    subjectKey: integration,
    reason,
    after: { letters: ids.length, ids: ids.slice(0, maxNamed), ...(runId === undefined ? {} : { runId }) },
  });
}
