import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";

/**
 * The checks of graphql-cop (dolevf/graphql-cop), stated again: what each sends, and that it finds nothing. They run as a stranger, as that tool does,
 * and as the holder of a viewer's token, who must not find more.
 */
let api: StartedApi;
beforeAll(async () => {
  // As a server is that is open to a network.
  api = await startApi({ graphiql: false });
});
afterAll(async () => {
  await api.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly data: unknown;
  readonly codes: readonly (string | undefined)[];
}

async function send(init: RequestInit & { readonly token?: string; readonly path?: string }): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (init.token !== undefined) headers.set("authorization", `Bearer ${init.token}`);
  const response = await fetch(`${api.url}${init.path ?? "/graphql"}`, { ...init, headers });
  const text = await response.text();
  const json = text.startsWith("{") ? (JSON.parse(text) as { data?: unknown; errors?: { extensions?: { code?: string } }[] }) : {};
  return { status: response.status, text, data: json.data ?? null, codes: (json.errors ?? []).map(({ extensions }) => extensions?.code) };
}
const post = (query: string, token?: string) =>
  send({
    method: "POST",
    body: JSON.stringify({ query }),
    headers: { "content-type": "application/json" },
    ...(token === undefined ? {} : { token }),
  });

/** Refused for a stranger before it is read, and for a viewer by the limit that is named. */
async function expectRefused(query: string, code: string): Promise<void> {
  const stranger = await post(query);
  expect([stranger.status, stranger.data, stranger.codes]).toEqual([401, null, ["QSC_ACCESS_TOKEN_MISSING"]]);
  const viewer = await post(query, api.tokens.viewer);
  expect(viewer.data).toBeNull();
  expect(new Set(viewer.codes)).toEqual(new Set([code]));
}

describe("graphql-cop finds nothing:", () => {
  it("alias overloading (101 aliases)", async () => {
    const aliases = Array.from({ length: 101 }, (_, index) => `alias${index}: __typename`).join(" \n");
    await expectRefused(`query cop { ${aliases} }`, "QSC_GRAPHQL_TOO_COMPLEX");
  });

  it("array-based query batching (10 operations)", async () => {
    const batch = JSON.stringify(Array.from({ length: 10 }, () => ({ query: "query cop { __typename }" })));
    const headers = { "content-type": "application/json" };
    expect((await send({ method: "POST", body: batch, headers })).status).toBe(401);
    const viewer = await send({ method: "POST", body: batch, headers, token: api.tokens.viewer });
    expect([viewer.status, viewer.data, viewer.text.startsWith("[")]).toEqual([400, null, false]);
  });

  it("directive overloading (10 unknown directives, and 51 known ones)", async () => {
    const unknown = await post(`query cop { __typename ${"@aa".repeat(10)} }`, api.tokens.viewer);
    expect([unknown.data, new Set(unknown.codes)]).toEqual([null, new Set(["QSC_GRAPHQL_INVALID"])]);
    const fields = Array.from({ length: 51 }, () => "__typename @skip(if: false)").join(" ");
    await expectRefused(`query cop { ${fields} }`, "QSC_GRAPHQL_TOO_COMPLEX");
  });

  it("circular introspection", async () => {
    const circle = `query cop { __schema { types { fields { type { ${"fields { type { ".repeat(8)} name ${"} } ".repeat(8)} } } } } }`;
    const stranger = await post(circle);
    expect([stranger.status, stranger.data]).toEqual([401, null]);
    const viewer = await post(circle, api.tokens.viewer);
    expect([viewer.data, new Set(viewer.codes)]).toEqual([null, new Set(["QSC_GRAPHQL_TOO_COMPLEX", "QSC_GRAPHQL_INVALID"])]);
  });

  it("introspection by strangers", async () => {
    const { getIntrospectionQuery } = await import("graphql");
    for (const query of [
      getIntrospectionQuery(),
      "query cop { __schema { types { name fields { name } } } }",
      '{ __type(name: "Query") { name } }',
    ]) {
      const stranger = await post(query);
      expect([stranger.status, stranger.data, stranger.text.includes("__Type")]).toEqual([401, null, false]);
    }
  });

  it("GET method query support for strangers", async () => {
    const stranger = await send({ path: `/graphql?query=${encodeURIComponent("query cop { __typename }")}` });
    expect([stranger.status, stranger.data]).toEqual([401, null]);
  });

  it("mutations over GET", async () => {
    const mutation = encodeURIComponent('mutation cop { setMode(input: { mode: OBSERVE, reason: "cop" }) { mode } }');
    expect((await send({ path: `/graphql?query=${mutation}` })).status).toBe(401);
    expect((await send({ path: `/graphql?query=${mutation}`, token: api.tokens.admin })).status).toBe(405);
    expect((await api.ask("{ control { mode } }")).data).toEqual({ control: { mode: "ENFORCE" } });
  });

  it("POST with url-encoded queries (CSRF)", async () => {
    const body = new URLSearchParams({ query: "query cop { __typename }" }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect((await send({ method: "POST", body, headers })).status).toBe(401);
    const viewer = await send({ method: "POST", body, headers, token: api.tokens.viewer });
    expect([viewer.status, viewer.codes]).toEqual([415, ["QSC_HTTP_CONTENT_TYPE"]]);
  });

  it("field suggestions for strangers", async () => {
    const stranger = await post("query cop { integration { directiv } }");
    expect([stranger.status, /did you mean/i.test(stranger.text)]).toEqual([401, false]);
  });

  it("GraphiQL exposed to a network", async () => {
    for (const path of ["/graphql", "/", "/graphiql", "/playground", "/console", "/graphql/"]) {
      const page = await send({ path, headers: { accept: "text/html" }, redirect: "manual" });
      expect(page.text, path).not.toMatch(/graphiql|playground/i);
      // Other addresses show the dashboard, whose page has nothing to fill in before one has signed in.
      if (path === "/graphql") expect(page.text).not.toMatch(/<html/i);
    }
  });

  it("tracing and unhandled errors", async () => {
    for (const body of ['{"query": "query cop { __typename }"}', "qwerty", '{"query": null}', '{"query": {"a": 1}}', "null", "[]", "0"]) {
      const viewer = await send({ method: "POST", body, headers: { "content-type": "application/json" }, token: api.tokens.viewer });
      expect(viewer.status, body).toBeLessThan(500);
      expect(viewer.text, body).not.toMatch(/tracing|stacktrace|exception|node_modules|\bat \S+ \(/i);
    }
    expect(api.errors).toEqual([]);
  });

  it("field duplication (500 times the same field, and 1,100 times)", async () => {
    // Doubles are one field in the answer, and counted all the same: 500 of them are within the bounds, and cost 500 points.
    const some = await post(`query cop { ${"__typename \n".repeat(500)} }`, api.tokens.viewer);
    expect([some.status, JSON.stringify(some.data)]).toEqual([200, '{"__typename":"Query"}']);
    await expectRefused(`query cop { ${"__typename \n".repeat(1_100)} }`, "QSC_GRAPHQL_INVALID");
  });

  it("circular fragments", async () => {
    await expectRefused(
      "query cop { ...A } fragment A on Query { __typename ...B } fragment B on Query { __typename ...A }",
      "QSC_GRAPHQL_INVALID",
    );
  });
});
