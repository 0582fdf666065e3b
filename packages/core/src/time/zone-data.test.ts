import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DomainError } from "../domain-error.js";
import { packagedZoneFiles } from "./packaged-zone-data.generated.js";
import { packagedZoneData } from "./packaged-zone-data.js";
import { offsetAt } from "./resolve-local.js";
import { compareZoneDataVersions, newerZoneData, parseZoneData, requireZone } from "./zone-data.js";

const MINUTE_MS = 60_000;
const at = (text: string): number => Date.parse(text);
const offsetMinutes = (zone: string, instant: string): number => offsetAt(at(instant), requireZone(packagedZoneData(), zone)) / MINUTE_MS;

function bytesOf(zone: string): Uint8Array {
  return Uint8Array.from(Buffer.from(packagedZoneFiles[zone] ?? "", "base64"));
}

describe("the packaged zone data", () => {
  test("has the zones and links of 2026f", () => {
    const zones = packagedZoneData();
    expect(zones.version).toBe("2026f");
    expect(zones.names().length).toBeGreaterThan(590);
    for (const name of [
      "UTC",
      "Europe/Madrid",
      "US/Eastern",
      "Etc/GMT+5",
      "Asia/Calcutta",
      "Asia/Kolkata",
      "America/Argentina/Buenos_Aires",
    ])
      expect(zones.names()).toContain(name);
    expect(zones.names().filter((name) => name.startsWith("posix") || name.startsWith("right"))).toEqual([]);
  });

  test("every zone of it can be read", () => {
    const zones = packagedZoneData();
    for (const name of zones.names()) expect(zones.zone(name)?.offsets.length, name).toBeGreaterThan(0);
  });

  test.each([
    ["Europe/Madrid", "2026-03-29T00:59:59Z", 60],
    ["Europe/Madrid", "2026-03-29T01:00:00Z", 120],
    // Beyond the table of the file the rule of its footer stands.
    ["Europe/Madrid", "2050-07-01T00:00:00Z", 120],
    // The fifth Sunday of March 2040 would be the first of April.
    ["Europe/Madrid", "2040-03-25T00:59:59Z", 60],
    ["Europe/Madrid", "2040-03-25T01:00:00Z", 120],
    ["Europe/Madrid", "2399-12-01T00:00:00Z", 60],
    ["America/New_York", "2060-03-14T06:59:59Z", -300],
    ["America/New_York", "2060-03-14T07:00:00Z", -240],
    // Winter time as a saving of minus one hour.
    ["Europe/Dublin", "2045-07-01T00:00:00Z", 60],
    ["Europe/Dublin", "2045-01-01T00:00:00Z", 0],
    ["Australia/Lord_Howe", "2045-01-01T00:00:00Z", 660],
    ["Australia/Lord_Howe", "2045-07-01T00:00:00Z", 630],
    ["America/Sao_Paulo", "2018-12-01T00:00:00Z", -120],
    ["America/Sao_Paulo", "2050-12-01T00:00:00Z", -180],
    ["Pacific/Apia", "2011-12-30T09:59:59Z", -600],
    ["Pacific/Apia", "2011-12-30T10:00:00Z", 840],
    ["Asia/Kathmandu", "2026-01-01T00:00:00Z", 345],
    // Morocco keeps summer time but for Ramadan, a table and no rule.
    ["Africa/Casablanca", "2019-05-20T00:00:00Z", 0],
    ["Africa/Casablanca", "2019-07-01T00:00:00Z", 60],
    // Rules at hours before the day and beyond it.
    ["America/Nuuk", "2050-07-01T00:00:00Z", -60],
    ["Asia/Gaza", "2099-07-01T00:00:00Z", 180],
    ["UTC", "2500-01-01T00:00:00Z", 0],
  ])("%s is at %s %i minutes ahead of UTC", (zone, instant, expected) => {
    expect(offsetMinutes(zone, instant)).toBe(expected);
  });

  test("agrees with Intl between 1972 and 2024 in every zone that both know", () => {
    const known = new Set(Intl.supportedValuesOf("timeZone"));
    const names = packagedZoneData()
      .names()
      .filter((name) => known.has(name));
    const formats = new Map<string, Intl.DateTimeFormat>();
    const intlOffset = (instant: number, timeZone: string): number => {
      let format = formats.get(timeZone);
      if (format === undefined) {
        format = new Intl.DateTimeFormat("en-US", {
          timeZone,
          hourCycle: "h23",
          year: "numeric",
          month: "numeric",
          day: "numeric",
          hour: "numeric",
          minute: "numeric",
          second: "numeric",
        });
        formats.set(timeZone, format);
      }
      const fields = Object.fromEntries(format.formatToParts(instant).map((part) => [part.type, Number(part.value)]));
      return Date.UTC(fields.year ?? 0, (fields.month ?? 1) - 1, fields.day, fields.hour, fields.minute, fields.second) - instant;
    };
    const instants = fc
      .integer({ min: at("1972-01-01T00:00Z") / 1_000, max: at("2024-12-31T00:00Z") / 1_000 })
      .map((seconds) => seconds * 1_000);
    fc.assert(
      fc.property(fc.constantFrom(...names), instants, (name, instant) => {
        expect(offsetAt(instant, requireZone(packagedZoneData(), name)), name).toBe(intlOffset(instant, name));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("zone files", () => {
  test("are read from bytes as from the package", () => {
    const zones = parseZoneData({ version: "2026f", source: "test", files: { "Europe/Madrid": bytesOf("Europe/Madrid") } });
    expect(zones.names()).toEqual(["Europe/Madrid"]);
    expect(zones.zone("Europe/Madrid")).toEqual(packagedZoneData().zone("Europe/Madrid"));
    expect(zones.zone("Europe/Paris")).toBeUndefined();
  });

  const shortened = (length: number): Uint8Array => bytesOf("Europe/Madrid").subarray(0, length);
  const changed = (index: number, value: number): Uint8Array => {
    const bytes = bytesOf("Europe/Madrid");
    bytes[index] = value;
    return bytes;
  };
  test.each([
    ["an empty file", new Uint8Array()],
    ["a file that ends in its first header", shortened(20)],
    ["a file that ends in its second header", shortened(70)],
    ["a file without its footer", shortened(300)],
    ["another kind of file", changed(0, 0x50)],
    ["a file of version 1", changed(4, 0)],
    ["a file with leap seconds", changed(44 + 7 + 31, 1)],
  ])("%s is refused with the name of its zone", (_, bytes) => {
    const zones = parseZoneData({ version: "2026f", source: "test", files: new Map([["Europe/Madrid", bytes]]) });
    expect(() => zones.zone("Europe/Madrid")).toThrow(
      expect.objectContaining({ code: "QSC_TIME_ZONE_FILE_MALFORMED", message: expect.stringContaining("Europe/Madrid") }),
    );
  });

  test("an unknown zone is refused with what to use", () => {
    expect(() => requireZone(packagedZoneData(), "europe/madrid")).toThrow(DomainError);
    for (const name of ["europe/madrid", "Madrid", "Europe/Madird"])
      expect(() => requireZone(packagedZoneData(), name)).toThrow(/Did you mean Europe\/Madrid\?/);
    expect(() => requireZone(packagedZoneData(), "buenos aires")).toThrow(
      /Did you mean America\/Argentina\/Buenos_Aires|America\/Buenos_Aires/,
    );
    expect(() => requireZone(packagedZoneData(), "__proto__")).toThrow(
      expect.objectContaining({ code: "QSC_TIME_ZONE_UNKNOWN", field: "timeZone" }),
    );
  });
});

describe("versions of zone data", () => {
  test("are ordered by year and letter", () => {
    const ascending = ["", "2024b", "2025a", "2025c", "2026f", "2026z", "2026za", "2027a"];
    for (const [index, version] of ascending.entries()) {
      for (const [other, later] of ascending.entries())
        expect(Math.sign(compareZoneDataVersions(version, later)), `${version} and ${later}`).toBe(Math.sign(index - other));
    }
  });

  test("the newer of two is taken, and the first of equals", () => {
    const data = (version: string, source: string) => parseZoneData({ version, source, files: {} });
    expect(newerZoneData(data("2025c", "Intl"), data("2026f", "packaged")).source).toBe("packaged");
    expect(newerZoneData(data("2026g", "system"), data("2026f", "packaged")).source).toBe("system");
    expect(newerZoneData(data("2026f", "system"), data("2026f", "packaged")).source).toBe("system");
  });
});
