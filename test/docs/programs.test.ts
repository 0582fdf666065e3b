import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { isConnector } from "@quiesce/sdk";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { type App, createApp } from "../../packages/server/src/app.js";
import { clock } from "../../packages/server/src/clock.js";
import { readConfig } from "../../packages/server/src/config.js";
import { createEgress } from "../../packages/server/src/connector-host/guarded-fetch.js";
import { sendWebhook } from "../../packages/server/src/notifications/send-webhook.js";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import { blocksOf, pages, root } from "./markdown.js";

let fresh: FreshDatabase;
let app: App;
let folder: string;
let client: { readonly url: string; readonly token: string };

beforeAll(async () => {
  fresh = await freshDatabase();
  await mkdir(join(root, "test-output"), { recursive: true });
  // Inside the checkout, so that its packages are found.
  folder = await mkdtemp(join(root, "test-output/docs-"));
  const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder });
  app = await createApp({ config, databaseUrl: fresh.url, connectors: [], log: pino({ level: "silent" }) });
  client = { url: app.url, token: app.firstToken ?? "" };
});
afterAll(async () => {
  await app?.stop();
  await fresh?.drop();
  await rm(folder, { recursive: true, force: true });
});

/** What the TypeScript blocks of a page export, together. */
async function exportsOf(path: string): Promise<{ readonly [name: string]: unknown }> {
  const blocks = pages()
    .filter((page) => page.path === path)
    .flatMap(blocksOf)
    .filter(({ language }) => language === "ts");
  const modules = blocks.map(async ({ code, line }) => {
    // A module is loaded once: two pages may have a block on the same line.
    const file = join(folder, `${basename(path, ".md")}-${line}.ts`);
    await writeFile(file, code);
    return (await import(pathToFileURL(file).href)) as object;
  });
  return Object.assign({}, ...(await Promise.all(modules))) as { readonly [name: string]: unknown };
}

type Program = (options: object) => unknown;
const PAUSE = `mutation ($input: PauseInput!) { pause(input: $input) { key } }`;

describe("a program of docs/front-end.md", () => {
  let programs: { readonly [name: string]: Program };
  const program = (name: string): Program => programs[name] ?? (() => Promise.reject(new Error(`docs/front-end.md exports no ${name}`)));
  const pause = (reason: string) => program("ask")({ ...client, query: PAUSE, variables: { input: { scope: { all: true }, reason } } });
  beforeAll(async () => {
    // A browser has one; Node 20 has not.
    vi.stubGlobal("WebSocket", WebSocket);
    programs = (await exportsOf("docs/front-end.md")) as { readonly [name: string]: Program };
  });

  it("asks, and tells a refusal by its code", async () => {
    await expect(program("ask")({ ...client, query: "{ statusSummary { mode } }" })).resolves.toEqual({
      statusSummary: { mode: "ENFORCE" },
    });
    await expect(program("ask")({ ...client, token: "qsc_wrong", query: "{ statusSummary { mode } }" })).rejects.toThrow(/QSC_ACCESS_/);
  });

  it("hears of a pause over a WebSocket", async () => {
    const kinds: string[] = [];
    const after = ((await program("ask")({ ...client, query: "{ eventCursor }" })) as { readonly eventCursor: string }).eventCursor;
    const stop = program("watch")({
      ...client,
      url: `${client.url}/graphql`,
      after,
      onEvent: ({ kind }: { readonly kind: string }) => kinds.push(kind),
      onEnd: () => kinds.push("end"),
    });
    await pause("for the socket");
    await vi.waitFor(() => expect(kinds).toEqual(["hold.created"]), { timeout: 60_000 });
    (stop as () => void)();
  });

  it("hears of a pause by server-sent events", async () => {
    const heard: unknown[] = [];
    const leaving = new AbortController();
    const after = ((await program("ask")({ ...client, query: "{ eventCursor }" })) as { readonly eventCursor: string }).eventCursor;
    const ended = program("watchBySse")({
      ...client,
      url: `${client.url}/graphql`,
      after,
      onData: (data: unknown) => heard.push(data),
      signal: leaving.signal,
    }) as Promise<void>;
    await pause("for the stream");
    await vi.waitFor(() => expect(heard).toMatchObject([{ data: { liveEvents: { kind: "hold.created" } } }]), { timeout: 60_000 });
    leaving.abort();
    await expect(ended).rejects.toThrow(/abort/i);
  });

  it("makes an address that opens one stream without a header", async () => {
    const query = "subscription { statusSummary { mode } }";
    const address = (await program("streamAddress")({ ...client, query })) as string;
    const response = await fetch(address, { headers: { accept: "text/event-stream" } });
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString("utf8");
      if (text.includes("next")) break;
    }
    expect(text).toContain('{"data":{"statusSummary":{"mode":"ENFORCE"}}}');
    expect((await fetch(address)).status).toBe(401);
  });
});

describe("the receiver of webhooks of docs/front-end.md", () => {
  it("takes what Quiesce sends, a repeat of it once, and nothing that another secret signed", async () => {
    const programs = (await exportsOf("docs/front-end.md")) as { readonly [name: string]: (...args: readonly unknown[]) => unknown };
    const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString("base64")}`;
    const types: string[] = [];
    const options = {
      secret: secretOf(1),
      seen: new Set<string>(),
      onMessage: ({ type }: { readonly type: string }) => void types.push(type),
    };
    const receiver = createServer((incoming, outgoing) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        const headers = incoming.headers as { readonly [name: string]: string };
        const request = new Request("http://receiver/", { method: "POST", headers, body: Buffer.concat(chunks).toString("utf8") });
        const response = (await programs["receiveWebhook"]?.(request, options)) as Response;
        outgoing.writeHead(response.status).end(await response.text());
      })();
    });
    receiver.listen(0, "127.0.0.1");
    await once(receiver, "listening");
    const egress = createEgress();
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const send = (secret: string) =>
      sendWebhook(
        egress,
        { url, secret, messageId: "8b6b0a0e", at: clock.wallMs(), payload: { type: "quiesce.test" } },
        new AbortController().signal,
      );
    try {
      expect(await send(secretOf(1))).toMatchObject({ status: 204 });
      expect(await send(secretOf(1))).toMatchObject({ status: 204 });
      expect(await send(secretOf(2))).toMatchObject({ status: 401 });
      expect(types).toEqual(["quiesce.test"]);
    } finally {
      await egress.close();
      receiver.close();
    }
  });
});

describe("a block of SQL", () => {
  it("changes what it speaks of", async () => {
    const statements = pages()
      .flatMap(blocksOf)
      .filter(({ language }) => language === "sql");
    expect(statements.length).toBeGreaterThan(0);
    for (const { code } of statements) expect((await app.database.sql.unsafe(code)).count, code).toBe(1);
  });
});

describe("a connector of docs/connector-authors.md", () => {
  it("is one, with a manifest of its facets", async () => {
    const connectors = Object.values(await exportsOf("docs/connector-authors.md"));
    expect(connectors.length).toBeGreaterThan(1);
    const facets = connectors.map((connector) => (isConnector(connector) ? connector.toManifest().facets : "no connector"));
    expect(facets).toEqual([["check"], ["check", "streams", "read"], ["check", "rotate"], ["check"], ["check"]]);
  });
});
