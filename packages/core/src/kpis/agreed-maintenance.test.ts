import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { intersectIntervals } from "../time/intervals.js";
import { agreedMaintenance, type MaintenanceAgreement, type PlannedMaintenance } from "./agreed-maintenance.js";
import { lengthOfIntervals } from "./availability.js";

const hour = 3_600_000;
const months = [
  { start: 0, end: 700 * hour },
  { start: 700 * hour, end: 1_400 * hour },
];
const always = [{ start: 0, end: null }];
const agreement: MaintenanceAgreement = { minimumNoticeMs: 24 * hour, monthlyAllowanceMs: 4 * hour, needsApproval: false };
const planned = (startHour: number, hours: number, more: Partial<PlannedMaintenance> = {}): PlannedMaintenance => ({
  key: `w${startHour}`,
  title: "Night work",
  start: startHour * hour,
  end: (startHour + hours) * hour,
  announcedAt: (startHour - 48) * hour,
  approval: "not-needed",
  ...more,
});
const judge = (maintenance: readonly PlannedMaintenance[], more: Partial<MaintenanceAgreement> = {}) =>
  agreedMaintenance({ agreement: { ...agreement, ...more }, maintenance, months, schedule: always });
const reasons = (...of: Parameters<typeof judge>) => judge(...of).map(({ reason }) => reason);

describe("maintenance as the agreement allows", () => {
  it.each<[string, Partial<PlannedMaintenance>, Partial<MaintenanceAgreement>, string]>([
    ["counts when it was announced in time", {}, {}, "counts"],
    ["counts with exactly the notice that was agreed", { announcedAt: 76 * hour }, {}, "counts"],
    ["does not count a millisecond later", { announcedAt: 76 * hour + 1 }, {}, "short-notice"],
    ["does not count when nobody was told", { announcedAt: null }, {}, "not-announced"],
    ["does not count while approval is pending", { approval: "pending" }, {}, "not-approved"],
    ["does not count when it was rejected", { approval: "rejected" }, {}, "not-approved"],
    ["does not count without an approval where the agreement asks for one", {}, { needsApproval: true }, "not-approved"],
    ["counts with that approval", { approval: "approved" }, { needsApproval: true }, "counts"],
  ])("%s", (_name, more, terms, reason) => {
    expect(reasons([planned(100, 2, more)], terms)).toEqual([reason]);
  });

  it("counts up to the allowance of the month, the first ones first, and begins anew with the next month", () => {
    const verdicts = judge([planned(720, 3), planned(200, 3), planned(100, 3), planned(300, 1)]);
    expect(verdicts.map(({ maintenance, reason, counted }) => [maintenance.key, reason, lengthOfIntervals(counted) / hour])).toEqual([
      ["w100", "counts", 3],
      ["w200", "allowance-in-part", 1],
      ["w300", "allowance-used-up", 0],
      ["w720", "counts", 3],
    ]);
    expect(verdicts[1]?.counted).toEqual([{ start: 200 * hour, end: 201 * hour }]);
  });

  it("shares what crosses the end of a month between both allowances", () => {
    expect(judge([planned(696, 8)])[0]).toMatchObject({ reason: "counts", counted: [{ start: 696 * hour, end: 704 * hour }] });
    expect(judge([planned(695, 9)])[0]).toMatchObject({ reason: "allowance-in-part" });
  });

  it("takes no allowance for what two windows cover, nor for time out of schedule", () => {
    expect(reasons([planned(100, 3), planned(101, 3)])).toEqual(["counts", "counts"]);
    const schedule = [{ start: 0, end: 101 * hour }];
    const [verdict] = agreedMaintenance({ agreement, maintenance: [planned(100, 200)], months, schedule });
    expect(verdict?.reason).toBe("counts");
  });

  it("never counts more than the allowance, whatever is planned, and nothing twice", () => {
    const window = fc
      .record({ start: fc.nat(1_300), hours: fc.nat(40), late: fc.boolean(), key: fc.string() })
      .map(({ start, hours, late, key }) => planned(start, hours, { key, ...(late ? { announcedAt: start * hour } : {}) }));
    fc.assert(
      fc.property(fc.array(window, { maxLength: 12 }), fc.nat(50), fc.nat(1_400), (maintenance, allowance, scheduleEnd) => {
        const schedule = [{ start: 10 * hour, end: scheduleEnd * hour }];
        const terms = { ...agreement, monthlyAllowanceMs: allowance * hour };
        const verdicts = agreedMaintenance({ agreement: terms, maintenance, months, schedule });
        expect(verdicts).toHaveLength(maintenance.length);
        const counted = verdicts.flatMap((one) => one.counted);
        expect(counted.reduce((sum, one) => sum + (one.end ?? 0) - one.start, 0)).toBe(lengthOfIntervals(counted));
        for (const month of months) {
          const spent = lengthOfIntervals(intersectIntervals(intersectIntervals(counted, [month]), schedule));
          expect(spent).toBeLessThanOrEqual(allowance * hour);
        }
      }),
    );
  });
});
