import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test/incidents/storm-world.js";
import { Baseline, baselineSettings } from "./baseline.js";
import { baselineTail } from "./baseline-tail.js";

const start = Date.UTC(2026, 0, 5);
const stepMs = 300_000;

/** A baseline that has seen this many points of noise around 100, and how it reads the next ones. */
function after(points: number, spread: number) {
  const random = seeded(11);
  const baseline = new Baseline();
  let n = 0;
  const read = (value: number) => baseline.observe({ at: start + n++ * stepMs, value });
  const noise = (count: number): void => {
    for (let done = 0; done < count; done++) read(100 + spread * (random() - 0.5));
  };
  noise(points);
  return { baseline, read, noise, now: () => start + n * stepMs };
}
const scoreOf = (reading: ReturnType<Baseline["observe"]>): number => (reading.kind === "scored" ? reading.score : Number.NaN);

describe("a baseline's guards", () => {
  it("what was said is forgotten by half each 200 points: the same again weeks later is an anomaly again", () => {
    const { read, noise } = after(600, 10);
    expect(scoreOf(read(1_000))).toBeGreaterThan(baselineSettings.threshold);
    noise(50);
    expect(scoreOf(read(1_000))).toBe(0);
    noise(1_800);
    expect(scoreOf(read(1_000))).toBeGreaterThan(baselineSettings.threshold);
  });

  it("what hardly moves at all is no surprise as soon as it moves a little", () => {
    expect(scoreOf(after(600, 0).read(100.2))).toBeLessThan(baselineSettings.threshold);
    expect(scoreOf(after(600, 0).read(110))).toBeGreaterThan(baselineSettings.threshold);
  });

  it("the score has an end: further out than thirty units, and never there before, is as bad as it gets", () => {
    const large = scoreOf(after(600, 10).read(1e6));
    // What was said of the noise before is taken off both.
    expect(large).toBeGreaterThan(Math.log1p(baselineTail.mostUnits));
    expect(large).toBeLessThanOrEqual(Math.log1p(baselineTail.mostUnits) + baselineTail.newExtreme);
    expect(scoreOf(after(600, 10).read(1e11))).toBeCloseTo(large, 6);
  });

  it("one extreme moves what is expected at its hour no further than any other value", () => {
    const { baseline, read, now } = after(3_000, 10);
    const before = baseline.usual({ at: now() });
    read(1e6);
    const expected = baseline.usual({ at: now() - stepMs })?.expected ?? Number.NaN;
    expect(Math.abs(expected - (before?.expected ?? 0))).toBeLessThan(1);
  });

  it("says what is usual from the 200th point on, and not before", () => {
    const early = after(baselineSettings.silentPoints - 1, 10);
    expect(early.baseline.usual({ at: early.now() })).toBeNull();
    early.noise(1);
    const usual = early.baseline.usual({ at: early.now() });
    expect(usual?.low).toBeGreaterThan(90);
    expect(usual?.high).toBeLessThan(110);
    expect(usual?.expected).toBeCloseTo(100, -1);
  });
});
