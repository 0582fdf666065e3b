import { type Database, openDatabase, type RawSql } from "../../packages/server/src/db/client.js";
import { type ControlledTime, controlTime } from "../database/control-time.js";
import { freshDatabase } from "../database/fresh-database.js";
import { prepareStatements } from "./prepared-statements.js";

/** A migrated, empty database with its clock and its connections, in which stories take place one after another. */
export interface StoryPlace {
  readonly database: Database;
  readonly time: ControlledTime;
  /** Another connection to it, for an actor that takes turns with others; the same one whenever the same name asks. */
  connect(name: string): Database;
  /** The planner knows by an earlier story how large the tables grow. */
  readonly isMeasured: boolean;
  /** Makes it as it was. False when somebody still works in it: then it is no place for another story. */
  clear(): Promise<boolean>;
  close(): Promise<void>;
}

/** Every so many stories the dead rows go; the plans go with them. */
const storiesToVacuum = 20;
const sharedConnections = 2;
const ownConnections = 2;

/**
 * Making a database, connecting to it and planning every statement anew was half of what a story cost PostgreSQL. So a place is emptied instead:
 * by deleting, because a truncated table is a new one to every plan.
 */
export async function openPlace({ days }: { readonly days: boolean }): Promise<StoryPlace> {
  const fresh = await freshDatabase();
  const url = new URL(fresh.url);
  url.searchParams.set("plan_cache_mode", "force_generic_plan");
  url.searchParams.set("jit", "off");
  const opened = new Map<string, Database>();
  const connect = (applicationName: string, max: number): Database => {
    const known = opened.get(applicationName);
    if (known !== undefined) return known;
    const database = openDatabase(url.href, { max, applicationName });
    prepareStatements(database);
    opened.set(applicationName, database);
    return database;
  };
  const database = connect("simulation", sharedConnections);
  const { sql } = database;
  const emptying = await emptyingStatements(sql);
  if (!days) await withoutDays(sql);
  let stories = 0;
  return {
    database,
    time: await controlTime(sql),
    connect: (name) => connect(name, ownConnections),
    get isMeasured() {
      return stories % storiesToVacuum > 0;
    },
    clear: async () => {
      if (await isBusy(sql)) return false;
      await sql.begin((tx) => tx.unsafe(emptying).simple());
      stories += 1;
      if (stories % storiesToVacuum === 0) await sql.unsafe("vacuum").simple();
      return true;
    },
    close: async () => {
      await Promise.all([...opened.values()].map((one) => one.close()));
      await fresh.drop();
    },
  };
}

/**
 * One partition instead of one a day: a story of sixty days spends most of its time in planning statements over sixty partitions. Every tenth seed
 * keeps the days.
 */
async function withoutDays(sql: RawSql): Promise<void> {
  await sql`create table run_of_all_days partition of run default`;
  await sql`create or replace function ensure_day_partition(parent text, day date) returns void language sql as 'select'`;
}

/** What a crashed process had sent may still be on its way. */
async function isBusy(sql: RawSql): Promise<boolean> {
  const rows = await sql`select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
  return rows.length > 0;
}

/** Empties every table, those first that refer to others, puts back what the migrations had written, and lets every number begin anew. */
async function emptyingStatements(sql: RawSql): Promise<string> {
  const tables = await sql<{ name: string; guarded: boolean; parents: readonly string[] }[]>`
    select c.relname::text as name, exists (select from pg_trigger as t where t.tgrelid = c.oid and not t.tgisinternal and t.tgtype & 8 > 0) as guarded, array(
      select distinct p.relname::text from pg_constraint as f join pg_class as p on p.oid = f.confrelid
      where f.contype = 'f' and f.conrelid = c.oid and f.confrelid <> c.oid) as parents
    from pg_class as c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by c.relname`;
  const sequences = await sql<{ name: string; start: string }[]>`
    select c.relname::text as name, s.seqstart::text as start from pg_sequence as s join pg_class as c on c.oid = s.seqrelid
    where c.relnamespace = current_schema()::regnamespace`;
  // Where the product lets nobody delete, as in its audit trail, it has to look away.
  const guarded = tables.filter((one) => one.guarded).map((one) => one.name);
  const statements = [
    ...guarded.map((name) => `alter table "${name}" disable trigger user`),
    ...childrenFirst(tables).map((name) => `delete from "${name}"`),
  ];
  await sql`create schema written_by_migrations`;
  for (const { name } of tables) {
    const rows = await sql`select from ${sql(name)} limit 1`;
    if (rows.length === 0) continue;
    await sql.unsafe(`create table written_by_migrations."${name}" as table "${name}"`);
    statements.push(`insert into "${name}" overriding system value table written_by_migrations."${name}"`);
  }
  statements.push(...guarded.map((name) => `alter table "${name}" enable trigger user`));
  for (const { name, start } of sequences) statements.push(`select setval('"${name}"', ${start}, false)`);
  return statements.join(";\n");
}

function childrenFirst(tables: readonly { readonly name: string; readonly parents: readonly string[] }[]): readonly string[] {
  const ordered: string[] = [];
  let left = tables;
  while (left.length > 0) {
    const free = left.filter((one) => !left.some((other) => other !== one && other.parents.includes(one.name)));
    if (free.length === 0) throw new Error(`These tables refer to each other in a circle: ${left.map((one) => one.name).join(", ")}.`);
    ordered.push(...free.map((one) => one.name));
    left = left.filter((one) => !free.includes(one));
  }
  return ordered;
}
