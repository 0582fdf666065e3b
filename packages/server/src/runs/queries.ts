import type { RunState, RunTrigger } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { bigints, integers, texts, uuids } from "../db/sql-arrays.js";
import { groupRows } from "../db/group-rows.js";
import { selectRows } from "../db/select-rows.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { dispatchStopped, heldUntil, type HoldReason, holdsNow } from "./active-holds.js";
import type { GateVerdict } from "./gate.js";
import type { RunConnector } from "./run-connectors.js";

/** A run as the API shows it. */
export interface RunView {
  readonly id: string;
  readonly jobId: number | null;
  readonly integrationId: number;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly dueLocal: string | null;
  readonly trigger: RunTrigger;
  readonly state: RunState;
  readonly attempt: number;
  readonly readyAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly heldBy: number[] | null;
  readonly heldSince: number | null;
  readonly releasedAt: number | null;
  readonly observedBy: number[] | null;
  readonly postponedBy: number | null;
  readonly postponedUntil: number | null;
  readonly abortedBy: number | null;
  readonly abortRequestedAt: number | null;
  readonly coalescedInto: string | null;
  readonly requestedBy: string | null;
  readonly reason: string | null;
  readonly error: unknown;
  readonly figures: unknown;
  readonly connectors: readonly RunConnector[] | null;
}

const columns = sql`r.id, r.job_id as "jobId", r.integration_id as "integrationId", r.due_at as "dueAt", r.last_due_at as "lastDueAt",
  r.due_count as "dueCount", r.due_local as "dueLocal", r.trigger, r.state, r.attempt, r.ready_at as "readyAt", r.started_at as "startedAt",
  r.finished_at as "finishedAt", r.held_by as "heldBy", r.held_since as "heldSince", r.released_at as "releasedAt", r.observed_by as "observedBy",
  r.postponed_by as "postponedBy", r.postponed_until as "postponedUntil", r.aborted_by as "abortedBy", r.abort_requested_at as "abortRequestedAt",
  r.coalesced_into as "coalescedInto", r.requested_by as "requestedBy", r.reason, r.error, r.figures, r.connectors`;

/** Runs by their uuids, in one statement; each is looked for only in the partition of its due time, which its id begins with. */
export async function runsByIds(database: Database, ids: readonly string[]): Promise<readonly RunView[]> {
  if (ids.length === 0) return [];
  const sorted = ids.map((id) => id.toLowerCase()).toSorted();
  return selectRows(
    database.db,
    sql`
    select ${columns} from unnest(${uuids(ids)}) as wanted(id) join run as r on r.id = wanted.id and r.due_at = run_due_of_id(wanted.id)
    -- As plain values, by which the other days are left out before they are planned.
    where r.due_at between run_due_of_id(${sorted[0]}::uuid) and run_due_of_id(${sorted.at(-1)}::uuid)`,
  );
}

export interface RunFilter {
  readonly job?: string | null | undefined;
  readonly integration?: string | null | undefined;
  readonly states?: readonly RunState[] | null | undefined;
  readonly triggers?: readonly RunTrigger[] | null | undefined;
  readonly dueFrom?: number | null | undefined;
  readonly dueTo?: number | null | undefined;
  /** Runs that this hold held, by its id. */
  readonly hold?: number | null | undefined;
}

const sort: readonly SortKey<RunView>[] = [
  { column: sql`r.due_at`, type: "timestamptz", of: (row) => row.dueAt },
  { column: sql`r.id`, type: "uuid", of: (row) => row.id },
];

/** A page of runs by due time, newest first unless `ascending`. */
export function runPage(
  database: Database,
  args: PageArgs & { readonly filter?: RunFilter | null | undefined; readonly ascending?: boolean },
): Promise<Page<RunView>> {
  return readPage(database, args, {
    columns,
    from: sql`run as r`,
    where: conditions(args.filter ?? {}),
    sort,
    direction: args.ascending === true ? "asc" : "desc",
  });
}

function conditions(filter: RunFilter): SQL[] {
  const where: SQL[] = [];
  const add = <T>(value: T | null | undefined, condition: (value: T) => SQL) => {
    if (value !== null && value !== undefined) where.push(condition(value));
  };
  add(filter.job, (key) => sql`r.job_id = (select j.id from job as j where j.key = ${key})`);
  add(filter.integration, (key) => sql`r.integration_id = (select i.id from integration as i where i.key = ${key})`);
  add(filter.states, (states) => sql`r.state = any(${texts(states)})`);
  add(filter.triggers, (triggers) => sql`r.trigger = any(${texts(triggers)})`);
  add(filter.dueFrom, (instant) => sql`r.due_at >= ${instant}::timestamptz`);
  add(filter.dueTo, (instant) => sql`r.due_at < ${instant}::timestamptz`);
  add(
    filter.hold,
    (id) =>
      sql`r.held_by @> ${bigints([id])} and r.integration_id in (select m.integration_id from hold_member as m where m.hold_id = ${id}::bigint)`,
  );
  return where;
}

const dayMs = 86_400_000;
/** The newest run of most is of these days, so hardly anybody's is looked for in all of them. */
const lastRunDays = [2, 32] as const;

type LastRun = RunView & { readonly parentId: number };

/** The newest started run of each job or integration. */
export async function lastRunsOf(database: Database, of: "job" | "integration", ids: readonly number[]): Promise<readonly LastRun[]> {
  // Where to look first, and nothing else, depends on the time: what is not found there is looked for everywhere.
  const now = clock.wallMs();
  const found: LastRun[] = [];
  let left = ids;
  for (const days of [...lastRunDays, null]) {
    const rows = await lastRunsSince(database, { of, ids: left, since: days === null ? -Infinity : now - days * dayMs });
    found.push(...rows);
    const known = new Set(rows.map((row) => row.parentId));
    left = left.filter((id) => !known.has(id));
    if (left.length === 0) break;
  }
  return found;
}

function lastRunsSince(
  database: Database,
  input: { readonly of: "job" | "integration"; readonly ids: readonly number[]; readonly since: number },
): Promise<readonly LastRun[]> {
  const column = input.of === "job" ? sql`q.job_id` : sql`q.integration_id`;
  return selectRows(
    database.db,
    sql`
    select parent.id as "parentId", ${columns} from unnest(${integers(input.ids)}) as parent(id)
    cross join lateral (
      select * from run as q where ${column} = parent.id and q.started_at is not null and q.due_at >= ${input.since}::timestamptz
      order by q.due_at desc limit 1) as r`,
  );
}

/** The gate's verdict for many integrations in one statement, by the same predicate as the claim. */
export async function gatesOf(
  database: Database,
  integrationIds: readonly number[],
): Promise<ReadonlyMap<number, { readonly verdict: GateVerdict; readonly asOf: number }>> {
  type Row = { readonly integrationId: number; readonly asOf: number; readonly stale: boolean } & (HoldReason | { readonly holdId: null });
  const rows = await selectRows<Row>(
    database.db,
    sql`
    select i.id as "integrationId", (select app_now()) as "asOf", ${dispatchStopped} as stale, held.*
    from unnest(${integers(integrationIds)}) as i(id) cross join control as c
    left join lateral (
      select h.id as "holdId", h.kind, ${holdTitle} as title, w.key as "windowKey", h.owner, h.reason, m.path, m.begins_at as since, h.expires_at as until
      from hold_member as m join hold as h on h.id = m.hold_id
      left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
      where m.integration_id = i.id and ${holdsNow} order by m.begins_at, h.id) as held on true`,
  );
  const gates = new Map<number, { readonly verdict: GateVerdict; readonly asOf: number }>();
  for (const [integrationId, mine] of groupRows(rows, (row) => row.integrationId)) {
    const by = mine.flatMap(({ integrationId: _id, asOf: _asOf, stale: _stale, ...hold }) => (hold.holdId === null ? [] : [hold]));
    const held = by.length > 0 || mine.some((row) => row.stale);
    gates.set(integrationId, {
      asOf: mine[0]?.asOf ?? 0,
      verdict: held ? { kind: "held", by, until: heldUntil(by) ?? null } : { kind: "open" },
    });
  }
  return gates;
}

/** A hold's name for people: its window's title, or its kind in words. */
export const holdTitle: SQL = sql`coalesce(w.title, case h.kind when 'manual' then 'Paused by hand' when 'credentials' then 'Refused by the system' else 'System not ready' end)`;

export interface DeadLetterView {
  readonly id: number;
  readonly integrationId: number;
  readonly stream: string;
  readonly recordKey: string;
  readonly record: unknown;
  readonly error: unknown;
  readonly runId: string;
  readonly status: "open" | "review" | "replayed" | "discarded";
  readonly at: number;
  readonly resolvedAt: number | null;
}

const deadLetterColumns = sql`d.id, d.integration_id as "integrationId", d.stream, d.record_key as "recordKey", d.record, d.error, d.run_id as "runId", d.status, d.at,
  d.resolved_at as "resolvedAt"`;

export function deadLettersByIds(database: Database, ids: readonly string[]): Promise<readonly DeadLetterView[]> {
  return selectRows(database.db, sql`select ${deadLetterColumns} from dead_letter as d where d.id = any(${bigints(ids)})`);
}

export interface DeadLetterFilter {
  readonly integration?: string | null | undefined;
  readonly stream?: string | null | undefined;
  readonly statuses?: readonly DeadLetterView["status"][] | null | undefined;
}

/** A page of records that could not be written, newest first. */
export function deadLetterPage(
  database: Database,
  args: PageArgs & { readonly filter?: DeadLetterFilter | null | undefined },
): Promise<Page<DeadLetterView>> {
  const { integration, stream, statuses } = args.filter ?? {};
  const where: SQL[] = [];
  if (typeof integration === "string") where.push(sql`d.integration_id = (select i.id from integration as i where i.key = ${integration})`);
  if (typeof stream === "string") where.push(sql`d.stream = ${stream}`);
  if (Array.isArray(statuses)) where.push(sql`d.status = any(${texts(statuses)})`);
  const byId: SortKey<DeadLetterView> = { column: sql`d.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns: deadLetterColumns, from: sql`dead_letter as d`, where, sort: [byId], direction: "desc" });
}
