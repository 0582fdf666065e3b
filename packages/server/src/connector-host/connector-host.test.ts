import { type Connector, type Context, defineConnector, type Health, z } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { afterEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { pause } from "../windows/hold-commands.js";
import { createConnectorHost } from "./connector-host.js";
import type { OpenEndpoint } from "./open-endpoint.js";
import { requirePermit, type RunPermit, withRunPermit } from "./run-permit.js";

let bench: PipelineBench | undefined;

afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

async function open(source: {
  connector: Connector;
  config?: object;
  secrets?: { readonly [name: string]: string };
}): Promise<PipelineBench> {
  bench = await pipelineBench({ source, target: memoryTarget() });
  return bench;
}

const never = new AbortController().signal;

function checking(check: (x: Context<{ port: number }, { password: string }>) => Promise<Health>): Connector {
  const settings = { config: z.object({ port: z.int().default(5432) }), secrets: z.object({ password: z.string().min(8) }) };
  return defineConnector({
    apiVersion: 1,
    id: "checking",
    version: "1.0.0",
    displayName: "Checking",
    stability: "beta",
    ...settings,
    egress: () => [],
    check,
  });
}

describe("a permit", () => {
  it("is the only way to a connector beside its check, and ends with the work it was made for", async () => {
    const source = memorySource();
    source.put("a");
    const on = await open(source);
    const run = await on.claim();
    const endpoints = await on.database.sql<{ id: number }[]>`select id from endpoint where key = 'source'`;
    const endpointId = endpoints[0]?.id ?? 0;
    let kept: { permit: RunPermit; endpoint: OpenEndpoint } | undefined;
    await withRunPermit({ database: on.database, run, signal: never }, async (permit) => {
      const endpoint = await on.host.openEndpoint(permit, endpointId);
      for await (const page of endpoint.read({ stream: "items", cursor: null, pageSize: 10 })) expect(page.records).toHaveLength(1);
      kept = { permit, endpoint };
    });
    if (kept === undefined) throw new Error("no permit");
    const { permit, endpoint } = kept;
    expect(permit.signal.aborted).toBe(true);
    await expect(endpoint.write("items", [])).rejects.toThrow(/only for a claimed run|cannot write/);
    await expect(
      (async () => endpoint.read({ stream: "items", cursor: null, pageSize: 10 })[Symbol.asyncIterator]().next())(),
    ).rejects.toThrow(/only for a claimed run/);
    await expect(on.host.openEndpoint(permit, endpointId)).rejects.toThrow(/only for a claimed run/);
    // A copy of a permit is none.
    expect(() => requirePermit({ ...permit })).toThrow(/only for a claimed run/);
  });

  it("is refused for a run of another worker or attempt", async () => {
    const on = await open(memorySource());
    const run = await on.claim();
    const work = async () => "worked";
    await expect(withRunPermit({ database: on.database, run: { ...run, attempt: run.attempt + 1 }, signal: never }, work)).rejects.toThrow(
      /no longer this worker's/,
    );
    await expect(
      withRunPermit({ database: on.database, run: { ...run, workerId: crypto.randomUUID() }, signal: never }, work),
    ).rejects.toThrow(/no longer this worker's/);
    await expect(withRunPermit({ database: on.database, run, signal: never }, work)).resolves.toBe("worked");
  });
});

describe("a check", () => {
  it("gets parsed settings and works without a run, while the integration is held too", async () => {
    const connector = checking(async (x) => ({
      status: "up",
      identity: { principal: `${x.config.port}/${x.secrets.password.length}/${x.meta.runId}` },
    }));
    const on = await open({ connector, secrets: { password: "long-enough" } });
    await pause(on.context, { scope: { all: true }, until: null, reason: "test" });
    expect(await on.host.checkEndpoint("source", never)).toEqual({ status: "up", identity: { principal: "5432/11/check" } });
  });

  it("hides secrets in what the connector answers and throws", async () => {
    const connector = checking(async (x) => {
      if (x.config.port === 1) throw new Error(`refused ${x.secrets.password}`);
      return { status: "degraded", message: `with ${x.secrets.password}` };
    });
    const on = await open({ connector, secrets: { password: "long-enough" } });
    expect(await on.host.checkEndpoint("source", never)).toEqual({ status: "degraded", message: "with [redacted]" });
    await on.database.sql`update endpoint set config = '{"port": 1}' where key = 'source'`;
    await expect(on.host.checkEndpoint("source", never)).rejects.toMatchObject({ kind: "bug", message: "refused [redacted]" });
    expect(on.logged()).not.toContain("long-enough");
  });

  it("ends after ten seconds, even if the connector does not listen", { timeout: 300_000 }, async () => {
    const on = await open({ connector: checking(() => new Promise(() => undefined)), secrets: { password: "long-enough" } });
    await expect(on.host.checkEndpoint("source", never)).rejects.toMatchObject({ kind: "timeout" });
  });

  it("says what is wrong with configuration and secrets, and never their values", async () => {
    const on = await open({
      connector: checking(async () => ({ status: "up" })),
      config: { port: "x1y2" },
      secrets: { password: "short" },
    });
    await expect(on.host.checkEndpoint("source", never)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/^The configuration of endpoint "source".*port/),
    });
    await on.database.sql`update endpoint set config = '{}' where key = 'source'`;
    await expect(on.host.checkEndpoint("source", never)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringMatching(/^The secrets of endpoint "source".*password/),
    });
  });

  it("names the loaded connectors when an endpoint uses another one, and the endpoint when there is none", async () => {
    const on = await open(memorySource());
    await on.database.sql`update endpoint set connector = 'memory-sauce' where key = 'source'`;
    await expect(on.host.checkEndpoint("source", never)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining('Did you mean "memory-source"?'),
    });
    await expect(on.host.checkEndpoint("nowhere", never)).rejects.toMatchObject({ code: "QSC_ENDPOINT_NOT_FOUND" });
  });
});

describe("the state store", () => {
  it("keeps values across calls, sealed, until they expire, and hides them in the log", async () => {
    const seen: unknown[] = [];
    const connector = checking(async (x) => {
      seen.push(await x.state.get("session"), await x.state.get("brief"));
      await x.state.set("session", { token: "session-token-0123456789" });
      await x.state.set("brief", 1, { ttlMs: 1 });
      x.log.info("logged in as session-token-0123456789");
      return { status: "up" };
    });
    const on = await open({ connector, secrets: { password: "long-enough" } });
    await on.host.checkEndpoint("source", never);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await on.host.checkEndpoint("source", never);
    expect(seen).toEqual([undefined, undefined, { token: "session-token-0123456789" }, undefined]);
    const rows = await on.database.sql<{ text: string }[]>`select string_agg(value::text, ' ') as text from connector_state`;
    expect(`${rows[0]?.text}${on.logged()}`).not.toContain("session-token-0123456789");
  });
});

describe("the limits of the state store", () => {
  async function remembering(work: (x: Context) => Promise<void>) {
    const on = await open({
      connector: checking(async (x) => work(x).then(() => ({ status: "up" }))),
      secrets: { password: "long-enough" },
    });
    return { on, check: () => on.host.checkEndpoint("source", never) };
  }
  const namesOf = async (on: PipelineBench) => {
    const rows = await on.database.sql<{ key: string }[]>`select key from connector_state order by key collate "C"`;
    return rows.map(({ key }) => key);
  };

  it("are 64 KiB a value", async () => {
    const said: unknown[] = [];
    const { on, check } = await remembering(async (x) => {
      await x.state.set("most", "é".repeat(32_767));
      await x.state.set("more", "é".repeat(32_768)).catch((error: unknown) => said.push(error));
    });
    await check();
    expect(said).toMatchObject([{ kind: "bug", message: expect.stringContaining('"more" has 65538 bytes') }]);
    expect(await namesOf(on)).toEqual(["checking/most"]);
  });

  it("are 1,000 values of an endpoint: what is there may be renewed, what has expired makes room", async () => {
    const said: unknown[] = [];
    const { on, check } = await remembering(async (x) => {
      await x.state.set("n1", "renewed").catch((error: unknown) => said.push(error));
      await x.state.set("new", 1).catch((error: unknown) => said.push(error));
    });
    const id = sql`select id from endpoint where key = 'source'`;
    await on.database.db.execute(sql`
      insert into connector_state (endpoint_id, key, value) select (${id}), 'checking/n' || n, '{}' from generate_series(1, 1000) as n`);
    await check();
    expect(said).toMatchObject([{ kind: "bug", message: expect.stringContaining("1000 values") }]);
    await on.database.db.execute(sql`update connector_state set expires_at = app_now() - interval '1 second' where key > 'checking/n5'`);
    await check();
    expect(said).toHaveLength(1);
    const names = await namesOf(on);
    expect(names).toContain("checking/new");
    expect(names).not.toContain("checking/n6");
  });
});

describe("the list of connectors", () => {
  it("is described by manifests, and refuses doubles and strangers", async () => {
    const source = memorySource();
    const on = await open(source);
    expect(on.host.connectors.listings().map(({ id, manifest }) => [id, manifest?.facets])).toEqual([
      ["memory-source", ["check", "streams", "read", "listKeys"]],
      ["memory-target", ["write"]],
    ]);
    const make = (connectors: readonly Connector[]) => () =>
      createConnectorHost({
        database: on.database,
        connectors,
        keyRing: { current: { id: "x", key: Buffer.alloc(32) }, previous: [] },
        log: {} as never,
      });
    expect(make([source.connector, source.connector])).toThrow(/Two connectors have the id/);
    expect(make([{ ...source.connector, [Symbol.for("quiesce.connector")]: 2 }])).toThrow(/did not make/);
  });
});
