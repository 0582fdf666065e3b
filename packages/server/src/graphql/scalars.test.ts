import fc from "fast-check";
import { isScalarType } from "graphql";
import { describe, expect, it } from "vitest";
import { apiSchema } from "./schema.js";

const serialize = (value: number): unknown => {
  const type = apiSchema().getType("DateTime");
  if (!isScalarType(type)) throw new Error("There is no DateTime.");
  return type.serialize(value);
};

describe("DateTime", () => {
  it("is written as ISO 8601 in UTC, whatever was written before it", () => {
    const near = fc.integer({ min: -2 * 86_400_000, max: 2 * 86_400_000 });
    const far = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
    fc.assert(
      fc.property(fc.array(fc.oneof(near, far), { minLength: 2 }), (instants) =>
        instants.every((ms) => serialize(ms) === new Date(ms).toISOString()),
      ),
    );
  });

  it.each(["2026-02-30T00:00:00Z", "2026-04-31T00:00:00+02:00", "2026-04-30", "2026-04-30T00:00:00"])("is not read from %s", (text) => {
    const type = apiSchema().getType("DateTime");
    expect(() => isScalarType(type) && type.parseValue(text)).toThrow(/is not an instant/);
  });

  it.each([Number.NaN, Infinity, 8_640_000_000_000_001])("cannot say %d, and says so", (value) => {
    expect(() => serialize(value)).toThrow(RangeError);
  });
});
