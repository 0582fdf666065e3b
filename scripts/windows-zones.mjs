#!/usr/bin/env node
/**
 * Makes packages/core/src/calendars/windows-zones.generated.ts from CLDR's windowsZones.xml.
 *
 *   apt-get download unicode-cldr-core && dpkg-deb -x unicode-cldr-core_*.deb extracted
 *   node scripts/windows-zones.mjs extracted/usr/share/unicode/cldr/common/supplemental/windowsZones.xml 41
 *
 * Of every Windows zone only the territory 001 is kept: the IANA zone that stands for it everywhere.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [file, version] = process.argv.slice(2);
if (file === undefined || version === undefined) {
  console.error("Usage: node scripts/windows-zones.mjs <windowsZones.xml> <version of CLDR, such as 41>");
  process.exit(2);
}
const rows = [...readFileSync(file, "utf8").matchAll(/<mapZone other="([^"]+)" territory="001" type="([^" ]+)"/g)];
const zones = Object.fromEntries(rows.map(([, windows, iana]) => [windows, iana]).toSorted(([a], [b]) => (a < b ? -1 : 1)));
const target = fileURLToPath(new URL("../packages/core/src/calendars/windows-zones.generated.ts", import.meta.url));
writeFileSync(
  target,
  `// Made by scripts/windows-zones.mjs from the Unicode CLDR ${version}. Do not edit.
// Copyright © 1991-2022 Unicode, Inc. Distributed under the Unicode License; see licenses/unicode.txt of this package.
/** The IANA zone that a Windows zone means, by its name as Outlook writes it. */
export const windowsZones: Readonly<Record<string, string>> = ${JSON.stringify(zones, null, 2)};
`,
);
console.log(`${Object.keys(zones).length} Windows zones of CLDR ${version}.`);
