import { DomainError, offsetAt, type Zone, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

const DAY_MS = 86_400_000;
/** A local time is at most so far from the instant that it means, whichever zone it is read in. */
const LOCAL_MARGIN_MS = 2 * DAY_MS;

function changesSince(zone: Zone, since: number): readonly string[] {
  const changes: string[] = [];
  zone.starts.forEach((start, index) => {
    if (start > since) changes.push(`${start} ${zone.offsets[index]}`);
  });
  return changes;
}

/** Whether two readings of a zone tell different local times at some instant from `since` on. */
export function zoneDiffers(a: Zone | undefined, b: Zone | undefined, since: number): boolean {
  if (a === undefined || b === undefined) return a !== b;
  if (offsetAt(since, a) !== offsetAt(since, b)) return true;
  const [ofA, ofB] = [changesSince(a, since), changesSince(b, since)];
  return ofA.length !== ofB.length || ofA.some((change, index) => change !== ofB[index]);
}

/** The zones that windows and enabled jobs are planned in, and the earliest instant that is still computed in any of them. */
export async function usedZones(tx: Tx, now: number): Promise<{ readonly names: readonly string[]; readonly since: number }> {
  const rows = await tx.execute<{ name: string; since: number }>(sql`
    select name, min(since)::timestamptz as since
    from (
      select series ->> 'timeZone' as name, ${now}::timestamptz as since from maintenance_window where cancelled_at is null
      union all
      select s.schedule ->> 'timeZone', least(s.valid_from, j.watermark) from job_schedule as s join job as j on j.id = s.job_id where s.valid_to is null
    ) as used
    where name is not null group by name order by name`);
  return { names: rows.map((row) => row.name), since: Math.min(now, ...rows.map((row) => row.since)) - LOCAL_MARGIN_MS };
}

/** Those of the names that the data cannot answer, because they lack them or because a file is broken. */
export function missingZones(zones: ZoneData, names: readonly string[]): readonly string[] {
  return names.filter((name) => readableZone(zones, name) === undefined);
}

function readableZone(zones: ZoneData, name: string): Zone | undefined {
  try {
    return zones.zone(name);
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}

/** Those of the names whose rules differ from `since` on; all of them when it is not known what they were. */
export function changedZones(input: {
  readonly before: ZoneData | null;
  readonly after: ZoneData;
  readonly names: readonly string[];
  readonly since: number;
}): readonly string[] {
  const { before, after, names, since } = input;
  return before === null ? names : names.filter((name) => zoneDiffers(readableZone(before, name), readableZone(after, name), since));
}
