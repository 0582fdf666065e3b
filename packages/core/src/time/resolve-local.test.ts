import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatLocal, parseLocal, parseLocalDate } from "./local-time.js";
import { packagedZoneData } from "./packaged-zone-data.js";
import { localAt, offsetAt, resolveLocal, rfcInstant } from "./resolve-local.js";
import { requireZone } from "./zone-data.js";
import { zoneFromOffsets, zoneFromTransitions } from "./zone.js";

const zone = (name: string) => requireZone(packagedZoneData(), name);
const local = (text: string): number => parseLocal(text) ?? Number.NaN;
const iso = (instant: number): string => new Date(instant).toISOString().replace(":00.000Z", "Z");

describe("local times on the nights on which clocks change", () => {
  test.each([
    ["America/New_York", "2026-03-08T02:30", "2026-03-08T07:00Z", 60, "2026-03-08T07:30Z"],
    ["Europe/Madrid", "2026-03-29T02:00", "2026-03-29T01:00Z", 60, "2026-03-29T01:00Z"],
    ["Europe/Madrid", "2026-03-29T02:59", "2026-03-29T01:00Z", 60, "2026-03-29T01:59Z"],
    ["Australia/Sydney", "2026-10-04T02:15", "2026-10-03T16:00Z", 60, "2026-10-03T16:15Z"],
    ["Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30Z", 30, "2026-10-03T15:45Z"],
    ["Africa/Casablanca", "2019-06-09T02:30", "2019-06-09T02:00Z", 60, "2019-06-09T02:30Z"],
    // A whole day is missing.
    ["Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z", 1_440, "2011-12-30T22:00Z"],
    // Midnight is missing.
    ["America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00Z", 60, "2018-11-04T03:00Z"],
    ["America/Santiago", "2026-09-06T00:30", "2026-09-06T04:00Z", 60, "2026-09-06T04:30Z"],
  ])("in %s %s does not exist: clocks jump at %s by %i minutes", (name, text, jump, gapMinutes, shifted) => {
    const resolved = resolveLocal(local(text), zone(name));
    expect(resolved.kind).toBe("gap");
    if (resolved.kind !== "gap") return;
    expect([iso(resolved.jump), resolved.gapMs / 60_000, iso(resolved.shifted)]).toEqual([jump, gapMinutes, shifted]);
    expect(rfcInstant(local(text), zone(name))).toBe(resolved.shifted);
  });

  test.each([
    ["America/New_York", "2026-11-01T01:30", "2026-11-01T05:30Z", "2026-11-01T06:30Z"],
    ["Europe/Madrid", "2026-10-25T02:00", "2026-10-25T00:00Z", "2026-10-25T01:00Z"],
    ["Australia/Sydney", "2026-04-05T02:59", "2026-04-04T15:59Z", "2026-04-04T16:59Z"],
    ["Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45Z", "2026-04-04T15:15Z"],
    ["Africa/Casablanca", "2019-05-05T02:30", "2019-05-05T01:30Z", "2019-05-05T02:30Z"],
    ["Pacific/Apia", "2012-04-01T03:30", "2012-03-31T13:30Z", "2012-03-31T14:30Z"],
    // The last hour of a day is twice.
    ["America/Sao_Paulo", "2018-02-17T23:30", "2018-02-18T01:30Z", "2018-02-18T02:30Z"],
    ["America/Santiago", "2026-04-04T23:15", "2026-04-05T02:15Z", "2026-04-05T03:15Z"],
  ])("in %s %s happens twice: at %s and %s", (name, text, first, second) => {
    const resolved = resolveLocal(local(text), zone(name));
    expect(resolved).toEqual({ kind: "overlap", first: Date.parse(first), second: Date.parse(second) });
  });

  test.each([
    ["Europe/Madrid", "2026-03-29T01:59:59", "2026-03-29T00:59:59.000Z"],
    ["Europe/Madrid", "2026-03-29T03:00", "2026-03-29T01:00Z"],
    ["Europe/Madrid", "2026-10-25T01:59", "2026-10-24T23:59Z"],
    ["Europe/Madrid", "2026-10-25T03:00", "2026-10-25T02:00Z"],
    ["Pacific/Apia", "2011-12-29T23:59", "2011-12-30T09:59Z"],
    ["Pacific/Apia", "2011-12-31T00:00", "2011-12-30T10:00Z"],
  ])("in %s %s, beside a change, happens once", (name, text, instant) => {
    expect(resolveLocal(local(text), zone(name))).toEqual({ kind: "unique", instant: Date.parse(instant) });
  });
});

describe("laws of the resolver", () => {
  const names = packagedZoneData().names();
  const anyZone = fc.constantFrom(...names).map(zone);
  const instants = fc
    .integer({ min: Date.parse("1900-01-01T00:00Z") / 1_000, max: Date.parse("2399-01-01T00:00Z") / 1_000 })
    .map((seconds) => seconds * 1_000);

  test("every instant is among the instants of its local time, and each of those shows that local time", () => {
    fc.assert(
      fc.property(
        anyZone,
        instants,
        fc.nat(),
        fc.integer({ min: -7_200, max: 7_200 }),
        fc.boolean(),
        (anywhere, anyInstant, index, seconds, nearChange) => {
          const change = anywhere.starts[1 + (index % Math.max(1, anywhere.starts.length - 1))];
          const instant = nearChange && change !== undefined && change > -1e13 ? change + seconds * 1_000 : anyInstant;
          const localMs = localAt(instant, anywhere);
          const resolved = resolveLocal(localMs, anywhere);
          expect(resolved.kind).not.toBe("gap");
          const found =
            resolved.kind === "unique" ? [resolved.instant] : resolved.kind === "overlap" ? [resolved.first, resolved.second] : [];
          expect(found).toContain(instant);
          for (const candidate of found) expect(localAt(candidate, anywhere)).toBe(localMs);
          expect(found).toEqual(found.toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test("a local time in a gap lies between what the clock shows before and after the jump", () => {
    fc.assert(
      fc.property(anyZone, fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (anywhere, index, part) => {
        const change = 1 + (index % Math.max(1, anywhere.starts.length - 1));
        const jump = anywhere.starts[change] ?? 0;
        const gapMs = (anywhere.offsets[change] ?? 0) - (anywhere.offsets[change - 1] ?? 0);
        fc.pre(gapMs > 0);
        const before = jump + (anywhere.offsets[change - 1] ?? 0);
        const resolved = resolveLocal(before + Math.floor(part * gapMs), anywhere);
        // Two changes in a row can make a local time of one gap exist after the other.
        fc.pre(resolved.kind === "gap");
        expect(resolved).toEqual({ kind: "gap", jump, gapMs, shifted: jump + Math.floor(part * gapMs) });
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(["Europe/Madrid", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca"])(
    "%s built by asking for its offsets is the same zone",
    (name) => {
      const known = zone(name);
      const [from, to] = [Date.parse("2005-01-15T00:00:00.001Z"), Date.parse("2035-01-15T00:00Z")];
      const built = zoneFromOffsets({ name, offsetAt: (instant) => offsetAt(instant, known), from, to });
      const inRange = [...known.starts].filter((start) => start > from && start < to);
      expect([...built.starts].slice(1)).toEqual(inRange);
      for (const start of inRange) expect(offsetAt(start, built)).toBe(offsetAt(start, known));
    },
  );

  test("a zone built from its changes forgets those that change nothing", () => {
    const built = zoneFromTransitions({
      name: "Test/Zone",
      firstOffsetMs: 0,
      transitions: [
        { at: 10, offsetMs: 0 },
        { at: 20, offsetMs: 5 },
        { at: 20, offsetMs: 7 },
        { at: 30, offsetMs: 7 },
      ],
    });
    expect([[...built.starts], [...built.offsets]]).toEqual([
      [Number.NEGATIVE_INFINITY, 20],
      [0, 7],
    ]);
  });
});

describe("local times as text", () => {
  test("are read strictly", () => {
    expect(parseLocal("2026-03-29T02:30")).toBe(Date.UTC(2026, 2, 29, 2, 30));
    expect(parseLocal("2024-02-29T23:59:59")).toBe(Date.UTC(2024, 1, 29, 23, 59, 59));
    expect(parseLocalDate("2024-02-29")).toBe(Date.UTC(2024, 1, 29));
    for (const text of [
      "",
      "2026-03-29",
      "2026-03-29 02:30",
      "2026-03-29T02:30Z",
      "2026-03-29T02:30+01:00",
      "2026-3-29T02:30",
      "2025-02-29T00:00",
      "2026-13-01T00:00",
      "2026-00-10T00:00",
      "2026-01-00T00:00",
      "2026-01-01T24:00",
      "2026-01-01T00:60",
      "2026-01-01T00:00:60",
      "2026-01-01T00:00:00.000",
      "0000-01-01T00:00",
      " 2026-01-01T00:00",
    ]) {
      expect(parseLocal(text), text).toBeNull();
    }
    for (const text of ["2025-02-29", "2026-1-1", "2026-01-01T00:00"]) expect(parseLocalDate(text), text).toBeNull();
  });

  test("come back as they were written", () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (seconds) => {
        expect(parseLocal(formatLocal(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });
});
