import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { FIRST_ID, FIRST_TOKEN, type HttpTokenSystem, startHttpTokenSystem, type Stop } from "../credentials/http-token-system.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";

const wait = { timeout: 60_000, interval: 50 };

let database: FreshDatabase;
let sql: postgres.Sql;
let server: KillableServer;
let system: HttpTokenSystem;

beforeAll(async () => {
  database = await freshDatabase();
  sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  system = await startHttpTokenSystem();
  server = await killableServer(database.url);
  await server.start();
  const rotation = {
    issue: { path: "/tokens", tokenPath: "token", tokenIdPath: "id", idempotencyHeader: "idempotency-key" },
    revoke: { path: "/tokens/{tokenId}" },
  };
  const endpoint = {
    key: "shop-api",
    system: "shop",
    connector: "http",
    config: {
      baseUrl: system.url,
      auth: { type: "bearer" },
      checkPath: "/me",
      rotation,
      streams: [{ name: "items", path: "/items", key: ["id"] }],
    },
    secrets: { token: { value: FIRST_TOKEN }, tokenId: { value: FIRST_ID } },
    rotation: { overlap: "2s" },
    allowPrivate: ["127.0.0.1"],
  };
  const document = { quiesce: 1, systems: [{ key: "shop" }], endpoints: [endpoint] };
  await ask("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
    input: { document: JSON.stringify(document) },
  });
}, 600_000);
beforeEach(() => system.goOn());
afterAll(async () => {
  await server?.remove();
  await system?.close();
  await sql?.end();
  await database?.drop();
});

const ask = async (query: string, variables: object = {}) => (await server.api()).request<Record<string, unknown>>(query, variables);
const rotate = () => ask('mutation { rotateCredential(input: { endpoint: "shop-api", reason: "test" }) { key } }');
const check = async () => (await ask('mutation { checkEndpoint(input: { endpoint: "shop-api" }) { ok } }'))["checkEndpoint"];
const last = async () => {
  const [row] = await sql<
    { state: string; problem: string | null }[]
  >`select state, problem from credential_rotation order by begun_at desc limit 1`;
  return row;
};

/** A rotation that goes on to its end after the server was killed and started again. */
async function expectToEnd(before: readonly string[]): Promise<void> {
  system.goOn();
  await server.start();
  // Whatever the moment was: what is in force is good, before anything goes on.
  expect(await check()).toEqual({ ok: true });
  // The lease of the step that died, two minutes, is over.
  await sql`update credential_rotation set next_at = app_now() where ended_at is null and next_at > app_now() + interval '10 seconds'`;
  await vi.waitFor(async () => expect(await last()).toEqual({ state: "succeeded", problem: null }), wait);
  expect(await check()).toEqual({ ok: true });
  // One is left, another than before: neither both were lost, nor was one forgotten at the system.
  expect(system.alive.size).toBe(1);
  expect(before).not.toContain([...system.alive.keys()][0]);
  expect(system.faults).toEqual([]);
}

const stops: readonly (readonly [string, Stop])[] = [
  ["it has asked for a new token", { call: "issue", nth: 1, when: "asked" }],
  ["a new token was made, and nobody has heard of it", { call: "issue", nth: 1, when: "done" }],
  ["the new token is tested", { call: "check", nth: 1, when: "asked" }],
  ["the new token, in force by now, is checked once more", { call: "check", nth: 2, when: "asked" }],
  ["it has asked for the end of the old token", { call: "revoke", nth: 1, when: "asked" }],
  ["the old token was ended, and nobody has heard of it", { call: "revoke", nth: 1, when: "done" }],
];

test.each(stops)(
  "killed when %s, a server that is started again ends the rotation",
  async (_when, stop) => {
    const before = [...system.alive.keys()];
    const reached = system.stopAt(stop);
    await rotate();
    await reached;
    await server.kill();
    await expectToEnd(before);
  },
  600_000,
);

test("killed while runs with the old token might still be under way, a server that is started again ends the rotation", async () => {
  const before = [...system.alive.keys()];
  await rotate();
  await vi.waitFor(async () => expect(await last()).toMatchObject({ state: "draining" }), wait);
  await server.kill();
  expect(system.alive.size).toBe(2);
  await expectToEnd(before);
}, 600_000);
