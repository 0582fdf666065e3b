import { zoneFromOffsets } from "@quiesce/core";
import { writeTzif } from "./write-tzif.js";
import type { ZoneDataFiles } from "./zone-data-files.js";

/** Intl is asked for every day between these; before and after them the offsets at the edges stand. */
const FROM = Date.UTC(2024, 0, 1);
const TO = Date.UTC(2036, 0, 1);

function offsetsOf(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (instant) => {
    // Intl shows whole seconds.
    const whole = Math.floor(instant / 1_000) * 1_000;
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = format.format(whole).match(/\d+/g)?.map(Number) ?? [];
    return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
  };
}

/**
 * The zone data that this Node.js was built with: the last resort, because they are as old as the build and end in 2036. Takes some seconds.
 */
export function intlZoneData(): ZoneDataFiles {
  const names = [...new Set([...Intl.supportedValuesOf("timeZone"), "UTC", "Etc/UTC"])];
  const files = new Map(names.map((name) => [name, writeTzif(zoneFromOffsets({ name, offsetAt: offsetsOf(name), from: FROM, to: TO }))]));
  return { version: process.versions["tz"] ?? "", source: `Intl of Node.js ${process.versions.node}`, files };
}
