import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { requireZone } from "../time/zone-data.js";
import { lengthOfIntervals } from "./availability.js";
import { daysOf, type ServiceHours, serviceSchedule } from "./service-hours.js";

const hour = 3_600_000;
const zone = (name: string) => requireZone(packagedZoneData(), name);
const office: ServiceHours = { days: [1, 2, 3, 4, 5], from: "08:00", to: "18:00" };
const always: ServiceHours = { days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "24:00" };
const week = (start: string) => ({ start: Date.parse(start), end: Date.parse(start) + 7 * 24 * hour });

describe("service hours", () => {
  it("are all of the period when none are given", () => {
    const period = week("2027-03-22T00:00:00Z");
    expect(serviceSchedule([], period, zone("UTC"))).toEqual([period]);
  });

  it("are ten hours on five days, at the local time of the zone", () => {
    const stretches = serviceSchedule([office], week("2027-03-22T00:00:00Z"), zone("Europe/Berlin"));
    expect(stretches.map(({ start }) => new Date(start).toISOString())).toEqual([
      "2027-03-22T07:00:00.000Z",
      "2027-03-23T07:00:00.000Z",
      "2027-03-24T07:00:00.000Z",
      "2027-03-25T07:00:00.000Z",
      "2027-03-26T07:00:00.000Z",
    ]);
    expect(lengthOfIntervals(stretches)).toBe(50 * hour);
  });

  it.each([
    ["loses the hour that a clock is put on", "2027-03-28T00:00:00+01:00", 23],
    ["has the hour twice by which a clock is put back", "2027-10-31T00:00:00+02:00", 25],
    ["has a leap day", "2028-02-29T00:00:00+01:00", 24],
  ])("%s", (_name, start, hours) => {
    const at = Date.parse(start);
    const [first] = serviceSchedule([{ ...always, to: "24:00" }], { start: at, end: at + hours * hour }, zone("Europe/Berlin"));
    expect(first).toEqual({ start: at, end: at + hours * hour });
  });

  it("cover the period without a gap when they are always, wherever it begins", () => {
    const period = { start: Date.parse("2027-03-27T22:17:00Z"), end: Date.parse("2027-04-02T03:11:00Z") };
    expect(serviceSchedule([always], period, zone("America/New_York"))).toEqual([period]);
  });

  it.each<Partial<ServiceHours>>([{ days: [] }, { days: [0] }, { from: "8:00" }, { to: "08:00" }, { to: "24:30" }, { from: "24:00" }])(
    "refuse %j",
    (wrong) => {
      expect(() => serviceSchedule([{ ...office, ...wrong }], week("2027-03-22T00:00:00Z"), zone("UTC"))).toThrow(
        expect.objectContaining({ code: "QSC_KPI_SERVICE_HOURS" }),
      );
    },
  );
});

describe("the days of a period", () => {
  it("are those of the zone, cut to the period, without gap or overlap, also when the clocks change", () => {
    for (const name of ["UTC", "Europe/Berlin", "America/Chicago", "Australia/Sydney", "America/Sao_Paulo"]) {
      const period = { start: Date.parse("2026-10-20T07:30:00Z"), end: Date.parse("2026-11-05T18:00:00Z") };
      const days = daysOf(period, zone(name));
      expect(days[0]?.start).toBe(period.start);
      expect(days.at(-1)?.end).toBe(period.end);
      for (const [n, day] of days.entries()) expect(day.start).toBe(days[n - 1]?.end ?? period.start);
    }
    const berlin = daysOf({ start: Date.parse("2026-10-23T22:00:00Z"), end: Date.parse("2026-10-25T23:00:00Z") }, zone("Europe/Berlin"));
    expect(berlin.map(({ start, end }) => (end - start) / hour)).toEqual([24, 25]);
  });
});
