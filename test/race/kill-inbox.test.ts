import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";

const wait = { timeout: 90_000, interval: 100 };
const keys = ["a", "b", "c"];
const perKey = 12;

/** A write as the target saw it. */
interface Write {
  readonly key: string;
  readonly n: number;
  readonly idempotencyKey: string;
}

let database: FreshDatabase;
let server: KillableServer;
let target: Server;
let writes: Write[];
/** While there is one, the target answers no write. */
let silent: Promise<void> | null;

beforeEach(async () => {
  database = await freshDatabase();
  server = await killableServer(database.url);
  writes = [];
  silent = null;
  target = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => void (body += chunk.toString("utf8")));
    request.on("end", () => {
      const { id, n } = JSON.parse(body) as { readonly id: string; readonly n: number };
      writes.push({ key: id, n, idempotencyKey: String(request.headers["x-idempotency"]) });
      void (silent ?? Promise.resolve()).then(() => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
    });
  });
  await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await server.remove();
  target.closeAllConnections();
  await new Promise<void>((resolve) => void target.close(() => resolve()));
  await database.drop();
});

async function ask(query: string, variables: object = {}): Promise<Record<string, unknown>> {
  return (await server.api()).request(query, variables);
}

/** Hands in one number of every key; answers what the acknowledgement says. */
async function push(n: number): Promise<{ readonly accepted: number; readonly duplicates: number; readonly waitingRecords: number }> {
  const records = keys.map((key) => ({ key, id: `${key}-${n}`, record: { id: key, n } }));
  const headers = { authorization: `Bearer ${await server.token()}`, "content-type": "application/json" };
  const response = await fetch(`${server.url}/push/orders`, { method: "POST", headers, body: JSON.stringify(records) });
  expect(response.status).toBe(202);
  return (await response.json()) as { accepted: number; duplicates: number; waitingRecords: number };
}

const numbers = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, index) => from + index);

test("what was acknowledged survives kill -9 and is delivered in its order by key, and a repetition is known as one", async () => {
  await server.start();
  const { port: targetPort } = target.address() as AddressInfo;
  const stream = {
    name: "orders",
    path: "/orders",
    key: ["id"],
    write: { method: "POST", path: "/orders/{key}", idempotencyHeader: "x-idempotency" },
  };
  const document = {
    quiesce: 1,
    systems: [{ key: "shop" }],
    endpoints: [
      {
        key: "shop-api",
        system: "shop",
        connector: "http",
        config: { baseUrl: `http://127.0.0.1:${targetPort}`, streams: [stream] },
        allowPrivate: ["127.0.0.1"],
      },
    ],
    integrations: [
      {
        key: "orders",
        target: "shop-api",
        streams: [{ stream: "orders", push: true, mapping: { fields: { id: { from: "id" }, n: { from: "n" } } } }],
      },
    ],
    jobs: [{ key: "orders-push", integration: "orders", push: true, timeout: "30s" }],
  };
  await ask("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
    input: { document: JSON.stringify(document) },
  });
  await ask("mutation ($input: PauseInput!) { pause(input: $input) { key } }", { input: { scope: { all: true }, reason: "hold" } });
  for (const n of numbers(0, perKey / 2)) await push(n);

  // At once: what was acknowledged is in the database, or lost.
  await server.kill();
  await server.start();
  expect(await push(0)).toEqual(
    expect.objectContaining({ accepted: 0, duplicates: keys.length, waitingRecords: (keys.length * perKey) / 2 }),
  );
  expect(writes).toEqual([]);

  let go: () => void = () => undefined;
  await ask("mutation ($input: ResumeInput!) { resume(input: $input) { released { key } } }", {
    input: { scope: { all: true }, reason: "go" },
  });
  await vi.waitFor(() => expect(writes.length).toBeGreaterThan(2), wait);
  silent = new Promise((resolve) => (go = resolve));
  const heard = writes.length;
  // In the middle of a write: the target has it, and nobody has written down that it has.
  await vi.waitFor(() => expect(writes.length > heard || writes.length === (keys.length * perKey) / 2).toBe(true), wait);
  await server.kill();
  silent = null;
  go();
  await server.start();
  for (const n of numbers(perKey / 2, perKey)) await push(n);

  const seen = () => new Set(writes.map(({ key, n }) => `${key}-${n}`)).size;
  await vi.waitFor(() => expect(seen()).toBe(keys.length * perKey), wait);
  const settled = async () => (await push(0)).waitingRecords;
  await vi.waitFor(async () => expect(await settled()).toBe(0), wait);
  // The page that was under way is written again, under the same names: a target that knows them does each once, in the order of its key.
  const done = [...new Map(writes.toReversed().map((write) => [write.idempotencyKey, write])).values()].toReversed();
  for (const key of keys) expect(done.filter((write) => write.key === key).map(({ n }) => n)).toEqual(numbers(0, perKey));
  expect(done).toHaveLength(keys.length * perKey);
}, 300_000);
