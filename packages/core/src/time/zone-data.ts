import { nearestName } from "../catalog/nearest-name.js";
import { DomainError } from "../domain-error.js";
import { parseTzif } from "./parse-tzif.js";
import type { Zone } from "./zone.js";

/** The rules of all zones at one version of the IANA time zone database. */
export interface ZoneData {
  /** Such as "2026f". */
  readonly version: string;
  /** Where it came from, for people: "packaged", a folder, "Intl". */
  readonly source: string;
  /** The zone of that name (links included), or undefined. Names are case-sensitive. Zones are read on first use. */
  zone(name: string): Zone | undefined;
  /** All names, links included, sorted. */
  names(): readonly string[];
}

/** Zone data whose zones are made on first use by `load`. */
export function lazyZoneData(input: {
  readonly version: string;
  readonly source: string;
  readonly names: readonly string[];
  readonly load: (name: string) => Zone | undefined;
}): ZoneData {
  const known = new Set(input.names);
  const sorted = [...known].toSorted();
  const loaded = new Map<string, Zone | undefined>();
  return {
    version: input.version,
    source: input.source,
    names: () => sorted,
    zone: (name) => {
      const cached = loaded.get(name);
      if (cached !== undefined || !known.has(name)) return cached;
      const zone = input.load(name);
      loaded.set(name, zone);
      return zone;
    },
  };
}

/**
 * Zone data from the bytes of TZif files, keyed by zone name ("Europe/Madrid"). A file is parsed on first use, so a
 * broken one throws DomainError QSC_TIME_ZONE_FILE_MALFORMED only when its zone is asked for.
 */
export function parseZoneData(input: {
  readonly version: string;
  readonly source: string;
  readonly files: ReadonlyMap<string, Uint8Array> | Readonly<Record<string, Uint8Array>>;
}): ZoneData {
  const files: ReadonlyMap<string, Uint8Array> = input.files instanceof Map ? input.files : new Map(Object.entries(input.files));
  return lazyZoneData({
    version: input.version,
    source: input.source,
    names: [...files.keys()],
    load: (name) => {
      const bytes = files.get(name);
      return bytes === undefined ? undefined : parseTzif(name, bytes);
    },
  });
}

const VERSION = /^(\d{4})([a-z]*)$/;

/** Year, number of letters and letters: after 2026z would come 2026za. */
function versionRank(version: string): readonly [number, number, string] {
  const match = VERSION.exec(version);
  return match === null ? [0, 0, ""] : [Number(match[1]), match[2]?.length ?? 0, match[2] ?? ""];
}

/** Orders versions of the IANA database: negative when `a` is older than `b`, 0 when equal. A text that is no version is older than all. */
export function compareZoneDataVersions(a: string, b: string): number {
  const [yearA, lengthA, suffixA] = versionRank(a);
  const [yearB, lengthB, suffixB] = versionRank(b);
  if (yearA !== yearB) return yearA - yearB;
  if (lengthA !== lengthB) return lengthA - lengthB;
  return suffixA < suffixB ? -1 : suffixA > suffixB ? 1 : 0;
}

/** The newer of two sets of zone data; the first when both have the same version. */
export function newerZoneData(a: ZoneData, b: ZoneData): ZoneData {
  return compareZoneDataVersions(a.version, b.version) >= 0 ? a : b;
}

/** The zone of that name. Throws DomainError QSC_TIME_ZONE_UNKNOWN naming the field at fault. */
export function requireZone(zones: ZoneData, name: string, field = "timeZone"): Zone {
  const zone = zones.zone(name);
  if (zone !== undefined) return zone;
  const nearest = nearestZone(zones, name);
  const instead = nearest === undefined ? "Use a name such as Europe/Madrid or UTC" : `Did you mean ${nearest}? Use the whole name`;
  throw new DomainError(
    "QSC_TIME_ZONE_UNKNOWN",
    `"${name}" is not a time zone of the IANA database ${zones.version} (${zones.source}). ${instead}; names are case-sensitive.`,
    { field, details: { timeZone: name, version: zones.version, ...(nearest === undefined ? {} : { nearest }) } },
  );
}

/** The zone whose city was named alone, or whose name is written almost so. */
function nearestZone(zones: ZoneData, name: string): string | undefined {
  const wanted = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
  const ofCity = zones.names().find((one) => one.toLowerCase().endsWith(`/${wanted}`));
  return ofCity ?? nearestName(name, zones.names());
}
