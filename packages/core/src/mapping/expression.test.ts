import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import jsonata from "jsonata";
import { describe, expect, test } from "vitest";
import { applyMapping } from "./apply-mapping.js";
import { compileExpression, EXPRESSION_LIMITS, type ExpressionValue } from "./expression.js";
import { EXPRESSION_FUNCTIONS, REFUSED_FUNCTIONS } from "./expression-problems.js";
import { LinearRegExp } from "./linear-regexp.js";

const order = {
  key: "SO-7",
  version: "3",
  data: {
    first: "Ada",
    last: "Byron",
    status: "paid",
    lines: [
      { price: 10, quantity: 2 },
      { price: 2.5, quantity: 4 },
    ],
    none: null,
  },
};

async function valueOf(text: string, data: object = order.data): Promise<ExpressionValue> {
  const compiled = compileExpression(text);
  if (!compiled.ok) throw new Error(`${text}: ${JSON.stringify(compiled.problems)}`);
  return compiled.expression.evaluate({ ...order, data: data as typeof order.data });
}

function problemsOf(text: string): string {
  const compiled = compileExpression(text);
  return compiled.ok ? "" : compiled.problems.map(({ position, message }) => `${position}: ${message}`).join("\n");
}

describe("an expression", () => {
  test.each([
    ["first & ' ' & $uppercase(last)", "Ada BYRON"],
    ["$sum(lines.(price * quantity))", 30],
    ["$key & '/' & $version & '/' & $op", "SO-7/3/upsert"],
    ["lines[quantity > 3].{ 'p': price }", { p: 2.5 }],
    ["lines.price", [10, 2.5]],
    ["none", null],
    ["nothing.here", undefined],
    ["$replace('a-b_c', /[-_]/, '')", "abc"],
    ["$match('ab12cd3', /([a-z]+)([0-9]+)/).groups[0]", ["ab", "cd"]],
    ["$split('a, b;c', /[,;] ?/)", ["a", "b", "c"]],
    ["$pad('7', -4, '0')", "0007"],
    ["($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(5))", 120],
    [
      "lines#$i.{ 'n': $i, 'q': quantity }",
      [
        { n: 0, q: 2 },
        { n: 1, q: 4 },
      ],
    ],
  ])("%s gives %j", async (text, expected) => {
    expect(await valueOf(text)).toEqual({ ok: true, value: expected });
  });

  test("what it gives is plain JSON and nothing of the record", async () => {
    const result = await valueOf("lines");
    if (!result.ok || !Array.isArray(result.value)) throw new Error("No list.");
    expect(Object.getOwnPropertyNames(result.value)).toEqual(["0", "1", "length"]);
    expect(result.value[0]).not.toBe(order.data.lines[0]);
  });

  test.each([
    ["a.b +", "5: Unexpected end of expression."],
    ["/(/", "No terminating /"],
    ["$now()", "4: $now is not available here"],
    ["lines.($random())", "$random is not available here"],
    ["$eval(first)", "$eval is not available here"],
    ["($eval := 1; $eval)", "$eval is not available here"],
    ["first ~> $uppercas", "$uppercas is neither a function of the language nor set before"],
    ["$contains(first, /(?=A)/)", "without lookaheads"],
    ["$contains(first, /(a)\\1/)", "RE2"],
    ["x".repeat(EXPRESSION_LIMITS.characters + 1), "expected at most 4000"],
  ])("%s is refused when it is saved", (text, message) => {
    expect(problemsOf(text)).toContain(message);
  });

  test.each([
    ["first - 1", "must evaluate to a number"],
    ["1 / 0", "finite"],
    ["$uppercase", "a function"],
    ["$error('no customer')", "no customer"],
    ["($f := function($n) { $f($n + 1) }; $f(1))", "steps"],
    ["($f := function($n) { $f($n + 1) + 1 }; $f(1))", "Stack overflow"],
    ["($s := function($t, $n) { $n = 0 ? $t : $s($t & $t, $n - 1) }; $length($s('x', 40)))", "A text is longer than"],
    ["$pad('x', 1000000000)", "A text is longer than 100000"],
    ["$count([1..1000000])", "sequence length"],
    ["$count($split($pad('x', 20000), ''))", "A list is longer than"],
    ["[1..200].([1..200].($ * 2))", "steps"],
  ])("%s ends with a reason", async (text, message) => {
    const result = await valueOf(text);
    expect(result.ok ? result.value : result.message).toContain(message);
  });

  test("a pattern that would backtrack for ever answers at once", async () => {
    const begun = performance.now();
    expect(await valueOf("$contains(text, /^(a+)+$/)", { text: `${"a".repeat(50_000)}!` })).toEqual({ ok: true, value: false });
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  test("the same values are found in a list of objects at once, as the library finds them", async () => {
    const same = [
      "$distinct([3, 1, 3, '3', 1])",
      "$distinct(lines.price)",
      "$distinct(lines.{'a': 1})",
      "$distinct(lines.[1])",
      "$distinct('x')",
      "$distinct(nothing)",
    ];
    for (const text of same) {
      const own = await valueOf(text);
      expect(own, text).toEqual({ ok: true, value: JSON.parse(JSON.stringify({ v: await jsonata(text).evaluate(order.data) }))["v"] });
    }
    const many = { rows: Array.from({ length: 10_000 }, (_none, index) => ({ a: index % 5_000, b: { c: [index % 5_000] } })) };
    const begun = performance.now();
    expect(await valueOf("$count($distinct(rows))", many)).toEqual({ ok: true, value: 5_000 });
    expect(performance.now() - begun).toBeLessThan(20_000);
  });

  test("it reaches no prototype and leaves none behind", async () => {
    for (const text of ["first.constructor", "$lookup($, 'constructor')", "$.__proto__.x", "lines.length"]) {
      expect(await valueOf(text)).toEqual({ ok: true, value: undefined });
    }
    await valueOf("$merge([$, {'__proto__': {'polluted': 1}}])");
    expect(Object.prototype).not.toHaveProperty("polluted");
  });

  test("every function of the library is either there or refused by name", () => {
    const path = createRequire(import.meta.url).resolve("jsonata");
    const names = [...readFileSync(path, "utf8").matchAll(/(?:staticFrame|environment)\.bind\('(\w+)'/gu)].map((match) => match[1] ?? "");
    const known = new Set([...EXPRESSION_FUNCTIONS, ...REFUSED_FUNCTIONS.keys()]);
    expect(new Set(names)).toEqual(known);
  });

  test("the linear engine walks through a text as the usual one does", () => {
    for (const pattern of [/a(b)?/, /B+/i, /^x/m, /\d+|[a-z]/, /\u00e9/]) {
      const walk = (engine: { exec: (text: string) => (ArrayLike<string | undefined> & { index: number }) | null; lastIndex: number }) => {
        const found = [];
        for (let match = engine.exec("abxab12\nxé"); match !== null && found.length < 20; match = engine.exec("abxab12\nxé"))
          found.push([match.index, Array.from(match), engine.lastIndex]);
        return found;
      };
      expect(walk(new LinearRegExp(pattern)), String(pattern)).toEqual(walk(new RegExp(pattern.source, `${pattern.flags}g`)));
    }
  });
});

describe("a mapping with expressions and conditions", () => {
  test("computes, casts, defaults, and leaves out what is not wanted", async () => {
    const mapping = {
      fields: {
        name: { expression: "first & ' ' & last" },
        total: { expression: "$sum(lines.(price * quantity))", cast: "string" as const },
        note: { expression: "remarks.note", default: "" },
        paidBy: { from: "last", when: "status = 'paid'" },
        dunning: { from: "missing", when: "status = 'late'" },
      },
    };
    expect(await applyMapping(mapping, order)).toEqual({
      kind: "mapped",
      record: { ...order, data: { name: "Ada Byron", total: "30", note: "", paidBy: "Byron" } },
    });
  });

  test("passes over what does not meet its condition, but never a deletion", async () => {
    const mapping = { fields: { a: { from: "first" } }, when: "status = 'open'" };
    expect(await applyMapping(mapping, order)).toEqual({ kind: "skipped" });
    expect(await applyMapping({ ...mapping, when: "nothing" }, order)).toEqual({ kind: "skipped" });
    expect(await applyMapping(mapping, { key: "7", op: "delete", data: {} })).toMatchObject({ kind: "mapped", record: { key: "7" } });
  });

  test("a condition that is neither true nor false, and an expression that fails, are errors of the record", async () => {
    expect(await applyMapping({ fields: { a: { from: "first" } }, when: "status" }, order)).toEqual({
      kind: "unfit",
      errors: [{ field: "when", found: '"paid"', expected: "a condition that is true or false for this record" }],
    });
    const failing = await applyMapping({ fields: { a: { expression: "1 + first" }, b: { expression: "nothing" } } }, order);
    expect(failing).toMatchObject({
      kind: "unfit",
      errors: [
        { field: "a", found: expect.stringContaining("(character 3)") },
        { field: "b", found: "nothing" },
      ],
    });
  });

  test("a key can be computed", async () => {
    const mapping = { fields: { code: { expression: "$lowercase(last) & '-' & $key" } }, key: "code" };
    expect(await applyMapping(mapping, order)).toMatchObject({ kind: "mapped", record: { key: "byron-SO-7" } });
  });
});
