import { describe, expect, it } from "vitest";
import { commentText } from "./nagios-command.js";
import { dateFormatsOf, localTime, sortableTime } from "./nagios-local-time.js";

describe("localTime", () => {
  const at = Date.parse("2026-07-03T23:30:05Z");

  it.each([
    ["us", "07-04-2026 01:30:05"],
    ["euro", "04-07-2026 01:30:05"],
    ["iso8601", "2026-07-04 01:30:05"],
    ["strict-iso8601", "2026-07-04T01:30:05"],
  ] as const)("writes %s in the zone of Nagios's machine: %s", (format, text) => {
    expect(localTime(at, { timeZone: "Europe/Madrid", format })).toBe(text);
    expect(dateFormatsOf(text)).toContain(format);
    expect(sortableTime(text, format)).toBe("2026-07-04 01:30:05");
  });

  it("writes midnight as 00, and an hour that comes twice as it stands on the wall", () => {
    expect(localTime(Date.parse("2026-01-01T00:00:00Z"), { timeZone: "UTC", format: "iso8601" })).toBe("2026-01-01 00:00:00");
    const autumn = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map((text) => Date.parse(text));
    expect(autumn.map((one) => localTime(one, { timeZone: "Europe/Madrid", format: "iso8601" }))).toEqual([
      "2026-10-25 02:30:00",
      "2026-10-25 02:30:00",
    ]);
  });

  it("does not guess between American and European", () => {
    expect(dateFormatsOf("05-05-2026 10:00:00")).toEqual(["us", "euro"]);
    expect(dateFormatsOf("yesterday")).toEqual([]);
  });
});

describe("commentText", () => {
  it("keeps what Nagios gives back: ASCII, no field's end, no line's end", () => {
    expect(commentText("Año — ERP; update\nnow ✓")).toBe("Ano - ERP update now ?");
  });
});
