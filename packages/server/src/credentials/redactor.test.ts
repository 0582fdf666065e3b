import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REDACTED, redactDeep, redactor } from "./redactor.js";

const secret = 'p+ss/w "rd~ü?';

describe("the redactor", () => {
  test("hides a value as it is, URL-encoded, as a form, JSON-escaped, hex and base64", () => {
    const redact = redactor([secret]);
    const forms = [
      secret,
      encodeURIComponent(secret),
      encodeURIComponent(secret).replace(/%../g, (escape) => escape.toLowerCase()),
      new URLSearchParams({ q: secret }).toString().slice(2),
      JSON.stringify(secret).slice(1, -1),
      Buffer.from(secret).toString("hex"),
      Buffer.from(secret).toString("base64"),
      Buffer.from(secret).toString("base64url"),
    ];
    for (const form of forms) expect(redact(`before ${form} after`)).toBe(`before ${REDACTED} after`);
  });

  test("hides it inside a Basic header, whatever stands before and behind it", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 8 }),
        fc.string({ maxLength: 8 }),
        fc.string({ minLength: 8, maxLength: 40 }),
        (before, after, value) => {
          const header = Buffer.from(`${before}:${value}:${after}`).toString("base64");
          expect(redactor([value])(`Authorization: Basic ${header}`)).toContain(REDACTED);
        },
      ),
    );
  });

  test("leaves no occurrence of any value in any text", () => {
    const word = fc.string({ minLength: 3, maxLength: 8, unit: fc.constantFrom("a", "b", ".", "*", "$", "\\", "é") });
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 4 }),
        fc.array(fc.oneof(word, fc.string()), { maxLength: 6 }),
        (values, parts) => {
          const text = redactor(values)(parts.concat(values).join(" "));
          for (const value of values) expect(text).not.toContain(value);
        },
      ),
    );
  });

  test("hides a value of the greatest length that a secret may have, in every form", () => {
    const long = `${"kéy ".repeat(16_000)}end`;
    const redact = redactor([long, "kéy kéy", "short-one"]);
    for (const form of [long, encodeURIComponent(long), JSON.stringify(long).slice(1, -1), Buffer.from(long).toString("hex")])
      expect(redact(`before ${form} short-one after`) === `before ${REDACTED} ${REDACTED} after`).toBe(true);
    expect(redact(Buffer.from(`user:${long}`).toString("base64")).length).toBeLessThan(100);
  });

  test("a value that begins with another one is hidden whole", () => {
    expect(redactor(["abc", "abcdef"])("xabcdefx")).toBe(`x${REDACTED}x`);
  });

  test("without values, and for values of one or two characters, the text stays readable", () => {
    expect(redactor([])("text")).toBe("text");
    expect(redactor(["", "a", "te"])("text")).toBe("text");
  });

  test("reaches into objects, lists and names", () => {
    expect(redactDeep(redactor(["hunter2"]), { a: ["x hunter2"], hunter2: 1, n: null })).toEqual({
      a: [`x ${REDACTED}`],
      [REDACTED]: 1,
      n: null,
    });
  });
});
