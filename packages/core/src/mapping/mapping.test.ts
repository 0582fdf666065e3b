import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyMapping } from "./apply-mapping.js";
import { castValue } from "./cast-value.js";
import type { Cast, FieldRule } from "./mapping-schema.js";
import { tableLosses } from "./table-losses.js";
import { validateMapping } from "./validate-mapping.js";

const record = {
  key: "7",
  version: "v1",
  data: { name: "ACME", lines: [{ sku: "A-1" }], address: { city: "Ávila", zip: null }, status: 2, paid: true },
};

async function one(rule: FieldRule, data: Record<string, unknown> = record.data): Promise<unknown> {
  const result = await applyMapping({ fields: { out: rule } }, { key: "7", data: data as typeof record.data });
  if (result.kind === "mapped") return result.record.data["out"];
  return result.kind === "unfit" ? result.errors[0] : result.kind;
}

describe("applyMapping", () => {
  test("renames, nests, fixes, looks up and keeps key and version", async () => {
    const result = await applyMapping(
      {
        fields: {
          "customer.name": { from: "name" },
          "customer.city": { from: "address.city" },
          first: { from: "lines.0.sku" },
          origin: { const: "erp" },
          state: { from: "status", table: { "1": "new", "2": "done" } },
        },
      },
      record,
    );
    expect(result).toEqual({
      kind: "mapped",
      record: {
        key: "7",
        version: "v1",
        data: { customer: { name: "ACME", city: "Ávila" }, first: "A-1", origin: "erp", state: "done" },
      },
    });
  });

  test("a record that does not fit comes back with every error, not the first", async () => {
    const result = await applyMapping(
      { fields: { a: { from: "nothing.here" }, b: { from: "status", table: { x: "y" } }, c: { from: "name", cast: "integer" } } },
      record,
    );
    expect(result).toEqual({
      kind: "unfit",
      errors: [
        { field: "a", found: "nothing", expected: "a value at nothing.here; a default would allow it to be absent" },
        { field: "b", found: "2", expected: 'one of "x" (value table)' },
        { field: "c", found: '"ACME"', expected: "a whole number between -(2^53 - 1) and 2^53 - 1" },
      ],
    });
  });

  test("null stays null, a default stands in for null and for an absent field", async () => {
    expect(await one({ from: "address.zip", cast: "integer" })).toBeNull();
    expect(await one({ from: "address.zip", default: "00000" })).toBe("00000");
    expect(await one({ from: "nothing", default: null })).toBeNull();
    expect(await one({ const: null })).toBeNull();
  });

  test("inherited members of objects are not fields", async () => {
    for (const from of ["toString", "address.toString", "lines.length", "name.length"]) {
      expect(await one({ from })).toMatchObject({ found: "nothing" });
    }
    expect(await one({ from: "name", table: { a: "b" } }, { name: "toString" })).toMatchObject({ found: '"toString"' });
  });

  test("the key can be a target field, and a record without it is refused", async () => {
    const mapping = { fields: { code: { from: "name" } }, key: "code" };
    expect(await applyMapping(mapping, record)).toMatchObject({ kind: "mapped", record: { key: "ACME" } });
    expect(await applyMapping(mapping, { key: "7", data: { name: null } })).toMatchObject({ kind: "unfit", errors: [{ field: "code" }] });
  });

  test("a deletion without data keeps its key and needs no fields", async () => {
    const result = await applyMapping({ fields: { a: { from: "name" } } }, { key: "7", op: "delete", data: {} });
    expect(result).toEqual({ kind: "mapped", record: { key: "7", op: "delete", data: {} } });
  });
});

describe("castValue", () => {
  test.each<[Cast, string | number | boolean, unknown]>([
    ["string", 12, "12"],
    ["number", "12.50", 12.5],
    ["number", "123456789012345678", undefined],
    ["number", "", undefined],
    ["number", "1e3", 1000],
    ["number", "0x10", undefined],
    ["integer", "9007199254740993", undefined],
    ["integer", "-42", -42],
    ["integer", 1.5, undefined],
    ["boolean", "TRUE", true],
    ["boolean", 0, false],
    ["boolean", "yes", undefined],
    ["date", "2026-02-28T23:59:00-06:00", "2026-02-28"],
    ["date", "2026-02-30", undefined],
    ["date", "2024-02-29", "2024-02-29"],
    ["datetime", "2026-11-20 08:37:21.332807+00", "2026-11-20T08:37:21.332807Z"],
    ["datetime", "2026-11-20T01:00:00+05:30", "2026-11-19T19:30:00Z"],
    ["datetime", "2026-11-20T08:00Z", "2026-11-20T08:00:00Z"],
    ["datetime", "2026-11-20T08:00:00", undefined],
    ["datetime", "2026-02-30T08:00:00Z", undefined],
    ["json", '{"a":[1]}', { a: [1] }],
    ["json", "{", undefined],
  ])("%s of %j is %j", (cast, value, expected) => {
    const result = castValue(cast, value);
    expect(result.ok ? result.value : undefined).toEqual(expected);
  });

  test("a number that is accepted is exactly the number that was written", () => {
    const plain = (text: string): string =>
      text
        .replace(/^(-?)0+(?=\d)/u, "$1")
        .replace(/(\.\d*?)0+$/u, "$1")
        .replace(/\.$/u, "")
        .replace(/^-0$/u, "0");
    const arbitrary = fc.tuple(fc.constantFrom("", "-"), fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 0n, max: 999_999n }));
    fc.assert(
      fc.property(arbitrary, ([sign, whole, fraction]) => {
        const text = `${sign}${whole}.${fraction.toString().padStart(6, "0")}`;
        const result = castValue("number", text);
        if (result.ok) expect(plain(JSON.stringify(result.value))).toBe(plain(text));
        else expect(plain(text).replaceAll(/[-.]/gu, "").length).toBeGreaterThan(15);
      }),
    );
  });
});

describe("validateMapping", () => {
  test("a good mapping is returned, with a warning where two values become one", () => {
    const check = validateMapping({ fields: { s: { from: "a", table: { "1": "open", "2": "open", "3": "done" } } } });
    expect(check).toMatchObject({ ok: true, warnings: [{ path: "fields.s.table", message: '"1" and "2" all become "open"' }] });
  });

  test("a table that must be lossless is refused if two values become one", () => {
    const check = validateMapping({ fields: { s: { from: "a", lossless: true, table: { a: 1, b: "1" } } } });
    expect(check).toMatchObject({ ok: false, problems: [{ path: "fields.s.table" }] });
  });

  test("a table whose values all differ, and differ from nothing, can be turned round", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 2 }), fc.constantFrom("x", "y", 1, "1", true, null)), (table) => {
        const values = Object.values(table);
        const invertible = new Set(values.map(String)).size === values.length && !values.includes(null);
        expect(tableLosses({ table }).length === 0).toBe(invertible);
      }),
    );
  });

  test.each([
    [{ table: { a: "1", b: "01" }, cast: "integer" } as const, '"a" and "b" all become "1"'],
    [{ table: { a: "new", b: "done" }, default: "new" }, '"a" and an empty value both become "new"'],
    [{ table: { a: null, b: "done" } }, '"a" and an empty value both become null'],
  ])("a lossless table is refused where the way back is not clear: %j", (rule, message) => {
    const check = validateMapping({ fields: { s: { from: "x", lossless: true, ...rule } } });
    expect(check).toMatchObject({ ok: false, problems: [{ path: "fields.s.table", message }] });
    expect(validateMapping({ fields: { s: { from: "x", ...rule } } })).toMatchObject({ ok: true, warnings: [{ message }] });
  });

  test.each([
    [{ fields: {} }, "fields", "maps no field"],
    [{ fields: { a: {} } }, "fields.a", "found none"],
    [{ fields: { a: { from: "b", const: 1 } } }, "fields.a", "found from and const"],
    [{ fields: { a: { from: "b", expression: "c" } } }, "fields.a", "found from and expression"],
    [{ fields: { a: { expression: "a.b +" } } }, "fields.a.expression", "character 5: Unexpected end of expression."],
    [{ fields: { a: { from: "b", when: "total > $limit" } } }, "fields.a.when", "character 14: $limit is neither a function"],
    [{ fields: { a: { from: "b" } }, when: "$now() > at" }, "when", "character 4: $now is not available here"],
    [{ fields: { a: { const: 1, cast: "string" } } }, "fields.a", "const stands alone"],
    [{ fields: { a: { from: "b", lossless: true } } }, "fields.a", "lossless needs a table"],
    [{ fields: { a: { from: "b", cats: "string" } } }, "fields.a", "cats"],
    [{ fields: { a: { from: "b..c" } } }, "fields.a.from", "dotted path"],
    [{ fields: { a: { from: "b.__proto__.c" } } }, "fields.a.from", "__proto__"],
    [{ fields: { a: { from: "x" }, "a.b": { from: "y" } } }, "fields.a.b", '"a" is mapped as a value already'],
    [{ fields: { a: { from: "x" } }, key: "b" }, "key", "expected one of the mapped fields: a"],
    [{ fields: { a: { from: "x", cast: "integer", table: { y: "one" } } } }, "fields.a.table.y", "a whole number"],
  ])("%j is refused at %s", (mapping, path, message) => {
    const check = validateMapping(mapping);
    expect(check).toMatchObject({ ok: false });
    const problems = check.ok ? [] : check.problems;
    expect(problems.map((problem) => problem.path)).toContain(path);
    expect(problems.map((problem) => problem.message).join("; ")).toContain(message);
  });

  test("a target that would reach a prototype is refused", () => {
    for (const target of ["a.__proto__.b", "__proto__.b", "constructor", "constructor.prototype.b"]) {
      expect(validateMapping({ fields: { [target]: { const: 1 } } }).ok).toBe(false);
    }
  });
});
