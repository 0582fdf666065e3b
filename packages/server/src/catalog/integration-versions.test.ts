import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { VERSIONS_KEPT } from "./store/save-versions.js";

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const fields = (from: string) => ({ fields: { name: { from } } });
const integration = (key: string, from: string, more: object = {}) => ({
  key,
  source: "erp-db",
  target: "shop-db",
  streams: [{ stream: "items", mapping: fields(from) }],
  ...more,
});
const endpoints = [
  { key: "erp-db", system: "erp", connector: "postgres" },
  { key: "shop-db", system: "shop", connector: "postgres" },
];

async function apply(document: object, reason?: string): Promise<void> {
  const input = { document: JSON.stringify({ quiesce: 1, ...document }), ...(reason === undefined ? {} : { reason }) };
  const { errors } = await api.ask("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", { input });
  expect(errors).toBeUndefined();
}

interface Version {
  readonly number: number;
  readonly origin: string;
  readonly restores: number | null;
  readonly actor: string;
  readonly reason: string | null;
  readonly document: { readonly streams: readonly { readonly mapping: object }[] };
}

async function versions(key: string): Promise<{ readonly version: number | null; readonly list: readonly Version[] }> {
  const { data, errors } = await api.ask(
    "query ($key: String!) { integration(key: $key) { version versions(first: 50) { nodes { number origin restores actor reason document at } } } }",
    { key },
  );
  expect(errors).toBeUndefined();
  const answer = data?.["integration"] as { version: number | null; versions: { nodes: Version[] } };
  return { version: answer.version, list: answer.versions.nodes };
}

const rollback = (input: object, token?: string) =>
  api.ask(
    "mutation ($input: RollbackIntegrationInput!) { rollbackIntegration(input: $input) { key changes { kind key fields { path before after } } } }",
    { input },
    token,
  );
const streamsOf = async (key: string) =>
  (await api.database.sql<{ streams: { mapping: object }[] }[]>`select streams from integration where key = ${key}`)[0]?.streams[0]
    ?.mapping;

describe("versions of an integration", () => {
  it("are written with every change, by whom and why, and by nothing else", async () => {
    await apply({ endpoints, integrations: [integration("mapped", "a")] }, "first");
    await apply({ integrations: [integration("mapped", "b")] }, "second");
    await apply({ integrations: [integration("mapped", "b")] }, "nothing new");
    await apply({ systems: [{ key: "erp", name: "The ERP" }] });
    const { version, list } = await versions("mapped");
    expect(version).toBe(2);
    expect(
      list.map(({ number, origin, actor, reason, document }) => [number, origin, actor, reason, document.streams[0]?.mapping]),
    ).toEqual([
      [2, "APPLY", "token:test-admin", "second", fields("b")],
      [1, "APPLY", "token:test-admin", "first", fields("a")],
    ]);
  });

  it("begin with what stood before versions were kept", async () => {
    await api.database.sql`delete from integration_version`;
    expect((await versions("mapped")).version).toBeNull();
    await apply({ integrations: [integration("mapped", "c")] }, "third");
    const { list } = await versions("mapped");
    expect(list.map(({ number, origin, document }) => [number, origin, document.streams[0]?.mapping])).toEqual([
      [2, "APPLY", fields("c")],
      [1, "STANDING", fields("b")],
    ]);
  });

  it("are compared path by path", async () => {
    const { data } = await api.ask('{ integrationVersionDiff(integration: "mapped", from: 1, to: 2) { path before after } }', {});
    expect(data?.["integrationVersionDiff"]).toEqual([{ path: "streams[0].mapping.fields.name.from", before: "b", after: "c" }]);
  });

  it("come back in one call, audited, as a new version", async () => {
    const { data, errors } = await rollback({ integration: "mapped", version: 1, reason: "names were empty" });
    expect(errors).toBeUndefined();
    expect(data?.["rollbackIntegration"]).toMatchObject({ key: "mapped", changes: [{ kind: "UPDATE", key: "mapped" }] });
    expect(await streamsOf("mapped")).toEqual(fields("b"));
    const { list } = await versions("mapped");
    expect(list[0]).toMatchObject({ number: 3, origin: "ROLLBACK", restores: 1, reason: "names were empty" });
    const [entry] = await api.database.sql`select action, subject_key, reason from audit_entry order by id desc limit 1`;
    expect(entry).toEqual({ action: "integration.update", subject_key: "mapped", reason: "names were empty" });
  });

  it("do nothing when they are in force, and are refused where they name what is gone", async () => {
    const again = await rollback({ integration: "mapped", version: 1, reason: "again" });
    expect(again.data?.["rollbackIntegration"]).toEqual({ key: "mapped", changes: [] });
    await apply({
      endpoints: [{ key: "old-db", system: "shop", connector: "postgres" }],
      integrations: [integration("mapped", "b", { target: "old-db" })],
    });
    await apply({ integrations: [integration("mapped", "b")] });
    await api.database.sql`delete from endpoint where key = 'old-db'`;
    const { errors } = await rollback({ integration: "mapped", version: 4, reason: "back" });
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining("old-db"), extensions: { code: "QSC_CATALOGUE_INVALID" } });
    expect((await versions("mapped")).version).toBe(5);
  });

  it.each([
    [{ integration: "mapped", version: 99, reason: "r" }, "QSC_VERSION_NOT_FOUND"],
    [{ integration: "nowhere", version: 1, reason: "r" }, "QSC_VERSION_NOT_FOUND"],
    [{ integration: "mapped", version: 1, reason: " " }, "QSC_VERSION_REASON"],
  ])("%j is refused", async (input, code) => {
    expect((await rollback(input)).errors?.[0]?.extensions.code).toBe(code);
  });

  it("are history: no statement changes one", async () => {
    await expect(api.database.sql`update integration_version set reason = 'another'`.execute()).rejects.toThrow(
      "is history and is not changed",
    );
  });

  it("are bounded: the oldest go", async () => {
    await api.database.sql`
      insert into integration_version (integration_id, number, document, origin, actor)
      select id, n, '{}', 'apply', 'x' from integration, generate_series(6, ${VERSIONS_KEPT + 2}) as n where key = 'mapped'`;
    await apply({ integrations: [integration("mapped", "z")] });
    const [row] = await api.database.sql`select min(number) as least, max(number) as most, count(*)::integer as n from integration_version`;
    expect(row).toEqual({ least: 4, most: VERSIONS_KEPT + 3, n: VERSIONS_KEPT });
  });

  it("are brought back only by those who may change the catalogue", async () => {
    expect((await rollback({ integration: "mapped", version: 4, reason: "r" }, api.tokens.operator)).errors?.[0]?.extensions.code).toBe(
      "QSC_ACCESS_DENIED",
    );
  });
});
