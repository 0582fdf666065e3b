import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { payloadInstant } from "../events/append-events.js";
import type { SweepStep } from "./sweep-integration.js";

/** A start that a step gives: the run itself, or a due time taken out of its range. */
interface Start {
  readonly step: SweepStep;
  readonly readyAt: number;
}

/** Writes what the sweep decided: rows, their events, and for each hold what of it was let go. `readyAt` has one entry for each start, in order. */
export async function writeSweep(
  tx: Tx,
  input: { readonly steps: readonly SweepStep[]; readonly readyAt: readonly number[]; readonly now: number },
): Promise<void> {
  if (input.steps.length === 0) return;
  let place = 0;
  const nextReadyAt = (): number => input.readyAt[place++] ?? input.now;
  const starts: Start[] = [];
  const moves: object[] = [];
  const inserts: object[] = [];
  for (const step of input.steps) {
    const [own, ...others] = step.expanded;
    const readyAt = step.next === "queued" ? nextReadyAt() : input.now;
    if (step.next === "queued") starts.push({ step, readyAt });
    const { runId: id, next: state, into, reason } = step;
    moves.push({
      id,
      due_at: payloadInstant(step.dueAt),
      state,
      into,
      reason,
      ready_at: payloadInstant(readyAt),
      last_due_at: payloadInstant(own?.lastDueAt ?? null),
      due_count: own?.dueCount ?? null,
    });
    for (const due of others) {
      const later = nextReadyAt();
      starts.push({ step, readyAt: later });
      inserts.push({
        from_id: id,
        from_due_at: payloadInstant(step.dueAt),
        due_at: payloadInstant(due.dueAt),
        last_due_at: payloadInstant(due.lastDueAt),
        due_count: due.dueCount,
        due_local: due.local,
        ready_at: payloadInstant(later),
      });
    }
  }
  const span = {
    first: Math.min(...input.steps.map((step) => step.dueAt)),
    last: Math.max(...input.steps.map((step) => step.dueAt)),
    now: input.now,
  };
  await moveRuns(tx, moves, span);
  await insertExpanded(tx, {
    inserts,
    ...span,
    until: Math.max(span.last, ...input.steps.flatMap((step) => step.expanded.map((due) => due.dueAt))),
  });
  await recordBatches(tx, { ...input, starts });
}

async function moveRuns(
  tx: Tx,
  moves: readonly object[],
  span: { readonly first: number; readonly last: number; readonly now: number },
): Promise<void> {
  await tx.execute(sql`
    with step as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(moves)}::text::jsonb)
        as s(id uuid, due_at timestamptz, state text, "into" uuid, reason text, ready_at timestamptz, last_due_at timestamptz, due_count integer)
    ),
    moved as (
      update run as r set state = s.state, coalesced_into = s."into", reason = s.reason, released_at = ${span.now}::timestamptz,
        ready_at = case when s.state = 'queued' then s.ready_at else r.ready_at end,
        finished_at = case when s.state = 'queued' then null else ${span.now}::timestamptz end,
        last_due_at = coalesce(s.last_due_at, r.last_due_at), due_count = coalesce(s.due_count, r.due_count)
      from step as s
      where r.id = s.id and r.due_at = s.due_at and r.due_at between ${span.first}::timestamptz and ${span.last}::timestamptz and r.state = 'held'
      returning r.id, r.due_at, r.due_count, r.state, r.reason, r.ready_at, r.job_id, r.integration_id
    )
    insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
    select ${span.now}::timestamptz, case m.state when 'queued' then 'run.released' else 'run.' || m.state end, 'run', m.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', m.due_at, 'dueCount', m.due_count, 'reason', m.reason, 'readyAt', m.ready_at)
    from moved as m join integration as i on i.id = m.integration_id left join job as j on j.id = m.job_id
    order by m.due_at`);
}

/** Due times that leave their range as rows of their own; all else about them is the range's. */
async function insertExpanded(
  tx: Tx,
  input: {
    readonly inserts: readonly object[];
    readonly first: number;
    readonly last: number;
    readonly until: number;
    readonly now: number;
  },
): Promise<void> {
  if (input.inserts.length === 0) return;
  await tx.execute(sql`select ensure_run_partitions(${input.first}::timestamptz, ${input.until}::timestamptz)`);
  await tx.execute(sql`
    with made as (
      insert into run (id, due_at, last_due_at, due_count, due_local, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, held_by, held_since,
        released_at, reason)
      select new_run_id(e.due_at), e.due_at, e.last_due_at, e.due_count, e.due_local, r.job_id, r.integration_id, r.bucket, r.schedule_version, r.trigger, 'queued',
        e.ready_at, r.held_by, r.held_since, ${input.now}::timestamptz, r.reason
      from jsonb_to_recordset(${JSON.stringify(input.inserts)}::text::jsonb)
        as e(from_id uuid, from_due_at timestamptz, due_at timestamptz, last_due_at timestamptz, due_count integer, due_local text, ready_at timestamptz)
      join run as r on r.id = e.from_id and r.due_at = e.from_due_at
      where r.due_at between ${input.first}::timestamptz and ${input.last}::timestamptz
      returning id, due_at, due_count, reason, ready_at, job_id, integration_id
    )
    insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
    select ${input.now}::timestamptz, 'run.released', 'run', m.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', m.due_at, 'dueCount', m.due_count, 'reason', m.reason, 'readyAt', m.ready_at)
    from made as m join integration as i on i.id = m.integration_id left join job as j on j.id = m.job_id
    order by m.due_at`);
}

/** One row a hold: the progress of a resume is read from these, not from its runs. */
async function recordBatches(
  tx: Tx,
  input: { readonly steps: readonly SweepStep[]; readonly starts: readonly Start[]; readonly now: number },
): Promise<void> {
  const holds = new Set(input.steps.flatMap((step) => step.heldBy));
  const rows = [...holds].map((holdId) => {
    const readyAt = input.starts.filter(({ step }) => step.heldBy.includes(holdId)).map((start) => start.readyAt);
    const count = (next: SweepStep["next"]) => input.steps.filter((step) => step.next === next && step.heldBy.includes(holdId)).length;
    return {
      hold_id: holdId,
      first_at: readyAt.length === 0 ? null : payloadInstant(Math.min(...readyAt)),
      last_at: readyAt.length === 0 ? null : payloadInstant(Math.max(...readyAt)),
      queued: readyAt.length,
      skipped: count("skipped"),
      coalesced: count("coalesced"),
    };
  });
  await tx.execute(sql`
    insert into resume_batch (hold_id, at, first_at, last_at, queued, skipped, coalesced)
    select b.hold_id, ${input.now}::timestamptz, b.first_at, b.last_at, b.queued, b.skipped, b.coalesced
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as b(hold_id bigint, first_at timestamptz, last_at timestamptz, queued integer, skipped integer, coalesced integer)
    join hold as h on h.id = b.hold_id`);
}
