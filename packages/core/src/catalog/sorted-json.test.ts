import fc from "fast-check";
import { expect, test } from "vitest";
import { sortedJson, sortedText } from "./sorted-json.js";

const names = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.nat({ max: 30 }).map(String),
  fc.constantFrom("b", "a", "__proto__", "01", "1.5", ""),
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(names, tie("value"), { maxKeys: 6 }),
  ),
})).value;

test("the sorted text of a value is the text of its sorted copy, whatever its members are called", () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(sortedText(value)).toBe(JSON.stringify(sortedJson(value)));
    }),
    { numRuns: 1_000 },
  );
});

test("an absent member counts for nothing, in an object and in a list", () => {
  expect(sortedText({ b: undefined, a: [undefined, { d: 1, c: undefined }] })).toBe('{"a":[null,{"d":1}]}');
});
