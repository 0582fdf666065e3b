import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { texts } from "../db/sql-arrays.js";
import { systemOfAlert } from "./queries.js";

/** What stands on a timeline. `entry`: what was done about the incident. */
export const timelineKinds = ["alert-fired", "alert-resolved", "entry", "window-began", "window-ended", "run-failed", "change"] as const;

/** One thing on the timeline of an incident, or near it. */
export interface TimelineItem {
  readonly at: number;
  /** Orders what happened at one instant. */
  readonly place: string;
  readonly kind: (typeof timelineKinds)[number];
  /** Who did it, of what people or this server did. */
  readonly actor: string | null;
  /** One sentence for people. */
  readonly text: string;
  /** What it is about: an alert, a run, a window, an integration, by its number or key. */
  readonly subject: string | null;
  readonly data: unknown;
}

/** What happened so long before an incident may have to do with it. */
const beforeMs = 3_600_000;

/**
 * The timeline of an incident, the oldest first: its alerts, what was done about it, and what took place from an hour before it until its end at the
 * systems that it touches: windows, runs that failed, changes of integrations. What the caller may not see is left out; `kinds` are all when null.
 */
export function timelinePage(
  database: Database,
  incidentId: number,
  { kinds = null, ...args }: PageArgs & { readonly kinds?: readonly TimelineItem["kind"][] | null | undefined },
): Promise<Page<TimelineItem>> {
  const near = sql`>= i.started_at - ${beforeMs}::float8 * interval '1 millisecond'`;
  const until = sql`<= coalesce(i.resolved_at, app_now())`;
  const systems = sql`
    select i.system_id as system_id
    union select ${systemOfAlert} from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = i.id`;
  const touched = sql`select r.integration_id from integration_system as r where r.system_id in (${systems})`;
  const from = sql`(
    select i.* from incident as i where i.id = ${incidentId}::bigint) as i cross join lateral (
    select a.started_at as at, 'alert-fired' as kind, null::text as actor, a.title as text, a.id::text as subject,
      jsonb_build_object('severity', a.severity, 'resource', a.resource_name) as data, a.id as number
    from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = i.id
    union all
    select a.ended_at, 'alert-resolved', null, a.title, a.id::text, jsonb_build_object('severity', a.severity, 'resource', a.resource_name), a.id
    from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = i.id and a.ended_at is not null
    union all
    select n.at, 'entry', n.actor, n.text, n.kind, n.data, n.id from incident_entry as n where n.incident_id = i.id
    union all
    select x.at, x.kind, null, w.title, w.key, jsonb_build_object('localStart', o.local_start, 'owner', w.owner), o.id
    from occurrence as o join maintenance_window as w on w.id = o.window_id join hold as h on h.occurrence_id = o.id
    cross join lateral (values (o.started_at, 'window-began'), (h.released_at, 'window-ended')) as x(at, kind)
    where x.at ${near} and x.at ${until} and o.starts_at >= i.started_at - interval '32 days'
      and (exists (select from hold_member as m where m.hold_id = h.id and m.integration_id in (${touched}))
        or exists (select from system as y where y.id in (${systems}) and h.scope -> 'systems' ? y.key))
    union all
    select r.finished_at, 'run-failed', null, 'A run of ' || g.key || ' ended as ' || r.state || '.', r.id::text,
      jsonb_build_object('integration', g.key, 'state', r.state, 'error', coalesce(r.error, 'null'::jsonb)), 0
    from run as r join integration as g on g.id = r.integration_id
    where r.state in ('failed', 'dead', 'lost') and r.finished_at ${near} and r.finished_at ${until} and r.due_at >= i.started_at - interval '1 day' and r.integration_id in (${touched})
    union all
    select v.at, 'change', v.actor, 'Version ' || v.number || ' of ' || g.key || ' came into force.', g.key, jsonb_build_object('version', v.number, 'origin', v.origin), v.number
    from integration_version as v join integration as g on g.id = v.integration_id
    where v.at ${near} and v.at ${until} and v.integration_id in (${touched})) as e
    cross join lateral (select (e.kind || ' ' || lpad(e.number::text, 18, '0') || ' ' || coalesce(e.subject, '')) collate "C" as place) as p`;
  const sort: readonly SortKey<TimelineItem>[] = [
    { column: sql`e.at`, type: "timestamptz", of: (row) => row.at },
    { column: sql`p.place`, type: "text", of: (row) => row.place },
  ];
  const columns = sql`e.at, p.place, e.kind, e.actor, e.text, e.subject, e.data`;
  const where = kinds === null ? [] : [sql`e.kind = any (${texts(kinds)})`];
  return readPage(database, args, { columns, from, where, sort, direction: "asc" });
}
