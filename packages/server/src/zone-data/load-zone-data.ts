import { compareZoneDataVersions, packagedZoneData, packagedZoneFileBytes } from "@quiesce/core";
import type { Log } from "../log.js";
import { intlZoneData } from "./intl-zone-data.js";
import { readZoneinfo, zoneinfoVersion } from "./read-zoneinfo.js";
import type { ZoneDataFiles } from "./zone-data-files.js";

const SYSTEM_FOLDER = "/usr/share/zoneinfo";

/** The zone data that travel with Quiesce. */
export function packagedZoneDataFiles(): ZoneDataFiles {
  const { version, source } = packagedZoneData();
  return { version, source, files: packagedZoneFileBytes() };
}

/**
 * This server's own zone data, the candidate for `ensureZoneData`: the configured folder when there is one; else the newer of the system's and the
 * packaged; else what Intl knows, with a warning. Throws DomainError QSC_ZONE_DATA_FOLDER_UNUSABLE for a configured folder that cannot be used.
 */
export async function loadZoneData(options: {
  /** An operator's choice: nothing else is looked at. */
  readonly folder?: string | undefined;
  /** The system's zoneinfo, where TZDIR points for example; null for none. */
  readonly systemFolder?: string | null | undefined;
  readonly packaged?: (() => ZoneDataFiles) | null;
  readonly log: Log;
}): Promise<ZoneDataFiles> {
  const { folder, systemFolder = SYSTEM_FOLDER, packaged = packagedZoneDataFiles, log } = options;
  if (folder !== undefined) return readZoneinfo(folder);
  const own = packaged?.() ?? null;
  const system = systemFolder === null ? null : await newerSystem({ folder: systemFolder, than: own?.version ?? "", log });
  const found = system ?? own;
  if (found !== null) return found;
  const last = intlZoneData();
  log.warn(
    { version: last.version },
    "No zone data were found but those inside Node.js, which may be outdated. Install tzdata or name a folder of zone files.",
  );
  return last;
}

async function newerSystem(input: { readonly folder: string; readonly than: string; readonly log: Log }): Promise<ZoneDataFiles | null> {
  const version = await zoneinfoVersion(input.folder);
  // The version is compared before six hundred files are read.
  if (version === null || compareZoneDataVersions(version, input.than) <= 0) return null;
  try {
    return await readZoneinfo(input.folder);
  } catch (error) {
    input.log.warn({ err: error, folder: input.folder }, "The system's zone data are left out.");
    return null;
  }
}
