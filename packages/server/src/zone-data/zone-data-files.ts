import { gunzipSync, gzipSync } from "node:zlib";
import { parseZoneData, type ZoneData } from "@quiesce/core";
import { z } from "zod";

/** One version of the IANA database as files, before anything is computed with it. */
export interface ZoneDataFiles {
  /** Such as "2026f". */
  readonly version: string;
  /** Where it came from, for people: "packaged", a folder, "Intl". */
  readonly source: string;
  /** TZif bytes (RFC 8536) by zone name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Unpacked data beyond this are not zone data; the whole database is 1 MB. */
const MAX_UNPACKED_BYTES = 32 * 1_024 * 1_024;

const packedSchema = z.strictObject({ files: z.record(z.string(), z.string()), links: z.record(z.string(), z.string()) });

export function zoneDataOf({ version, source, files }: ZoneDataFiles): ZoneData {
  return parseZoneData({ version, source, files });
}

/** The files as one compressed value for the database; equal files are kept once. */
export function packZoneFiles(files: ReadonlyMap<string, Uint8Array>): Buffer {
  const nameOfContent = new Map<string, string>();
  const kept: Record<string, string> = {};
  const links: Record<string, string> = {};
  for (const [name, bytes] of files) {
    const text = Buffer.from(bytes).toString("base64");
    const first = nameOfContent.get(text);
    if (first === undefined) {
      nameOfContent.set(text, name);
      kept[name] = text;
    } else links[name] = first;
  }
  return gzipSync(JSON.stringify({ files: kept, links }));
}

/** The reverse of {@link packZoneFiles}. Throws when the bytes are anything else. */
export function unpackZoneFiles(packed: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const text = gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES }).toString("utf8");
  const { files, links } = packedSchema.parse(JSON.parse(text));
  const unpacked = new Map<string, Uint8Array>(Object.entries(files).map(([name, base64]) => [name, Buffer.from(base64, "base64")]));
  for (const [link, target] of Object.entries(links)) {
    const bytes = unpacked.get(target);
    if (bytes !== undefined) unpacked.set(link, bytes);
  }
  return unpacked;
}
