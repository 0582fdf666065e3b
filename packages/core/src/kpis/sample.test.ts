import { describe, expect, it } from "vitest";
import { markSample, readSample, sampleMarks } from "./sample.js";

const good = { integration: "orders", metric: "queue.depth", at: "2027-03-28T01:00:00.250Z", value: 12.5 };
const now = Date.parse("2027-03-28T01:00:00Z");

describe("a sample", () => {
  it("is read with its defaults, at as text or as a number", () => {
    const read = { ...good, at: now + 250, ok: true, key: "" };
    expect(readSample(good)).toEqual(read);
    expect(readSample({ ...good, at: now + 250, ok: false, key: "a" })).toEqual({ ...read, ok: false, key: "a" });
    expect(readSample({ ...good, at: "2027-03-28T03:00:00+02:00" }).at).toBe(now);
  });

  it.each<[string, unknown]>([
    ["sample", 7],
    ["sample", null],
    ["sample", [good]],
    ["integration", { ...good, integration: "" }],
    ["metric", { ...good, metric: "Queue Depth" }],
    ["metric", { ...good, metric: "a".repeat(61) }],
    ["value", { ...good, value: "12" }],
    ["value", { ...good, value: -1 }],
    ["value", { ...good, value: 1e13 }],
    ["ok", { ...good, ok: 1 }],
    ["key", { ...good, key: "x".repeat(101) }],
    ["key", { ...good, key: "a\0" }],
    ["at", { ...good, at: "2027-03-28 01:00" }],
    ["at", { ...good, at: "2027-03-28T01:00:00" }],
    ["at", { ...good, at: "2027-02-30T01:00:00Z" }],
    ["at", { ...good, at: 1.5 }],
  ])("is refused for its %s: %j", (field, given) => {
    expect(() => readSample(given)).toThrow(expect.objectContaining({ code: "QSC_SAMPLE_INVALID", field }));
  });
});

describe("the time of a sample", () => {
  const mark = (at: number) => markSample(at, { now, keptFrom: now - 86_400_000 });

  it.each([
    [0, sampleMarks.fits],
    [1_000, sampleMarks.fits],
    [1_001, sampleMarks.ahead],
    [300_000, sampleMarks.ahead],
    [-3_600_000, sampleMarks.fits],
    [-3_600_001, sampleMarks.late],
    [-86_400_000, sampleMarks.late],
  ])("%i ms from now is marked %i", (offset, expected) => {
    expect(mark(now + offset)).toBe(expected);
  });

  it("is refused beyond what can be added", () => {
    expect(() => mark(now + 300_001)).toThrow(expect.objectContaining({ code: "QSC_SAMPLE_AHEAD" }));
    expect(() => mark(now - 86_400_001)).toThrow(expect.objectContaining({ code: "QSC_SAMPLE_TOO_OLD" }));
  });
});
