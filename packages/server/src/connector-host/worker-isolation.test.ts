import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Context, Json, LogFields, StopReason } from "@quiesce/sdk";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PackageFolder, packageFolder } from "../../../../test/server/connector-packages.js";
import { type ConnectorRegistry, createConnectorRegistry } from "./connector-registry.js";
import { createEgress, type Egress } from "./guarded-fetch.js";
import type { HostedConnector } from "./hosted-connector.js";
import { createSecretMask } from "./secret-mask.js";
import type { WorkerLimits } from "./worker/worker-limits.js";
import { isWorkerEnd } from "./worker/worker-thread.js";

let folder: PackageFolder;
let registry: ConnectorRegistry;
let egress: Egress;
let lines: string[] = [];
let servers: Server[] = [];

beforeEach(() => {
  egress = createEgress();
  lines = [];
});
afterEach(async () => {
  await registry.close();
  await folder.remove();
  await egress.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  servers = [];
});

/**
 * Loads one package "odd" with this definition, and a second one that is well. Only the tests of these limits shorten the times of silence and
 * of the stop: on a busy machine a worker that is well is silent for a second, too.
 */
async function load(
  content: { readonly definition: string; readonly before?: string; readonly facets?: readonly string[] },
  limits: Partial<WorkerLimits> = {},
): Promise<{ odd: HostedConnector; well: HostedConnector }> {
  folder = await packageFolder({ pingEveryMs: 50, silenceMs: 60_000, stopGraceMs: 60_000, memoryMb: 64, ...limits });
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  registry = createConnectorRegistry({ bundled: [], packages: folder.options, log });
  await folder.install("odd", content);
  await folder.install("well", {});
  await folder.list({ package: "odd" }, { package: "well" });
  await registry.reload();
  const [odd, well] = [registry.find("odd"), registry.find("well")];
  if (odd === undefined || well === undefined) throw new Error(JSON.stringify(registry.listings()));
  return { odd, well };
}

async function serve(answer: (url: string, body: string) => { status?: number; headers?: Record<string, string>; body: string | Buffer }) {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      const { status = 200, headers = {}, body: text } = answer(request.url ?? "", body);
      response.writeHead(status, headers).end(text);
    });
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Noted {
  readonly context: Context;
  readonly logged: { readonly level: string; readonly message: string; readonly fields: LogFields }[];
  readonly metrics: unknown[];
  readonly stop: (why: StopReason) => void;
}

function call(config: { readonly url?: string; readonly mode?: string } = {}, secrets: { readonly token?: string } = {}): Noted {
  const stop = new AbortController();
  const logged: Noted["logged"] = [];
  const metrics: unknown[] = [];
  const kept = new Map<string, Json>();
  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void logged.push({ level, message, fields });
  const reach = { origins: [config.url ?? "http://127.0.0.1:9"], signal: stop.signal, mask: createSecretMask() };
  const context: Context = {
    config,
    secrets,
    signal: stop.signal,
    deadline: new Date(Date.now() + 60_000),
    fetch: egress.fetchFor(reach),
    resolveHost: (host) => egress.resolveHost(reach, host),
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    metric: (...all) => void metrics.push(all),
    state: { get: async (name) => kept.get(name), set: async (name, value) => void kept.set(name, value) },
    clock: { now: () => new Date() },
    meta: { integrationId: "orders", endpointId: "erp-api", runId: "r1", attempt: 2, dryRun: false },
  };
  return { context, logged, metrics, stop: (why) => stop.abort({ why }) };
}

const errorOf = (work: Promise<unknown> | undefined) =>
  (work ?? Promise.resolve()).then(
    (value) => ({ kind: "none", message: JSON.stringify(value), info: {}, isWorkerEnd: false }),
    (error: { kind: string; message: string; info: object }) => ({
      kind: error.kind,
      message: error.message,
      info: error.info,
      isWorkerEnd: isWorkerEnd(error),
    }),
  );
const isUp = async (hosted: HostedConnector) => (await hosted.connector.check?.(call().context))?.status === "up";

describe("a connector in a worker", () => {
  it("has the whole context: parsed settings, requests, state, addresses, log and figures", async () => {
    const url = await serve((path, body) => ({
      status: 207,
      headers: { "x-path": path, "content-type": "application/json" },
      body: `{"got":${JSON.stringify(body)}}`,
    }));
    const { odd } = await load({
      definition: `check: async (x) => {
        await x.state.set("session", { id: 7 });
        const response = await x.fetch(x.config.url + "/in", { method: "POST", body: JSON.stringify({ a: 1 }), headers: { "x-own": "1" } });
        x.log.info("asked", { status: response.status });
        x.metric("asked", 1, { way: "post" });
        return { status: "up", message: JSON.stringify([x.config, x.secrets, x.meta, await x.state.get("session"), await x.resolveHost("127.0.0.1"),
          response.status, response.url, response.headers.get("x-path"), await response.json(), x.deadline instanceof Date, x.clock.now() instanceof Date]) };
      },`,
    });
    const { context, logged, metrics } = call({ url }, { token: "t0ken-t0ken" });
    const health = await odd.connector.check?.(context);
    expect(JSON.parse(health?.message ?? "")).toEqual([
      { url },
      { token: "t0ken-t0ken" },
      context.meta,
      { id: 7 },
      ["127.0.0.1"],
      207,
      `${url}/in`,
      "/in",
      { got: '{"a":1}' },
      true,
      true,
    ]);
    expect(logged).toEqual([{ level: "info", message: "asked", fields: { status: 207 } }]);
    expect(metrics).toEqual([["asked", 1, { way: "post" }]]);
  });

  it("reaches no origin beside its own, because the host makes the requests", async () => {
    const url = await serve(() => ({ body: "secret" }));
    const { odd } = await load({
      definition: `check: async (x) => ({ status: "up", message: await (await x.fetch(x.config.mode)).text() }),`,
    });
    expect(await errorOf(odd.connector.check?.(call({ mode: url }).context))).toMatchObject({ kind: "permission" });
  });

  it("gets bodies in chunks, and can leave one", async () => {
    const large = Buffer.alloc(3_000_000, "a");
    const url = await serve(() => ({ body: large }));
    const { odd } = await load({
      definition: `check: async (x) => {
        const first = (await x.fetch(x.config.url)).body.getReader();
        const piece = (await first.read()).value;
        await first.cancel();
        const whole = await (await x.fetch(x.config.url)).arrayBuffer();
        return { status: "up", message: piece.byteLength <= 65536 ? String(whole.byteLength) : "a chunk was too large" };
      },`,
    });
    expect(await odd.connector.check?.(call({ url }).context)).toMatchObject({ message: "3000000" });
  });

  it("is pulled page by page, and its clean-up runs when the host leaves early", async () => {
    const { odd } = await load({
      facets: ["read"],
      definition: `async *read(x, request) {
        try { for (let n = 1; ; n += 1) { x.log.info("page " + n); yield { records: [{ key: String(n), data: {} }], cursor: { n }, more: true }; } }
        finally { x.log.info("cleaned up"); }
      },`,
    });
    const { context, logged } = call();
    const keys: unknown[] = [];
    for await (const page of odd.connector.read?.(context, { stream: "s", cursor: null, pageSize: 1 }) ?? []) {
      keys.push(page.records[0]?.key);
      if (keys.length === 3) break;
    }
    expect(keys).toEqual(["1", "2", "3"]);
    expect(logged.map(({ message }) => message)).toEqual(["page 1", "page 2", "page 3", "cleaned up"]);
  });

  it("throws what it threw: kind, words and info", async () => {
    const { odd } = await load({
      definition: `check: async (x) => {
        if (x.config.mode === "plain") throw new Error("not classified");
        throw new ConnectorError("rate_limited", "slow down", { retryAfterMs: 5000, status: 429 });
      },`,
    });
    expect(await errorOf(odd.connector.check?.(call().context))).toMatchObject({
      kind: "rate_limited",
      message: "slow down",
      info: { retryAfterMs: 5_000, status: 429 },
    });
    expect(await errorOf(odd.connector.check?.(call({ mode: "plain" }).context))).toMatchObject({ kind: "bug", message: "not classified" });
  });

  it("hears that it is to stop, and why", async () => {
    const { odd, well } = await load({
      definition: `check: (x) => new Promise((resolve) => x.signal.addEventListener("abort", () => resolve({ status: "down", message: x.signal.reason.why }))),`,
    });
    const { context, stop } = call();
    const answer = odd.connector.check?.(context);
    setTimeout(() => stop("window"), 50);
    expect(await answer).toEqual({ status: "down", message: "window" });
    expect(await isUp(well)).toBe(true);
  });

  it("asks classify about each answer", async () => {
    const url = await serve(() => ({ headers: { "content-type": "application/json", "retry-after": "7" }, body: '{"error":"busy"}' }));
    const { odd } = await load({
      definition: `classify: ({ text }) => (text.includes("busy") ? { kind: "rate_limited", message: "It is busy." } : undefined),
        check: async (x) => { await x.fetch(x.config.url); return { status: "up" }; },`,
    });
    expect(await errorOf(odd.connector.check?.(call({ url }).context))).toMatchObject({
      kind: "rate_limited",
      message: "It is busy.",
      info: { retryAfterMs: 7_000, status: 200 },
    });
  });

  it("says what endpoints mean to it: origins, ways to show who asks, promises about writes", async () => {
    const { odd } = await load({
      facets: ["write"],
      definition: `auth: (config, secrets) => ({ kind: "bearer", token: secrets.token }),
        write: { idempotency: "none", idempotencyOf: (config, stream) => (stream === "a" ? "upsert" : "none"), maxBatch: 5, apply: async () => [] },`,
    });
    expect(await odd.factsOf({ config: {}, secrets: { token: "x" }, streams: ["a", "b"] })).toEqual({
      origins: ["http://127.0.0.1:9"],
      auth: { kind: "bearer", token: "x" },
      canIssue: false,
      canRevoke: false,
      idempotency: { a: "upsert", b: "none" },
    });
    expect(odd.connector.write?.maxBatch).toBe(5);
  });

  it("has an empty environment, and what it prints is in the log without secrets", async () => {
    const { odd } = await load({
      definition: `check: async (x) => { console.log("with " + x.secrets.token); console.error("x".repeat(9000)); return { status: "up", message: JSON.stringify(process.env) }; },`,
    });
    expect(await odd.connector.check?.(call({}, { token: "t0ken-t0ken" }).context)).toMatchObject({ message: "{}" });
    await expect.poll(() => lines.join("")).toContain("with [redacted]");
    expect(lines.join("")).not.toContain("t0ken-t0ken");
    await expect.poll(() => lines.some((line) => line.includes("xxx") && line.length < 3_000)).toBe(true);
  });

  it("fills no log: lines beyond what a log can bear are counted", async () => {
    const { odd } = await load({
      definition: `check: async (x) => { for (let n = 0; n < 5000; n += 1) { x.log.info("line " + n); console.log("printed " + n); } return { status: "up" }; },`,
    });
    const { context, logged } = call();
    await odd.connector.check?.(context);
    expect(logged.at(-1)).toMatchObject({ level: "warn", fields: { leftOut: 4_500 } });
    const printed = () => lines.filter((line) => line.includes("printed")).length;
    await expect.poll(printed).toBe(100);
    // None comes after them.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(printed()).toBe(100);
  });

  it("cannot send what is no data", async () => {
    const { odd } = await load({ definition: `check: async () => ({ status: "up", message: () => 1 }),` });
    expect(await errorOf(odd.connector.check?.(call().context))).toMatchObject({
      kind: "bug",
      message: expect.stringContaining("Give plain data"),
    });
  });

  it("an error of its own is no end of the worker", async () => {
    const { odd } = await load({ definition: `check: async () => { throw new Error("The worker of the connector ended"); },` });
    const failed = await errorOf(odd.connector.check?.(call().context));
    expect(failed).toMatchObject({ kind: "bug", isWorkerEnd: false });
  });
});

describe("what goes wrong in a worker ends that worker alone", () => {
  const cases = [
    ["an infinite loop", `check: async (x) => { if (x.config.mode) while (true); return { status: "up" }; },`, /answered nothing for/],
    [
      "2 GB of objects",
      `check: async (x) => { if (x.config.mode) { const kept = []; while (kept.length < 2 ** 28) kept.push({ n: kept.length }); } return { status: "up" }; },`,
      /out of memory/,
    ],
    [
      "2 GB in a buffer",
      `check: async (x) => { if (x.config.mode) { globalThis.kept = Buffer.alloc(2 ** 31 - 1); await new Promise(() => {}); } return { status: "up" }; },`,
      /MiB in buffers/,
    ],
    [
      "process.exit",
      `check: async (x) => { if (x.config.mode) process.exit(7); return { status: "up" }; },`,
      /ended by itself with code 7/,
    ],
    [
      "an unhandled rejection",
      `check: async (x) => { if (x.config.mode) { Promise.reject(new Error("forgotten")); await new Promise(() => {}); } return { status: "up" }; },`,
      /nobody caught: forgotten/,
    ],
    [
      "an exception in a timer",
      `check: async (x) => { if (x.config.mode) { setTimeout(() => { throw new Error("late"); }, 5); await new Promise(() => {}); } return { status: "up" }; },`,
      /nobody caught: late/,
    ],
  ] as const;
  it.each(cases)("%s: the call fails as a bug, the others go on, and the connector is there again", async (what, definition, reason) => {
    // Only the loop is to be found by its silence: to fill the memory takes long on a busy machine.
    const { odd, well } = await load({ definition }, what === "an infinite loop" ? { silenceMs: 6_000 } : {});
    const [failed, other] = await Promise.all([errorOf(odd.connector.check?.(call({ mode: "bad" }).context)), isUp(well)]);
    expect(failed).toMatchObject({ kind: "bug", message: expect.stringMatching(reason) });
    expect(failed.isWorkerEnd).toBe(true);
    expect(other).toBe(true);
    // Waits for the next start by itself.
    expect(await isUp(odd)).toBe(true);
  });

  it("a call that goes on after it was told to stop ends the worker", async () => {
    const definition = `check: (x) => (x.config.mode ? new Promise(() => {}) : Promise.resolve({ status: "up" })),`;
    const { odd, well } = await load({ definition }, { stopGraceMs: 300 });
    const { context, stop } = call({ mode: "deaf" });
    const answer = errorOf(odd.connector.check?.(context));
    stop("timeout");
    expect(await answer).toMatchObject({ kind: "bug", message: expect.stringContaining("after it was told to stop") });
    expect([await isUp(odd), await isUp(well)]).toEqual([true, true]);
  });

  it("a write under way then may have happened, a read may not", async () => {
    const { odd } = await load({
      facets: ["read", "write"],
      definition: `write: { idempotency: "none", maxBatch: 1, apply: async () => process.exit(1) }, async *read() { process.exit(1); },`,
    });
    expect(await errorOf(odd.connector.write?.apply(call().context, "s", []))).toMatchObject({ kind: "bug", info: { ambiguous: true } });
    const pages = odd.connector.read?.(call().context, { stream: "s", cursor: null, pageSize: 1 })[Symbol.asyncIterator]();
    const failed = await errorOf(pages?.next());
    expect(failed.kind).toBe("bug");
    expect(failed.info).not.toHaveProperty("ambiguous");
  });

  it("is not started any more after five ends, and says so until it is loaded again", async () => {
    const { odd, well } = await load({ definition: `check: async () => process.exit(1),` });
    for (let n = 0; n < 5; n += 1) expect(await errorOf(odd.connector.check?.(call().context))).toMatchObject({ kind: "bug" });
    await expect
      .poll(() => odd.failure())
      .toMatch(/its worker ended 5 times within 10 minutes, at last because it ended by itself with code 1/);
    expect(await errorOf(odd.connector.check?.(call().context))).toMatchObject({ kind: "config" });
    expect(registry.listings().find(({ name }) => name === "odd")).toMatchObject({ state: "failed" });
    expect(await isUp(well)).toBe(true);
    await folder.install("odd", {});
    await registry.reload();
    expect(registry.listings().find(({ name }) => name === "odd")).toMatchObject({ state: "loaded" });
  });

  it("an import that never ends is given up", async () => {
    folder = await packageFolder({ startMs: 15_000 });
    registry = createConnectorRegistry({ bundled: [], packages: folder.options, log: pino({ level: "silent" }) });
    await folder.install("odd", { module: "while (true);" });
    await folder.install("well", {});
    await folder.list({ package: "odd" }, { package: "well" });
    expect(await registry.reload()).toMatchObject({ added: ["well"], failed: ["odd"] });
  });
});
