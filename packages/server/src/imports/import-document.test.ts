import { describe, expect, it } from "vitest";
import { packagedZoneData, readScopeMap, type WindowImport } from "@quiesce/core";
import { importDocument, type ImportSource } from "./import-document.js";

const facts = { now: Date.UTC(2026, 10, 20, 12), zones: packagedZoneData() };

function imported(source: ImportSource, document: unknown, map: object = { "*": "system:erp" }, confirmLong = false): WindowImport {
  return importDocument(document, { source, map: readScopeMap(map), owner: "ops", confirmLong }, facts);
}

const pagerDutyWindow = (fields: object) => ({
  maintenance_windows: [
    {
      id: "PW98YIO",
      start_time: "2027-11-09T20:00:00-05:00",
      end_time: "2027-11-09T22:00:00-05:00",
      services: [
        { id: "PIJ90N7", summary: "ERP" },
        { id: "PIJ90N8", summary: "Shop" },
      ],
      ...fields,
    },
  ],
});
const opsgenieMaintenance = (fields: object) => ({
  data: {
    id: "b0ee8414",
    status: "planned",
    time: { type: "schedule", startDate: "2027-03-25T08:45:00Z", endDate: "2027-03-25T21:45:00Z" },
    description: "ERP upgrade",
    rules: [{ state: "disabled", entity: { id: "8418d193", type: "integration" } }],
    ...fields,
  },
});

describe("an import", () => {
  it("makes a window at the very instants, over what the map says, under a key that stays", () => {
    const document = pagerDutyWindow({ description: "Database failover" });
    const { windows, leftOut, unmapped } = imported("pagerduty", document, {
      ERP: "system:erp",
      PIJ90N8: ["tag:orders", "integration:shop"],
    });
    expect({ windows, leftOut, unmapped }).toMatchObject({
      windows: [
        {
          key: "pagerduty-pw98yio",
          title: "Database failover",
          start: "2027-11-10T01:00",
          end: "2027-11-10T03:00",
          timeZone: "UTC",
          rrule: null,
          scope: { integrations: ["shop"], systems: ["erp"], tags: ["orders"] },
          owner: "ops",
        },
      ],
      leftOut: [],
      unmapped: [],
    });
    expect(imported("pagerduty", document).windows[0]?.key).toBe(windows[0]?.key);
  });

  it("takes over what is mapped of a window, and names the rest", () => {
    const part = imported("pagerduty", pagerDutyWindow({}), { PIJ90N7: "system:erp" });
    expect(part.windows.map(({ scope }) => scope)).toEqual([{ systems: ["erp"] }]);
    expect(part.leftOut).toEqual([{ name: "PW98YIO", message: "The map does not say what PIJ90N8 (Shop) is here." }]);
    expect(part.unmapped).toEqual([{ entity: { id: "PIJ90N8", label: "Shop" }, windows: ["PW98YIO"] }]);
  });

  it("makes no window of what the map has no place for, and says which names of the map nobody has", () => {
    const none = imported("opsgenie", opsgenieMaintenance({}), { 8418: "system:erp" });
    expect(none).toMatchObject({
      windows: [],
      unusedNames: ["8418"],
      unmapped: [{ entity: { id: "8418d193" }, windows: ["ERP upgrade"] }],
    });
    expect(none.leftOut).toHaveLength(1);
  });

  it.each<[string, ImportSource, object, string]>([
    [
      "a maintenance without an end",
      "opsgenie",
      opsgenieMaintenance({ time: { type: "indefinitely", startDate: "2027-03-25T08:45:00Z" } }),
      "quiesce pause",
    ],
    ["a maintenance of the list, without rules", "opsgenie", opsgenieMaintenance({ rules: undefined }), "leaves them out"],
    [
      "a policy that is switched on",
      "opsgenie",
      opsgenieMaintenance({ rules: [{ state: "enabled", entity: { id: "p", type: "policy" } }] }),
      "the policy p",
    ],
    ["times without an offset", "pagerduty", pagerDutyWindow({ start_time: "2027-11-09T20:00:00" }), "start_time is"],
    ["a missing end", "pagerduty", pagerDutyWindow({ end_time: undefined }), "end_time is missing"],
    ["an end before the start", "pagerduty", pagerDutyWindow({ end_time: "2027-11-09T19:00:00-05:00" }), "before it starts"],
    ["a window over no services", "pagerduty", pagerDutyWindow({ services: [] }), "names no services"],
    ["a recurrence that nobody documents", "pagerduty", pagerDutyWindow({ recurrence: { weekly: 1 } }), '"recurrence"'],
    ["an interval that is always on", "alertmanager", { time_intervals: [{ name: "x", time_intervals: [{}] }] }, "never end"],
    [
      "a day that no month has",
      "alertmanager",
      { time_intervals: [{ name: "x", time_intervals: [{ days_of_month: ["30"], months: ["2"] }] }] },
      "never happens",
    ],
    [
      "a zone that there is not",
      "grafana",
      [{ name: "x", time_intervals: [{ weekdays: ["monday"], location: "Mars/Olympus" }] }],
      "Mars/Olympus",
    ],
    ["two months without a pause", "grafana", [{ name: "x", time_intervals: [{ months: ["1:2"] }] }], "60 days"],
    ["an interval without a list", "grafana", { name: "x", time_intervals: [] }, "no list time_intervals"],
  ])("leaves out %s, by name and with the reason", (_what, source, document, reason) => {
    const { leftOut } = imported(source, document);
    expect(leftOut[0]?.message).toContain(reason);
    expect(leftOut[0]?.name).not.toBe("");
  });

  it("goes on with the other intervals of a name when one cannot be read", () => {
    const { windows, leftOut } = imported("alertmanager", {
      mute_time_intervals: [{ name: "nights", time_intervals: [{ weekdays: ["funday"] }, { weekdays: ["monday"] }] }],
    });
    expect(windows.map(({ rrule }) => rrule)).toEqual(["FREQ=WEEKLY;BYDAY=MO"]);
    expect(leftOut).toEqual([{ name: "nights", message: expect.stringContaining("time_intervals[0]: weekdays[0]") }]);
  });

  it("does not turn active time intervals into maintenance", () => {
    const office = { name: "office", time_intervals: [{ weekdays: ["monday"] }] };
    const route = { routes: [{ routes: [{ active_time_intervals: ["office"] }] }] };
    expect(imported("alertmanager", { route, time_intervals: [office] })).toMatchObject({
      windows: [],
      leftOut: [{ name: "office", message: expect.stringContaining("active time interval") }],
    });
    expect(imported("grafana", { muteTimes: [office], policies: [{ mute_time_intervals: ["office"] }] }).windows).toHaveLength(1);
  });

  it("counts what is over apart, and tells of clock changes", () => {
    const over = [
      imported("opsgenie", opsgenieMaintenance({ status: "cancelled" })),
      imported("pagerduty", pagerDutyWindow({ start_time: "2026-11-01T00:00:00Z", end_time: "2026-11-20T12:00:00Z" })),
      imported("grafana", [{ name: "x", time_intervals: [{ years: ["2024:2025"], months: ["1"] }] }]),
    ];
    for (const one of over) expect(one).toMatchObject({ windows: [], leftOut: [], over: [expect.any(String)] });
    const night = { weekdays: ["sunday"], times: [{ start_time: "02:00", end_time: "04:00" }], location: "Europe/Madrid" };
    expect(imported("grafana", [{ name: "x", time_intervals: [night] }]).remarks).toEqual([
      { name: "grafana-x", message: expect.stringContaining("2027-03-28") },
      { name: "grafana-x", message: expect.stringContaining("2027-10-31") },
    ]);
  });

  it("holds over 31 days only when that is confirmed", () => {
    const { windows, leftOut } = imported("grafana", [{ name: "x", time_intervals: [{ months: ["1:2"] }] }], { x: "all" }, true);
    expect(leftOut).toEqual([]);
    expect(windows).toMatchObject([{ scope: { all: true }, confirmLong: true }]);
  });

  it.each<[ImportSource, unknown]>([
    ["alertmanager", { route: {} }],
    ["alertmanager", null],
    ["grafana", { apiVersion: 1 }],
    ["grafana", { muteTimes: "x" }],
    ["opsgenie", { data: [{ id: "x" }] }],
    ["pagerduty", { incidents: [] }],
  ])("refuses a document that is not of %s", (source, document) => {
    expect(() => imported(source, document)).toThrow(expect.objectContaining({ code: "QSC_IMPORT_DOCUMENT_INVALID" }));
  });

  it.each([{ x: "erp" }, { x: "system:No Key" }, { x: [] }, ["system:erp"], { x: "team:erp" }])("refuses the map %j", (map) => {
    expect(() => readScopeMap(map)).toThrow(expect.objectContaining({ code: "QSC_IMPORT_MAP_INVALID" }));
  });
});

describe("a list from a screen", () => {
  const one = (fields: object) => ({
    windows: [
      { name: "Release", start: "2027-01-10 02:00", end: "2027-01-10 06:00", timeZone: "Europe/Amsterdam", covers: ["ERP"], ...fields },
    ],
  });

  it.each([
    [{}, null],
    [{ repeats: "once" }, null],
    [{ repeats: "daily" }, "FREQ=DAILY"],
    [{ repeats: "weekly" }, "FREQ=WEEKLY;BYDAY=SU"],
    [{ repeats: "monthly" }, "FREQ=MONTHLY;BYMONTHDAY=10"],
  ])("%o becomes a window in the zone of the screen", (fields, rrule) => {
    const { windows, leftOut } = imported("list", one(fields));
    expect(leftOut).toEqual([]);
    expect(windows).toMatchObject([
      {
        key: "list-release",
        start: "2027-01-10T02:00",
        end: "2027-01-10T06:00",
        timeZone: "Europe/Amsterdam",
        rrule,
        scope: { systems: ["erp"] },
      },
    ]);
  });

  it.each([
    [{ start: "10-01-2027 02:00" }, /^start is "10-01-2027 02:00", expected a local time/],
    [{ end: undefined }, /^end is missing/],
    [{ timeZone: undefined }, /^timeZone is missing/],
    [{ timeZone: "CET-ish" }, /CET-ish/],
    [{ repeats: "yearly" }, /^repeats is "yearly", expected one of once/],
    [{ repeats: "monthly", start: "2027-01-31 02:00", end: "2027-01-31 06:00" }, /day 31, which not every month has/],
    [{ covers: [] }, /^covers is empty/],
    [{ scheduler: "x" }, /^"scheduler" is not understood/],
    [{ end: "2027-01-10 01:00" }, /./],
  ])("%o is left out by name, with the reason", (fields, reason) => {
    const { windows, leftOut } = imported("list", one(fields));
    expect(windows).toEqual([]);
    expect(leftOut.map(({ name }) => name)).toContain("Release");
    expect(leftOut.map(({ message }) => message).join("\n")).toMatch(reason);
  });

  it("tells what is over, and refuses what is no list", () => {
    expect(imported("list", one({ start: "2020-01-10 02:00", end: "2020-01-10 06:00" }))).toMatchObject({
      windows: [],
      over: ["Release"],
      leftOut: [],
    });
    expect(imported("list", one({ start: "2020-01-10 02:00", end: "2020-01-10 06:00", repeats: "weekly" })).windows).toHaveLength(1);
    expect(() => imported("list", { maintenance: [] })).toThrow(/expected a list of them/);
  });
});
