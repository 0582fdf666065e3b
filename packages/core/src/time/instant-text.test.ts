import { expect, it } from "vitest";
import { parseInstantText } from "./instant-text.js";

it.each([
  ["2026-02-28T00:00:00Z", true],
  ["2026-02-29T00:00:00Z", false],
  ["2028-02-29T23:59:59.999+02:00", true],
  ["2100-02-29T00:00:00Z", false],
  ["2026-04-30", true],
  ["2026-04-31", false],
  ["2026-11-31T12:00:00Z", false],
  ["2026-12-31T12:00:00Z", true],
  ["2026-12-32T12:00:00Z", false],
  ["2026-13-31T12:00:00Z", false],
])("the instant %s is one: %s", (text, is) => {
  expect(parseInstantText(text)).toBe(is ? Date.parse(text) : Number.NaN);
});
