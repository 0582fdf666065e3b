import type { DayContents, DayPartition, RetainedTable } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database, RawSql, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** A day's partition; `detached` ones are out of the table already, because a server died before it could drop them. */
export interface StoredDay extends DayPartition {
  readonly status: "attached" | "detaching" | "detached";
}

const DAY_MS = 86_400_000;
const namesOfDays = /^(run|event_log|kpi_sample)_(\d{4})(\d{2})(\d{2})$/;

/** Makes the days of a table from the one of `from` to the one of `to` where they do not exist. */
export async function ensureDays(tx: Tx, table: RetainedTable, range: { readonly from: number; readonly to: number }): Promise<void> {
  await tx.execute(sql`
    select ensure_day_partition(${table}, day::date)
    from generate_series((${range.from}::timestamptz at time zone 'UTC')::date, (${range.to}::timestamptz at time zone 'UTC')::date, '1 day') as day`);
}

/** All days of a table. They are known by their names, which say which day of UTC they are. */
export async function storedDays(tx: Tx, table: RetainedTable): Promise<readonly StoredDay[]> {
  const rows = await selectRows<{ name: string; status: StoredDay["status"] }>(
    tx,
    sql`
    select c.relname::text as name, case when i.inhrelid is null then 'detached' when i.inhdetachpending then 'detaching' else 'attached' end as status
    from pg_class as c join pg_class as parent on parent.oid = ${table}::text::regclass and parent.relnamespace = c.relnamespace
    left join pg_inherits as i on i.inhrelid = c.oid
    where c.relkind = 'r' and c.relname ~ ${`^${table}_[0-9]{8}$`}`,
  );
  return rows.flatMap(({ name, status }) => {
    const [, , year, month, day] = namesOfDays.exec(name) ?? [];
    const opensAt = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
    return Number.isNaN(opensAt) ? [] : [{ name, status, opensAt, closesAt: opensAt + DAY_MS }];
  });
}

/** Looks into one day of a table. */
export async function contentsOf(tx: Tx, table: RetainedTable, day: DayPartition): Promise<DayContents & { readonly rows: number }> {
  const contents = {
    run: sql`(count(*) filter (where state in ('queued', 'held', 'running')))::integer as waiting, max(last_due_at) as "lastDueAt"`,
    event_log: sql`0 as waiting, null::timestamptz as "lastDueAt"`,
    kpi_sample: sql`(select count(*) from kpi_dirty as d where d.first_at >= ${day.opensAt}::timestamptz and d.first_at < ${day.closesAt}::timestamptz)::integer
      as waiting, null::timestamptz as "lastDueAt"`,
  }[table];
  const [row] = await selectRows<DayContents & { readonly rows: number }>(
    tx,
    sql`select count(*)::float8 as rows, ${contents} from ${sql.identifier(day.name)}`,
  );
  if (row === undefined) throw new Error("An aggregate returned no row.");
  return row;
}

/** Takes a day out of its table without keeping anybody from the table: it waits for those who read it now. Not in a transaction. */
export async function detachDay(connection: RawSql, table: RetainedTable, day: StoredDay): Promise<void> {
  if (day.status === "detached") return;
  const how = day.status === "detaching" ? "finalize" : "concurrently";
  // Both names come from the catalogue and fit the pattern above.
  await connection.unsafe(`alter table ${table} detach partition ${day.name} ${how}`);
}

/** Puts a detached day back. */
export async function attachDay(tx: Tx, table: RetainedTable, day: DayPartition): Promise<void> {
  const [opens, closes] = [day.opensAt, day.closesAt].map((at) => new Date(at).toISOString());
  await tx.execute(sql.raw(`alter table ${table} attach partition ${day.name} for values from ('${opens}') to ('${closes}')`));
}

/** One server at a time works on the partitions: `work` gets a connection of its own. False when another server is at it. */
export async function withRetentionLock(database: Database, work: (connection: RawSql) => Promise<void>): Promise<boolean> {
  const connection = await database.sql.reserve();
  try {
    const [row] = await connection<{ got: boolean }[]>`select pg_try_advisory_lock(lock_class_retention(), 0) as got`;
    if (row?.got !== true) return false;
    try {
      await work(connection);
    } finally {
      await connection`select pg_advisory_unlock(lock_class_retention(), 0)`;
    }
    return true;
  } finally {
    connection.release();
  }
}
