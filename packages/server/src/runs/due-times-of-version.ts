import { dueTimes, type JobSchedule, type ZoneData } from "@quiesce/core";
import type { Tx } from "../db/client.js";
import { zoneDataByVersion } from "../zone-data/store.js";

/** One version of a job's schedule, as job_schedule keeps it. */
export interface ScheduleVersion {
  readonly schedule: JobSchedule;
  /** The zone data that its due times were computed with; null on versions from before these were kept. */
  readonly zoneDataVersion: string | null;
}

/** The due times of a version in [from, to), epoch milliseconds, ascending, the first `limit` of them; none when the range is empty. */
export type DueTimesOfVersion = (
  version: ScheduleVersion,
  range: { readonly from: number; readonly to: number; readonly limit?: number },
) => readonly number[];

/** The most due times of one version in one reading. */
const maxDues = 1_000_000;

/** Recomputes due times of the past with the zone data of their time: others would find due times that nobody could know of. */
export async function dueTimesOfVersions(
  tx: Tx,
  zones: ZoneData,
  versions: readonly Pick<ScheduleVersion, "zoneDataVersion">[],
): Promise<DueTimesOfVersion> {
  const zonesOf = await zoneDataByVersion(
    tx,
    zones,
    versions.map((one) => one.zoneDataVersion),
  );
  return (version, { from, to, limit = maxDues }) =>
    to <= from
      ? []
      : dueTimes(version.schedule, { from, to, limit: Math.min(limit, maxDues) }, zonesOf(version.zoneDataVersion)).map((due) => due.dueAt);
}

/**
 * How the due times that runs of one state stand for count by state: one of each run is the run itself, the others were coalesced into it. A
 * skipped range skipped every one. The counts add up to `dues`.
 */
export function duesByState(
  state: string,
  of: { readonly runs: number; readonly dues: number },
): readonly { readonly state: string; readonly dues: number }[] {
  if (of.dues === 0) return [];
  const own = state === "skipped" || state === "coalesced" || state === "cancelled" ? of.dues : of.runs;
  return own === of.dues
    ? [{ state, dues: own }]
    : [
        { state, dues: own },
        { state: "coalesced", dues: of.dues - own },
      ];
}
