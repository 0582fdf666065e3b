import { DomainError } from "@quiesce/core";
import type { Log } from "../log.js";
import { loadZoneData, packagedZoneDataFiles } from "./load-zone-data.js";
import { readZoneinfo } from "./read-zoneinfo.js";
import { unpackZoneFiles, type ZoneDataFiles } from "./zone-data-files.js";

/** Which data are compared with those in force. `restart`: what this server would find if it were started now. */
export const zoneDataSources = ["restart", "packaged", "system", "files"] as const;
export type ZoneDataSource = (typeof zoneDataSources)[number];

/** Files that a client sends, packed; a whole database is about 300 KB. */
const maxPackedCharacters = 4_000_000;
const version = /^\d{4}[a-z]{1,2}$/;

/** Reads zone data that may come into force one day. Throws QSC_ZONE_DATA_FOLDER_UNUSABLE, QSC_ZONE_DATA_FILES_UNUSABLE. */
export async function candidateZoneData(input: {
  readonly source: ZoneDataSource;
  readonly folders: { readonly folder: string | undefined; readonly systemFolder: string };
  readonly files?: { readonly version: string; readonly packed: string; readonly source: string } | undefined;
  readonly log: Log;
}): Promise<ZoneDataFiles> {
  const { source, folders, files, log } = input;
  switch (source) {
    case "restart":
      return loadZoneData({ ...folders, log });
    case "packaged":
      return packagedZoneDataFiles();
    case "system":
      return readZoneinfo(folders.systemFolder);
    case "files":
      return sentFiles(files);
  }
}

function sentFiles(files: { readonly version: string; readonly packed: string; readonly source: string } | undefined): ZoneDataFiles {
  const refuse = (found: string) =>
    new DomainError(
      "QSC_ZONE_DATA_FILES_UNUSABLE",
      `The zone data that were sent cannot be used: ${found}. Expected what \`quiesce zones diff --to <folder>\` sends.`,
      { field: "files" },
    );
  if (files === undefined) throw refuse("there are none");
  if (!version.test(files.version)) throw refuse(`"${files.version.slice(0, 20)}" is no version such as 2026f`);
  if (files.packed.length > maxPackedCharacters) throw refuse(`they have more than ${maxPackedCharacters} characters`);
  try {
    return { version: files.version, source: files.source, files: unpackZoneFiles(Buffer.from(files.packed, "base64")) };
  } catch {
    // Whatever is wrong with bytes from outside, it is not a bug of ours.
    throw refuse("they are not packed as expected");
  }
}
