import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Interval } from "../time/intervals.js";
import { type EvidenceRun, evidenceGapMs, joinEvidence, serviceStates, type StateRule, unknownAfterMs } from "./service-state.js";

const minute = 60_000;

/** One letter a minute: o good, x bad, a dot no result. */
function evidenceOf(text: string): readonly EvidenceRun[] {
  const runs: EvidenceRun[] = [];
  for (const [n, letter] of text.split("").entries()) {
    if (letter === ".") continue;
    const [ok, at, before] = [letter === "o", n * minute, runs.at(-1)];
    if (before?.ok === ok && at - before.last <= evidenceGapMs) runs[runs.length - 1] = { ...before, last: at, count: before.count + 1 };
    else runs.push({ ok, first: at, last: at, count: 1 });
  }
  return runs;
}

const statesOf = (text: string, rule: StateRule = "three-in-a-row", period = { start: 0, end: text.length * minute }) =>
  serviceStates(evidenceOf(text), { period, checkIntervalMs: minute, rule });
const inMinutes = (list: readonly { start: number; end: number | null }[]) =>
  list.map(({ start, end }) => [start / minute, (end ?? 0) / minute]);

describe("the state of a service", () => {
  it.each<[string, StateRule, string, readonly (readonly number[])[]]>([
    ["goes down with the third bad result in a row, from the first of them on", "three-in-a-row", "oooxxxxooo", [[3, 7]]],
    ["stays up with two bad results", "three-in-a-row", "oooxxooo", []],
    ["comes up again only with the third good result, from the first of them on", "three-in-a-row", "xxxooxxxooo", [[0, 8]]],
    ["goes down with two of three, from the first of them on", "two-of-three", "oooxoxoooo", [[3, 6]]],
    ["stays up with one of three", "two-of-three", "oooxooxoo", []],
    ["is down at the end when nothing ended it", "three-in-a-row", "ooxxx", [[2, 5]]],
    ["takes bad results from before a silence together with those after it", "three-in-a-row", "ooxx......xoo", [[2, 13]]],
  ])("%s", (_name, rule, text, down) => {
    expect(inMinutes(statesOf(text, rule).down)).toEqual(down);
  });

  it("is unknown in a silence of more than five minutes, at the beginning, between and at the end", () => {
    const { unknown, state } = statesOf("......oooo......oo....oo......");
    expect(inMinutes(unknown)).toEqual([
      [0, 6],
      [9, 16],
      [23, 30],
    ]);
    expect(state).toBe("unknown");
    expect(statesOf("ooo....").state).toBe("up");
    expect(statesOf("").unknown).toEqual([]);
  });

  it("allows three missed checks of a service that is checked seldom", () => {
    expect(unknownAfterMs(10 * minute)).toBe(30 * minute);
    expect(unknownAfterMs(minute)).toBe(5 * minute);
  });

  it("knows at the beginning of the period what was before it", () => {
    const { down } = statesOf("xxxxoooo", "three-in-a-row", { start: 2 * minute, end: 8 * minute });
    expect(inMinutes(down)).toEqual([[0, 4]]);
  });

  it("law: two periods side by side have what the whole has, wherever they meet", () => {
    const text = fc.array(fc.constantFrom("o", "o", "x", "x", "."), { minLength: 2, maxLength: 60 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(text, fc.nat(60), fc.constantFrom<StateRule>("three-in-a-row", "two-of-three"), (letters, cut, rule) => {
        const end = letters.length * minute;
        const middle = Math.min(cut * minute, end);
        const evidence = evidenceOf(letters);
        const of = (period: { start: number; end: number }) => serviceStates(evidence, { period, checkIntervalMs: minute, rule });
        const lengthOf = (list: readonly Interval[]) => list.reduce((sum, one) => sum + (one.end ?? 0) - Math.max(0, one.start), 0);
        const [first, second, whole] = [of({ start: 0, end: middle }), of({ start: middle, end }), of({ start: 0, end })];
        for (const what of ["down", "unknown"] as const) {
          const clipped = second[what].map((one) => ({ start: Math.max(one.start, middle), end: one.end }));
          expect(lengthOf(first[what]) + lengthOf(clipped.filter(({ start, end: until }) => until !== null && until > start)), what).toBe(
            lengthOf(whole[what]),
          );
        }
      }),
    );
  });

  it("does not depend on where evidence is cut into days", () => {
    const text = fc.array(fc.constantFrom("o", "x", "."), { minLength: 1, maxLength: 60 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(text, fc.nat(60), fc.constantFrom<StateRule>("three-in-a-row", "two-of-three"), (letters, cut, rule) => {
        const whole = evidenceOf(letters);
        const at = cut * minute;
        const shifted = evidenceOf(".".repeat(cut) + letters.slice(cut));
        const parts = [...evidenceOf(letters.slice(0, cut)), ...shifted.filter(({ first }) => first >= at)];
        const given = { period: { start: 0, end: letters.length * minute }, checkIntervalMs: minute, rule };
        expect(serviceStates(parts, given)).toEqual(serviceStates(whole, given));
        expect(joinEvidence(parts.map((run) => [run]))).toEqual(whole);
      }),
    );
  });
});
