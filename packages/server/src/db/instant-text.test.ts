import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInstant, parseInstant } from "./instant-text.js";

const FIRST = Date.parse("0001-01-01T00:00:00Z");
const LAST = Date.parse("9999-12-31T23:59:59.999Z");
const anyInstant = fc.integer({ min: FIRST, max: LAST });

/** As PostgreSQL writes a timestamptz in UTC: a fraction without the zeros at its end, and none when it is zero. */
const written = (ms: number): string => {
  const [whole = "", fraction = ""] = formatInstant(ms).replace("T", " ").replace("Z", "").split(".");
  const digits = fraction.replace(/0+$/, "");
  return `${whole}${digits === "" ? "" : `.${digits}`}+00`;
};

describe("the text of an instant", () => {
  it("is read as the instant that it was written from, in every year from 1 to 9999", () => {
    expect(written(Date.parse("2026-11-20T08:00:00.120Z"))).toBe("2026-11-20 08:00:00.12+00");
    fc.assert(fc.property(anyInstant, (ms) => parseInstant(written(ms)) === ms));
  });

  it("is read the same with microseconds or with an offset, which take the longer way", () => {
    fc.assert(
      fc.property(anyInstant, (ms) => {
        const whole = formatInstant(ms).replace("T", " ").replace("Z", "");
        return parseInstant(`${whole}000+00`) === ms && parseInstant(`${whole}+00:00`) === ms;
      }),
    );
  });

  it.each([
    ["2026-11-20 09:00:00+01", "2026-11-20T08:00:00Z"],
    ["2026-11-20 07:59:59.9995+00", "2026-11-20T08:00:00Z"],
    ["12026-11-20 08:00:00+00", "+012026-11-20T08:00:00Z"],
    ["0001-01-01 00:00:00+00 BC", "0000-01-01T00:00:00Z"],
  ])("%s is %s", (text, instant) => {
    expect(parseInstant(text)).toBe(Date.parse(instant));
  });

  it.each(["2026-11-20T08:00:00Z", "2026-11-20 08:00:00", "2026-11-20 08:00:00.+00", "now", ""])("%j is none", (text) => {
    expect(() => parseInstant(text)).toThrow(TypeError);
  });
});
