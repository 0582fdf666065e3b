import type postgres from "postgres";

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  /** A list of allowed words, from the table's checks. */
  readonly words: readonly string[] | null;
  readonly refersTo: string | null;
  readonly refersToColumn: string | null;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
}

const writtenDay = "2026-11-20";

/** Values that a careless copy would spoil: separators, escapes, line ends, fractions of a second. */
const nasty: { readonly [type: string]: string } = {
  text: "a\tb\\n\n\"c\" \\. 'ü'",
  "character varying": "a\tb\\.",
  integer: "7",
  bigint: "7",
  smallint: "7",
  real: "1.5",
  "double precision": "0.1",
  numeric: "12345678901234567890.5",
  boolean: "true",
  json: '{"a": [1, null, "x\\ny"]}',
  jsonb: '{"a": [1, null, "x\\ny"], "b": {"c": "\\\\ü"}}',
  bytea: "\\x000a5cff",
  uuid: "8b6b0a0e-8c0e-4b0e-9c0e-000000000001",
  date: writtenDay,
  "timestamp with time zone": `${writtenDay}T12:00:00.123Z`,
  "time without time zone": "12:34:56",
  "text[]": '{"a,b","c\\"d",NULL}',
  "integer[]": "{1,2}",
  "bigint[]": "{1,2}",
  "uuid[]": "{}",
  "timestamp with time zone[]": "{}",
};

/** Puts a row into every table that has none, as far as its types, its lists of words and its references tell how. Answers those that stayed empty, with the reason. */
export async function fillEveryTable(sql: postgres.Sql): Promise<ReadonlyMap<string, string>> {
  const columns = await sql<Column[]>`
    select t.relname as table, a.attname as name, format_type(a.atttypid, null) as type, not a.attnotnull as nullable, a.atthasdef or a.attidentity <> '' as "hasDefault",
      (select array(select m[1] from regexp_matches(pg_get_constraintdef(c.oid), '''([^'']+)''::text', 'g') as m) from pg_constraint as c
        where c.conrelid = t.oid and c.contype = 'c' and c.conkey = array[a.attnum] and pg_get_constraintdef(c.oid) ~ 'ARRAY|= ''' limit 1) as words,
      (select f.relname::text from pg_constraint as c join pg_class as f on f.oid = c.confrelid
        where c.conrelid = t.oid and c.contype = 'f' and c.conkey = array[a.attnum] limit 1) as "refersTo",
      (select b.attname::text from pg_constraint as c join pg_attribute as b on b.attrelid = c.confrelid and b.attnum = c.confkey[1]
        where c.conrelid = t.oid and c.contype = 'f' and c.conkey = array[a.attnum] limit 1) as "refersToColumn"
    from pg_class as t join pg_attribute as a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
    where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition and t.relname not in ('schema_migration', 'agenda_job')
    order by t.relname, a.attnum`;
  // The rows have an instant that is written above, whatever day it is today.
  await sql`
    select ensure_day_partition(relname::text, ${writtenDay}::date) from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'p'`;
  const byTable = grouped(columns);
  const failed = new Map<string, string>();
  // What a table refers to may be filled in the round before.
  for (let round = 0; round < 4; round += 1) {
    failed.clear();
    for (const [table, of] of byTable) {
      const [found] = await sql.unsafe<{ any: boolean }[]>(`select exists (select from "${table}") as any`);
      if (found?.any) continue;
      const problem = await insertRow(sql, table, of);
      if (problem !== null) failed.set(table, problem);
    }
  }
  return failed;
}

function grouped(columns: readonly Column[]): Map<string, Column[]> {
  const groups = new Map<string, Column[]>();
  for (const column of columns) groups.set(column.table, [...(groups.get(column.table) ?? []), column]);
  return groups;
}

async function insertRow(sql: postgres.Sql, table: string, columns: readonly Column[]): Promise<string | null> {
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const valueOf = ({ name, type, words, refersTo, refersToColumn }: Column): string => {
    if (refersTo !== null && refersTo !== table) return `(select "${refersToColumn}" from "${refersTo}" limit 1)`;
    if (words !== null && words[0] !== undefined) return literal(words[0]);
    if (/ends_at|_to$|until/.test(name) && type.startsWith("timestamp")) return literal(`${writtenDay}T13:00:00.5Z`);
    return literal(nasty[type] ?? "");
  };
  const all = columns.filter(({ refersTo }) => refersTo !== table);
  const needed = all.filter(({ nullable, hasDefault }) => !nullable && !hasDefault);
  const run = async (chosen: readonly Column[]): Promise<string | null> => {
    const names = chosen.map(({ name }) => `"${name}"`).join(", ");
    const statement =
      chosen.length === 0
        ? `insert into "${table}" default values`
        : `insert into "${table}" (${names}) values (${chosen.map(valueOf).join(", ")})`;
    return sql.unsafe(statement).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
  };
  // A table may refuse to have everything at once: an end beside what is not ended.
  const attempts = [
    all,
    needed,
    all.filter((column) => needed.includes(column) || column.type.startsWith("json") || column.type === "bytea"),
    // Or a thing of its own beside one that lies elsewhere.
    all.filter(({ nullable, refersTo }) => !nullable || refersTo === null),
  ];
  let problem: string | null = null;
  for (const chosen of attempts) {
    problem = await run(chosen);
    if (problem === null) return null;
  }
  return problem;
}
