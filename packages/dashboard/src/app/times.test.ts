import { expect, it } from "vitest";
import { lengthText, timesOf } from "./times.js";

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

it.each([
  ["2026-12-06T01:00:00Z", "2026-12-06T05:00:00Z", "06:00"],
  // Past midnight is still read as the next night's end.
  ["2026-12-06T21:00:00Z", "2026-12-07T05:00:00Z", "06:00"],
  ["2026-12-27T23:00:00Z", "2027-01-03T23:00:00Z", "Mon 4 Jan 00:00"],
  ["2026-12-05T23:00:00Z", "2026-12-06T23:00:00Z", "Mon 7 Dec 00:00"],
])("what began at %s and ends at %s ends at %s", (start, end, text) => {
  // Some editions of ICU write a comma behind the weekday.
  expect(timesOf("en-GB", "Europe/Madrid").end(start, end).replace(",", "")).toBe(text);
});
