import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { type App, createApp } from "../app.js";
import { clock } from "../clock.js";
import { readCliEnvironment } from "../cli/environment.js";
import { stylesOf } from "../cli/output/styles.js";
import { runCli } from "../cli/run-cli.js";
import { readConfig } from "../config.js";
import { version } from "../version.js";

// Real time, real servers, the library's verification as a receiver does it.
const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
let fresh: FreshDatabase;
let app: App;
let folder: string;
let receiver: Server;
let origin: string;
const received: { id: string; message: { type: string; data: { event?: { localStart?: string } } } }[] = [];
let status = 503;

beforeAll(async () => {
  fresh = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), "quiesce-webhooks-"));
  receiver = createServer((request, response) => {
    void readAll(request).then((body) => {
      const verified = new Webhook(secret).verify(body, request.headers as Record<string, string>) as (typeof received)[number]["message"];
      received.push({ id: String(request.headers["webhook-id"]), message: verified });
      response.writeHead(status).end("thank you");
    });
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  app = await start();
});
afterAll(async () => {
  await app.stop();
  receiver.close();
  await fresh.drop();
  await rm(folder, { recursive: true, force: true });
});

const start = () =>
  createApp({
    config: readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder }),
    databaseUrl: fresh.url,
    connectors: [],
    log: pino({ level: "silent" }),
  });

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function quiesce(token: string, args: readonly string[], stdin = "") {
  let out = "";
  let err = "";
  const output = (write: (text: string) => void) => ({
    isTerminal: false,
    styles: stylesOf(false),
    columns: () => undefined,
    rows: () => undefined,
    write,
  });
  const code = await runCli(args, {
    environment: readCliEnvironment({ QUIESCE_URL: app.url, QUIESCE_TOKEN: token, HOOK_SECRET: secret, XDG_CACHE_HOME: folder }, folder),
    out: output((text) => (out += text)),
    err: output((text) => (err += text)),
    input: { isTerminal: false, readAll: async () => stdin, ask: async () => "" },
    clock,
    version,
  });
  return { code, out, err };
}

it("a window's owner is told by messages that verify, also when the receiver and the server were down in between", async () => {
  const token = app.firstToken ?? "";
  const workspace = JSON.stringify({
    quiesce: 1,
    integrations: [{ key: "orders", ownerTeam: "sales" }],
    teams: [{ key: "sales", webhooks: [{ url: `${origin}/hook`, secret: { value: secret } }] }],
  });
  expect(await quiesce(token, ["apply", "-f", "-"], workspace)).toMatchObject({ code: 0 });
  expect((await quiesce(token, ["export"])).out).not.toContain(secret.slice(6));
  expect(await quiesce(token, ["team", "test", "sales"])).toMatchObject({ code: 1, out: expect.stringContaining("HTTP 503: thank you") });
  const at = new Date(clock.wallMs() + 3_600_000).toISOString().slice(0, 16);
  const planned = [
    "window",
    "create",
    "--title",
    "Patch",
    "--owner",
    "nobody",
    "-r",
    "patch",
    "-i",
    "orders",
    "--start",
    at,
    "--duration",
    "1h",
    "--zone",
    "UTC",
    "--yes",
  ];
  expect(await quiesce(token, planned)).toMatchObject({ code: 0 });
  const announcements = () => received.filter(({ message }) => message.type === "window.announced");
  await vi.waitFor(() => expect(announcements()).toHaveLength(1), { timeout: 60_000, interval: 100 });
  await app.stop();
  status = 200;
  app = await start();
  await vi.waitFor(() => expect(announcements().length).toBeGreaterThan(1), { timeout: 60_000, interval: 100 });
  await vi.waitFor(async () => expect((await quiesce(token, ["team", "deliveries", "--pending", "--json"])).out.trim()).toBe("[]"), {
    timeout: 60_000,
    interval: 200,
  });
  expect(new Set(announcements().map(({ id }) => id)).size).toBe(1);
  expect(announcements()[0]?.message.data.event?.localStart).toBe(at);
  const listed = JSON.parse((await quiesce(token, ["team", "deliveries", "--window", "patch", "--json"])).out) as {
    key: string;
    state: string;
    destination: string;
  }[];
  expect(listed).toMatchObject([{ state: "DELIVERED", destination: origin, kind: "window.announced", team: "sales" }]);
  expect(await quiesce(token, ["team", "redeliver", listed[0]?.key ?? ""])).toMatchObject({ code: 0 });
  const before = announcements().length;
  await vi.waitFor(() => expect(announcements().length).toBe(before + 1), { timeout: 60_000, interval: 100 });
  expect(new Set(announcements().map(({ id }) => id)).size).toBe(1);
  expect(await quiesce(token, ["team", "test", "sales"])).toMatchObject({ code: 0, out: expect.stringContaining("HTTP 200: thank you") });
  expect((await quiesce(token, ["team", "list"])).out).toContain(origin);
}, 300_000);
