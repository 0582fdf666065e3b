import type postgres from "postgres";

/** Makes `app_now()` of this one database go on beside the machine's time, and answers how to set it forward (or back, below zero). */
export async function steppableClock(sql: postgres.Sql): Promise<(byMs: number) => Promise<void>> {
  await sql.begin(async (tx) => {
    await tx`create table test_clock_step (by interval not null)`;
    await tx`insert into test_clock_step values ('0')`;
    await tx`create or replace function app_now() returns timestamptz language sql volatile parallel restricted
      as $$ select date_trunc('milliseconds', clock_timestamp() + (select by from test_clock_step)) $$`;
  });
  return async (byMs) => {
    await sql`update test_clock_step set by = by + ${byMs}::float8 * interval '1 millisecond'`;
  };
}
