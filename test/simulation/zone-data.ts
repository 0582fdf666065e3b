import { offsetAt, type Zone, type ZoneTransition, zoneFromTransitions } from "@quiesce/core";
import { silentLog } from "../database/silent-log.js";
import type { CommandContext } from "../../packages/server/src/command.js";
import { packagedZoneDataFiles } from "../../packages/server/src/zone-data/load-zone-data.js";
import { writeTzif } from "../../packages/server/src/zone-data/write-tzif.js";
import { ensureZoneData } from "../../packages/server/src/zone-data/zone-data-in-force.js";
import { type ZoneDataFiles, zoneDataOf } from "../../packages/server/src/zone-data/zone-data-files.js";
import { rezoneJobs } from "./rezone-jobs.js";
import type { Random } from "./random.js";
import type { Story } from "./story.js";
import { day, hour, minute, zones } from "./world.js";

/** Newer versions after the packaged one; a story knows no more. */
const laterVersions = ["2097a", "2097b", "2097c"];

/** The packaged data of the zones that stories are planned in: few, so that storing and reading them costs a story little. */
export function firstZoneData(): ZoneDataFiles {
  const { version, source, files } = packagedZoneDataFiles();
  return { version, source, files: new Map(zones.flatMap((name) => [...files].filter(([one]) => one === name))) };
}

/** A government's decision at short notice: from some hour on, past or to come, a zone's clocks tell another time, for good or as if its rules were gone. */
function changedZone(random: Random, input: { readonly zone: Zone; readonly now: number }): Zone {
  const { zone, now } = input;
  const from = Math.floor(now / hour) * hour + random.pick([-3 * day, -6 * hour, -hour, hour, 5 * hour, day, 3 * day]);
  const byMs = random.pick([-hour, -hour, hour, hour, 30 * minute, -3 * hour]);
  const transitions: ZoneTransition[] = [];
  zone.starts.forEach((at, index) => {
    if (index > 0 && at < from) transitions.push({ at, offsetMs: zone.offsets[index] ?? 0 });
  });
  transitions.push({ at: from, offsetMs: offsetAt(from, zone) + byMs });
  // Without summer time from then on, or with it as before.
  if (random.chance(0.5))
    zone.starts.forEach((at, index) => {
      if (at > from) transitions.push({ at, offsetMs: (zone.offsets[index] ?? 0) + byMs });
    });
  return zoneFromTransitions({ name: zone.name, firstOffsetMs: zone.offsets[0] ?? 0, transitions });
}

/** A server with newer zone data starts, in the middle of everything: what lies ahead in one zone moves, what has begun keeps its instants. */
export async function updateZoneData(story: Story, context: CommandContext): Promise<void> {
  const { random, now, holds } = story;
  const version = laterVersions[story.tally.zoneUpdates];
  if (version === undefined || now < story.latest) return;
  const before = story.zoneData;
  const name = random.pick(zones.filter((zone) => zone !== "UTC"));
  const zone = zoneDataOf(before).zone(name);
  if (zone === undefined) return story.broken(`the story has no zone ${name}`);
  const changed = changedZone(random, { zone, now });
  const after = { version, source: "story", files: new Map([...before.files, [name, writeTzif(changed)]]) };
  const starts = changed.starts.length;
  story.note(`zone data ${version}: ${name} at ${offsetAt(now, changed) / minute} minutes instead of ${offsetAt(now, zone) / minute}`);
  await ensureZoneData(context.database, after, silentLog);
  story.note(`zone data ${version} are in force (${starts} transitions)`);
  story.useZoneData(after);
  await story.takeOverZoneData("operator");
  story.tally.zoneUpdates += 1;
  story.tally.movedOccurrences += holds.changeZone(name, { zones: story.zones, now });
  await checkInstants(story, name);
  await rezoneJobs(story, { timeZone: name, before: zoneDataOf(before) });
}

/** Between drain and release an occurrence keeps its instants; what had not begun is where the new data put it. */
async function checkInstants(story: Story, timeZone: string): Promise<void> {
  const rows = await story.database.sql<{ key: string; localStart: string; start: number; end: number; version: string; open: boolean }[]>`
    select w.key, o.local_start as "localStart", o.starts_at as start, o.ends_at as "end", o.zone_data_version as version,
      o.started_at is not null and o.released_at is null as open
    from occurrence as o join maintenance_window as w on w.id = o.window_id
    where w.cancelled_at is null and w.series ->> 'timeZone' = ${timeZone} and o.closed_at is null and o.cancelled_at is null order by o.id`;
  for (const row of rows) {
    const name = `${row.key}/${row.localStart}`;
    const known = story.holds.windows.get(row.key)?.occurrences.get(row.localStart);
    if (known === undefined) {
      if (row.end > story.now && row.start > story.now) story.broken(`${name} is there and no window plans it`);
      continue;
    }
    if (row.start !== known.start || (row.end !== known.end && !known.over))
      story.broken(`after the zone data changed, ${name} is from ${row.start} to ${row.end} instead of ${known.start} to ${known.end}`);
    if (row.open && row.version !== story.zones.version) story.tally.keptInstants += 1;
  }
}

/** What the database says to a server that computes with zone data which are not in force any more. */
export function isOtherZoneData(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause)
    if ("code" in one && one.code === "40001" && one.message.startsWith("The time zone data in force have changed")) return true;
  return false;
}
