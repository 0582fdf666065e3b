import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { apiSchema } from "../../graphql/schema.js";
import { textOfLogLine } from "../../log.js";

/** Text that means something to a database, a path, a log, a shell, a spreadsheet or a template, wherever the API takes text. */
let api: StartedApi;
beforeAll(async () => {
  api = await startApi({ callerLimit: { burst: 1_000_000, perSecond: 1_000_000 } });
});
afterAll(async () => {
  await api.stop();
});

const nasty = [
  "'; drop table integration; -- \" or 1=1 /* \\'; select pg_sleep(60); -- $1 ${7*7} {{7*7}} %s %n",
  "a\u0000b",
  "\ud800",
  "../../etc/passwd",
  "99999999999999999999999",
  "-1",
  "\r\nSet-Cookie: a=b\r\n\r\n\u202e\u001b[2J",
  "__proto__",
  "",
];

/** A value of a type with one text everywhere; as deep as three inputs inside each other. */
function filled(type: GraphQLInputType, text: string, depth = 0): unknown {
  if (isNonNullType(type)) return filled(type.ofType, text, depth);
  if (isListType(type)) return [filled(type.ofType, text, depth)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((field: GraphQLInputField) => depth < 3 || isNonNullType(field.type));
    return Object.fromEntries(fields.map((field) => [field.name, filled(field.type, text, depth + 1)]));
  }
  const simple: { readonly [name: string]: unknown } = {
    Int: 1,
    Float: 1.5,
    Boolean: true,
    DateTime: "2030-01-01T00:00:00Z",
    JSON: { [text]: text },
  };
  return type.name in simple ? simple[type.name] : text;
}

function operationOf(kind: "query" | "mutation", field: GraphQLField<unknown, unknown>, text: string) {
  const variables = Object.fromEntries(field.args.map((argument: GraphQLArgument) => [argument.name, filled(argument.type, text)]));
  const declared = field.args.map(({ name, type }) => `$${name}: ${String(type)}`).join(", ");
  const passed = field.args.map(({ name }) => `${name}: $${name}`).join(", ");
  const selection = isLeafType(getNamedType(field.type)) ? "" : "{ __typename }";
  return {
    query: `${kind}${declared === "" ? "" : `(${declared})`} { ${field.name}${passed === "" ? "" : `(${passed})`} ${selection} }`,
    variables,
  };
}

/** Every field of the root types with every text in every argument; the faults of ours that it met. */
async function faultsOf(kind: "query" | "mutation"): Promise<readonly string[]> {
  const type = kind === "query" ? apiSchema().getQueryType() : apiSchema().getMutationType();
  const faults: string[] = [];
  for (const field of Object.values(type?.getFields() ?? {})) {
    if (field.args.length === 0) continue;
    for (const text of nasty) {
      const { query, variables } = operationOf(kind, field, text);
      const { errors = [] } = await api.ask(query, variables);
      const isFault = errors.some(({ extensions }) => extensions.code === "QSC_INTERNAL" || extensions.code === undefined);
      if (isFault) faults.push(`${field.name} ${JSON.stringify(text)}: ${JSON.stringify(api.errors.at(-1), errorText)}`);
    }
  }
  return faults;
}

const errorText = (_name: string, value: unknown): unknown => (value instanceof Error ? value.message : value);

describe("text with a meaning elsewhere", () => {
  it("is text to every query", async () => {
    expect(await faultsOf("query")).toEqual([]);
  });

  it("is text to every mutation, or refused in words", async () => {
    expect(await faultsOf("mutation")).toEqual([]);
    const [row] = await api.database.sql<{ n: number }[]>`select count(*)::int as n from integration`;
    expect(row?.n).toBeGreaterThanOrEqual(3);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("is text in the addresses of REST", async () => {
    const headers = { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json" };
    for (const text of nasty) {
      const name = encodeURIComponent(text === "\ud800" ? "x" : text);
      for (const [path, method, body] of [
        [`/gate/${name}`, "GET", null],
        [`/gate/${name}/enter`, "POST", JSON.stringify({ reason: text })],
        [`/gate/runs/${name}/leave`, "POST", JSON.stringify({ leaseToken: text, outcome: "failed" })],
        [`/push/${name}`, "POST", JSON.stringify([{ key: text, record: { [text]: text } }])],
        [`/push/orders?stream=${name}`, "POST", JSON.stringify([{ key: text, record: { [text]: text } }])],
        [`/calendars/${name}.ics`, "GET", null],
        [`/graphql/stream?ticket=${name}`, "GET", null],
      ] as const) {
        const response = await fetch(api.url + path, { method, headers, body });
        const answer = await response.text();
        expect([response.status < 500, response.headers.has("set-cookie")], `${method} ${path} ${answer}`).toEqual([true, false]);
      }
    }
    expect(api.errors).toEqual([]);
  });
});

describe("a log line for people", () => {
  it("stays one line, and steers no terminal, whatever a name holds", () => {
    const name = "x\n00:00:00  error    The disk is full.\u001b[2J\u202e\u009b31m\r\u2028y";
    const line = textOfLogLine(JSON.stringify({ level: 40, time: 0, msg: `a ${name}`, err: { message: name }, name, nested: { name } }));
    // oxlint-disable-next-line no-control-regex -- that none is left is the point
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(line).toContain("The disk is full.");
  });
});
