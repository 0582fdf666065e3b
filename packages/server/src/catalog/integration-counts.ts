import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { integers } from "../db/sql-arrays.js";
import { holdsNow } from "../runs/active-holds.js";
import { failsNow } from "../runs/fails-now.js";

/** How many integrations touch a system, and how many of them are held or fail at this moment. */
export interface IntegrationCounts {
  readonly systemId: number;
  readonly all: number;
  readonly held: number;
  readonly failing: number;
}

/** Of each system that any integration touches; the others have no row. An integration that touches several is looked at once. */
export function integrationCountsOf(database: Database, systemIds: readonly number[]): Promise<readonly IntegrationCounts[]> {
  return selectRows(
    database.db,
    sql`
    with touched as (
      select r.system_id, r.integration_id from integration_system as r where r.system_id = any(${integers(systemIds)})),
    standing as materialized (
      select i.integration_id,
        exists (select from hold_member as m cross join control as c where m.integration_id = i.integration_id and ${holdsNow}) as held,
        ${failsNow(sql`i.integration_id`)} as failing
      from (select distinct integration_id from touched) as i)
    select t.system_id as "systemId", count(*)::int as "all", (count(*) filter (where s.held))::int as held,
      (count(*) filter (where s.failing))::int as failing
    from touched as t join standing as s on s.integration_id = t.integration_id group by t.system_id`,
  );
}
