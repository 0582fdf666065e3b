import { DomainError } from "@quiesce/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { readConfig } from "../config.js";
import { apiLimitSettings, defaultApiLimits } from "./api-limits.js";

function refusalOf(environment: Record<string, string>): DomainError | null {
  try {
    readConfig(environment);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

describe("a limit in the settings", () => {
  it("is taken within its bounds and refused by name outside of them, of every limit", () => {
    expect(readConfig({}).limits).toEqual(defaultApiLimits);
    expect(readConfig({ QUIESCE_MAX_QUERY_DEPTH: "12", QUIESCE_MAX_BODY_KIB: "512" }).limits).toEqual({
      ...defaultApiLimits,
      queryDepth: 12,
      bodyKib: 512,
    });
    for (const name of Object.keys(apiLimitSettings))
      for (const value of ["-1", "1.5", "many", "99999999999"])
        expect(refusalOf({ [name]: value }), `${name}=${value}`).toMatchObject({ code: "QSC_CONFIG_INVALID", field: name });
  });

  it("is refused when one operation would cost more than there is in a minute", () => {
    const refused = refusalOf({ QUIESCE_MAX_QUERY_COST: "60000", QUIESCE_CALLER_COST_PER_MINUTE: "50000" });
    expect([refused?.field, refused?.message]).toEqual([
      "QUIESCE_CALLER_COST_PER_MINUTE",
      expect.stringContaining("at least QUIESCE_MAX_QUERY_COST, 60000"),
    ]);
  });
});

describe("who may come from elsewhere", () => {
  it("is listed by whole origins, and never by a pattern", () => {
    expect(readConfig({ QUIESCE_CORS_ORIGINS: "https://ops.example.com, http://localhost:3000" }).corsOrigins).toEqual([
      "https://ops.example.com",
      "http://localhost:3000",
    ]);
    for (const origin of [
      "*",
      "null",
      "https://*.example.com",
      "https://ops.example.com/",
      "ops.example.com",
      "https://OPS.example.com",
      "ftp://a",
    ])
      expect(refusalOf({ QUIESCE_CORS_ORIGINS: origin })?.field, origin).toBe("QUIESCE_CORS_ORIGINS");
  });

  it("is a proxy by its address, never by a name", () => {
    expect(readConfig({ QUIESCE_TRUSTED_PROXIES: "10.0.0.5,fd00::/8" }).trustedProxies).toEqual(["10.0.0.5", "fd00::/8"]);
    expect(refusalOf({ QUIESCE_TRUSTED_PROXIES: "proxy.lan" })?.field).toBe("QUIESCE_TRUSTED_PROXIES");
  });

  it("sees GraphiQL only where nobody else can come, unless it is said otherwise", () => {
    const shown = (environment: Record<string, string>) => readConfig(environment).graphiql;
    expect([shown({}), shown({ HOST: "::1" }), shown({ HOST: "127.0.0.2" })]).toEqual([true, true, true]);
    expect([shown({ HOST: "0.0.0.0" }), shown({ HOST: "10.0.0.1" }), shown({ QUIESCE_TRUSTED_PROXIES: "127.0.0.1" })]).toEqual([
      false,
      false,
      false,
    ]);
    expect([shown({ HOST: "0.0.0.0", QUIESCE_GRAPHIQL: "true" }), shown({ QUIESCE_GRAPHIQL: "false" })]).toEqual([true, false]);
  });
});

describe("the limits in force", () => {
  let api: StartedApi;
  beforeAll(async () => {
    api = await startApi({
      limits: { ...defaultApiLimits, queryDepth: 4, queryAliases: 1 },
      corsOrigins: ["https://ops.example.com"],
      trustedProxies: ["192.0.2.1"],
    });
  });
  afterAll(() => api.stop());

  it("are shown to callers by REST and GraphQL, and hidden from strangers", async () => {
    const expected = expect.objectContaining({
      queryDepth: 4,
      queryAliases: 1,
      corsOrigins: ["https://ops.example.com"],
      trustedProxies: ["192.0.2.1"],
      graphiql: true,
    });
    const health = async (headers: Record<string, string>) =>
      (await (await fetch(`${api.url}/health`, { headers })).json()) as { checks?: { name: string; observed: unknown }[] };
    const shown = await health({ authorization: `Bearer ${api.tokens.viewer}` });
    expect(shown.checks?.find(({ name }) => name === "limits")?.observed).toEqual(expected);
    expect(await health({})).toEqual({ status: expect.any(String) });
    const { data } = await api.ask("{ health { checks { name observed } } }", {}, api.tokens.viewer);
    expect(
      ((data ?? {})["health"] as { checks: { name: string; observed: unknown }[] }).checks.find(({ name }) => name === "limits")?.observed,
    ).toEqual(expected);
  });

  it("are those that refuse", async () => {
    const codes = async (query: string) => (await api.ask(query)).errors?.map(({ extensions }) => extensions.code);
    expect(await codes("{ integrations { nodes { jobs { key } } } }")).toBeUndefined();
    expect(await codes("{ integrations { nodes { jobs { integration { key } } } } }")).toEqual(["QSC_GRAPHQL_TOO_COMPLEX"]);
    expect(await codes("{ a: __typename }")).toBeUndefined();
    expect(await codes("{ a: __typename b: __typename }")).toEqual(["QSC_GRAPHQL_TOO_COMPLEX"]);
  });
});
