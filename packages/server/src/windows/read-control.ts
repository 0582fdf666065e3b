import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** Settings of the whole deployment, with the place in the event log of the same snapshot. */
export interface ControlState {
  readonly mode: "enforce" | "observe";
  readonly expandedUntil: number | null;
  readonly expansionOverriddenUntil: number | null;
  readonly zoneDataVersion: string | null;
  readonly epoch: string;
  readonly position: number;
}

export async function readControl(database: Database): Promise<ControlState> {
  const [row] = await selectRows<ControlState>(
    database.db,
    sql`
    select c.mode, nullif(c.expanded_until, '-infinity') as "expandedUntil",
      nullif(c.expansion_override_until, '-infinity') as "expansionOverriddenUntil", c.zone_data_version as "zoneDataVersion", c.event_epoch::text as epoch,
      h.last_position::float8 as position
    from control as c, event_head as h`,
  );
  if (row === undefined) throw new Error("control or event_head has no row.");
  return row;
}
