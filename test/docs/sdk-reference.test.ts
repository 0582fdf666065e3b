import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { API_VERSION, FACET_NAMES, FACET_STABILITY, type FacetName } from "@quiesce/sdk";
import { describe, expect, it } from "vitest";
import { root } from "./markdown.js";
import { type PublicName, publicNames } from "./sdk-surface.js";

const page = join(root, "docs/reference/sdk.md");
const reviewed = join(root, "packages/sdk/public-surface.txt");
const manifest = JSON.parse(readFileSync(join(root, "packages/sdk/package.json"), "utf8")) as { readonly version: string };
const names = publicNames();
const BEGIN = "<!-- names: written by UPDATE_DOCS=1 npx vitest run --project docs test/docs/sdk-reference.test.ts -->";

/** The facet whose file declares a name. */
function facetOf({ file }: PublicName): FacetName | undefined {
  const name = /^facets\/([a-z]+)\.ts$/.exec(file)?.[1];
  return FACET_NAMES.find((facet) => facet === name);
}

function section({ name, kind, stability, description, declaration }: PublicName): string {
  const [prose = "", example] = description.replaceAll(/\{@link ([\w.]+)\}/g, "`$1`").split("@example");
  const code = (text: string): string => `\`\`\`text\n${text.trim()}\n\`\`\``;
  return [
    `### ${name}`,
    `*${kind}, ${stability}*`,
    prose.trim(),
    code(declaration),
    ...(example === undefined ? [] : ["Example:", code(example)]),
  ].join("\n\n");
}

function wanted(): string {
  const facets = FACET_NAMES.map((name) => `| \`${name}\` | ${FACET_STABILITY[name]} |`).join("\n");
  const sections = (["@quiesce/sdk", "@quiesce/sdk/testing"] as const).map((from) =>
    [`## ${from}`, ...names.filter((one) => one.from === from).map(section)].join("\n\n"),
  );
  return [`Version ${manifest.version}, contract (\`apiVersion\`) ${API_VERSION}.`, `| facet | |\n|---|---|\n${facets}`, ...sections].join(
    "\n\n",
  );
}

describe("docs/reference/sdk.md", () => {
  it("says of every public name what its docstring says", () => {
    const read = (): string => readFileSync(page, "utf8");
    const above = (text: string): string => text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
    expect(read()).toContain(BEGIN);
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(page, `${above(read())}\n\n${wanted()}\n`);
    expect(read().slice(above(read()).length).trim()).toBe(wanted().trim());
  });

  it("finds a docstring and a declaration for each", () => {
    expect(names.length).toBeGreaterThan(150);
    for (const { name, description, declaration } of names) {
      expect(description.length, name).toBeGreaterThan(10);
      expect(declaration, name).toContain(name);
    }
  });
});

describe("the public surface of @quiesce/sdk", () => {
  it("is what was reviewed: packages/sdk/public-surface.txt", () => {
    const lines = names.map(({ from, name, kind, stability }) => `${from} ${stability} ${kind} ${name}`);
    const found = readFileSync(reviewed, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const more = lines.filter((line) => !found.includes(line));
    const fewer = found.filter((line) => !lines.includes(line));
    // A new name is a minor version, and its line is written there by hand. What is stable leaves with a major version only.
    expect({ more, fewer }).toEqual({ more: [], fewer: [] });
    expect(found).toEqual(lines);
  });

  it("marks as experimental what belongs to experimental facets, and nothing of stable ones", () => {
    const wrong = names.filter((one) => {
      const facet = facetOf(one);
      return facet !== undefined && one.stability !== FACET_STABILITY[facet];
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
    expect(names.filter((one) => facetOf(one) !== undefined).length).toBeGreaterThan(40);
  });
});
