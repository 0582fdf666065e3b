import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { comparableValue, recordHash, type Json } from "./index.js";

const same = (left: Json, right: Json) => expect(recordHash({ v: left }, ["v"])).toBe(recordHash({ v: right }, ["v"]));
const other = (left: Json, right: Json) => expect(recordHash({ v: left }, ["v"])).not.toBe(recordHash({ v: right }, ["v"]));

describe("comparableValue", () => {
  test.each<[Json, Json]>([
    [12.5, "12.50"],
    [1e21, "1000000000000000000000"],
    [1e-7, "0.0000001"],
    [-0, "0"],
    ["-0.00", 0],
    [true, "true"],
    ["2026-01-01 10:00+02:00", "2026-01-01T08:00:00.000Z"],
    ["2026-01-01T00:00:00.120-0030", "2026-01-01T00:30:00.12Z"],
    ["2026-01-01T08:00:00+00", "2026-01-01T08:00Z"],
    ["2026-01-01 10:00:00.000000", "2026-01-01T10:00"],
    [{ a: null, b: 1 }, { b: "1.0" }],
    [
      [1, "2"],
      ["1", 2],
    ],
  ])("%j and %j are one value", same);

  test.each<[Json, Json]>([
    ["", null],
    ["007", 7],
    ["+7", 7],
    ["1e3", 1000],
    ["t", true],
    [1, true],
    ["2026-01-01", "2026-01-01T00:00:00Z"],
    ["2026-01-01T00:00:00", "2026-01-01T00:00:00Z"],
    ["2026-02-30T00:00:00Z", "2026-03-02T00:00:00Z"],
    ["2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00Z"],
    [[null], []],
    [{}, null],
    [
      [1, 2],
      [2, 1],
    ],
  ])("%j and %j are two", other);

  test("comparing a comparable value changes nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = comparableValue(value as Json);
        expect(comparableValue(once)).toEqual(once);
      }),
    );
  });

  test("a number and every way of writing its digits are one value, and another number is another", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(999_999), fc.nat(5), (whole, micros, zeros) => {
        const text = `${whole}.${String(micros).padStart(6, "0")}${"0".repeat(zeros)}`;
        expect(comparableValue(text)).toBe(comparableValue(`${text}0`));
        expect(comparableValue(text)).toBe(comparableValue(Number(text)));
        expect(comparableValue(text)).not.toBe(comparableValue(`${whole}.${String((micros + 1) % 1_000_000).padStart(6, "0")}`));
      }),
    );
  });

  test("every finite number has the digits that JavaScript reads back as it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        const text = comparableValue(number) as string;
        expect(text).not.toMatch(/e/);
        expect(Number(text)).toBe(number === 0 ? 0 : number);
      }),
    );
  });

  test("an instant is the same in every zone", () => {
    const minutes = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(fc.date({ min: new Date("1000-01-02"), max: new Date("9999-12-30"), noInvalidDate: true }), minutes, (date, offset) => {
        const two = (value: number) => String(value).padStart(2, "0");
        const shown = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        same(`${shown}${zone}`, date.toISOString());
        same(`${shown.replace("T", " ")}${zone}`, date.toISOString());
        other(`${shown}${zone}`, new Date(date.getTime() + 1).toISOString());
      }),
    );
  });
});
