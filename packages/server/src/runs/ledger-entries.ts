import { describeEnding, DomainError, type EndingFacts, type JobSchedule, type RunState, type ZoneData } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { texts } from "../db/sql-arrays.js";
import { type Page, type PageArgs, pageSize } from "../db/read-page.js";
import { duesByState, type DueTimesOfVersion, dueTimesOfVersions } from "./due-times-of-version.js";
import { holdTitle } from "./queries.js";
import { reachBack, runsRetainedFrom } from "./reach-back.js";

/** One due time of a schedule, with the state that it is in. */
export interface LedgerEntry {
  readonly dueAt: number;
  readonly jobId: number;
  readonly integrationId: number;
  /** The run that is this due time, or stands for it. */
  readonly runId: string;
  readonly state: RunState;
  /** Why it ended so, or where it is, in words. */
  readonly why: string;
  /** What `why` is made of. */
  readonly facts: EndingFacts;
  /** The holds that covered the run when it was last held. */
  readonly heldBy: readonly number[];
}

export interface LedgerFilter {
  readonly job: string | null;
  readonly integration: string | null;
  /** Of integrations that an occurrence of this window covers, by its key: of any of its occurrences, or of the one that starts then. */
  readonly window: string | null;
  readonly localStart: string | null;
  readonly states: readonly RunState[] | null;
  /** Due at or after; the beginning of what is kept when null. */
  readonly dueFrom: number | null;
  /** Due before; now when null. */
  readonly dueTo: number | null;
}

interface Row extends Omit<EndingFacts, "heldBy"> {
  readonly id: string;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly jobId: number;
  readonly integrationId: number;
  readonly heldBy: readonly number[] | null;
  readonly heldTitles: readonly string[] | null;
  readonly schedule: JobSchedule | null;
  readonly zoneDataVersion: string | null;
}

/** Where a page ended: in which row, and with which of its due times. */
interface Place {
  readonly rowDueAt: number;
  readonly runId: string;
  readonly dueAt: number;
}

interface Period {
  readonly from: number;
  readonly to: number;
}

/** A row of one due time is one entry; one of a range may be thousands, so few rows are read at a time. */
const rowsAtOnce = 100;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A page of the due times of schedules: the runs newest first, and of a run that stands for several its due times in their order. Throws
 * QSC_GRAPHQL_CURSOR_INVALID and QSC_GRAPHQL_PAGE_SIZE.
 */
export async function ledgerPage(
  context: { readonly database: Database; readonly zones: ZoneData },
  filter: LedgerFilter,
  args: PageArgs,
): Promise<Page<LedgerEntry>> {
  const size = pageSize(args.first);
  const tx = context.database.db;
  const kept = await runsRetainedFrom(tx);
  const period = { from: Math.max(filter.dueFrom ?? 0, kept ?? 0), to: filter.dueTo ?? (await readNow(tx)) };
  const where = await conditions(tx, filter, period);
  let place = args.after === undefined || args.after === null ? null : decodePlace(args.after);
  const found: { readonly place: Place; readonly entry: LedgerEntry }[] = [];
  for (;;) {
    const rows: readonly Row[] = await readRows(tx, where, place);
    const dueTimesOf = await dueTimesOfVersions(tx, context.zones, rows);
    for (const row of rows) {
      const after = place !== null && place.runId === row.id ? place.dueAt : null;
      for (const dueAt of duesOf(row, { period, states: filter.states, after, limit: size + 1 - found.length, dueTimesOf }))
        found.push({ place: { rowDueAt: row.dueAt, runId: row.id, dueAt }, entry: entryOf(row, dueAt) });
      if (found.length > size) break;
    }
    const last = rows.at(-1);
    if (found.length > size || last === undefined || rows.length < rowsAtOnce) break;
    place = { rowDueAt: last.dueAt, runId: last.id, dueAt: last.lastDueAt };
  }
  const edges = found.slice(0, size).map((one) => ({ cursor: encodePlace(one.place), node: one.entry }));
  return {
    edges,
    pageInfo: {
      hasNextPage: found.length > size,
      hasPreviousPage: args.after !== undefined && args.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    countAll: () => countEntries(context, { where, period, states: filter.states }),
  };
}

async function conditions(tx: Tx, filter: LedgerFilter, period: Period): Promise<SQL> {
  const where = [
    sql`r.trigger = 'schedule'`,
    sql`r.due_at >= ${await reachBack(tx, period.from)}::timestamptz and r.last_due_at >= ${period.from}::timestamptz`,
    sql`r.due_at < ${period.to}::timestamptz`,
  ];
  if (filter.job !== null) where.push(sql`r.job_id = (select j.id from job as j where j.key = ${filter.job})`);
  if (filter.integration !== null)
    where.push(sql`r.integration_id = (select i.id from integration as i where i.key = ${filter.integration})`);
  if (filter.window !== null) {
    const occurrence = filter.localStart === null ? sql`true` : sql`o.local_start = ${filter.localStart}`;
    where.push(sql`r.integration_id in (
      select m.integration_id from hold_member as m join hold as h on h.id = m.hold_id join occurrence as o on o.id = h.occurrence_id
      join maintenance_window as w on w.id = o.window_id where w.key = ${filter.window} and ${occurrence})`);
  }
  // Of a range all but the first are coalesced into it.
  if (filter.states !== null)
    where.push(sql`(r.state = any (${texts(filter.states)}) or (r.due_count > 1 and ${filter.states.includes("coalesced")}::boolean))`);
  return sql.join(where, sql` and `);
}

/** From the row of the place on, the row itself included: its due times after the place may be on the next page. */
function readRows(tx: Tx, where: SQL, place: Place | null): Promise<readonly Row[]> {
  const from = place === null ? sql`true` : sql`(r.due_at, r.id) <= (${place.rowDueAt}::timestamptz, ${place.runId}::uuid)`;
  return selectRows<Row>(
    tx,
    sql`
    select r.id, r.state, r.reason, r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", r.job_id as "jobId",
      r.integration_id as "integrationId", r.attempt, r.ready_at as "readyAt", r.started_at as "startedAt", r.finished_at as "finishedAt",
      r.held_by as "heldBy", r.held_since as "heldSince", r.released_at as "releasedAt", r.error ->> 'message' as error,
      case when r.coalesced_into is not null then run_due_of_id(r.coalesced_into) end as "rootDueAt", s.schedule, s.zone_data_version as "zoneDataVersion",
      (select array_agg(${holdTitle} order by h.id) from hold as h
        left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
        where h.id = any (r.held_by)) as "heldTitles"
    from run as r join job as j on j.id = r.job_id
    left join job_schedule as s on s.job_id = r.job_id and s.version = r.schedule_version
    where ${where} and ${from} order by r.due_at desc, r.id desc limit ${rowsAtOnce}`,
  );
}

/** The due times of a row that fit, ascending, the first `limit` of them. */
function duesOf(
  row: Row,
  wanted: {
    readonly period: Period;
    readonly states: readonly RunState[] | null;
    readonly after: number | null;
    readonly limit: number;
    readonly dueTimesOf: DueTimesOfVersion;
  },
): readonly number[] {
  const { period, states, after, limit, dueTimesOf } = wanted;
  const fits = (dueAt: number) =>
    dueAt >= period.from &&
    dueAt < period.to &&
    (after === null || dueAt > after) &&
    (states === null || states.includes(stateOf(row, dueAt)));
  const joined = states === null || states.includes(stateOf(row, row.lastDueAt));
  const { schedule, zoneDataVersion } = row;
  // Where the history of the schedule is gone only the two ends of a range are known.
  const known = row.dueCount === 1 || !joined ? [row.dueAt] : schedule === null ? [row.dueAt, row.lastDueAt] : null;
  if (known !== null) return known.filter(fits).slice(0, limit);
  if (schedule === null) return [];
  const from = Math.max(row.dueAt, period.from, after === null ? row.dueAt : after + 1);
  // One more, in case the first is of another state.
  const dues = dueTimesOf({ schedule, zoneDataVersion }, { from, to: Math.min(row.lastDueAt + 1, period.to), limit: limit + 1 });
  return dues.filter(fits).slice(0, limit);
}

/** The first of a range is the run, the others are coalesced into it; unless each ended for itself. */
function stateOf(row: Row, dueAt: number): RunState {
  const each = row.state === "skipped" || row.state === "coalesced" || row.state === "cancelled";
  return each || dueAt === row.dueAt ? row.state : "coalesced";
}

function entryOf(row: Row, dueAt: number): LedgerEntry {
  const { jobId, integrationId, id, heldBy, heldTitles } = row;
  const facts = { ...row, heldBy: heldTitles ?? [] };
  return {
    dueAt,
    jobId,
    integrationId,
    runId: id,
    state: stateOf(row, dueAt),
    why: describeEnding(facts, dueAt !== row.dueAt),
    facts,
    heldBy: heldBy ?? [],
  };
}

async function countEntries(
  context: { readonly database: Database; readonly zones: ZoneData },
  input: { readonly where: SQL; readonly period: Period; readonly states: readonly RunState[] | null },
): Promise<number> {
  const { where, period, states } = input;
  const tx = context.database.db;
  const fits = (state: string) => states === null || states.some((one) => one === state);
  const inside = sql`(r.due_at >= ${period.from}::timestamptz and r.last_due_at < ${period.to}::timestamptz)`;
  const whole = await tx.execute<{ state: string; runs: number; dues: number }>(sql`
    select r.state, count(*)::float8 as runs, sum(r.due_count)::float8 as dues from run as r join job as j on j.id = r.job_id
    where ${where} and ${inside} group by r.state`);
  const edges = await selectRows<Row>(
    tx,
    sql`
    select r.state, r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", s.schedule, s.zone_data_version as "zoneDataVersion"
    from run as r join job as j on j.id = r.job_id left join job_schedule as s on s.job_id = r.job_id and s.version = r.schedule_version
    where ${where} and not ${inside}`,
  );
  const dueTimesOf = await dueTimesOfVersions(tx, context.zones, edges);
  const limit = Number.MAX_SAFE_INTEGER;
  const atEdges = edges.reduce((sum, row) => sum + duesOf(row, { period, states, after: null, limit, dueTimesOf }).length, 0);
  const counts = whole.flatMap(({ state, runs, dues }) => duesByState(state, { runs, dues }));
  return counts.filter((one) => fits(one.state)).reduce((sum, one) => sum + one.dues, atEdges);
}

function encodePlace({ rowDueAt, runId, dueAt }: Place): string {
  return Buffer.from(JSON.stringify([rowDueAt, runId, dueAt]), "utf8").toString("base64url");
}

function decodePlace(cursor: string): Place {
  let values: unknown;
  try {
    values = JSON.parse(Buffer.from(cursor.slice(0, 200), "base64url").toString("utf8"));
  } catch {
    values = null;
  }
  const [rowDueAt, runId, dueAt]: readonly unknown[] = Array.isArray(values) ? values : [];
  if (Number.isSafeInteger(rowDueAt) && Number.isSafeInteger(dueAt) && typeof runId === "string" && UUID.test(runId))
    return { rowDueAt: Number(rowDueAt), runId, dueAt: Number(dueAt) };
  throw new DomainError(
    "QSC_GRAPHQL_CURSOR_INVALID",
    "This is not a cursor of this list. Pass `endCursor` of the page before, unchanged, with the same filter.",
    { field: "after" },
  );
}
