import { describe, expect, it } from "vitest";
import { CRASH_WINDOW_MS, decideRestart, MAX_CRASHES } from "./decide-restart.js";

describe("a worker that has ended", () => {
  it("is started again, later each time", () => {
    const delays = [1, 2, 3, 4].map((n) =>
      decideRestart(
        Array.from({ length: n }, (_, i) => 1_000_000 + i),
        1_000_010,
      ),
    );
    expect(delays).toEqual([250, 500, 1_000, 2_000].map((afterMs) => ({ kind: "restart", afterMs })));
  });

  it("is given up after five crashes in ten minutes, and not by crashes of long ago", () => {
    const now = 10_000_000;
    const many = Array.from({ length: MAX_CRASHES }, (_, i) => now - i);
    expect(decideRestart(many, now)).toEqual({ kind: "give-up", crashes: 5, withinMs: CRASH_WINDOW_MS });
    expect(decideRestart([now, ...many.slice(1).map((at) => at - CRASH_WINDOW_MS)], now)).toEqual({ kind: "restart", afterMs: 250 });
  });
});
