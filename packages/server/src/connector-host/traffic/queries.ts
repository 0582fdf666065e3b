import { sql } from "drizzle-orm";
import type { Database } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { integers } from "../../db/sql-arrays.js";

/** How calls to an endpoint go. */
export interface TrafficRow {
  readonly endpointId: number;
  readonly isOpen: boolean;
  readonly failures: number;
  readonly openedAt: number | null;
  readonly probeAt: number | null;
  readonly delayedUntil: number | null;
  readonly reason: string | null;
}

/** What is noted of endpoints; those that nothing went wrong at have no row. */
export async function trafficOf(database: Database, ids: readonly number[]): Promise<readonly TrafficRow[]> {
  return selectRows<TrafficRow>(
    database.db,
    sql`
    select endpoint_id as "endpointId", probe_at is not null as "isOpen", failures, opened_at as "openedAt", probe_at as "probeAt", reason,
      case when delayed_until > app_now() then delayed_until end as "delayedUntil"
    from endpoint_breaker where endpoint_id = any (${integers(ids)})`,
  );
}
