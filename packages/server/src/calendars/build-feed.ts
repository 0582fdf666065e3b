import {
  calendarFeed,
  type CalendarWindow,
  covered,
  type FeedIntegration,
  type FeedScope,
  feedShows,
  type OccurrenceChange,
  windowKindEffects,
  type WindowScope,
  type ZoneData,
} from "@quiesce/core";
import { and, desc, isNull, sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { evaluatedSeries } from "../windows/planning-store.js";
import { loadCatalogFacts } from "../windows/store.js";
import { maintenanceWindow, type WindowRow } from "../windows/table.js";
import { calendarDomain } from "./store.js";
import { writeCalendar } from "./ical-text.js";

const dayMs = 86_400_000;
/** A feed shows what ended at most so long ago, and what begins within so long. */
const behindMs = 31 * dayMs;
const aheadMs = 731 * dayMs;
/** Windows of one deployment that feeds choose from; the latest count. */
const maxWindows = 5_000;
/** Integrations that a description names. */
const maxNamed = 20;

/** No occurrence lasts longer. */
const longestDays = 62;
/** Left out is what happened once and is long over: in the course of years that becomes most of what there is. */
const mayBeShown = sql`(${maintenanceWindow.series} ->> 'rrule' is not null or ${maintenanceWindow.series} ? 'rdates'
  or ${maintenanceWindow.series} ->> 'start' > to_char((app_now() at time zone 'UTC') - make_interval(days => ${behindMs / dayMs + longestDays + 2}::integer), 'YYYY-MM-DD')
  or exists (select from occurrence as o where o.window_id = ${maintenanceWindow.id} and o.ends_at > app_now() - make_interval(days => ${behindMs / dayMs + 2}::integer)))`;

/** The text of a feed, as of now. Equal windows give equal texts on the same day. */
export async function buildFeed(
  context: { readonly database: Database; readonly zones: ZoneData },
  feed: { readonly title: string; readonly scope: FeedScope },
): Promise<string> {
  const { windows, now } = await inTransaction(context, async (tx) => ({
    windows: await feedWindows(tx, feed.scope),
    now: await readNow(tx),
  }));
  const today = Math.floor(now / dayMs) * dayMs;
  const made = calendarFeed({ title: feed.title, windows, from: today - behindMs, to: today + aheadMs }, context.zones);
  return writeCalendar(made.calendar);
}

async function feedWindows(tx: Tx, scope: FeedScope): Promise<readonly CalendarWindow[]> {
  const facts = await loadCatalogFacts(tx);
  const integrations = await feedIntegrations(tx);
  const rows = await tx
    .select()
    .from(maintenanceWindow)
    .where(and(isNull(maintenanceWindow.cancelledAt), mayBeShown))
    .orderBy(desc(maintenanceWindow.id))
    .limit(maxWindows);
  const changes = await occurrenceChanges(tx);
  const domain = await calendarDomain(tx);
  const windows: CalendarWindow[] = [];
  for (const row of rows.toReversed()) {
    const members = covered(facts, row.scope, windowKindEffects[row.kind].holds).flatMap(
      (one) => integrations.get(one.integrationId) ?? [],
    );
    if (!feedShows(scope, { scope: row.scope, owner: row.owner, covered: members })) continue;
    windows.push({
      uid: `window-${row.id}@${domain}`,
      title: row.title,
      kind: row.kind,
      holding: holdingOf(row),
      series: await evaluatedSeries(tx, row.series),
      owner: row.owner,
      reason: row.reason,
      covers: coverLines(scope, row.scope, members),
      version: row.version,
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
      changes: changes.get(row.id) ?? [],
    });
  }
  return windows;
}

function holdingOf(row: WindowRow): CalendarWindow["holding"] {
  if (row.approval !== null && row.approval.state !== "approved") return "pending";
  return row.mode === "observe" ? "observed" : "held";
}

/** Whoever reads the feed of a team, a system or an integration learns the names that belong to it, and how many others there are. */
function coverLines(feed: FeedScope, scope: WindowScope, members: readonly FeedIntegration[]): readonly string[] {
  const namesAll = feed.kind === "all" || feed.kind === "tag";
  const own = namesAll ? members : members.filter((one) => feedShows(feed, { scope: {}, owner: "", covered: [one] }));
  const integrations = new Set(own.map(({ key }) => key));
  const systems = new Set(own.flatMap((one) => one.systems.map(({ key }) => key)));
  if (feed.kind === "integration") integrations.add(feed.name);
  if (feed.kind === "system") systems.add(feed.name);
  const named = [
    ...part("integrations", scope.integrations, namesAll ? null : integrations),
    ...part("systems", scope.systems, namesAll ? null : systems),
    ...part("tags", scope.tags, null),
  ].join("; ");
  const keys = [...integrations].filter((key) => members.some((one) => one.key === key)).toSorted();
  const shown = keys.slice(0, maxNamed);
  return [
    `Scope: ${scope.all === true ? "everything" : named}`,
    members.length === 0 ? "Covers no integration now." : `Covers: ${withMore(shown, members.length - shown.length)}`,
  ];
}

/** One kind of what a window names; `shown` are the keys that may be said, null: all. */
function part(name: string, keys: readonly string[] | undefined, shown: ReadonlySet<string> | null): readonly string[] {
  if (keys === undefined || keys.length === 0) return [];
  const said = shown === null ? keys : keys.filter((key) => shown.has(key));
  return [`${name} ${withMore(said, keys.length - said.length)}`];
}

function withMore(keys: readonly string[], others: number): string {
  if (others === 0) return keys.join(", ");
  return keys.length === 0 ? `${others} of others` : `${keys.join(", ")} and ${others} more`;
}

async function feedIntegrations(tx: Tx): Promise<ReadonlyMap<number, FeedIntegration>> {
  const rows = await tx.execute<{
    id: number;
    key: string;
    tags: string[];
    ownerTeam: string | null;
    systems: FeedIntegration["systems"];
  }>(sql`
    select i.id, i.key, i.tags, i.owner_team as "ownerTeam",
      coalesce(jsonb_agg(jsonb_build_object('key', s.key, 'ownerTeam', s.owner_team) order by s.key) filter (where s.id is not null), '[]') as systems
    from integration as i left join integration_system as route on route.integration_id = i.id left join system as s on s.id = route.system_id
    group by i.id`);
  return new Map(rows.map(({ id, ...one }) => [id, one]));
}

async function occurrenceChanges(tx: Tx): Promise<ReadonlyMap<number, readonly OccurrenceChange[]>> {
  const rows = await tx.execute<Record<string, unknown> & OccurrenceChange & { readonly windowId: number }>(sql`
    select v.window_id as "windowId", v.local_start as "localStart", v.cancelled, v.starts_at as "startsAt", v.ends_at as "endsAt", v.at
    from occurrence_override as v join maintenance_window as w on w.id = v.window_id where w.cancelled_at is null
    order by v.window_id, v.local_start`);
  const byWindow = new Map<number, OccurrenceChange[]>();
  for (const { windowId, localStart, cancelled, startsAt, endsAt, at } of rows) {
    const list = byWindow.get(windowId) ?? [];
    list.push({ localStart, cancelled, startsAt, endsAt, at });
    byWindow.set(windowId, list);
  }
  return byWindow;
}
