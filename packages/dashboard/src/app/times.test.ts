import { expect, it } from "vitest";
import { lengthText } from "./times.js";

const minute = 60_000;
const hour = 60 * minute;
it.each([
  [12_000, "12 s"],
  [3 * minute, "3 min"],
  [2 * hour, "2 h"],
  [2 * hour + 5 * minute, "2 h 5 min"],
  [52 * hour, "2 d 4 h"],
  [24 * hour - 1, "24 h"],
  [48 * hour - 1, "2 d"],
])("%d ms are %s", (ms, text) => {
  expect(lengthText(ms)).toBe(text);
});
