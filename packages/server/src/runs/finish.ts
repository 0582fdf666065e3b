import { decideRetry, type RetryPolicy, type RetryVerdict, type RunFailure } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { storableJson, storableText } from "../pipeline/storable-json.js";
import { placeHold } from "../windows/hold-commands.js";
import { lockCatalogue, lockDispatch } from "../windows/locks.js";
import { loadCatalogFacts } from "../windows/store.js";
import type { RunError, RunFigures } from "./run-figures.js";

/** How an attempt ended, as its executor reports it. */
export type RunOutcome =
  | { readonly kind: "succeeded"; readonly figures: RunFigures }
  | { readonly kind: "failed"; readonly figures: RunFigures; readonly failure: RunFailure; readonly error: RunError }
  /** Not the run's fault: it goes back to the queue, and the attempt costs none of its retries. */
  | {
      readonly kind: "given-back";
      readonly reason: string;
      /** It may start again from then on; at once if left out. */
      readonly until?: number;
    };

/** The reason of a run that was told to stop at the drain deadline of a window: it goes back, and the hold takes it. */
export const drainAbortReason = "window";

/** One attempt that ended: fenced by worker and attempt. */
export interface FinishedRun {
  readonly runId: string;
  readonly dueAt: number;
  readonly attempt: number;
  readonly outcome: RunOutcome;
  readonly retry: RetryPolicy;
  /** In [0, 1), spreads retries. */
  readonly jitter: number;
}

interface Ending {
  readonly runId: string;
  readonly dueAt: number;
  readonly attempt: number;
  readonly state: "succeeded" | "failed" | "dead" | "queued";
  readonly readyAt: number | null;
  readonly givesBack: boolean;
  readonly reason: string | null;
  readonly error: RunError | null;
  readonly figures: RunFigures | null;
  readonly event: "run.finished" | "run.requeued" | "run.aborted";
  readonly holdReason: string | null;
}

/** Whether this ending holds its integration, and so waits for whoever writes windows or the catalogue. */
export function holdsIntegration(outcome: RunOutcome): boolean {
  return outcome.kind === "failed" && outcome.failure.rule.holdsIntegration;
}

/**
 * Writes how attempts ended, many in one statement. It changes a run only while worker, attempt and state still fit: a process that lost its
 * lease can change nothing (law 5). Answers those that it changed; two attempts of one run may come together. Endings that hold their integration have a transaction of their own, after
 * the others: these must not wait for the catalogue.
 */
export async function finishRuns(
  context: { readonly database: Database },
  input: { readonly workerId: string; readonly runs: readonly FinishedRun[] },
): Promise<ReadonlySet<FinishedRun>> {
  const holding = input.runs.filter((one) => holdsIntegration(one.outcome));
  const plain = input.runs.filter((one) => !holdsIntegration(one.outcome));
  const done = new Set<FinishedRun>();
  const keep = (written: ReadonlySet<string>, runs: readonly FinishedRun[]) => {
    for (const one of runs) if (written.has(attemptOf(one))) done.add(one);
  };
  if (plain.length > 0) {
    // Twice: a row that changes under the statement can make PostgreSQL 18 pass over the others of it. What is fenced off stays so.
    for (let left: readonly FinishedRun[] = plain, tries = 0; left.length > 0 && tries < 2; tries += 1) {
      const runs = left;
      const ended = await inTransaction(context, async (tx) => (await endRuns(tx, { workerId: input.workerId, runs })).done);
      keep(ended, runs);
      left = runs.filter((one) => !done.has(one));
    }
  }
  if (holding.length > 0) {
    const ended = await inTransaction(context, async (tx) => {
      await lockCatalogue(tx);
      const written = await endRuns(tx, { workerId: input.workerId, runs: holding });
      const changed = await holdIntegrations(
        tx,
        written.endings.filter((one) => one.holdReason !== null && written.done.has(attemptOf(one))),
        written.now,
      );
      await lockDispatch(tx, changed);
      return written.done;
    });
    keep(ended, holding);
  }
  return done;
}

/** One attempt of one run, as the fence knows it. */
const attemptOf = (one: { readonly runId: string; readonly attempt: number }): string => `${one.runId}/${one.attempt}`;

async function endRuns(
  tx: Tx,
  input: { readonly workerId: string; readonly runs: readonly FinishedRun[] },
): Promise<{ readonly now: number; readonly endings: readonly Ending[]; readonly done: ReadonlySet<string> }> {
  const now = await readNow(tx);
  const givenBack = await givenBackBefore(tx, input.runs);
  const endings = input.runs.map((one) => endingOf(one, { now, givenBack: givenBack.get(one.runId) ?? 0 }));
  return { now, endings, done: await writeEndings(tx, { workerId: input.workerId, endings, now }) };
}

/** How many attempts of the failed runs were handed back: these cost no retry. */
async function givenBackBefore(tx: Tx, runs: readonly FinishedRun[]): Promise<ReadonlyMap<string, number>> {
  const failed = runs.filter((one) => one.outcome.kind === "failed" && one.attempt > 1);
  if (failed.length === 0) return new Map();
  const dues = failed.map((one) => one.dueAt);
  const rows = await tx.execute<{ id: string; givenBack: number }>(sql`
    select r.id, r.given_back as "givenBack"
    from unnest(${sql.param(failed.map((one) => one.runId))}::uuid[], ${sql.param(dues)}::timestamptz[]) as f(id, due_at)
    join run as r on r.id = f.id and r.due_at = f.due_at
    where r.given_back > 0 and r.due_at between ${Math.min(...dues)}::timestamptz and ${Math.max(...dues)}::timestamptz`);
  return new Map(rows.map((row) => [row.id, row.givenBack]));
}

function endingOf(finished: FinishedRun, facts: { readonly now: number; readonly givenBack: number }): Ending {
  const { outcome } = finished;
  const { now } = facts;
  const base = { runId: finished.runId, dueAt: finished.dueAt, attempt: finished.attempt, givesBack: outcome.kind === "given-back" };
  switch (outcome.kind) {
    case "succeeded":
      return {
        ...base,
        state: "succeeded",
        readyAt: null,
        reason: null,
        error: null,
        figures: outcome.figures,
        event: "run.finished",
        holdReason: null,
      };
    case "given-back":
      return {
        ...base,
        state: "queued",
        readyAt: Math.max(now, outcome.until ?? now),
        reason: outcome.reason,
        error: null,
        figures: null,
        event: outcome.reason === drainAbortReason ? "run.aborted" : "run.requeued",
        holdReason: null,
      };
    case "failed": {
      const verdict = decideRetry({
        failure: outcome.failure,
        attempt: finished.attempt - facts.givenBack,
        policy: finished.retry,
        now,
        jitter: finished.jitter,
      });
      return { ...base, ...failedEnding(verdict, outcome.error), error: outcome.error, figures: outcome.figures };
    }
  }
}

function failedEnding(verdict: RetryVerdict, error: RunError): Pick<Ending, "state" | "readyAt" | "reason" | "event" | "holdReason"> {
  if (verdict.next !== "queued")
    return { state: verdict.next, readyAt: null, reason: verdict.reason, event: "run.finished", holdReason: null };
  const holdReason = verdict.reason === "hold-integration" ? storableText(`${error.kind}: ${error.message}`) : null;
  return { state: "queued", readyAt: verdict.readyAt, reason: verdict.reason, event: "run.requeued", holdReason };
}

async function writeEndings(
  tx: Tx,
  input: { readonly workerId: string; readonly endings: readonly Ending[]; readonly now: number },
): Promise<ReadonlySet<string>> {
  const rows = storableJson(
    input.endings.map((one) => ({
      id: one.runId,
      due_at: new Date(one.dueAt).toISOString(),
      attempt: one.attempt,
      gives_back: one.givesBack,
      state: one.state,
      ready_at: one.readyAt === null ? null : new Date(one.readyAt).toISOString(),
      reason: one.reason,
      error: one.error,
      figures: one.figures,
      event: one.event,
    })),
  );
  const first = Math.min(...input.endings.map((one) => one.dueAt));
  const last = Math.max(...input.endings.map((one) => one.dueAt));
  const done = await tx.execute<{ runId: string; attempt: number }>(sql`
    with ending as materialized (
      select * from jsonb_to_recordset(${rows}::text::jsonb) as e(id uuid, due_at timestamptz, attempt integer, gives_back boolean,
        state text, ready_at timestamptz, reason text, error jsonb, figures jsonb, event text)
    ),
    done as (
      update run as r set state = e.state, given_back = r.given_back + e.gives_back::integer, ready_at = coalesce(e.ready_at, r.ready_at), reason = e.reason, error = e.error,
        figures = coalesce(e.figures, r.figures), worker_id = null,
        finished_at = case when e.state = 'queued' then null else ${input.now}::timestamptz end
      from ending as e
      where r.id = e.id and r.due_at = e.due_at and r.due_at between ${first}::timestamptz and ${last}::timestamptz
        and r.state = 'running' and r.worker_id = ${input.workerId}::uuid and r.attempt = e.attempt
      returning r.id, r.due_at, r.job_id, r.integration_id, r.state, r.reason, r.error, r.figures, r.started_at, e.attempt, e.event
    ),
    -- Ascending, as every statement that changes several jobs: two of them in different orders would deadlock.
    busy as (
      select j.id, d.state = 'succeeded' as succeeded from job as j join done as d on d.job_id = j.id and j.running_run_id = d.id order by j.id for no key update of j
    ),
    freed as (
      update job as j set running_run_id = null, durations_stale = j.durations_stale or b.succeeded from busy as b where j.id = b.id
    ),
    announced as (
      insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
      select ${input.now}::timestamptz, d.event, 'run', d.id::text, i.key,
        jsonb_build_object('job', j.key, 'dueAt', d.due_at, 'attempt', d.attempt, 'state', d.state, 'reason', d.reason, 'error', d.error,
          'figures', d.figures, 'startedAt', d.started_at)
      from done as d join integration as i on i.id = d.integration_id left join job as j on j.id = d.job_id
    )
    select id as "runId", attempt from done`);
  return new Set(done.map(attemptOf));
}

/** Refused credentials, missing rights and a broken configuration want a person: the integration is held, once, until somebody resumes it. */
async function holdIntegrations(tx: Tx, endings: readonly Ending[], now: number): Promise<readonly number[]> {
  if (endings.length === 0) return [];
  const dues = endings.map((one) => one.dueAt);
  const rows = await tx.execute<{ id: number; key: string; owner: string | null; runId: string }>(sql`
    select distinct on (i.id) i.id, i.key, i.owner_team as owner, r.id as "runId"
    from unnest(${sql.param(endings.map((one) => one.runId))}::uuid[], ${sql.param(dues)}::timestamptz[]) as e(id, due_at)
    join run as r on r.id = e.id and r.due_at = e.due_at join integration as i on i.id = r.integration_id
    where r.due_at between ${Math.min(...dues)}::timestamptz and ${Math.max(...dues)}::timestamptz
      and not exists (select from hold as h join hold_member as m on m.hold_id = h.id
      where h.kind = 'credentials' and h.released_at is null and m.integration_id = i.id)
    order by i.id, r.due_at, r.id`);
  if (rows.length === 0) return [];
  // Once for all of them: a revoked account may end hundreds of runs at a time.
  const facts = await loadCatalogFacts(
    tx,
    rows.map((row) => row.id),
  );
  const reasons = new Map(endings.map((one) => [one.runId, one.holdReason ?? ""]));
  const changed: number[] = [];
  for (const { key, owner, runId } of rows) {
    const scope = { integrations: [key] };
    const reason = reasons.get(runId) ?? "";
    const made = await placeHold(tx, {
      kind: "credentials",
      scope,
      owner: owner ?? systemActor.name,
      reason,
      beginsAt: now,
      expiresAt: null,
      facts,
    });
    await recordAudit(tx, {
      actor: systemActor,
      action: "hold.create",
      subjectKind: "hold",
      subjectKey: String(made.holdId),
      reason,
      after: { kind: "credentials", scope, until: null, run: runId },
    });
    changed.push(...made.changed);
  }
  return changed;
}
