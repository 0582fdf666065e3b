#!/usr/bin/env node
/**
 * Makes packages/core/src/time/packaged-zone-data.generated.ts from a folder of TZif files.
 *
 *   apt-get download tzdata && dpkg-deb -x tzdata_*.deb extracted
 *   node scripts/zone-data.mjs extracted/usr/share/zoneinfo 2026f
 *
 * Of every file only the 64-bit block and the footer are kept (RFC 8536: a version 1 block may be empty), and
 * files with the same bytes, however they are linked in the folder, are kept once.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const [folder, version] = process.argv.slice(2);
if (folder === undefined || !/^\d{4}[a-z]+$/.test(version ?? "")) {
  console.error("Usage: node scripts/zone-data.mjs <folder of TZif files> <version, such as 2026f>");
  process.exit(2);
}

const HEADER_BYTES = 44;
/** Copies of the same zones under other assumptions, and names that depend on the machine. */
const LEFT_OUT = new Set(["posix", "right", "localtime", "posixrules", "Factory"]);

function listFiles(path) {
  return readdirSync(path).flatMap((name) => {
    if (path === folder && LEFT_OUT.has(name)) return [];
    const full = join(path, name);
    return statSync(full).isDirectory() ? listFiles(full) : [full];
  });
}

/** The file with an empty version 1 block: one type of no offset and one designation byte, the least that RFC 8536 allows. */
function withoutVersion1(bytes) {
  const [utIndicators, standardIndicators, leapSeconds, transitions, types, designationBytes] = [20, 24, 28, 32, 36, 40].map((at) =>
    bytes.readUInt32BE(at),
  );
  const second = HEADER_BYTES + transitions * 5 + types * 6 + designationBytes + leapSeconds * 8 + standardIndicators + utIndicators;
  const header = Buffer.from(bytes.subarray(0, HEADER_BYTES));
  [0, 0, 0, 0, 1, 1].forEach((count, index) => header.writeUInt32BE(count, 20 + index * 4));
  return Buffer.concat([header, Buffer.alloc(7), bytes.subarray(second)]);
}

const nameOfContent = new Map();
const files = {};
const links = {};
// The real file first, then its links, so that the name kept is the one that the database calls the zone.
const paths = listFiles(folder).toSorted();
const canonicalFirst = [
  ...paths.filter((path) => relative(folder, path).includes("/")),
  ...paths.filter((path) => !relative(folder, path).includes("/")),
];
for (const path of canonicalFirst) {
  const bytes = readFileSync(path);
  if (bytes.toString("latin1", 0, 4) !== "TZif") continue;
  const name = relative(folder, path);
  const text = withoutVersion1(bytes).toString("base64");
  const kept = nameOfContent.get(text);
  if (kept === undefined) {
    nameOfContent.set(text, name);
    files[name] = text;
  } else links[name] = kept;
}

const target = fileURLToPath(new URL("../packages/core/src/time/packaged-zone-data.generated.ts", import.meta.url));
writeFileSync(
  target,
  `// Made by scripts/zone-data.mjs from the IANA time zone database ${version}. Do not edit.
export const packagedZoneVersion: string = ${JSON.stringify(version)};
/** TZif bytes in base64, by zone name. */
export const packagedZoneFiles: Readonly<Record<string, string>> = ${JSON.stringify(files, null, 2)};
/** Names that mean a zone of another name. */
export const packagedZoneLinks: Readonly<Record<string, string>> = ${JSON.stringify(links, null, 2)};
`,
);
console.log(
  `${Object.keys(files).length} zones and ${Object.keys(links).length} links of ${version}, ${Math.round(statSync(target).size / 1024)} KiB in ${relative(process.cwd(), target)}`,
);
