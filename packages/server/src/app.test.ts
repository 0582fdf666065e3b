import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../test/database/fresh-database.js";
import { createApp } from "./app.js";
import { readConfig } from "./config.js";

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

describe("the settings", () => {
  it("name the variable that does not fit and never repeat a secret", () => {
    expect(() => readConfig({ PORT: "abc" })).toThrow(/PORT does not fit.*"abc"/s);
    expect(() => readConfig({ DATABASE_URL: "mysql://root:s3cret@db/x" })).toThrow(/^(?!.*s3cret).*DATABASE_URL/s);
  });
});
