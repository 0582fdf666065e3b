import type postgres from "postgres";

/** The time that one database's `app_now()` tells. */
export interface ControlledTime {
  set(instantMs: number): Promise<void>;
  /** Moves the time on and answers the new one. */
  advance(ms: number): Promise<number>;
  now(): Promise<number>;
}

/**
 * Replaces `app_now()` in this one database by a clock that stands still until it is moved. It starts at the database's
 * own time. Other connections see each move with their next statement.
 *
 * A sequence holds the milliseconds, as its value is read without a query: the planner puts it in the place of the function, as it does with the
 * real clock (0.3 us a call, 2.6 where the function read a table; a statement may call it for every row).
 */
export async function controlTime(sql: postgres.Sql): Promise<ControlledTime> {
  await sql.begin(async (tx) => {
    await tx`create sequence if not exists test_clock`;
    await tx`select setval('test_clock', (extract(epoch from clock_timestamp()) * 1000)::bigint) where pg_sequence_last_value('test_clock') is null`;
    await tx`create or replace function app_now() returns timestamptz language sql volatile parallel restricted
      as $$ select to_timestamp(pg_sequence_last_value('test_clock'::regclass)::float8 / 1000) $$`;
  });
  const answer = (rows: readonly { ms: number }[]): number => {
    const [row] = rows;
    if (row === undefined) throw new Error("test_clock has lost its row.");
    return row.ms;
  };
  // Plain numbers on the wire, so that it works with any client's handling of times.
  return {
    set: async (instantMs) => {
      await sql`select setval('test_clock', ${instantMs}::float8::bigint)::float8`;
    },
    advance: async (ms) =>
      answer(
        await sql<{ ms: number }[]>`
        select setval('test_clock', pg_sequence_last_value('test_clock') + ${ms}::float8::bigint)::float8 as ms`,
      ),
    now: async () => answer(await sql<{ ms: number }[]>`select pg_sequence_last_value('test_clock')::float8 as ms`),
  };
}
