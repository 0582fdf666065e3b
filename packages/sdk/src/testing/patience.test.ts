import { expect, it } from "vitest";
import { countedMs } from "./patience.js";

it("counts the time of an idle machine as it is", () => {
  expect(countedMs({ elapsedMs: 10, cpuMs: 0 })).toBe(10);
});

it("counts little of the time in which the machine worked for others", () => {
  expect(countedMs({ elapsedMs: 3_000, cpuMs: 1 })).toBe(20);
});

it("does not excuse a connector that is busy itself", () => {
  expect(countedMs({ elapsedMs: 3_000, cpuMs: 900 })).toBe(900);
});
