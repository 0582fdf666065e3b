import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type GraphqlAnswer, type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { statementsOf } from "../../../../../test/server/statements-of.js";

/** Operations that would cost more than they may. Each is refused before a resolver runs: no more reaches the database than for the emptiest question. */
let api: StartedApi;
let emptiest: readonly string[] = [];
beforeAll(async () => {
  api = await startApi();
  // The first request of a principal also notes that it was there, and from where.
  await api.ask("{ __typename }", {}, api.tokens.viewer);
  await vi.waitFor(async () => expect(await api.database.sql`select from principal_network`).not.toHaveLength(0), { timeout: 60_000 });
  emptiest = await statementsOf(api.database, () => api.ask("{ __typename }", {}, api.tokens.viewer));
  expect(emptiest.length).toBeLessThan(4);
});
afterAll(async () => {
  await api.stop();
});

/** A hundred errors at most, each a sentence. */
const MOST_BYTES = 20_000;
const codesOf = ({ errors }: GraphqlAnswer) => [...new Set(errors?.map(({ extensions }) => extensions.code))];

async function expectCheapRefusal(query: string, code: string, variables: object = {}): Promise<void> {
  let answer: GraphqlAnswer = {};
  const statements = await statementsOf(api.database, async () => {
    answer = await api.ask(query, variables, api.tokens.viewer);
  });
  expect(codesOf(answer)).toEqual([code]);
  expect(statements).toEqual(emptiest);
  expect(JSON.stringify(answer).length).toBeLessThan(MOST_BYTES);
}

const times = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, index) => text(index)).join(" ");

describe("an operation that costs too much is refused before anything is read:", () => {
  it("depth", () =>
    expectCheapRefusal(
      `{ integrations { nodes { ${"jobs { integration { ".repeat(6)} key ${"} }".repeat(6)} } } }`,
      "QSC_GRAPHQL_TOO_COMPLEX",
    ));

  it("depth hidden in fragments", () =>
    expectCheapRefusal(
      `{ integrations { nodes { ...f0 } } } ${times(5, (n) => `fragment f${n} on Integration { jobs { integration { ...f${n + 1} } } }`)} fragment f5 on Integration { key }`,
      "QSC_GRAPHQL_TOO_COMPLEX",
    ));

  it("aliases, of one field and inside fragments", async () => {
    await expectCheapRefusal(`{ ${times(16, (n) => `a${n}: eventCursor`)} }`, "QSC_GRAPHQL_TOO_COMPLEX");
    await expectCheapRefusal(
      `{ ...f ...g } fragment f on Query { ${times(8, (n) => `a${n}: eventCursor`)} } fragment g on Query { ${times(8, (n) => `b${n}: eventCursor`)} }`,
      "QSC_GRAPHQL_TOO_COMPLEX",
    );
  });

  it("duplicated fields, also by spreading one fragment again and again", () =>
    expectCheapRefusal(`{ ${"...f ".repeat(60)} } fragment f on Query { ${"eventCursor ".repeat(20)} }`, "QSC_GRAPHQL_TOO_COMPLEX"));

  it("directives", async () => {
    await expectCheapRefusal(`{ ${times(51, () => "eventCursor @include(if: true)")} }`, "QSC_GRAPHQL_TOO_COMPLEX");
    await expectCheapRefusal(`{ eventCursor ${"@include(if: true) ".repeat(30)} }`, "QSC_GRAPHQL_INVALID");
  });

  it("fragment cycles, direct and through others", async () => {
    await expectCheapRefusal("{ ...f } fragment f on Query { eventCursor ...f }", "QSC_GRAPHQL_INVALID");
    await expectCheapRefusal(
      `{ ...f0 } ${times(20, (n) => `fragment f${n} on Query { eventCursor ...f${(n + 1) % 20} }`)}`,
      "QSC_GRAPHQL_INVALID",
    );
  });

  it("fragment bombs: 2^60 fields in a page of text", () =>
    expectCheapRefusal(
      `{ ...f0 } ${times(60, (n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} }`)} fragment f60 on Query { eventCursor }`,
      "QSC_GRAPHQL_TOO_COMPLEX",
    ));

  it("tokens, and brackets without end", async () => {
    await expectCheapRefusal(`{ ${"eventCursor ".repeat(1_100)} }`, "QSC_GRAPHQL_INVALID");
    await expectCheapRefusal(`{ integrations(first: ${"[".repeat(50_000)}`, "QSC_GRAPHQL_INVALID");
    await expectCheapRefusal("{ a ".repeat(50_000), "QSC_GRAPHQL_INVALID");
  });

  it("absurd page sizes, as literals and as variables", async () => {
    for (const first of [201, 2_147_483_647, -1]) {
      await expectCheapRefusal(`{ systems(first: ${first}) { nodes { key } } }`, "QSC_GRAPHQL_PAGE_SIZE");
      await expectCheapRefusal("query ($n: Int) { systems(first: $n) { nodes { key } } }", "QSC_GRAPHQL_PAGE_SIZE", { n: first });
    }
    await expectCheapRefusal("{ systems(first: 99999999999999) { nodes { key } } }", "QSC_GRAPHQL_INVALID");
    await expectCheapRefusal(
      "{ integrations(first: 200) { nodes { jobs { runs(first: 200) { nodes { id } } } } } }",
      "QSC_GRAPHQL_TOO_COMPLEX",
    );
  });

  it("a page that grows in a variable, of a document that was cheap before", async () => {
    const growing = "query ($n: Int) { integrations(first: $n) { nodes { jobs { runs(first: $n) { nodes { id } } } } } }";
    expect(codesOf(await api.ask(growing, { n: 1 }))).toEqual([]);
    await expectCheapRefusal(growing, "QSC_GRAPHQL_TOO_COMPLEX", { n: 200 });
    await expectCheapRefusal(growing, "QSC_GRAPHQL_TOO_COMPLEX", { n: 200 });
    expect(codesOf(await api.ask(growing, { n: 1 }))).toEqual([]);
  });

  it("an operation beside a cheap one in the same document", async () => {
    const both =
      "query cheap { eventCursor } query dear { integrations(first: 200) { nodes { jobs { runs(first: 200) { nodes { id } } } } } }";
    const ask = async (operationName: string) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${api.tokens.viewer}` };
      const response = await fetch(`${api.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query: both, operationName }) });
      return codesOf((await response.json()) as GraphqlAnswer);
    };
    for (let round = 0; round < 2; round += 1) expect([await ask("cheap"), await ask("dear")]).toEqual([[], ["QSC_GRAPHQL_TOO_COMPLEX"]]);
  });

  it("variables that are nested a hundred thousand levels deep, and that are not used at all", async () => {
    const deep = `${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`;
    const lists = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    for (const value of [deep, lists]) {
      const body = `{"query":"query ($x: Int) { systems(first: $x) { nodes { key } } }","variables":{"x":${value}}}`;
      const headers = { "content-type": "application/json", authorization: `Bearer ${api.tokens.viewer}` };
      const answers: GraphqlAnswer[] = [];
      const statements = await statementsOf(api.database, async () => {
        const response = await fetch(`${api.url}/graphql`, { method: "POST", headers, body });
        answers.push((await response.json()) as GraphqlAnswer);
      });
      expect(answers.map(codesOf)).toEqual([["QSC_GRAPHQL_TOO_COMPLEX"]]);
      expect(statements).toEqual(emptiest);
    }
  });

  it("patterns that drive a badly written expression into backtracking", async () => {
    const evil = `${"a".repeat(50_000)}!`;
    const digits = `${"0".repeat(50_000)}x`;
    for (const value of [evil, digits, "-".repeat(50_000), `2026-01-01T00:00:00.${digits}`, `P${"1".repeat(50_000)}`])
      await expectCheapRefusal("query ($after: String) { runs(after: $after) { nodes { key } } }", "QSC_GRAPHQL_CURSOR_INVALID", {
        after: value,
      });
  });
});

describe("keys of objects that JavaScript gives a meaning", () => {
  it("change nothing of other objects, wherever they stand", async () => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${api.tokens.admin}` };
    const poison = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"prototype":{"polluted":true}}';
    const bodies = [
      `{"query":"{ eventCursor }","variables":${poison},"extensions":${poison},"__proto__":{"polluted":true}}`,
      `{"query":"query ($filter: IntegrationFilter) { integrations(filter: $filter) { nodes { key } } }","variables":{"filter":${poison}}}`,
    ];
    for (const body of bodies) {
      const response = await fetch(`${api.url}/graphql`, { method: "POST", headers, body });
      expect(response.status).toBeLessThan(500);
    }
    const pushed = await fetch(`${api.url}/push/orders`, { method: "POST", headers, body: `[{"id":"__proto__","payload":${poison}}]` });
    expect(pushed.status).toBeLessThan(500);
    const keys = await api.ask('{ integration(key: "__proto__") { key } job(key: "constructor") { key } node(id: "toString") { id } }');
    expect(JSON.stringify(keys)).not.toContain("native code");
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect(api.errors).toEqual([]);
  });
});
