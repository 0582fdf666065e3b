import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClockReading, type ClockReference, clockStepLimitMs, judgeClock } from "./judge-clock.js";

const epoch = Date.parse("2026-03-29T00:59:58Z");
/** The machine had been up for an hour when the process started. */
const upBefore = 3_600_000;

/** A reading at a monotonic time; the database answers in the middle of `tookMs`. */
function reading(
  monotonicMs: number,
  {
    offsetMs = 0,
    tookMs = 2,
    sleptMs = 0,
  }: { readonly offsetMs?: number; readonly tookMs?: number; readonly sleptMs?: number | undefined } = {},
): ClockReading {
  const moment = (at: number) => ({ monotonicMs: at, uptimeMs: upBefore + at + sleptMs });
  return {
    databaseMs: Math.floor(epoch + monotonicMs + tookMs / 2 + offsetMs),
    before: moment(monotonicMs),
    after: moment(monotonicMs + tookMs),
  };
}

function referenceOf(...readings: readonly ClockReading[]): ClockReference | null {
  let reference: ClockReference | null = null;
  for (const one of readings) {
    const verdict = judgeClock(reference, one);
    if (verdict.kind === "stepped") throw new Error("stepped");
    if (verdict.kind !== "unusable") reference = verdict.reference;
  }
  return reference;
}

describe("the database's clock", () => {
  it.each([
    ["an hour forward", 3_600_000, "stepped"],
    ["an hour back, as a clock that was set to local time", -3_600_000, "stepped"],
    ["a second and a bit forward", 1_010, "stepped"],
    ["a second and a bit back", -1_010, "stepped"],
    ["a leap second", 1_000, "steady"],
    ["half a second back", -500, "steady"],
  ])("that jumps %s is %s: %s", (_name, offsetMs, kind) => {
    expect(judgeClock(referenceOf(reading(0)), reading(500, { offsetMs }))).toMatchObject({ kind });
  });

  it("tells by how much it jumped at least, and which way", () => {
    const reference = referenceOf(reading(0));
    expect(judgeClock(reference, reading(500, { offsetMs: 60_000 }))).toEqual({ kind: "stepped", byMs: 59_998 });
    expect(judgeClock(reference, reading(500, { offsetMs: -60_000 }))).toEqual({ kind: "stepped", byMs: -59_998 });
  });

  it("is not accused by an answer that was slow, however slow", () => {
    expect(judgeClock(referenceOf(reading(0)), reading(500, { tookMs: 30_000 }))).toMatchObject({ kind: "steady" });
    expect(judgeClock(referenceOf(reading(0, { tookMs: 30_000 })), reading(30_500))).toMatchObject({ kind: "steady" });
  });

  it("is still judged by the quick answers when a slow one came between", () => {
    const reference = referenceOf(reading(0), reading(500, { tookMs: 30_000 }));
    expect(judgeClock(reference, reading(31_000, { offsetMs: -3_000 }))).toMatchObject({ kind: "stepped" });
    expect(judgeClock(reference, reading(31_000, { offsetMs: 3_000 }))).toMatchObject({ kind: "stepped" });
  });

  it("may be slewed for hours", () => {
    let reference = referenceOf(reading(0));
    for (let at = 2_000; at <= 3_600_000; at += 2_000) {
      const verdict = judgeClock(reference, reading(at, { offsetMs: at * 0.08 }));
      expect(verdict.kind).toBe("steady");
      if (verdict.kind === "steady") reference = verdict.reference;
    }
  });

  it("went on while this machine was suspended, and that is no step", () => {
    const reference = referenceOf(reading(0));
    const woken = judgeClock(reference, reading(500, { offsetMs: 28_800_000, sleptMs: 28_800_000 }));
    expect(woken).toMatchObject({ kind: "slept", forMs: 28_800_000 });
    // The system's uptime may be known to the second only.
    expect(judgeClock(reference, reading(500, { offsetMs: 28_800_700, sleptMs: 28_799_000 }))).toMatchObject({ kind: "slept" });
    if (woken.kind !== "slept") return;
    expect(judgeClock(woken.reference, reading(1_000, { offsetMs: 28_800_000, sleptMs: 28_800_000 }))).toMatchObject({ kind: "steady" });
    expect(judgeClock(woken.reference, reading(1_000, { offsetMs: 28_810_000, sleptMs: 28_800_000 }))).toMatchObject({ kind: "stepped" });
  });

  it.each([
    ["further than the machine was suspended", 3_600_000, 60_000],
    ["less than the machine was suspended", 60_000, 3_600_000],
    ["back while the machine was suspended", -60_000, 60_000],
  ])("that jumped %s has stepped", (_name, offsetMs, sleptMs) => {
    expect(judgeClock(referenceOf(reading(0)), reading(500, { offsetMs, sleptMs }))).toMatchObject({ kind: "stepped" });
  });

  it("is not judged by an answer during which the machine was suspended, but by the next one", () => {
    const reference = referenceOf(reading(0));
    const { before, databaseMs } = reading(500);
    const after = { monotonicMs: 502, uptimeMs: upBefore + 502 + 60_000 };
    expect(judgeClock(reference, { databaseMs, before, after })).toEqual({ kind: "unusable" });
    expect(judgeClock(reference, reading(1_000, { offsetMs: 60_000, sleptMs: 60_000 }))).toMatchObject({ kind: "slept" });
  });

  it("law: whatever the answers' delays are, no steady clock is accused and no jump above the limit and the delays goes unseen", () => {
    const delay = fc.integer({ min: 0, max: 4_000 });
    fc.assert(
      fc.property(
        fc.array(delay, { minLength: 1, maxLength: 20 }),
        delay,
        fc.integer({ min: -20_000, max: 20_000 }),
        (delays, last, jumpMs) => {
          let at = 0;
          let reference: ClockReference | null = null;
          for (const tookMs of delays) {
            const verdict = judgeClock(reference, reading(at, { tookMs }));
            if (verdict.kind !== "steady") return false;
            reference = verdict.reference;
            at += tookMs + 500;
          }
          const verdict = judgeClock(reference, reading(at, { tookMs: last, offsetMs: jumpMs }));
          const narrowest = Math.min(...delays);
          if (Math.abs(jumpMs) > clockStepLimitMs + narrowest + last + 2) return verdict.kind === "stepped";
          return Math.abs(jumpMs) > clockStepLimitMs - 2 || verdict.kind === "steady";
        },
      ),
    );
  });
});
