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
 * own time. The change is committed: other connections see each move with their next statement.
 */
export async function controlTime(sql: postgres.Sql): Promise<ControlledTime> {
  await sql.begin(async (tx) => {
    await tx`create table if not exists test_clock (only_row boolean primary key default true check (only_row), now timestamptz(3) not null)`;
    await tx`insert into test_clock (now) values (clock_timestamp()) on conflict do nothing`;
    await tx`create or replace function app_now() returns timestamptz language sql volatile parallel restricted as 'select now from test_clock'`;
  });
  const answer = (rows: readonly { ms: number }[]): number => {
    const [row] = rows;
    if (row === undefined) throw new Error("test_clock has lost its row.");
    return row.ms;
  };
  // Plain numbers on the wire, so that it works with any client's handling of times.
  return {
    set: async (instantMs) => {
      await sql`update test_clock set now = to_timestamp(${instantMs}::float8 / 1000)`;
    },
    advance: async (ms) =>
      answer(
        await sql<{ ms: number }[]>`
        update test_clock set now = now + ${ms}::float8 * interval '1 millisecond' returning (extract(epoch from now) * 1000)::float8 as ms`,
      ),
    now: async () => answer(await sql<{ ms: number }[]>`select (extract(epoch from now) * 1000)::float8 as ms from test_clock`),
  };
}
