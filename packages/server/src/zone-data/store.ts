import type { ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { packZoneFiles, unpackZoneFiles, type ZoneDataFiles, zoneDataOf } from "./zone-data-files.js";

/** The version in force; null on a database that no server has computed anything in. */
export async function zoneDataVersionInForce(tx: Tx): Promise<string | null> {
  const rows = await tx.execute<{ version: string | null }>(sql`select zone_data_version as version from control`);
  return rows[0]?.version ?? null;
}

/** The stored data of a version, or null. */
export async function storedZoneData(tx: Tx, version: string): Promise<ZoneData | null> {
  const rows = await tx.execute<{ source: string; files: Uint8Array }>(sql`select source, files from zone_data where version = ${version}`);
  const row = rows[0];
  return row === undefined ? null : zoneDataOf({ version, source: row.source, files: unpackZoneFiles(row.files) });
}

/** Stores a version if it is new. What is in force stays what it is. */
export async function storeZoneData(tx: Tx, data: ZoneDataFiles): Promise<void> {
  const packed = packZoneFiles(data.files).toString("base64");
  await tx.execute(sql`
    insert into zone_data (version, source, files) values (${data.version}, ${data.source}, decode(${packed}, 'base64'))
    on conflict (version) do nothing`);
}

/** From the commit on every server computes with this version. */
export async function switchZoneData(tx: Tx, versions: { readonly before: string | null; readonly after: string }): Promise<void> {
  // Schedules from before versions were kept: their past was computed with what was in force.
  if (versions.before !== null) {
    await tx.execute(
      sql`update job_schedule set zone_data_version = ${versions.before} where zone_data_version is null and schedule ->> 'timeZone' is not null`,
    );
  }
  await tx.execute(sql`update control set zone_data_version = ${versions.after}`);
}

/** The zone data of each of these versions; where nothing is stored of one (null, or from before data were stored), `current` has to do. */
export async function zoneDataByVersion(
  tx: Tx,
  current: ZoneData,
  versions: Iterable<string | null>,
): Promise<(version: string | null) => ZoneData> {
  const found = new Map<string, ZoneData>([[current.version, current]]);
  for (const version of versions) {
    if (version === null || found.has(version)) continue;
    found.set(version, (await storedZoneData(tx, version)) ?? current);
  }
  return (version) => (version === null ? current : (found.get(version) ?? current));
}
