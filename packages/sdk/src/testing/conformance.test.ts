import { describe, expect, it } from "vitest";
import { isConnectorError } from "../index.js";
import { exampleConnector, exampleOptions } from "./example/example-connector.js";
import { conformance, conformanceCases, ConformanceFailure, SUITES } from "./index.js";
import { mutants } from "./mutants/mutants.js";

conformance(exampleConnector, { describe, it, ...exampleOptions });

const suiteOf = (caughtBy: string): string => caughtBy.slice(0, caughtBy.indexOf(":"));

describe("the example that the mutants are made of", () => {
  it("has something for every suite to look at, and every suite has mutants", () => {
    expect(conformanceCases(exampleConnector, exampleOptions).skipped).toEqual([]);
    expect(new Set(mutants.map(({ caughtBy }) => suiteOf(caughtBy)))).toEqual(new Set(SUITES));
  });
});

describe("a mutant", () => {
  it("has a name of its own", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThan(25);
  });

  it.each(mutants.map((one) => [one.caughtBy, one.name, one] as const))('is caught by "%s": it %s', async (caughtBy, _name, one) => {
    const { cases } = conformanceCases(one.connector, { ...exampleOptions, ...one.options });
    const aimed = cases.filter(({ name }) => name === caughtBy);
    expect(aimed).toHaveLength(1);
    const failure: unknown = await aimed[0]?.run().then(
      () => "it passed",
      (thrown: unknown) => thrown,
    );
    // Not a TypeError of the kit: what was found and expected.
    expect(failure instanceof ConformanceFailure || isConnectorError(failure), String(failure)).toBe(true);
  });
});
