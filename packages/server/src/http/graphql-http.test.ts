import { getNamedType, isLeafType } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { apiSchema } from "../graphql/schema.js";
import { exampleOperations } from "../graphql/example-operations.js";

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api.stop();
});

const codesOf = ({ errors }: Awaited<ReturnType<StartedApi["ask"]>>) => errors?.map(({ extensions }) => extensions.code);
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${api.url}/graphql`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${api.tokens.admin}`, "content-type": "application/json", ...headers },
  });

describe("the GraphQL API over HTTP", () => {
  it("answers lists in pages that neither skip nor repeat", async () => {
    const query =
      "query ($after: String) { integrations(first: 1, after: $after) { totalCount nodes { key } pageInfo { hasNextPage endCursor } } }";
    const keys: unknown[] = [];
    let after: unknown = null;
    for (let pages = 0; pages < 5; pages += 1) {
      const { data, errors } = await api.ask(query, { after });
      expect(errors).toBeUndefined();
      const page = data?.["integrations"] as {
        totalCount: number;
        nodes: { key: string }[];
        pageInfo: { hasNextPage: boolean; endCursor: string };
      };
      expect(page.totalCount).toBe(3);
      keys.push(...page.nodes.map(({ key }) => key));
      if (!page.pageInfo.hasNextPage) break;
      after = page.pageInfo.endCursor;
    }
    expect(keys).toEqual(["invoices", "orders", "stock"]);
  });

  it.each([
    ["application/json", "application/json; charset=utf-8"],
    ["application/graphql-response+json", "application/graphql-response+json; charset=utf-8"],
    ["text/event-stream", "text/event-stream"],
    ["multipart/mixed", 'multipart/mixed; boundary="-"'],
  ])("answers a query to a reader of %s whole, with its length", async (accept, type) => {
    const response = await post(JSON.stringify({ query: '{ integration(key: "orders") { key } }' }), { accept });
    const text = await response.text();
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    expect(text).toContain('{"data":{"integration":{"key":"orders"}}}');
    expect(response.headers.get("content-length")).toBe(String(Buffer.byteLength(text)));
  });

  it("finds a thing by its key, and by its global id wherever a key is taken", async () => {
    const { data } = await api.ask('{ job(key: "orders-hourly") { id integration { id } } }');
    const job = data?.["job"] as { id: string; integration: { id: string } };
    const again = await api.ask(
      "query ($id: ID!, $key: String!, $integration: String!) { node(id: $id) { __typename ... on Job { key } } job(key: $key) { key } jobs(filter: { integration: $integration }) { nodes { key } } }",
      {
        id: job.id,
        key: job.id,
        integration: job.integration.id,
      },
    );
    expect(again.data).toEqual({
      node: { __typename: "Job", key: "orders-hourly" },
      job: { key: "orders-hourly" },
      jobs: { nodes: [{ key: "orders-hourly" }] },
    });
  });

  it("plans, covers, holds, ends and reports a window", async () => {
    const at = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString().slice(0, 16);
    const input = {
      title: "ERP patches",
      series: { start: at(-600_000), end: at(3_600_000), timeZone: "UTC" },
      scope: { systems: ["erp"] },
      owner: "erp-team",
      reason: "patches",
    };
    const preview = await api.ask(
      "query ($input: MaintenanceWindowInput!) { previewMaintenanceWindow(input: $input) { refusals { code } members { integration { key } path } warnings } }",
      { input },
    );
    expect(preview.data?.["previewMaintenanceWindow"]).toMatchObject({
      refusals: [],
      members: [{ integration: { key: "invoices" } }, { integration: { key: "orders" } }],
    });
    const made = await api.ask(
      "mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key currentOrNext { key state hold { key state members { integration { key } } } } } }",
      { input },
    );
    expect(made.errors).toBeUndefined();
    expect(made.data?.["createMaintenanceWindow"]).toMatchObject({
      key: "erp-patches",
      currentOrNext: { hold: { state: "ACTIVE", members: [{ integration: { key: "invoices" } }, { integration: { key: "orders" } }] } },
    });
    const held = await api.ask(
      '{ gate(integration: "orders") { state by { title owner windowKey path } until } integrations(filter: { held: true }) { nodes { key gate { held } holds { title } } } stock: gate(integration: "stock") { state } }',
    );
    expect(held.data).toMatchObject({
      gate: { state: "HELD", by: [{ title: "ERP patches", owner: "erp-team", windowKey: "erp-patches" }] },
      integrations: { nodes: [{ key: "invoices", gate: { held: true }, holds: [{ title: "ERP patches" }] }, { key: "orders" }] },
      stock: { state: "OPEN" },
    });
    const explained = await api.ask('{ explain(job: "orders-hourly") { state summary by { title } } }');
    expect(explained.data?.["explain"]).toMatchObject({ state: "HELD", by: [{ title: "ERP patches" }] });
    const summary = await api.ask(
      "{ statusSummary { heldIntegrations integrations activeHolds { title } cursor } occurrences { nodes { key state inFlight heldRuns } } }",
    );
    expect(summary.data?.["statusSummary"]).toMatchObject({
      heldIntegrations: 2,
      integrations: 3,
      activeHolds: [{ title: "ERP patches" }],
    });
    const report = await api.ask(
      '{ windowReport(window: "erp-patches") { title due held startedInside integrations { key } occurrence { key } window { key } report } }',
    );
    expect(report.errors).toBeUndefined();
    const ended = await api.ask('mutation { endMaintenanceWindowEarly(input: { key: "erp-patches", reason: "done" }) { key } }');
    expect(ended.errors).toBeUndefined();
    expect((await api.ask('{ gate(integration: "orders") { state } }')).data).toEqual({ gate: { state: "OPEN" } });
    const trail = await api.ask('{ audit(filter: { subjectKey: "erp-patches" }) { nodes { action actor reason } } }');
    expect(trail.data?.["audit"]).toMatchObject({
      nodes: [
        { action: "occurrence.end-early", actor: "token:test-admin", reason: "done" },
        { action: "occurrence.open", actor: "system:quiesce" },
        { action: "window.create" },
      ],
    });
  });

  it("pauses a scope and resumes it by the hold's key", async () => {
    const paused = await api.ask(
      'mutation { pause(input: { scope: { tags: ["sales"] }, reason: "look" }) { key state scope { tags } members { integration { key } path } } }',
    );
    const hold = paused.data?.["pause"] as { key: string };
    expect(hold).toMatchObject({ state: "ACTIVE", scope: { tags: ["sales"] }, members: [{ integration: { key: "orders" } }] });
    expect((await api.ask("{ holds { nodes { key kind } } }")).data?.["holds"]).toEqual({ nodes: [{ key: hold.key, kind: "MANUAL" }] });
    const resumed = await api.ask(
      'mutation ($holdId: ID!) { resume(input: { holdId: $holdId, reason: "seen" }) { released { key state releaseReason } } }',
      { holdId: hold.key },
    );
    expect(resumed.data?.["resume"]).toEqual({ released: [{ key: hold.key, state: "RELEASED", releaseReason: "seen" }] });
  });

  it("runs a job by hand, lists it and cancels it", async () => {
    const ran = await api.ask(
      'mutation { runNow(input: { job: "invoices-nightly", reason: "try" }) { id key state trigger job { key } integration { key } requestedBy } }',
    );
    expect(ran.errors).toBeUndefined();
    const run = ran.data?.["runNow"] as { id: string; key: string };
    expect(run).toMatchObject({ state: "QUEUED", trigger: "MANUAL", job: { key: "invoices-nightly" }, requestedBy: "test-admin" });
    const listed = await api.ask(
      '{ runs(filter: { job: "invoices-nightly", states: [QUEUED] }) { totalCount nodes { key } } job(key: "invoices-nightly") { runs { nodes { key } } lastRun { key } } }',
    );
    expect(listed.data).toMatchObject({
      runs: { totalCount: 1, nodes: [{ key: run.key }] },
      job: { runs: { nodes: [{ key: run.key }] }, lastRun: null },
    });
    const cancelled = await api.ask('mutation ($run: ID!) { cancelRun(input: { run: $run, reason: "no" }) { state } }', { run: run.id });
    expect(cancelled.data).toEqual({ cancelRun: { state: "CANCELLED" } });
  });

  it("applies a workspace twice with nothing to do the second time, and exports what it takes back", async () => {
    const exported = await api.ask("{ workspace { document } }");
    const document = (exported.data?.["workspace"] as { document: string } | undefined)?.document ?? "";
    const apply =
      "mutation ($document: String!, $dryRun: Boolean) { applyWorkspace(input: { document: $document, prune: true, dryRun: $dryRun }) { dryRun changes { kind objectType key fields { path } } } }";
    expect((await api.ask(apply, { document })).data?.["applyWorkspace"]).toEqual({ dryRun: false, changes: [] });
    const changed = document.replace('"name":"Stock"', '"name":"Stock levels"');
    expect((await api.ask(apply, { document: changed, dryRun: true })).data?.["applyWorkspace"]).toEqual({
      dryRun: true,
      changes: [{ kind: "UPDATE", objectType: "integration", key: "stock", fields: [{ path: "name" }] }],
    });
    const broken = await api.ask(apply, { document: "quiesce: 1\nsystems:\n  - key: Not A Slug\n" });
    expect(broken.errors?.[0]?.extensions).toMatchObject({ code: "QSC_CATALOGUE_INVALID", field: "document" });
    expect(broken.errors?.[0]?.message).toContain("line 3");
  });

  it("accounts for every due time", async () => {
    expect((await api.ask("{ conservation { ok expected accounted differences { job } } }")).data?.["conservation"]).toMatchObject({
      ok: true,
      differences: [],
    });
  });

  it("answers a refusal with code, field and a sentence, and hides a fault behind an id", async () => {
    const refused = await api.ask('{ gate(integration: "nowhere") { state } }');
    expect(refused.errors?.[0]).toMatchObject({ extensions: { code: "QSC_INTEGRATION_NOT_FOUND", field: "integration" }, path: ["gate"] });
    await api.database.sql`alter table dead_letter rename to dead_letter_gone`;
    const fault = await api.ask("{ deadLetters { nodes { id } } }");
    await api.database.sql`alter table dead_letter_gone rename to dead_letter`;
    expect(codesOf(fault)).toEqual(["QSC_INTERNAL"]);
    expect(JSON.stringify(fault)).not.toMatch(/dead_letter|select|postgres/i);
    expect(api.errors.at(-1)).toMatchObject({ errorId: fault.errors?.[0]?.extensions.details?.["errorId"] });
  });

  it("runs every example of GraphiQL", async () => {
    for (const { query, variables } of exampleOperations) {
      if (query.includes("subscription")) continue;
      const text = (variables ?? "{}").replace("erp-orders-sync", "orders-hourly");
      expect((await api.ask(query, JSON.parse(text) as object)).errors, query).toBeUndefined();
    }
    await api.ask('mutation { resume(input: { scope: { all: true }, reason: "example" }) { released { key } } }');
  });

  it("shows GraphiQL to a browser without a token, and nothing else", async () => {
    const page = await fetch(`${api.url}/graphql`, { headers: { accept: "text/html" } });
    expect(page.status).toBe(200);
    const html = await page.text();
    expect(html).toContain("Quiesce");
    // It works without the internet: nothing is fetched from elsewhere.
    expect(html.match(/<(?:script|link)[^>]+(?:src|href)="https?:[^"]+"/g)).toBeNull();
    expect((await fetch(`${api.url}/graphql?query={__typename}`, { headers: { accept: "text/html" } })).status).toBe(401);
  });
});

describe("every operation", () => {
  it("is refused without a token and with a wrong one, introspection included", async () => {
    for (const query of ["{ __schema { types { name } } }", "{ __typename }", "{ systems { nodes { key } } }"]) {
      expect(codesOf(await api.ask(query, {}, null))).toEqual(["QSC_ACCESS_TOKEN_MISSING"]);
      expect(codesOf(await api.ask(query, {}, `qsc_${"x".repeat(43)}`))).toEqual(["QSC_ACCESS_TOKEN_INVALID"]);
    }
  });

  it("is denied to a viewer when it changes something, by every mutation there is", async () => {
    const mutations = Object.values(apiSchema().getMutationType()?.getFields() ?? {});
    expect(mutations.length).toBeGreaterThan(14);
    for (const field of mutations) {
      const input = field.args[0];
      // These are about oneself: a ticket shows what its token may see anyhow, and sessions and tokens are one's own (sessions.test.ts).
      if (["createStreamTicket", "createOwnToken", "revokeOwnToken", "endSession"].includes(field.name)) continue;
      const { errors } = await api.ask(
        `mutation ($input: ${String(input?.type)}) { ${field.name}(input: $input) ${isLeafType(getNamedType(field.type)) ? "" : "{ __typename }"} }`,
        { input: sampleOf(String(input?.type).replace("!", "")) },
        api.tokens.viewer,
      );
      expect(
        errors?.map(({ extensions }) => extensions.code),
        `${field.name} ${JSON.stringify(errors)}`,
      ).toEqual(["QSC_ACCESS_DENIED"]);
    }
  });

  it("hides tokens, records and the audit trail from a viewer, also behind node(id)", async () => {
    for (const query of [
      "{ tokens { nodes { name } } }",
      "{ audit { nodes { action } } }",
      "{ deadLetters { nodes { recordKey } } }",
      "{ workspace { document } }",
    ]) {
      expect(codesOf(await api.ask(query, {}, api.tokens.viewer))).toEqual(["QSC_ACCESS_DENIED"]);
    }
    const token = (await api.ask("{ tokens(first: 1) { nodes { id } } }")).data?.["tokens"] as { nodes: { id: string }[] };
    const answer = await api.ask(
      "query ($id: ID!) { node(id: $id) { ... on ApiToken { name } } }",
      { id: token.nodes[0]?.id },
      api.tokens.viewer,
    );
    expect(codesOf(answer)).toEqual(["QSC_ACCESS_DENIED"]);
    expect(JSON.stringify(answer.data)).not.toContain("test-");
  });
});

/** The smallest input of a type that passes GraphQL's own checks. */
function sampleOf(typeName: string): unknown {
  const type = apiSchema().getType(typeName);
  if (type !== undefined && "getValues" in type) return type.getValues()[0]?.name;
  if (type === undefined || !("getFields" in type)) return "ENFORCE";
  const fields = Object.values(type.getFields()).filter((field) => String(field.type).endsWith("!"));
  return Object.fromEntries(
    fields.map((field) => {
      const name = String(field.type).replaceAll(/[![\]]/g, "");
      const simple: Record<string, unknown> = {
        String: "x",
        ID: "1",
        Int: 1,
        Float: 1,
        Boolean: true,
        DateTime: "2030-01-01T00:00:00Z",
        Mode: "ENFORCE",
        TokenRole: "ADMIN",
        GateOutcome: "FAILED",
      };
      return [field.name, name in simple ? simple[name] : sampleOf(name)];
    }),
  );
}

describe("a document that does not fit", () => {
  it("is refused with one code, whether it does not parse, names what is not there, or has a variable that does not fit", async () => {
    expect(codesOf(await api.ask("{ integrations {"))).toEqual(["QSC_GRAPHQL_INVALID"]);
    expect(codesOf(await api.ask("{ nothingOfThisName }"))).toEqual(["QSC_GRAPHQL_INVALID"]);
    const bound =
      "query ($mode: Mode!, $first: Int) { runs(first: $first) { nodes { key } } maintenanceWindows(first: 1) { nodes { key } } }";
    expect(codesOf(await api.ask(bound, { mode: "NEITHER" }))).toEqual(["QSC_GRAPHQL_INVALID"]);
    const bad = await api.ask("query ($first: Int) { runs(first: $first) { nodes { key } } }", { first: "many" });
    expect(codesOf(bad)).toEqual(["QSC_GRAPHQL_INVALID"]);
    expect(bad.errors?.[0]?.message).toContain("$first");
  });
});

describe("the API's limits", () => {
  it("refuse an operation that is too long, too deep, too wide or has too many aliases", async () => {
    const deep = `{ integrations { nodes { ${"jobs { integration { ".repeat(6)} key ${"} }".repeat(6)} } } }`;
    const aliases = `{ ${Array.from({ length: 16 }, (_, index) => `a${index}: __typename`).join(" ")} }`;
    const long = `{ ${"eventCursor ".repeat(1_100)} }`;
    const wide = "{ integrations(first: 200) { nodes { jobs { runs(first: 200) { nodes { id key state } } } } } }";
    const doubling = `query { ...f0 } ${Array.from({ length: 30 }, (_, index) => `fragment f${index} on Query { ...f${index + 1} ...f${index + 1} }`).join(" ")} fragment f30 on Query { eventCursor }`;
    expect(codesOf(await api.ask(deep))).toEqual(["QSC_GRAPHQL_TOO_COMPLEX"]);
    expect(codesOf(await api.ask(aliases))).toEqual(["QSC_GRAPHQL_TOO_COMPLEX"]);
    expect(codesOf(await api.ask(long))).toEqual(["QSC_GRAPHQL_INVALID"]);
    expect(codesOf(await api.ask(wide))).toEqual(["QSC_GRAPHQL_TOO_COMPLEX"]);
    const startedAt = Date.now();
    expect(codesOf(await api.ask(doubling))).toContain("QSC_GRAPHQL_TOO_COMPLEX");
    // Followed one by one, the fragments would take days.
    expect(Date.now() - startedAt).toBeLessThan(30_000);
  });

  it("let the introspection query of common tools pass for who has a token", async () => {
    const { getIntrospectionQuery } = await import("graphql");
    expect((await api.ask(getIntrospectionQuery(), {}, api.tokens.viewer)).errors).toBeUndefined();
  });

  it("refuse pages over 200 and cursors that were made up", async () => {
    expect(codesOf(await api.ask("{ systems(first: 201) { nodes { key } } }"))).toContain("QSC_GRAPHQL_PAGE_SIZE");
    expect(codesOf(await api.ask('{ runs(after: "WzEsMl0") { nodes { key } } }'))).toEqual(["QSC_GRAPHQL_CURSOR_INVALID"]);
  });

  it("refuse a large body unless it only applies a workspace, and that from nobody but an admin", async () => {
    const document = JSON.stringify({
      quiesce: 1,
      systems: Array.from({ length: 3_000 }, (_, index) => ({ key: `bulk-${index}`, description: "x".repeat(60) })),
    });
    expect(document.length).toBeGreaterThan(256 * 1024);
    const apply = "mutation ($document: String!) { applyWorkspace(input: { document: $document, dryRun: true }) { changes { key } } }";
    expect((await api.ask(apply, { document })).errors).toBeUndefined();
    expect(
      codesOf(
        await api.ask(`${apply.slice(0, -2)} control: setMode(input: { mode: ENFORCE, reason: $document }) { mode } }`, { document }),
      ),
    ).toEqual(["QSC_HTTP_BODY_TOO_LARGE"]);
    expect(codesOf(await api.ask(apply, { document }, api.tokens.operator))).toEqual(["QSC_HTTP_BODY_TOO_LARGE"]);
    const tooLarge = await post(JSON.stringify({ query: apply, variables: { document: "x".repeat(9_000_000) } })).then(
      ({ status }) => status,
      () => "cut",
    );
    expect([413, "cut"]).toContain(tooLarge);
  });

  it("refuse forms, batches and unknown methods", async () => {
    const body = JSON.stringify({ query: "{ __typename }" });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
      expect((await post(body, { "content-type": type })).status).toBe(415);
    expect((await post(`[${body},${body}]`)).status).toBe(400);
    expect(
      (await fetch(`${api.url}/graphql`, { method: "PUT", body, headers: { authorization: `Bearer ${api.tokens.admin}` } })).status,
    ).toBe(405);
    const mutation = await fetch(
      `${api.url}/graphql?query=${encodeURIComponent('mutation { setMode(input: { mode: OBSERVE, reason: "x" }) { mode } }')}`,
      { headers: { authorization: `Bearer ${api.tokens.admin}` } },
    );
    expect(mutation.status).toBe(405);
    expect((await api.ask("{ control { mode } }")).data).toEqual({ control: { mode: "ENFORCE" } });
  });

  it("refuse a caller that asks too often, and a stranger that guesses", async () => {
    const small = await startApi({ callerLimit: { burst: 3, perSecond: 0.001 } });
    try {
      const codes = [];
      for (let tries = 0; tries < 5; tries += 1) codes.push(codesOf(await small.ask("{ __typename }"))?.[0] ?? "answered");
      expect(codes).toEqual(["answered", "answered", "answered", "QSC_HTTP_RATE_LIMITED", "QSC_HTTP_RATE_LIMITED"]);
      const guesses = [];
      for (let tries = 0; tries < 40; tries += 1)
        guesses.push(codesOf(await small.ask("{ __typename }", {}, `qsc_${"y".repeat(43)}`))?.[0]);
      expect(guesses.filter((code) => code === "QSC_HTTP_RATE_LIMITED").length).toBeGreaterThan(5);
      expect((await small.ask("{ __typename }", {}, small.tokens.viewer)).errors).toBeUndefined();
    } finally {
      await small.stop();
    }
  });
});
