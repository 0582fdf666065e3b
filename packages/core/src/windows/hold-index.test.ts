import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HoldSpans } from "./compile-holds.js";
import { HoldIndex } from "./hold-index.js";

const horizon = 1_000;
const spans = (id: number, list: readonly (readonly [number, number])[]): HoldSpans => {
  const sorted = list.toSorted((a, b) => a[0] - b[0]);
  return { id, starts: Float64Array.from(sorted.map(([start]) => start)), ends: Float64Array.from(sorted.map(([, end]) => end)) };
};

const windowsArbitrary = fc.array(
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 80 })), { minLength: 1, maxLength: 6 })
    .map((list) => list.map(([start, length]) => [start, start + length] as const)),
  { minLength: 1, maxLength: 5 },
);

/** The slow reading: a window holds when one of its half-open spans contains the instant. */
const holding = (windows: readonly (readonly (readonly [number, number])[])[], ids: readonly number[], now: number) =>
  ids.filter((id) => windows[id]?.some(([start, end]) => start <= now && now < end)).toSorted((a, b) => a - b);

describe("the compiled index of holds", () => {
  it("agrees with a direct reading of every span, whatever is asked before", () => {
    fc.assert(
      fc.property(windowsArbitrary, fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 40 }), (windows, instants) => {
        const ids = windows.map((_, id) => id);
        const index = HoldIndex.compile({
          integrations: [
            { key: "all", windowIds: ids },
            { key: "first", windowIds: [0] },
            { key: "none", windowIds: [] },
          ],
          windows: windows.map((list, id) => spans(id, list)),
          horizon,
        });
        for (const now of instants) {
          const expected = holding(windows, ids, now);
          expect(index.isHeld(0, now)).toBe(expected.length > 0);
          expect(index.isHeld(1, now)).toBe(holding(windows, [0], now).length > 0);
          expect(index.isHeld(2, now)).toBe(false);
          const verdict = index.verdict(0, now);
          expect(verdict.kind === "hold" ? verdict.by : []).toEqual(expected);
          if (verdict.kind === "hold" && verdict.until !== null) {
            expect(index.isHeld(0, verdict.until)).toBe(false);
            expect(index.isHeld(0, verdict.until - 1)).toBe(true);
          }
        }
      }),
    );
  });

  it("changing one window gives the same index as compiling anew", () => {
    fc.assert(
      fc.property(
        windowsArbitrary,
        windowsArbitrary,
        fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
        (windows, changes, covers) => {
          const integrations = [0, 1, 2, 3].map((n) => ({
            key: `i${n}`,
            windowIds: windows.flatMap((_, id) => ((id + n) % 2 === 0 ? [id] : [])),
          }));
          const before = HoldIndex.compile({ integrations, windows: windows.map((list, id) => spans(id, list)), horizon });
          const changed = changes[0] ?? [];
          const covered = covers.flatMap((yes, n) => (yes ? [n] : []));
          const after = before.withWindow(spans(0, changed), covered);
          const expected = integrations.map((one, n) => [...one.windowIds.filter((id) => id !== 0), ...((covers[n] ?? false) ? [0] : [])]);
          const all = windows.map((list, id) => (id === 0 ? changed : list));
          for (let now = 0; now < horizon; now += 37) {
            expected.forEach((ids, n) => expect(after.isHeld(n, now)).toBe(holding(all, ids, now).length > 0));
          }
        },
      ),
    );
  });

  it("answers hold beyond its horizon and for what it does not know", () => {
    const index = HoldIndex.compile({ integrations: [{ key: "a", windowIds: [] }], windows: [], horizon });
    expect(index.isHeld(0, horizon - 1)).toBe(false);
    expect(index.isHeld(0, horizon)).toBe(true);
    expect(index.isHeld(7, 0)).toBe(true);
    expect(index.verdict(0, horizon)).toEqual({ kind: "hold", by: [], until: null });
  });

  it("an open end wins over every later release", () => {
    const index = HoldIndex.compile({
      integrations: [{ key: "a", windowIds: [1, 2] }],
      windows: [spans(1, [[10, 20]]), spans(2, [[15, Number.POSITIVE_INFINITY]])],
      horizon,
    });
    expect(index.verdict(0, 12)).toEqual({ kind: "hold", by: [1], until: null });
    expect(index.verdict(0, 25)).toEqual({ kind: "hold", by: [2], until: null });
  });

  it("keeps a run back that would not finish before the first coming window that looks so far ahead, to the millisecond", () => {
    const index = HoldIndex.compile({
      integrations: [{ key: "a", windowIds: [1, 2, 3] }],
      windows: [
        { ...spans(1, [[100, 120]]), leadLimitMs: 10 },
        { ...spans(2, [[105, 130]]), leadLimitMs: 60 },
        // It keeps nothing back.
        spans(3, [[90, 95]]),
      ],
      horizon,
    });
    const postponed = (by: number, until: number) => ({ kind: "postpone", reason: "would-not-finish", by, until });
    const go = { kind: "dispatch" };
    expect(index.verdict(0, 55, 50)).toEqual(go);
    expect(index.verdict(0, 56, 50)).toEqual(postponed(2, 105));
    expect(index.verdict(0, 44, 1_000), "well before the lead limit").toEqual(go);
    expect(index.verdict(0, 45, 1_000), "exactly the lead limit before").toEqual(go);
    expect(index.verdict(0, 46, 1_000)).toEqual(postponed(2, 105));
    expect(index.verdict(0, 96, 5), "both begin later than it ends").toEqual(postponed(1, 100));
    expect(index.verdict(0, 95, 5)).toEqual(go);
    expect(index.verdict(0, 92, 50), "held is held").toMatchObject({ kind: "hold", by: [3] });
    expect(index.verdict(0, 99, null), "nobody knows how long it takes").toEqual(go);
    expect(index.verdict(0, 200, 1_000)).toEqual(go);
  });
});
