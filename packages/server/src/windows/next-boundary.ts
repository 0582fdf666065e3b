import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";

/** How long from now an occurrence begins or a hold expires, if within so many milliseconds: for telling it at once. Null when none does. */
export async function nextBoundary(database: Database, withinMs: number): Promise<{ readonly inMs: number } | null> {
  const [row] = await database.db.execute<{ inMs: number | null }>(sql`
    with now as materialized (select app_now() as at, app_now() + ${`${withinMs} milliseconds`}::interval as until)
    select extract(epoch from least(
      (select min(o.starts_at) from occurrence as o
        where o.closed_at is null and o.cancelled_at is null and o.starts_at > (select at from now) and o.starts_at <= (select until from now)),
      (select min(h.expires_at) from hold as h
        where h.released_at is null and h.begins_at <= (select until from now)
          and h.expires_at > (select at from now) and h.expires_at <= (select until from now))
    ) - (select at from now))::double precision * 1000 as "inMs"`);
  return row === undefined || row.inMs === null ? null : { inMs: row.inMs };
}
