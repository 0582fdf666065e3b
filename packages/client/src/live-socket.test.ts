import { expect, it } from "vitest";
import { retryWaitMs } from "./live-socket.js";

it("waits twice as long after each failure, fifteen seconds and a half of that at most", () => {
  expect([0, 1, 2, 3].map((failures) => retryWaitMs(failures, 0))).toEqual([500, 1_000, 2_000, 4_000]);
  expect(retryWaitMs(1_000, 0)).toBe(15_000);
  expect(retryWaitMs(1_000, 1)).toBe(22_500);
});
