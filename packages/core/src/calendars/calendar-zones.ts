import { DomainError } from "../domain-error.js";
import { nearestName } from "../catalog/nearest-name.js";
import { DAY_MS, parseLocal } from "../time/local-time.js";
import type { ZoneData } from "../time/zone-data.js";
import { occurrences } from "../windows/occurrences.js";
import type { WindowSeries } from "../windows/window-series.js";
import { definedZones } from "./defined-zones.js";
import { type JCalComponent, textOf } from "./jcal.js";
import { windowsZones } from "./windows-zones.generated.js";

/** A definition of a calendar's own is compared with our data for so long. */
const COMPARED_MS = 731 * DAY_MS;
const BEGUN_MS = 62 * DAY_MS;
/** So far definitions are unrolled; no calendar of maintenance plans further. */
const DEFINED_MS = 3_660 * DAY_MS;

/** What a TZID was taken for. */
export interface MeantZone {
  /** The IANA zone. */
  readonly timeZone: string;
  /** `named`: the TZID says so. `likely`: the calendar's own definition must agree before it counts. */
  readonly trust: "named" | "likely";
}

/** Which IANA zones a calendar's TZIDs mean. */
export interface CalendarZones {
  /** The zone of all-day events and of times without any zone; null when nobody said one. */
  readonly own: string | null;
  /** Throws QSC_CALENDAR_ZONE_UNKNOWN. */
  meant(tzid: string): MeantZone;
  /**
   * Whether the calendar's own definition of the TZID gives the series the instants that our zone data give it, for two years from now on; null when
   * the calendar defines no such zone.
   */
  agrees(tzid: string, series: WindowSeries): boolean | null;
}

/** `zoneMap` is the operator's word for TZIDs that nobody else could know. */
export function calendarZones(
  calendar: JCalComponent,
  options: {
    readonly timeZone: string | null;
    readonly zoneMap: Readonly<Record<string, string>>;
    readonly now: number;
    readonly zones: ZoneData;
  },
): CalendarZones {
  const { now, zones } = options;
  const defined = definedZones(calendar, { from: now - COMPARED_MS, to: now + DEFINED_MS });
  const known = (name: string | null | undefined): string | undefined =>
    name === null || name === undefined || zones.zone(name) === undefined ? undefined : name;
  const own = known(options.timeZone) ?? known(textOf(calendar, "x-wr-timezone")) ?? null;
  return {
    own,
    meant(tzid) {
      const mapped = Object.hasOwn(options.zoneMap, tzid) ? known(options.zoneMap[tzid]) : undefined;
      if (mapped !== undefined) return { timeZone: mapped, trust: "named" };
      const named = known(tzid) ?? known(pathTail(tzid, zones));
      if (named !== undefined) return { timeZone: named, trust: "named" };
      const likely = known(Object.hasOwn(windowsZones, tzid) ? windowsZones[tzid] : undefined);
      // A Windows zone without a definition means what Outlook means by it.
      if (likely !== undefined) return { timeZone: likely, trust: defined.has(tzid) ? "likely" : "named" };
      const guess = known(defined.get(tzid)?.location) ?? (defined.has(tzid) ? own : null);
      if (guess !== null) return { timeZone: guess, trust: "likely" };
      const near = nearestName(tzid, zones.names());
      throw new DomainError(
        "QSC_CALENDAR_ZONE_UNKNOWN",
        `The time zone "${tzid.slice(0, 80)}" is neither an IANA zone nor one of Windows${near === undefined ? "" : ` (is ${near} meant?)`}. Say which it is: --map-zone "${tzid.slice(0, 80)}=Europe/Madrid".`,
        { field: "zoneMap" },
      );
    },
    agrees(tzid, series) {
      const definition = defined.get(tzid);
      if (definition === undefined) return null;
      const theirs: ZoneData = { version: zones.version, source: "calendar", zone: () => definition.zone, names: () => [tzid] };
      // What has begun counts, and an event that lies further ahead than anybody compares counts as well.
      const range = { from: now - BEGUN_MS, to: Math.max(now + COMPARED_MS, (parseLocal(series.start) ?? now) + 2 * DAY_MS) };
      const instants = (data: ZoneData): string => JSON.stringify(occurrences(series, range, data).map(({ start, end }) => [start, end]));
      return instants(zones) === instants(theirs);
    },
  };
}

/** Some programs write /citadel.org/20260101_1/Europe/Madrid. */
function pathTail(tzid: string, zones: ZoneData): string | undefined {
  const segments = tzid.split("/").filter((segment) => segment !== "");
  return [3, 2].map((count) => segments.slice(-count).join("/")).find((name) => zones.zone(name) !== undefined);
}
