import postgres from "postgres";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import type { Log } from "../log.js";

/** The channel that wakes readers. A notification carries nothing: the log is the truth. */
export const EVENTS_CHANNEL = "quiesce_events";

const BATCH_SIZE = 2_000;
/** Without a poke the inbox is looked at this often: the latency of events written by other servers. */
const IDLE_POLL_MS = 50;
/** Where something was there a moment ago, more is likely. */
const BUSY_POLL_MS = 15;
/** Pokes closer together than this share a batch: each batch is a commit. */
const MIN_BATCH_INTERVAL_MS = 10;
/** A standby tries to become the leader this often. */
const STANDBY_POLL_MS = 500;
const RETRY_MS = 250;
const PARTITION_CHECK_MS = 3_600_000;
/** SQLSTATE of a row without a partition (check_violation). */
const NO_PARTITION = "23514";

/** Numbers committed events. One leader in the deployment; the others stand by. */
export interface Sequencer {
  start(): void;
  /** Stops numbering and gives the leadership away at once. */
  stop(): Promise<void>;
  /** Tells that something was just written by this process. Cheap; call it after every commit. */
  poke(): void;
  /** The database backend that holds the leadership, or null on a standby. */
  leaderPid(): number | null;
}

/**
 * Empties event_inbox into event_log. Positions are dense and appear in order, because one statement moves a batch and only the leader runs it.
 * The leadership is an advisory lock of one session; a session that was replaced behind our back has no lock, so each batch names its backend.
 */
export function createSequencer(database: Database, log: Log): Sequencer {
  const session = ownSession(database);
  const abort = new AbortController();
  let leader: number | null = null;
  let poked = false;
  let resting: { readonly end: () => void; readonly endsOnPoke: boolean } | null = null;
  let partitionsCheckedAt = -Infinity;
  let running: Promise<void> = Promise.resolve();

  const rest = (ms: number, endsOnPoke: boolean): Promise<void> =>
    new Promise((resolve) => {
      if (abort.signal.aborted || (endsOnPoke && poked)) return resolve();
      const end = () => {
        clearTimeout(timer);
        resting = null;
        resolve();
      };
      const timer = setTimeout(end, ms);
      resting = { end, endsOnPoke };
    });

  const seekLeadership = async (): Promise<void> => {
    const [row] = await session<{ won: boolean; pid: number }[]>`
      select pg_try_advisory_lock(lock_class_sequencer(), 0) as won, pg_backend_pid() as pid`;
    if (row?.won !== true) return rest(STANDBY_POLL_MS, false);
    leader = row.pid;
    partitionsCheckedAt = -Infinity;
    log.info({ pid: row.pid }, "this server numbers the live events");
  };

  const lead = async (pid: number): Promise<void> => {
    if (clock.monotonicMs() - partitionsCheckedAt > PARTITION_CHECK_MS) {
      await ensurePartitionsAhead(session);
      partitionsCheckedAt = clock.monotonicMs();
    }
    const startedAt = clock.monotonicMs();
    poked = false;
    const batch = await moveBatch(session, pid);
    if (batch.pid !== pid) {
      leader = null;
      log.warn({ was: pid, is: batch.pid }, "the sequencer's session was replaced; leadership is sought anew");
      return;
    }
    if (batch.moved === BATCH_SIZE) return;
    await rest(Math.max(0, MIN_BATCH_INTERVAL_MS - (clock.monotonicMs() - startedAt)), false);
    await rest(batch.moved > 0 ? BUSY_POLL_MS : IDLE_POLL_MS, true);
  };

  const loop = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await (leader === null ? seekLeadership() : lead(leader));
      } catch (error) {
        if (abort.signal.aborted) break;
        leader = null;
        log.warn({ err: error }, "the sequencer lost its database session; it tries again");
        await rest(RETRY_MS, false);
      }
    }
  };

  return {
    start() {
      running = loop();
    },
    async stop() {
      abort.abort();
      resting?.end();
      // Ended before the loop is awaited, so that a database that does not answer cannot hold up the stop.
      const ended = session.end({ timeout: 1 });
      await running;
      leader = null;
      await ended;
    },
    poke() {
      poked = true;
      if (resting?.endsOnPoke === true) resting.end();
    },
    leaderPid: () => leader,
  };
}

type Sql = Database["sql"];

/** A session of its own that is never recycled: the lock lives as long as it. */
function ownSession(database: Database): Sql {
  const options = { ...database.sql.options, max: 1, idle_timeout: null, max_lifetime: null };
  return postgres(options as unknown as postgres.Options<Record<string, never>>);
}

async function moveBatch(session: Sql, pid: number): Promise<{ readonly pid: number; readonly moved: number }> {
  try {
    return await moveBatchOnce(session, pid);
  } catch (error) {
    if (!isMissingPartition(error)) throw error;
    await session`
      select ensure_day_partition('event_log', day)
      from (select distinct (at at time zone 'UTC')::date as day from event_inbox) as days order by day`;
    return await moveBatchOnce(session, pid);
  }
}

async function moveBatchOnce(session: Sql, pid: number): Promise<{ readonly pid: number; readonly moved: number }> {
  const [row] = await session<{ pid: number; moved: number }[]>`
    with taken as (
      delete from event_inbox
      where pg_backend_pid() = ${pid} and id in (select id from event_inbox order by id limit ${BATCH_SIZE})
      returning *
    ), counted as (
      select count(*) as n from taken
    ), head as (
      update event_head set last_position = last_position + counted.n from counted where counted.n > 0
      returning last_position, counted.n
    ), logged as (
      insert into event_log (position, at, kind, subject_kind, subject_key, integration_key, payload)
      select head.last_position - head.n + row_number() over (order by t.id), t.at, t.kind, t.subject_kind, t.subject_key, t.integration_key, t.payload
      from taken as t, head
    )
    select pg_backend_pid() as pid, (select n::integer from counted) as moved, (select pg_notify(${EVENTS_CHANNEL}, '')::text from head) as notified`;
  if (row === undefined) throw new Error("The sequencer's statement returned no row.");
  return row;
}

/** Yesterday for transactions that were open at midnight, three days ahead for a server that nobody watches over a weekend. */
async function ensurePartitionsAhead(session: Sql): Promise<void> {
  await session`
    select ensure_day_partition('event_log', ((select app_now()) at time zone 'UTC')::date + offset_days)
    from generate_series(-1, 3) as offset_days`;
}

function isMissingPartition(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === NO_PARTITION && error.message.includes("partition");
}
