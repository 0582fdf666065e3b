import type { ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents } from "../events/append-events.js";
import { conservation, type LedgerDifference } from "./ledger.js";
import { runsRetainedFrom } from "./reach-back.js";

/** The check that every due time is accounted for, of a day, as it was finished last. */
export interface ConservationRound {
  readonly checkedAt: number;
  readonly from: number;
  readonly to: number;
  readonly expected: number;
  readonly accounted: number;
  /** How many due times differ; zero, or there is a fault. */
  readonly difference: number;
  readonly byState: { readonly [state: string]: number };
  readonly differences: readonly LedgerDifference[];
}

interface UnderWay {
  readonly from: number;
  readonly to: number;
  readonly lastJobId: number;
}

/** A round looks at the due times of so long a time before its beginning. */
const conservationRangeMs = 86_400_000;
/** A piece takes well under a second; a server that took longer died with it. */
const leaseMs = 30_000;
/** The next round begins so long after the last one ended. */
const restMs = 300_000;
/** The most differences that a round keeps. */
const maxKept = 50;
/** The most differences that an event names. */
const maxAnnounced = 20;

/** The last finished round; null before the first one. */
export async function lastConservation(tx: Tx): Promise<ConservationRound | null> {
  const [row] = await selectRows<ConservationRound>(
    tx,
    sql`
    select at as "checkedAt", begins_at as "from", ends_at as "to", expected, accounted, difference, by_state as "byState", differences
    from conservation_round where phase = 'finished'`,
  );
  return row ?? null;
}

/**
 * Does the next piece of the running check: `jobs` jobs. A round looks at every job's last day; the piece that ends it publishes it, and announces
 * differences that are new as the event `ledger.difference`. Answers the round when it has just ended, "under-way" while there is more to do, and
 * "rests" until the next round is due, or while another server is at it. Any server goes on where one stopped.
 */
export async function checkConservation(
  context: { readonly database: Database; readonly zones: ZoneData },
  jobs: number,
): Promise<ConservationRound | "under-way" | "rests"> {
  const round = await inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    return (await leaseRound(tx, now)) ?? beginRound(tx, now);
  });
  if (round === null) return "rests";
  // In one snapshot: a job that is deleted between two statements would be a difference.
  const slice = await context.database.db.transaction((tx) => checkSlice(tx, context.zones, { round, jobs }), {
    isolationLevel: "repeatable read",
    accessMode: "read only",
  });
  return inTransaction(context, async (tx) => {
    if (!(await addSlice(tx, round, slice))) return "rests";
    return slice.isLast ? endRound(tx, await readNow(tx)) : "under-way";
  });
}

interface Slice extends Pick<ConservationRound, "expected" | "accounted" | "difference" | "byState" | "differences"> {
  readonly upTo: number;
  readonly isLast: boolean;
}

const nothing = { expected: 0, accounted: 0, difference: 0, byState: {}, differences: [] } as const;

async function checkSlice(tx: Tx, zones: ZoneData, of: { readonly round: UnderWay; readonly jobs: number }): Promise<Slice> {
  const { from, to, lastJobId } = of.round;
  const [row] = await tx.execute<{ upTo: number | null; count: number }>(sql`
    select max(id) as "upTo", count(*)::integer as count
    from (select id from job where id > ${lastJobId} order by id limit ${of.jobs}) as slice`);
  const upTo = row?.upTo ?? null;
  if (upTo === null) return { ...nothing, upTo: lastJobId, isLast: true };
  const { expected, accounted, difference, byState, differences } = await conservation(tx, zones, {
    from,
    to,
    jobs: { after: lastJobId, upTo },
  });
  return { expected, accounted, difference, byState, differences, upTo, isLast: (row?.count ?? 0) < of.jobs };
}

/** Takes the next piece of the round under way, unless another server is at it. */
async function leaseRound(tx: Tx, now: number): Promise<UnderWay | null> {
  const rows = await tx.execute<{ from: number; to: number; lastJobId: number }>(sql`
    update conservation_round set leased_until = ${now + leaseMs}::timestamptz
    where phase = 'under-way' and not (leased_until > ${now}::timestamptz and leased_until <= ${now + leaseMs}::timestamptz)
    returning begins_at as "from", ends_at as "to", last_job_id as "lastJobId"`);
  return rows[0] ?? null;
}

async function beginRound(tx: Tx, now: number): Promise<UnderWay | null> {
  const last = await lastConservation(tx);
  // A clock that went back must not stop the check until it is there again.
  if (last !== null && now >= last.checkedAt && now < last.checkedAt + restMs) return null;
  const from = Math.min(now, Math.max(now - conservationRangeMs, (await runsRetainedFrom(tx)) ?? 0));
  const begun = await tx.execute(sql`
    insert into conservation_round (phase, begins_at, ends_at, at, leased_until)
    values ('under-way', ${from}::timestamptz, ${now}::timestamptz, ${now}::timestamptz, ${now + leaseMs}::timestamptz)
    on conflict (phase) do nothing returning phase`);
  return begun.length === 0 ? null : { from, to: now, lastJobId: 0 };
}

/** False when another server did this piece meanwhile. */
async function addSlice(tx: Tx, round: UnderWay, slice: Slice): Promise<boolean> {
  const rows = await tx.execute(sql`
    update conservation_round as c set last_job_id = ${slice.upTo}, leased_until = '-infinity', expected = c.expected + ${slice.expected},
      accounted = c.accounted + ${slice.accounted}, difference = c.difference + ${slice.difference},
      by_state = (select coalesce(jsonb_object_agg(key, n), '{}') from (
        select key, sum(value::bigint) as n
        from (select * from jsonb_each_text(c.by_state) union all select * from jsonb_each_text(${JSON.stringify(slice.byState)}::text::jsonb)) as parts
        group by key) as summed),
      differences = case when jsonb_array_length(c.differences) >= ${maxKept} then c.differences
        else c.differences || ${JSON.stringify(slice.differences.slice(0, maxKept))}::text::jsonb end
    where phase = 'under-way' and c.begins_at = ${round.from}::timestamptz and c.ends_at = ${round.to}::timestamptz and c.last_job_id = ${round.lastJobId}
    returning phase`);
  return rows.length === 1;
}

async function endRound(tx: Tx, now: number): Promise<ConservationRound> {
  const before = await lastConservation(tx);
  await tx.execute(sql`delete from conservation_round where phase = 'finished'`);
  await tx.execute(sql`update conservation_round set phase = 'finished', at = ${now}::timestamptz where phase = 'under-way'`);
  const round = await lastConservation(tx);
  if (round === null) throw new Error("The round of the conservation check is gone.");
  if (round.difference > 0 && JSON.stringify(before?.differences) !== JSON.stringify(round.differences)) {
    const { difference, expected, accounted } = round;
    const period = { from: new Date(round.from).toISOString(), to: new Date(round.to).toISOString() };
    const differences = round.differences
      .slice(0, maxAnnounced)
      .map(({ job, kind, dueAt }) => ({ job, kind, dueAt: new Date(dueAt).toISOString() }));
    await appendEvents(tx, [
      {
        kind: "ledger.difference",
        subjectKind: "control",
        subjectKey: "ledger",
        payload: { ...period, expected, accounted, difference, differences },
      },
    ]);
  }
  return round;
}
