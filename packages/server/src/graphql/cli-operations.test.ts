import { readdirSync } from "node:fs";
import { parse, validate } from "graphql";
import { expect, it } from "vitest";
import { apiSchema } from "./schema.js";

const folder = new URL("../cli/operations/", import.meta.url);

it("every operation of the command line fits the schema", async () => {
  const checked: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))) {
    const exported: Record<string, unknown> = await import(new URL(file, folder).href);
    for (const [name, value] of Object.entries(exported)) {
      const text = typeof value === "object" && value !== null && "document" in value ? value.document : undefined;
      if (typeof text !== "string") continue;
      expect(
        validate(apiSchema(), parse(text)).map(({ message }) => message),
        `${file} ${name}`,
      ).toEqual([]);
      checked.push(name);
    }
  }
  expect(checked.length).toBeGreaterThan(10);
});
