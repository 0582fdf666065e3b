import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DomainError } from "@quiesce/core";
import { type ZoneDataFiles, zoneDataOf } from "./zone-data-files.js";

/** Copies of the same zones under other assumptions, and names that depend on the machine. */
const LEFT_OUT: ReadonlySet<string> = new Set(["posix", "right", "localtime", "posixrules", "Factory"]);
const ZONE_NAME_PART = /^[A-Za-z][A-Za-z0-9+_-]*$/;
const VERSION = /^\d{4}[a-z]{1,2}$/;
const MAGIC = "TZif";
const MAX_FILES = 2_000;
const MAX_FILE_BYTES = 256 * 1_024;
const MAX_DEPTH = 3;

const textOf = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** The version that a zoneinfo folder names: in the first line of tzdata.zi (`# version 2026f`) or in +VERSION. Null when it names none. */
export async function zoneinfoVersion(folder: string): Promise<string | null> {
  const [firstLine = ""] = (await textOf(join(folder, "tzdata.zi"))).split("\n", 1);
  const versions = [firstLine.replace(/^# version /, ""), await textOf(join(folder, "+VERSION"))].map((text) => text.trim());
  return versions.find((text) => VERSION.test(text)) ?? null;
}

function unusable(folder: string, found: string): DomainError {
  return new DomainError(
    "QSC_ZONE_DATA_FOLDER_UNUSABLE",
    `The folder ${folder} is no usable zone data: ${found}. Expected TZif files as /usr/share/zoneinfo has them, with the version in tzdata.zi ("# version 2026f") or in +VERSION.`,
    { details: { folder } },
  );
}

/** Reads a folder of TZif files with its version. Throws DomainError QSC_ZONE_DATA_FOLDER_UNUSABLE saying what is missing. */
export async function readZoneinfo(folder: string): Promise<ZoneDataFiles> {
  const version = await zoneinfoVersion(folder);
  if (version === null) throw unusable(folder, "it names no version");
  const files = new Map<string, Uint8Array>();
  await readInto(files, { folder, prefix: "", depth: 1 });
  const found: ZoneDataFiles = { version, source: folder, files };
  if (zoneDataOf(found).zone("UTC") === undefined) throw unusable(folder, `among its ${files.size} zones is no UTC`);
  return found;
}

async function readInto(
  files: Map<string, Uint8Array>,
  at: { readonly folder: string; readonly prefix: string; readonly depth: number },
): Promise<void> {
  const entries = await readdir(join(at.folder, at.prefix), { withFileTypes: true }).catch((error: unknown) => {
    throw unusable(at.folder, `it cannot be read (${error instanceof Error ? error.message : String(error)})`);
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = at.prefix === "" ? entry.name : `${at.prefix}/${entry.name}`;
    if (!ZONE_NAME_PART.test(entry.name) || LEFT_OUT.has(name)) continue;
    if (entry.isDirectory()) {
      if (at.depth < MAX_DEPTH) await readInto(files, { folder: at.folder, prefix: name, depth: at.depth + 1 });
      continue;
    }
    const bytes = await readFile(join(at.folder, name)).catch(() => null);
    if (bytes === null || bytes.length > MAX_FILE_BYTES || bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) continue;
    if (files.size >= MAX_FILES) throw unusable(at.folder, `it has more than ${MAX_FILES} zones`);
    files.set(name, bytes);
  }
}
