import fc from "fast-check";
import { expect, test } from "vitest";
import { cursorProblem, joinKey, splitKey } from "./index.js";

test("keys of several fields never collide and can be taken apart again", () => {
  const value = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom("a", "|", "\\", "é") });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
      const key = joinKey(values);
      expect(key).toBeDefined();
      expect(splitKey(key ?? "", values.length)).toEqual(values);
    }),
  );
});

test("a missing, empty or structured key value gives no key", () => {
  expect(joinKey([1, true])).toBe("1|true");
  for (const value of [undefined, null, "", {}, []]) expect(joinKey(["a", value])).toBeUndefined();
  expect(joinKey([])).toBeUndefined();
});

test("a cursor is flat and at most 8 KiB", () => {
  expect(cursorProblem({ at: "2026", id: 7, done: false, next: null })).toBeUndefined();
  expect(cursorProblem({ at: { time: 1 } })).toContain("cursor.at must be");
  expect(cursorProblem([])).toContain("an array");
  expect(cursorProblem(null)).toContain("null");
  expect(cursorProblem({ id: Number.NaN })).toContain("finite");
  expect(cursorProblem({ text: "é".repeat(4200) })).toContain("8192 bytes");
});
