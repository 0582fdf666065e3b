import { readFileSync, writeFileSync } from "node:fs";
import { can, roles } from "@quiesce/core";
import { isInterfaceType, isLeafType, isNonNullType, isObjectType, getNamedType, type GraphQLObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { defaultApiLimits } from "../http/api-limits.js";
import { operationRights, type OperationRight, rightOf } from "./operation-rights.js";
import { apiSchema } from "./schema.js";

const schema = apiSchema();
const rights = operationRights(schema);
const file = new URL("../../../../docs/reference/permissions.md", import.meta.url);
const BEGIN =
  "<!-- operations: written by a test, UPDATE_DOCS=1 npx vitest run --project server packages/server/src/graphql/operation-rights.test.ts -->";
const END = "<!-- operations end -->";

const allows = (role: (typeof roles)[number], { action }: OperationRight) =>
  action === null || can({ name: "anybody", grants: [{ role, scope: { kind: "all" } }] }, action);

function table(): string {
  const rows = rights.map(
    (right) =>
      `| ${right.kind} | \`${right.name}\` | ${right.action === null ? "" : `\`${right.action}\``} | ${roles.map((role) => (allows(role, right) ? "yes" : "")).join(" | ")} |`,
  );
  return ["", `| | operation | right | ${roles.join(" | ")} |`, `|---|---|---|${roles.map(() => "---|").join("")}`, ...rows, ""].join("\n");
}

describe("the rights of the schema", () => {
  it("are said by every operation, and by every type that `node` can answer", () => {
    expect(rights.length).toBeGreaterThan(90);
    const nodes = Object.values(schema.getTypeMap()).filter(
      (type): type is GraphQLObjectType =>
        isObjectType(type) && type.getInterfaces().some((one) => isInterfaceType(one) && one.name === "Node"),
    );
    expect(nodes.length).toBeGreaterThan(14);
    for (const type of nodes) expect(() => rightOf(type), type.name).not.toThrow();
  });

  it("stand in docs/reference/permissions.md", () => {
    const text = readFileSync(file, "utf8");
    const [before = "", rest = ""] = text.split(BEGIN);
    const after = rest.split(END)[1] ?? "";
    const wanted = `${before}${BEGIN}\n${table()}\n${END}${after}`;
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, wanted);
    else expect(text).toBe(wanted);
  });
});

let api: StartedApi;
beforeAll(async () => {
  api = await startApi({ limits: { ...defaultApiLimits, callerRequestsPerSecond: 10_000 } });
});
afterAll(async () => {
  await api.stop();
});

/** Asks an operation with nothing but what it cannot do without; a refusal for want of a right comes before everything else. */
async function isDenied({ kind, name }: OperationRight, token: string): Promise<boolean> {
  const type = { query: schema.getQueryType(), mutation: schema.getMutationType(), subscription: schema.getSubscriptionType() }[kind];
  const field = type?.getFields()[name];
  if (field === undefined) throw new Error(name);
  const needed = field.args.filter((arg) => isNonNullType(arg.type));
  const declared = needed.map((arg) => `$${arg.name}: ${arg.type.toString()}`).join(", ");
  const passed = needed.map((arg) => `${arg.name}: $${arg.name}`).join(", ");
  const selection = isLeafType(getNamedType(field.type)) ? "" : "{ __typename }";
  const text = `${kind}${declared === "" ? "" : ` (${declared})`} { ${name}${passed === "" ? "" : `(${passed})`} ${selection} }`;
  const variables = Object.fromEntries(needed.map((arg) => [arg.name, sampleOf(arg.type.toString())]));
  const response = await fetch(`${api.url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${token}`,
      ...(kind === "subscription" ? { accept: "text/event-stream" } : {}),
    },
    body: JSON.stringify({ query: text, variables }),
  });
  const reader = response.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  await reader?.cancel();
  return first.includes("QSC_ACCESS_DENIED");
}

/** A value of an input type: as little as it takes, and of things that do not exist. */
function sampleOf(written: string): unknown {
  const name = written.replaceAll(/[[\]!]/g, "");
  if (written.startsWith("[")) return [sampleOf(name)];
  const type = schema.getType(name);
  if (type !== undefined && "getValues" in type) return type.getValues()[0]?.name;
  if (type !== undefined && "getFields" in type && !isObjectType(type) && !isInterfaceType(type))
    return Object.fromEntries(
      Object.values(type.getFields())
        .filter((field) => isNonNullType(field.type))
        .map((field) => [field.name, sampleOf(field.type.toString().replace(/!$/, ""))]),
    );
  return { Int: 1, Float: 1, Boolean: true, DateTime: "2030-01-01T00:00:00Z", JSON: {} }[name] ?? "nothing";
}

describe("every operation", () => {
  // An admin is refused nothing: what it would really do is other tests' business.
  it.each(roles.filter((role) => role !== "admin"))("is refused to a %s exactly where the table says so", async (role) => {
    const wrong: string[] = [];
    for (const right of rights) {
      // What a role may do is done by other tests; here it would only change the deployment under the next question.
      if (right.kind === "mutation" && allows(role, right)) continue;
      if ((await isDenied(right, api.tokens[role])) === allows(role, right)) wrong.push(`${right.kind} ${right.name}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** One object of every type that has some, by its global id, as an admin finds them in the lists of the schema. */
async function objectsByType(): Promise<ReadonlyMap<GraphQLObjectType, string>> {
  const found = new Map<GraphQLObjectType, string>();
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const connection = getNamedType(field.type);
    const nodes = isObjectType(connection) ? connection.getFields()["nodes"] : undefined;
    const type = nodes === undefined ? null : getNamedType(nodes.type);
    if (!isObjectType(type) || type.getFields()["id"] === undefined || field.args.some((arg) => isNonNullType(arg.type))) continue;
    const { data } = await api.ask(`{ list: ${field.name}(first: 1) { nodes { id } } }`);
    const id = (data?.["list"] as { nodes: { id: string }[] } | null | undefined)?.nodes[0]?.id;
    if (id !== undefined) found.set(type, id);
  }
  return found;
}

describe("every type", () => {
  it("shows its objects, and that there are any, to those with its own right alone, however they come to it", async () => {
    const objects = await objectsByType();
    expect([...objects.keys()].map(({ name }) => name)).toEqual(
      expect.arrayContaining(["Integration", "Job", "AuditEntry", "ApiToken", "Principal"]),
    );
    const asked = { shown: 0, denied: 0 };
    const wrong: string[] = [];
    for (const role of roles) {
      for (const [type, id] of objects) {
        const right: OperationRight = { kind: "query", name: type.name, action: rightOf(type) };
        for (const selection of ["__typename", "id"]) {
          const { data, errors } = await api.ask(`{ node(id: "${id}") { ${selection} } }`, {}, api.tokens[role]);
          const isShown = data?.["node"] !== null && data?.["node"] !== undefined;
          const isRefused = errors?.some(({ extensions }) => extensions.code === "QSC_ACCESS_DENIED") === true;
          asked[isShown ? "shown" : "denied"] += 1;
          if (isShown !== allows(role, right) || isRefused === isShown) wrong.push(`${type.name} { ${selection} } to ${role}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(asked.shown).toBeGreaterThan(20);
    expect(asked.denied).toBeGreaterThan(5);
  });
});
