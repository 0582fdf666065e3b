import { describe, expect, test } from "vitest";
import { describeInstant, formatLocalForPeople } from "./format-local.js";
import { packagedZoneData } from "./packaged-zone-data.js";
import { requireZone } from "./zone-data.js";
import { zoneFromTransitions } from "./zone.js";

const at = (text: string): number => Date.parse(text);
const zone = (name: string) => requireZone(packagedZoneData(), name);

describe("times for people", () => {
  test("a local time is written with its own digits, also one that clocks jump over", () => {
    expect(formatLocalForPeople(at("2026-12-06T02:00:00Z"))).toBe("Sun 6 Dec 2026, 02:00");
    expect(formatLocalForPeople(at("2026-03-29T02:30:15Z"))).toBe("Sun 29 Mar 2026, 02:30:15");
    expect(formatLocalForPeople(at("2026-09-01T00:00:00Z"))).toBe("Tue 1 Sep 2026, 00:00");
  });

  test("names follow the locale that is asked for", () => {
    expect(formatLocalForPeople(at("2026-12-06T02:00:00Z"), { locale: "es" })).toBe("dom 6 dic 2026, 02:00");
  });

  test.each([
    ["2026-12-06T01:00:00Z", "Europe/Madrid", "Sun 6 Dec 2026, 02:00 (Europe/Madrid, UTC+01:00)"],
    ["2026-10-25T00:30:00Z", "Europe/Madrid", "Sun 25 Oct 2026, 02:30 (Europe/Madrid, UTC+02:00)"],
    ["2026-10-25T01:30:00Z", "Europe/Madrid", "Sun 25 Oct 2026, 02:30 (Europe/Madrid, UTC+01:00)"],
    ["2026-07-01T00:00:00Z", "America/St_Johns", "Tue 30 Jun 2026, 21:30 (America/St_Johns, UTC-02:30)"],
    ["2026-07-01T00:00:00Z", "UTC", "Wed 1 Jul 2026, 00:00 (UTC)"],
    ["1890-01-01T00:00:00Z", "Europe/Madrid", "Tue 31 Dec 1889, 23:45:16 (Europe/Madrid, UTC-00:14:44)"],
  ])("%s in %s", (instant, name, expected) => {
    expect(describeInstant(at(instant), zone(name))).toBe(expected);
  });

  test("the offset is that of the zone given, not that of the runtime", () => {
    const moved = zoneFromTransitions({ name: "Europe/Madrid", firstOffsetMs: 7_200_000, transitions: [] });
    expect(describeInstant(at("2026-12-06T01:00:00Z"), moved)).toBe("Sun 6 Dec 2026, 03:00 (Europe/Madrid, UTC+02:00)");
  });
});
