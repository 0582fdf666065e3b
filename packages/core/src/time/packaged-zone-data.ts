import { packagedZoneFiles, packagedZoneLinks, packagedZoneVersion } from "./packaged-zone-data.generated.js";
import { parseTzif } from "./parse-tzif.js";
import { lazyZoneData, type ZoneData } from "./zone-data.js";

let packaged: ZoneData | undefined;

function bytesFromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The TZif bytes of every packaged zone by name; a link has the same array as its zone. For storing them, not for computing. */
export function packagedZoneFileBytes(): ReadonlyMap<string, Uint8Array> {
  const files = new Map(Object.entries(packagedZoneFiles).map(([name, text]) => [name, bytesFromBase64(text)]));
  for (const [link, target] of Object.entries(packagedZoneLinks)) {
    const bytes = files.get(target);
    if (bytes !== undefined) files.set(link, bytes);
  }
  return files;
}

/** The zone data that travels with this package, made by scripts/zone-data.mjs. A zone is decoded when it is first asked for. */
export function packagedZoneData(): ZoneData {
  packaged ??= lazyZoneData({
    version: packagedZoneVersion,
    source: "packaged",
    names: [...Object.keys(packagedZoneFiles), ...Object.keys(packagedZoneLinks)],
    load: (name) => {
      const text = packagedZoneFiles[packagedZoneLinks[name] ?? name];
      return text === undefined ? undefined : parseTzif(name, bytesFromBase64(text));
    },
  });
  return packaged;
}
