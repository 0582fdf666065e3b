import { describe, expect, it } from "vitest";
import { CliError } from "./cli-error.js";
import { isoDurationOf, parseDurationOption, parseInstantOption } from "./parse-time.js";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return error instanceof CliError && error.exit === "usage" ? error.message : String(error);
  }
  return "nothing was refused";
};

describe("times on the command line", () => {
  it.each([
    ["90s", 90_000],
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
  ])("reads the duration %s", (text, ms) => {
    expect(parseDurationOption(text, "--wait")).toBe(ms);
  });

  it.each(["", "0m", "30", "m", "1h 30m", "-5m", "30 minutes", "1h30", "1.5h", "1e3s", "h1"])(
    "refuses the duration %j and names the option",
    (text) => {
      expect(refused(() => parseDurationOption(text, "--wait"))).toContain("--wait");
    },
  );

  it.each([
    ["4h", "PT4H"],
    ["1d12h", "P1DT12H"],
    ["90m", "PT90M"],
    ["2d", "P2D"],
    ["PT4H", "PT4H"],
    ["p1w", "P1W"],
  ])("writes the length %s as %s", (text, iso) => {
    expect(isoDurationOf(text, "--duration")).toBe(iso);
  });

  it("does not take half an ISO duration for one", () => {
    for (const text of ["P", "PT", "P1DT", "4"]) expect(refused(() => isoDurationOf(text, "--duration"))).toContain("--duration");
  });

  it("counts +2h from now and takes instants with an offset", () => {
    expect(parseInstantOption("+2h", "--until", NOW)).toBe(NOW + 7_200_000);
    expect(parseInstantOption("2026-11-20T18:00:00+01:00", "--until", NOW)).toBe(Date.parse("2026-11-20T17:00:00Z"));
    expect(parseInstantOption("2026-11-20T17:00Z", "--until", NOW)).toBe(Date.parse("2026-11-20T17:00:00Z"));
  });

  it("refuses a local time and offers it with this terminal's offset", () => {
    const message = refused(() => parseInstantOption("2026-11-20T18:00", "--until", NOW));
    const offered = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}[+-]\d{2}:\d{2}/.exec(message)?.[0] ?? "";
    expect(parseInstantOption(offered, "--until", NOW)).toBe(new Date(2026, 10, 20, 18).getTime());
  });

  it("refuses what is no time at all", () => {
    for (const text of ["tomorrow", "2026-11-20", "2026-02-30T25:00Z", "2026-02-30T12:00Z", "+", "+2x"])
      expect(refused(() => parseInstantOption(text, "--until", NOW))).toContain("--until");
  });
});
