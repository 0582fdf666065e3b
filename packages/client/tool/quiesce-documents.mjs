#!/usr/bin/env node
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { codegen } from "@graphql-codegen/core";
import * as typedDocumentNode from "@graphql-codegen/typed-document-node";
import * as typescriptOperations from "@graphql-codegen/typescript-operations";
import { buildSchema, isObjectType, Kind, parse, TypeInfo, visit, visitWithTypeInfo } from "graphql";

const usage = `quiesce-documents [--schema schema.graphql] [--documents src] [--check]

Writes beside each x.graphql below the folder an x.generated.ts with its operations as typed documents.
  --schema     the schema; left out: the one of this package's version
  --documents  the folder; src when left out
  --check      writes nothing, and fails when something is not as it would be written`;

/** How the scalars of the schema arrive. */
const scalars = { DateTime: "string", JSON: "unknown" };
const header = "// Written by quiesce-documents from the .graphql file beside it.\n";

const { values } = parseArgs({
  options: {
    schema: { type: "string", default: new URL("../schema.graphql", import.meta.url).pathname },
    documents: { type: "string", default: "src" },
    check: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(usage);
else process.exitCode = await run(values);

async function run({ schema: schemaFile, documents: folder, check }) {
  const schema = buildSchema(await readFile(schemaFile, "utf8"));
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".graphql")).toSorted();
  const problems = [];
  for (const name of names) {
    const path = join(folder, name);
    const document = parse(await readFile(path, "utf8"));
    const lacking = selectionsWithoutId(schema, document).map((where) => `${path}: ${where}`);
    problems.push(...lacking);
    if (lacking.length > 0) continue;
    const target = path.replace(/\.graphql$/, ".generated.ts");
    const text = header + (await typed(schema, { path, document }));
    const before = await readFile(target, "utf8").catch(() => null);
    if (before === text) continue;
    if (check) problems.push(`${target} is not what ${path} and the schema give. Run quiesce-documents.`);
    else await writeFile(target, text);
  }
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
}

function typed(schema, { path, document }) {
  return codegen({
    filename: path.replace(/\.graphql$/, ".generated.ts"),
    schema: parse("scalar Unused"),
    schemaAst: schema,
    documents: [{ location: path, document }],
    config: {
      useTypeImports: true,
      immutableTypes: true,
      scalars,
      enumsAsTypes: true,
      avoidOptionals: false,
      dedupeFragments: true,
      disableDescriptions: true,
    },
    plugins: [{ operations: {} }, { documents: {} }],
    pluginMap: { operations: typescriptOperations, documents: typedDocumentNode },
  });
}

/** The cache knows a thing by its id: a selection without one is kept twice and goes stale. */
function selectionsWithoutId(schema, document) {
  const info = new TypeInfo(schema);
  const found = [];
  visit(
    document,
    visitWithTypeInfo(info, {
      SelectionSet(set, _key, parent) {
        const type = info.getParentType();
        const isNode = isObjectType(type) && type.getInterfaces().some(({ name }) => name === "Node");
        const isFragment = parent !== undefined && "kind" in parent && parent.kind === Kind.INLINE_FRAGMENT;
        if (!isNode || isFragment) return;
        const hasId = set.selections.some(
          (one) => one.kind === Kind.FRAGMENT_SPREAD || (one.kind === Kind.FIELD && one.name.value === "id"),
        );
        if (!hasId) found.push(`line ${set.loc?.startToken.line ?? "?"}: select the id of ${type.name}, the cache knows it by that`);
      },
    }),
  );
  return found;
}
