import { buildSchema, graphql } from "graphql";
import { describe, expect, it } from "vitest";
import { valueFreeMessage } from "./value-free-message.js";

const schema = buildSchema(`
  enum Mode { ON OFF }
  input Secret { name: String! value: String! }
  input Stage { endpoint: String! secrets: [Secret!]! mode: Mode count: Int }
  type Query { stage(input: Stage!): String }`);
const messageOf = async (input: unknown): Promise<string> => {
  const source = "query ($input: Stage!) { stage(input: $input) }";
  const { errors } = await graphql({ schema, source, variableValues: { input } });
  return valueFreeMessage(errors?.[0]?.message ?? "");
};
const secret = "canary";

describe("a message on a value that does not fit", () => {
  it("says where and what, and does not repeat objects, lists or secrets", async () => {
    const value = { name: "a", value: secret };
    const found = [
      await messageOf({ endpoint: "e", secrets: [{ ...value, extra: 1 }] }),
      await messageOf({ endpoint: "e", secrets: [{ name: "a", value: { inner: secret } }] }),
      await messageOf({ secrets: [value] }),
      await messageOf({ endpoint: { a: secret }, secrets: [value] }),
      await messageOf([value]),
      await messageOf({ endpoint: "e", secrets: { name: ["; Expected type", secret], value: ' at "x"; Field' } }),
    ];
    expect(found.filter((text) => text.includes(secret))).toEqual([]);
    expect(found[0]).toBe('Variable "$input" got an invalid value at "input.secrets[0]"; Field "extra" is not defined by type "Secret".');
    expect(found[1]).toBe('Variable "$input" got an invalid value at "input.secrets[0].value"; String cannot represent it.');
    expect(found[2]).toContain('Field "endpoint" of required type "String!" was not provided.');
  });

  it("repeats what helps and tells nothing", async () => {
    expect(await messageOf({ endpoint: "e", secrets: [], mode: "PURPLE" })).toContain('"PURPLE"');
    expect(await messageOf({ endpoint: "e", secrets: [], count: 1.5 })).toContain("1.5");
  });

  it("does not repeat values that are written in the document either", async () => {
    for (const input of [`{ endpoint: "e", secrets: "${secret}" }`, `{ endpoint: { a: "${secret}" }, secrets: [] }`, `"${secret}"`]) {
      const { errors } = await graphql({ schema, source: `{ stage(input: ${input}) }` });
      expect(errors?.length).toBeGreaterThan(0);
      for (const { message } of errors ?? []) expect(valueFreeMessage(message)).not.toContain(secret);
    }
  });
});
