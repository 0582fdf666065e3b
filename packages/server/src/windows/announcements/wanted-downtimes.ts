import {
  affectedSystems,
  announceDowntimeLeadMs,
  windowKindEffects,
  windowKinds,
  type DowntimeEffect,
  type WantedDowntime,
  type WindowScope,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { texts } from "../../db/sql-arrays.js";
import { mayHold } from "../approval-sql.js";
import { loadCatalogFacts } from "../store.js";

/** A downtime that should be at a monitor, with the occurrence it stands for. */
export interface WantedAnnouncement extends WantedDowntime {
  readonly windowId: number;
  readonly localStart: string;
}

interface Monitor {
  readonly systemId: number;
  readonly endpointId: number;
  readonly resources: readonly string[];
  readonly suppress: DowntimeEffect;
}

interface Due {
  readonly windowId: number;
  readonly key: string;
  readonly title: string;
  readonly scope: WindowScope;
  readonly localStart: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

const announcingKinds = windowKinds.filter((kind) => windowKindEffects[kind].announces);

/**
 * What should be at each monitor now, by its endpoint's id: occurrences that hold, from a quarter of an hour before their start until they end or are
 * released. A window silences the systems that its scope names and those that cannot work without them; not the systems on the routes of integrations
 * that it names, for these stay up.
 */
export async function wantedDowntimes(tx: Tx): Promise<ReadonlyMap<number, readonly WantedAnnouncement[]>> {
  const monitors = await selectRows<Monitor>(
    tx,
    sql`select system_id as "systemId", endpoint_id as "endpointId", resources, suppress from system_monitor order by endpoint_id, system_id`,
  );
  const due = monitors.length === 0 ? [] : await dueOccurrences(tx);
  if (due.length === 0) return new Map();
  const facts = await loadCatalogFacts(tx, []);
  const prefix = await readPrefix(tx);
  const wanted = new Map<number, WantedAnnouncement[]>();
  for (const one of due) {
    const { scope } = one;
    const systems = new Set(affectedSystems(facts, scope.all === true ? { all: true } : { systems: scope.systems }));
    const names = new Map<number, Monitor[]>();
    for (const monitor of monitors)
      if (systems.has(monitor.systemId)) names.set(monitor.endpointId, [...(names.get(monitor.endpointId) ?? []), monitor]);
    for (const [endpointId, watching] of names)
      wanted.set(endpointId, [...(wanted.get(endpointId) ?? []), announcementOf(one, watching, prefix)]);
  }
  return wanted;
}

/** What the names of this deployment's downtimes begin with. */
export async function readPrefix(tx: Tx): Promise<string> {
  const [row] = await selectRows<{ name: string }>(tx, sql`select name from monitor_identity`);
  if (row === undefined) throw new Error("monitor_identity has no row.");
  return `${row.name}.`;
}

/** `3f9a1c2b4d5e.12@2026-01-04T02:00`: the deployment, the window and its occurrence. */
export function downtimeName(prefix: string, { windowId, localStart }: { readonly windowId: number; readonly localStart: string }): string {
  return `${prefix}${windowId}@${localStart}`;
}

function announcementOf(due: Due, watching: readonly Monitor[], prefix: string): WantedAnnouncement {
  const { windowId, localStart, startsAt, endsAt, title, key } = due;
  return {
    name: downtimeName(prefix, due),
    windowId,
    localStart,
    startsAt,
    endsAt,
    resources: [...new Set(watching.flatMap((one) => one.resources))].toSorted(),
    title: `${title} (${key})`,
    suppress: watching.some((one) => one.suppress === "checks") ? "checks" : "notifications",
  };
}

/** While the deployment only observes nothing is held, and so nothing silenced. */
function dueOccurrences(tx: Tx): Promise<readonly Due[]> {
  return selectRows<Due>(
    tx,
    sql`
    select w.id as "windowId", w.key, w.title, w.scope, o.local_start as "localStart", o.starts_at as "startsAt", o.ends_at as "endsAt"
    from occurrence as o join maintenance_window as w on w.id = o.window_id left join hold as h on h.occurrence_id = o.id
    where o.cancelled_at is null and o.closed_at is null and o.released_at is null and w.cancelled_at is null and h.released_at is null
      and w.mode = 'enforce' and w.kind = any (${texts(announcingKinds)}) and ${mayHold}
      and o.ends_at > app_now() and o.starts_at <= app_now() + ${announceDowntimeLeadMs}::float8 * interval '1 millisecond'
      and exists (select from control as c where c.mode = 'enforce')
    order by o.starts_at, o.id`,
  );
}
