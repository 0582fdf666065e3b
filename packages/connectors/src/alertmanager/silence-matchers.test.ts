import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchersOf, resourcesOf, sameMatchers } from "./silence-matchers.js";

describe("matchersOf", () => {
  it("says one value exactly, several as alternatives without a special meaning, and another label apart", () => {
    expect(matchersOf(["erp"], "system")).toEqual([{ name: "system", value: "erp", isRegex: false, isEqual: true }]);
    expect(matchersOf(["b.c", "a", "a", "job=x"], "system")).toEqual([
      { name: "system", value: "a|b\\.c", isRegex: true, isEqual: true },
      { name: "job", value: "x", isRegex: false, isEqual: true },
    ]);
  });

  it("refuses a name that would silence everything without the label", () => {
    expect(() => matchersOf(["erp", ""], "system")).toThrow(/without a name/u);
  });

  it("is read back as the same resources, whatever is in their names", () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }).filter((text) => !text.includes("="));
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 5 }), (names) => {
        const read = matchersOf(names, "system").flatMap((one) => resourcesOf([one], "system"));
        expect(read.toSorted()).toEqual(names.toSorted());
        // Anchored and as RE2 reads it, every name matches, and a longer one does not.
        const [matcher] = matchersOf(names, "system");
        if (!matcher?.isRegex) return;
        const expression = new RegExp(`^(?:${matcher.value})$`, "u");
        for (const one of names) expect(expression.test(one)).toBe(true);
        expect(expression.test(`${names.join("")}+`)).toBe(names.includes(`${names.join("")}+`));
      }),
    );
  });
});

describe("resourcesOf", () => {
  it("shows what others have made as Alertmanager does", () => {
    const theirs = [
      { name: "system", value: "erp.*", isRegex: true, isEqual: true },
      { name: "team", value: "a", isRegex: false, isEqual: false },
    ];
    expect(resourcesOf(theirs, "system")).toEqual(['{system=~"erp.*",team!="a"}']);
    expect(resourcesOf(theirs.slice(0, 1), "system")).toEqual(['{system=~"erp.*"}']);
    expect(resourcesOf([{ name: "job", value: "x", isRegex: false, isEqual: true }], "system")).toEqual(["job=x"]);
  });
});

describe("sameMatchers", () => {
  it("does not look at the order", () => {
    const [a, b] = [
      { name: "a", value: "1", isRegex: false, isEqual: true },
      { name: "b", value: "2", isRegex: false, isEqual: true },
    ];
    expect(sameMatchers([a, b], [b, a])).toBe(true);
    expect(sameMatchers([a], [a, b])).toBe(false);
    expect(sameMatchers([a], [{ ...a, isRegex: true }])).toBe(false);
  });
});
