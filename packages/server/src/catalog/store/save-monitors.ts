import type { MonitoredBy, SystemEntry } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { texts } from "../../db/sql-arrays.js";

/** Writes who watches the given systems, whole. Call it when their endpoints are written. */
export async function saveMonitors(tx: Tx, entries: readonly Pick<SystemEntry, "key" | "monitoredBy">[]): Promise<void> {
  if (entries.length === 0) return;
  await tx.execute(sql`
    delete from system_monitor as m using system as s where s.id = m.system_id and s.key = any (${texts(entries.map((entry) => entry.key))})`);
  const rows = entries.flatMap(({ key, monitoredBy }) => monitoredBy.map((one) => ({ ...one, key })));
  if (rows.length === 0) return;
  await tx.execute(sql`
    insert into system_monitor (system_id, endpoint_id, resources, suppress)
    select s.id, e.id, array(select jsonb_array_elements_text(r.resources)), r.suppress
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(key text, endpoint text, resources jsonb, suppress text)
    join system as s on s.key = r.key join endpoint as e on e.key = r.endpoint`);
}

/** Who watches each system, by the system's id and in the order of the endpoints' keys. */
export async function loadMonitors(tx: Tx): Promise<ReadonlyMap<number, readonly MonitoredBy[]>> {
  const rows = await selectRows<MonitoredBy & { readonly systemId: number }>(
    tx,
    sql`
    select m.system_id as "systemId", e.key as endpoint, m.resources, m.suppress
    from system_monitor as m join endpoint as e on e.id = m.endpoint_id order by m.system_id, e.key`,
  );
  const monitors = new Map<number, MonitoredBy[]>();
  for (const { systemId, ...one } of rows) monitors.set(systemId, [...(monitors.get(systemId) ?? []), one]);
  return monitors;
}
