import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConnector, z } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../test/database/fresh-database.js";
import { createApp } from "./app.js";
import { readConfig } from "./config.js";
import { openDatabase } from "./db/client.js";

let fresh: FreshDatabase;
let dataDir: string;

beforeEach(async () => {
  fresh = await freshDatabase();
  dataDir = await mkdtemp(join(tmpdir(), "quiesce-app-"));
});

afterEach(async () => {
  await fresh.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const start = (port: number) =>
  createApp({
    config: readConfig({ PORT: String(port), QUIESCE_DATA_DIR: dataDir, QUIESCE_LOG_LEVEL: "silent" }),
    databaseUrl: fresh.url,
    connectors: [],
  });

describe("a start", () => {
  it("says that the port is taken, and leaves the first token to the start that works", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(start(port)).rejects.toMatchObject({
      code: "QSC_CONFIG_PORT",
      message: expect.stringContaining(`port ${port} of 127.0.0.1`),
    });
    other.close();
    const app = await start(0);
    try {
      expect(app.firstToken).toMatch(/^qsc_/);
    } finally {
      await app.stop();
    }
  });
});

/** A connector that begins to read, never brings anything and does not listen to its signal. */
function deafConnector() {
  let began: () => void = () => undefined;
  const reading = new Promise<void>((resolve) => {
    began = resolve;
  });
  const connector = defineConnector({
    apiVersion: 1,
    id: "deaf",
    version: "1.0.0",
    displayName: "Deaf",
    stability: "beta",
    config: z.object({}),
    secrets: z.object({}),
    egress: () => [],
    streams: async () => [{ name: "orders", schema: {}, key: ["id"], cursor: "none", deletes: "none" }],
    // eslint-disable-next-line require-yield
    async *read() {
      began();
      await new Promise(() => undefined);
    },
    write: { idempotency: "upsert", maxBatch: 1, apply: async () => [] },
  });
  return { connector, reading };
}

const deafWorkspace = {
  quiesce: 1,
  systems: [{ key: "deaf", name: "Deaf" }],
  endpoints: [{ key: "deaf-api", system: "deaf", connector: "deaf", config: {} }],
  integrations: [
    {
      key: "orders",
      name: "Orders",
      source: "deaf-api",
      target: "deaf-api",
      streams: [{ stream: "orders", mapping: { key: "id", fields: { id: { from: "id" } } } }],
    },
  ],
  jobs: [{ key: "orders-sync", integration: "orders", schedule: { every: "1s" } }],
};

describe("a stop", () => {
  it("keeps within its budget although a run is deaf to it, and gives the run to whoever comes next", async () => {
    const { connector, reading } = deafConnector();
    const app = await createApp({
      config: readConfig({ PORT: "0", QUIESCE_DATA_DIR: dataDir, QUIESCE_LOG_LEVEL: "silent" }),
      databaseUrl: fresh.url,
      connectors: [connector],
    });
    const post = (query: string, variables: object) =>
      fetch(`${app.url}/graphql`, {
        method: "POST",
        headers: { authorization: `Bearer ${app.firstToken}`, "content-type": "application/json" },
        body: JSON.stringify({ query, variables }),
      });
    try {
      expect((await fetch(`${app.url}/readyz`)).status).toBe(200);
      const applied = await post("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { changes { key } } }", {
        input: { document: JSON.stringify(deafWorkspace) },
      });
      expect(await applied.json()).not.toHaveProperty("errors");
      await reading;
    } finally {
      const startedAt = performance.now();
      await app.stop();
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeGreaterThan(3_000);
      // Four seconds, and what a busy machine needs; the run itself would never end.
      expect(tookMs).toBeLessThan(30_000);
    }
    const database = openDatabase(fresh.url, { max: 1, applicationName: "look" });
    const rows =
      await database.sql`select r.state, w.stopped_at is not null as "retired" from run as r join worker as w on w.id = r.worker_id where r.state = 'running'`;
    await database.close();
    // Nobody has to wait for a lease: the next server's reaper takes the run of a worker that has stopped.
    expect([...rows]).toEqual([{ state: "running", retired: true }]);
  });
});

describe("the settings", () => {
  it("name the variable that does not fit and never repeat a secret", () => {
    expect(() => readConfig({ PORT: "abc" })).toThrow(/PORT does not fit.*"abc"/s);
    expect(() => readConfig({ DATABASE_URL: "mysql://root:s3cret@db/x" })).toThrow(/^(?!.*s3cret).*DATABASE_URL/s);
  });
});
