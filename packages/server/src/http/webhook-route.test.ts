import { createHmac, randomBytes } from "node:crypto";
import { type Alert, bearer, ConnectorError, defineConnector, hmac, type PushedRecords, z } from "@quiesce/sdk";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { applyWorkspace } from "../catalog/commands.js";
import { type ConnectorHost, createConnectorHost } from "../connector-host/connector-host.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { forgetDeliveries } from "../webhooks/forget-deliveries.js";
import { workThroughNext } from "../webhooks/work-through.js";

const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
const verify = hmac({
  header: "X-Shop-Signature",
  prefix: "sha256=",
  encoding: "hex",
  timestampHeader: "X-Shop-Time",
  signed: ({ timestamp }) => `${timestamp}.`,
  deliveryHeader: "X-Shop-Delivery",
});
const bearing = bearer();
const lines: object[] = [];

/** A shop that signs what it sends, and sends its alarms with a plain token. */
const shop = defineConnector({
  apiVersion: 1,
  id: "test-shop",
  version: "1.0.0",
  displayName: "Shop",
  stability: "beta",
  config: z.object({}),
  secrets: z.object({ key: z.string() }),
  egress: () => [],
  push: {
    webhook: {
      verify: (request, { key }, now) => verify(request, [key], now),
      handshake: (request) => (request.query["challenge"] === undefined ? undefined : { status: 200, body: request.query["challenge"] }),
      parse(request) {
        const text = new TextDecoder().decode(request.body);
        if (text === "fault") throw new Error("this is a bug");
        try {
          return JSON.parse(text) as readonly PushedRecords[];
        } catch (error) {
          throw new ConnectorError("contract", "The shop sent something that is no JSON.", { cause: error });
        }
      },
    },
  },
  alerts: {
    webhook: {
      verify: (request, { key }, now) => bearing(request, [key], now),
      parse: (request) => JSON.parse(new TextDecoder().decode(request.body)) as readonly Alert[],
    },
  },
});

let api: StartedApi;
let host: ConnectorHost;
const work = async () => {
  const context = { database: api.database, zones: api.context.zones, webhooks: host.webhooks, log: pino({ level: "silent" }) };
  while (await workThroughNext(context));
};

beforeAll(async () => {
  const webhooks: ConnectorHost["webhooks"] = {
    look: (...asked) => host.webhooks.look(...asked),
    parse: (...asked) => host.webhooks.parse(...asked),
  };
  api = await startApi({
    webhooks,
    log: { info: (line: object) => void lines.push(line), warn: () => undefined, error: () => undefined },
  });
  host = createConnectorHost({ database: api.database, connectors: [shop], keyRing: keys, log: pino({ level: "silent" }) });
  await applyWorkspace(
    { ...api.context, keys },
    {
      quiesce: 1,
      endpoints: [
        { key: "shop-hook", system: "shop", connector: "test-shop", secrets: { key: { value: "s3cret-of-the-shop" } } },
        { key: "erp-in", system: "erp", connector: "postgres" },
      ],
      integrations: [
        {
          key: "web-orders",
          source: "shop-hook",
          target: "erp-in",
          streams: [{ stream: "orders", push: true, mapping: { fields: { id: { from: "id" } } } }],
        },
      ],
      jobs: [{ key: "web-orders-push", integration: "web-orders", push: true }],
    },
  );
});
afterAll(async () => {
  await host?.close();
  await api?.stop();
});
beforeEach(async () => {
  await api.database.sql`truncate webhook_delivery, alert, inbox_record, inbox restart identity cascade`;
  lines.length = 0;
});

interface Sent {
  readonly delivery?: string;
  readonly atMs?: number;
  readonly secret?: string;
  readonly signature?: string;
  readonly endpoint?: string;
  readonly headers?: Record<string, string>;
}

async function send(body: string | Buffer<ArrayBuffer>, sent: Sent = {}) {
  const { delivery = "d-1", atMs = Date.now(), secret = "s3cret-of-the-shop", endpoint = "shop-hook/push" } = sent;
  const time = String(Math.floor(atMs / 1_000));
  const signature = sent.signature ?? `sha256=${createHmac("sha256", secret).update(`${time}.`).update(body).digest("hex")}`;
  const headers = { "x-shop-time": time, "x-shop-signature": signature, "x-shop-delivery": delivery, ...sent.headers };
  const response = await fetch(`${api.url}/hooks/${endpoint}`, { method: "POST", headers, body });
  return {
    status: response.status,
    json: (await response.json()) as { error?: { code: string; message: string } } & Record<string, unknown>,
  };
}

const orders = (...ids: string[]) => JSON.stringify([{ stream: "orders", records: ids.map((id) => ({ key: id, data: { id } })) }]);
/** A server whose own work on a delivery fails. */
const faulty = () => ({
  database: api.database,
  zones: api.context.zones,
  webhooks: { ...host.webhooks, parse: () => Promise.reject(new Error("this is a bug of the server")) },
  log: pino({ level: "silent" }),
});
/** A server that meets this when it reads a delivery: once, or each time. */
const meeting = (error: ConnectorError, times = Number.POSITIVE_INFINITY) => {
  let left = times;
  const parse: ConnectorHost["webhooks"]["parse"] = (...asked) => {
    left -= 1;
    return left < 0 ? host.webhooks.parse(...asked) : Promise.reject(error);
  };
  return { ...faulty(), webhooks: { ...host.webhooks, parse } };
};
/** Tries the oldest as often as it is put off, without waiting for its time; answers how often. */
const tryToTheEnd = async (context: ReturnType<typeof meeting>) => {
  for (let tries = 0; ; tries += 1) {
    const [row] = await api.database.sql<{ state: string }[]>`select state from webhook_delivery order by id limit 1`;
    if (row?.state !== "waiting") return tries;
    await api.database.sql`update webhook_delivery set next_try_at = null`;
    await workThroughNext(context);
  }
};
const states = async () =>
  (
    await api.database.sql<{ state: string; body: Buffer | null; error: { kind: string; message: string } | null; result: unknown }[]>`
    select state, body, error, result from webhook_delivery order by id`
  ).map((row) => ({ ...row, body: row.body === null ? null : row.body.toString() }));
const waitingKeys = async () =>
  (await api.database.sql<{ key: string }[]>`select record_key as key from inbox_record order by id`).map(({ key }) => key);

describe("a delivery that the endpoint vouches for", () => {
  it("is durable before it is answered, and its records wait in the inbox in their order afterwards", async () => {
    expect(await send(orders("1", "2"))).toEqual({ status: 202, json: { accepted: true, duplicate: false } });
    expect(await states()).toMatchObject([{ state: "waiting", body: orders("1", "2") }]);
    await work();
    expect(await states()).toEqual([{ state: "done", body: null, error: null, result: { accepted: 2, duplicates: 0 } }]);
    expect(await waitingKeys()).toEqual(["1", "2"]);
  });

  it("is no new one when it comes again, though its body were another", async () => {
    await send(orders("1"));
    expect(await send(orders("1", "2"))).toEqual({ status: 202, json: { accepted: true, duplicate: true } });
    await work();
    expect(await send(orders("3"))).toMatchObject({ json: { duplicate: true } });
    await work();
    expect(await waitingKeys()).toEqual(["1"]);
  });

  describe("and has no id", () => {
    it("but a signed time: a state that comes back is told from one that is sent once more", async () => {
      const at = Date.now();
      const said = (id: string, afterMs: number) => send(orders(id), { delivery: "", atMs: at + afterMs });
      for (const [n, id] of ["on", "off", "on", "off"].entries())
        expect(await said(id, n * 1_000)).toMatchObject({ json: { duplicate: false } });
      expect(await said("on", 0)).toMatchObject({ json: { duplicate: true } });
      expect(await said("off", 3_000)).toMatchObject({ json: { duplicate: true } });
      await work();
      expect(await waitingKeys()).toEqual(["on", "off", "on", "off"]);
    });

    it("but a signed time: one that was captured is no new one, though what is not signed was changed in it", async () => {
      const sent = { delivery: "", atMs: Date.now() };
      expect(await send(orders("1"), sent)).toMatchObject({ json: { duplicate: false } });
      expect(await send(orders("1"), { ...sent, endpoint: "shop-hook/push?again=1", headers: { "x-more": "2" } })).toMatchObject({
        json: { duplicate: true },
      });
      expect(await send(orders("2"), { ...sent, endpoint: "shop-hook/push?again=1" })).toMatchObject({ json: { duplicate: false } });
    });

    const say = async (state: string, query = "") => {
      const headers = { authorization: "Bearer s3cret-of-the-shop" };
      const response = await fetch(`${api.url}/hooks/shop-hook/alerts${query}`, { method: "POST", headers, body: state });
      return ((await response.json()) as { readonly duplicate: boolean }).duplicate;
    };

    it("nor a time: only what came last is known, so that a state that comes back is not lost", async () => {
      expect([await say("down"), await say("down"), await say("up"), await say("down"), await say("down")]).toEqual([
        false,
        true,
        false,
        false,
        true,
      ]);
      expect((await states()).map(({ body }) => body)).toEqual(["down", "up", "down"]);
    });

    it("nor a time: what the query says counts, what another webhook of the endpoint took does not", async () => {
      expect(await say("down", "?host=a")).toBe(false);
      expect(await say("down", "?host=b")).toBe(false);
      await send(orders("1"));
      expect(await say("down", "?host=b")).toBe(true);
    });

    it("nor a time: what came last is known for 72 hours", async () => {
      await say("down");
      const age = (hours: number) => api.database.sql`update webhook_delivery set received_at = app_now() - ${hours} * interval '1 hour'`;
      await age(71);
      expect(await say("down")).toBe(true);
      await age(73);
      expect(await say("down")).toBe(false);
    });

    it("nor a time: of those sent at once one is kept", async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => say("down")));
      expect(answers.filter((duplicate) => !duplicate)).toEqual([false]);
    });
  });

  it("keeps the order of several, and of those that are sent at once none is lost", async () => {
    await Promise.all(Array.from({ length: 20 }, (_none, n) => send(orders(`a${n}`), { delivery: `d-${n}` })));
    await work();
    expect((await waitingKeys()).toSorted()).toEqual(Array.from({ length: 20 }, (_none, n) => `a${n}`).toSorted());
  });

  it("is worked through again after a kill in between, without doubling a record", async () => {
    await send(orders("1", "2"));
    // As if the server had been killed between taking the records and settling the delivery.
    await work();
    await api.database.sql`update webhook_delivery set state = 'waiting', settled_at = null, body = ${Buffer.from(orders("1", "2"))}`;
    await work();
    expect(await waitingKeys()).toEqual(["1", "2"]);
    expect(await states()).toMatchObject([{ state: "done", result: { accepted: 0, duplicates: 2 } }]);
  });

  it("is kept without credentials", async () => {
    await send(orders("1"), { headers: { authorization: "Bearer token-of-a-proxy", "x-echo": "s3cret-of-the-shop" } });
    const [row] = await api.database.sql<{ headers: Record<string, string> }[]>`select headers from webhook_delivery`;
    expect(row?.headers["x-shop-delivery"]).toBe("d-1");
    expect(JSON.stringify(row?.headers)).not.toMatch(/token-of-a-proxy|s3cret/);
  });

  it("is kept without a secret that its address carried", async () => {
    await send(orders("1"), { endpoint: "shop-hook/push?token=s3cret-of-the-shop&site=north" });
    const [row] = await api.database.sql<{ query: Record<string, string> }[]>`select query from webhook_delivery`;
    expect(row?.query["site"]).toBe("north");
    expect(JSON.stringify(row?.query)).not.toContain("s3cret");
  });

  it("answers a challenge without keeping anything", async () => {
    const response = await fetch(`${api.url}/hooks/shop-hook/push?challenge=are-you-there`);
    expect([response.status, await response.text()]).toEqual([200, "are-you-there"]);
    expect(await states()).toEqual([]);
  });
});

describe("a delivery that nobody vouches for", () => {
  const refused = { status: 401, json: { error: { code: "QSC_WEBHOOK_REFUSED" } } };

  it.each<[string, Sent, RegExp]>([
    ["with another secret", { secret: "another" }, /signature/],
    ["without a signature", { signature: "" }, /missing/],
    ["with half of a signature", { signature: "sha256=00ff" }, /signature/],
    ["that is six minutes old", { atMs: Date.now() - 360_000 }, /old/],
    ["that is six minutes ahead", { atMs: Date.now() + 360_000 }, /ahead/],
    ["to an endpoint that does not exist", { endpoint: "shop-nope/push" }, /no such endpoint/],
    ["to an endpoint whose connector is not there", { endpoint: "erp-in" }, /"postgres"/],
    ["to a webhook that the connector does not have", { endpoint: "shop-hook/tracker" }, /no webhook for "tracker"/],
    ["that does not say which of two webhooks", { endpoint: "shop-hook" }, /several webhooks/],
  ])("%s is refused in one form, and the log says why", async (_what, sent, why) => {
    expect(await send(orders("1"), sent)).toMatchObject(refused);
    expect(await states()).toEqual([]);
    expect(lines).toContainEqual(expect.objectContaining({ why: expect.stringMatching(why) as unknown }));
  });

  it("altered by one byte is refused", async () => {
    const body = orders("1");
    const time = String(Math.floor(Date.now() / 1_000));
    const signature = `sha256=${createHmac("sha256", "s3cret-of-the-shop").update(`${time}.${body}`).digest("hex")}`;
    expect(await send(body.replace("1", "2"), { signature })).toMatchObject(refused);
    expect(await states()).toEqual([]);
  });

  it("answers what it says alike for every reason", async () => {
    const wrong = await send(orders("1"), { secret: "another" });
    const unknown = await send(orders("1"), { endpoint: "shop-nope" });
    expect(wrong.json.error?.message).toBe(unknown.json.error?.message);
  });

  it("is refused when it is too large, by its size alone", async () => {
    expect(await send(Buffer.alloc(1_048_577))).toMatchObject({ status: 413 });
  });
});

describe("limits", () => {
  it("take no more than may wait for one endpoint, and still know what they have", async () => {
    await send(orders("1"), { delivery: "known" });
    await api.database.sql`
      insert into webhook_delivery (endpoint_id, facet, delivery_id, received_at, method, path, query, headers, body, bytes)
      select e.id, 'push', 'w' || n, app_now(), 'POST', '/', '{}', '{}', 'x', 1 from endpoint as e, generate_series(1, 9999) as n where e.key = 'shop-hook'`;
    expect(await send(orders("2"), { delivery: "one more" })).toMatchObject({ status: 429, json: { error: { code: "QSC_WEBHOOK_FULL" } } });
    expect(await send(orders("1"), { delivery: "known" })).toMatchObject({ status: 202, json: { duplicate: true } });
  });
});

describe("a delivery that cannot be worked through", () => {
  it("is kept with its reason, and the next one goes on", async () => {
    await send("no json", { delivery: "bad" });
    await send(orders("2"), { delivery: "good" });
    await work();
    expect(await states()).toMatchObject([{ state: "dead", body: "no json", error: { kind: "contract" } }, { state: "done" }]);
    expect(await waitingKeys()).toEqual(["2"]);
    const events = await api.database.sql<{ kind: string }[]>`
      select kind from event_inbox where kind = 'webhook.failed' union all select kind from event_log where kind = 'webhook.failed'`;
    expect(events.length).toBeGreaterThan(0);
  });

  it("is no fault of ours when the connector reads something from it that is no record: it is kept at once, with the place", async () => {
    await send(JSON.stringify([{ stream: "orders", records: [{ key: "1", data: {} }, null] }]));
    await work();
    expect(await states()).toMatchObject([
      { state: "dead", error: { kind: "QSC_INBOX_RECORD_INVALID", message: expect.stringContaining("Found null") as unknown } },
    ]);
    expect(await waitingKeys()).toEqual([]);
  });

  it("says which integration lacks, and passes when it is tried once more", async () => {
    await send(JSON.stringify([{ stream: "returns", records: [{ key: "1", data: {} }] }]));
    await work();
    expect(await states()).toMatchObject([
      { state: "dead", error: { kind: "config", message: expect.stringMatching(/stream "returns"/) as unknown } },
    ]);
    await api.database.sql`update webhook_delivery set body = ${Buffer.from(orders("7"))}`;
    const replay = `mutation { replayWebhookDelivery(input: { key: "1", reason: "mended" }) }`;
    expect(await api.ask(replay, {}, api.tokens.operator)).toMatchObject({ data: { replayWebhookDelivery: "1" } });
    await work();
    expect(await waitingKeys()).toEqual(["7"]);
    expect((await api.ask(replay, {}, api.tokens.operator)).errors?.[0]?.extensions.code).toBe("QSC_WEBHOOK_DELIVERY_NOT_DEAD");
  });

  it("waits while the inbox is full, keeps what came after it back, and gives nothing up", async () => {
    await api.database
      .sql`insert into inbox (integration_id, accepted, waiting_records) select id, 100000, 100000 from integration where key = 'web-orders'`;
    await send(orders("1"), { delivery: "a" });
    await send(orders("2"), { delivery: "b" });
    await work();
    expect(await states()).toMatchObject([
      { state: "waiting", error: { message: expect.stringMatching(/wait/) as unknown } },
      { state: "waiting", error: null },
    ]);
    await api.database.sql`update inbox set accepted = 0, waiting_records = 0`;
    await api.database.sql`update webhook_delivery set next_try_at = null`;
    await work();
    expect(await waitingKeys()).toEqual(["1", "2"]);
  });

  it("is put aside after ten faults of our own, so that it blocks nothing for ever", async () => {
    await send("fault", { delivery: "a" });
    await send(orders("2"), { delivery: "b" });
    for (let n = 0; n < 10; n += 1) {
      await work();
      await api.database.sql`update webhook_delivery set next_try_at = null where state = 'waiting'`;
    }
    await work();
    expect((await states()).map(({ state }) => state)).toEqual(["dead", "done"]);
    const told = await api.database.sql`
      select payload from (select kind, payload from event_inbox union all select kind, payload from event_log) as e
      where kind = 'webhook.failed' and payload ->> 'message' like 'The server met a fault of its own%'`;
    expect(told).toHaveLength(1);
  });

  it.each(["rate_limited", "unavailable", "transient", "timeout", "cancelled"] as const)(
    "is not given up for what passes (%s): it is tried again, and what came after it waits, so that the order stays",
    async (kind) => {
      await send(orders("1"), { delivery: "a" });
      await send(orders("2"), { delivery: "b" });
      const context = meeting(new ConnectorError(kind, "The system is away."), 2);
      while (await workThroughNext(context));
      expect(await states()).toMatchObject([
        { state: "waiting", body: orders("1"), error: { kind, message: "The system is away." } },
        { state: "waiting", error: null },
      ]);
      expect(await tryToTheEnd(context)).toBe(2);
      await work();
      expect(await waitingKeys()).toEqual(["1", "2"]);
      expect((await states()).map(({ state }) => state)).toEqual(["done", "done"]);
    },
  );

  it.each<[string, ConnectorError, number]>([
    ["what may pass, but does not", new ConnectorError("unavailable", "away"), 10],
    ["a time that was over, which it may be the cause of", new ConnectorError("timeout", "late"), 3],
    ["what will be the same the next time", new ConnectorError("contract", "no JSON"), 1],
  ])("is put aside after it met so often %s", async (_what, error, times) => {
    await send(orders("1"));
    expect(await tryToTheEnd(meeting(error))).toBe(times);
    expect(await states()).toMatchObject([{ state: "dead", body: orders("1"), error: { kind: error.kind } }]);
  });

  it("has all its tries after it waited for room, however long", async () => {
    await send(orders("1"));
    await api.database
      .sql`update webhook_delivery set tries = 500, error = '{"code": "QSC_INBOX_FULL", "message": "There is no room."}'::jsonb`;
    expect(await tryToTheEnd(meeting(new ConnectorError("unavailable", "away")))).toBe(10);
  });

  it("is left as it is when another server has brought it to its end meanwhile", async () => {
    await send(orders("1"), { delivery: "a" });
    const transaction = api.database.db.transaction.bind(api.database.db);
    let calls = 0;
    // The fault lets the lock go before a second transaction counts it: the other server comes in between.
    const between: typeof transaction = async (job, config) => {
      calls += 1;
      if (calls === 2) await api.database.sql`update webhook_delivery set state = 'done', settled_at = app_now(), body = null`;
      return transaction(job, config);
    };
    const db = new Proxy(api.database.db, {
      get: (target, name) => (name === "transaction" ? between : (Reflect.get(target, name) as unknown)),
    });
    await api.database.sql`update webhook_delivery set tries = 9, error = '{"failures": 9}'::jsonb`;
    expect(await workThroughNext({ ...faulty(), database: { ...api.database, db } })).toBe(true);
    expect(calls).toBe(2);
    expect(await states()).toMatchObject([{ state: "done" }]);
  });

  it("is taken whole or not at all: a stream that nobody takes leaves nothing of the others behind", async () => {
    const [known] = JSON.parse(orders("1")) as [object];
    await send(JSON.stringify([known, { stream: "returns", records: [] }]), { delivery: "a" });
    await work();
    expect(await states()).toMatchObject([{ state: "dead" }]);
    expect(await waitingKeys()).toEqual([]);
  });

  it("is given up by a person, with the reason on record and its contents gone", async () => {
    await send("no json");
    await work();
    const discard = `mutation { discardWebhookDelivery(input: { key: "1", reason: "of no use" }) }`;
    expect(await api.ask(discard, {}, api.tokens.operator)).toMatchObject({ data: { discardWebhookDelivery: "1" } });
    expect(await states()).toMatchObject([{ state: "discarded", body: null }]);
    const list = `{ webhookDeliveries { nodes { key state error endpoint { key } } } }`;
    expect(await api.ask(list, {}, api.tokens.operator)).toMatchObject({
      data: { webhookDeliveries: { nodes: [{ key: "1", state: "DISCARDED", endpoint: { key: "shop-hook" } }] } },
    });
    expect((await api.ask(list, {}, api.tokens.viewer)).errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DENIED");
  });
});

describe("what was settled long ago", () => {
  it("is forgotten after its time: known for 72 hours, what is dead for 30 days", async () => {
    for (const [id, state, hours] of [
      ["new", "done", 71],
      ["old", "done", 97],
      ["dead", "dead", 97],
      ["long dead", "dead", 24 * 31],
    ] as const)
      await api.database.sql`
        insert into webhook_delivery (endpoint_id, facet, delivery_id, received_at, method, path, query, headers, body, bytes, state, settled_at)
        select id, 'push', ${id}, app_now() - ${hours}::integer * interval '1 hour', 'POST', '/', '{}', '{}', ${Buffer.from("x")}, 1, ${state},
          app_now() - ${hours}::integer * interval '1 hour' from endpoint where key = 'shop-hook'`;
    expect(await forgetDeliveries(api)).toBe(2);
    const left = await api.database.sql<{ id: string }[]>`select delivery_id as id from webhook_delivery order by 1`;
    expect(left.map(({ id }) => id)).toEqual(["dead", "new"]);
  });
});

describe("alerts of a webhook", () => {
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  const alert = (more: Partial<Alert> = {}): Alert => ({
    id: "17",
    fingerprint: "shop/down",
    status: "firing",
    severity: "critical",
    title: "The shop is down",
    startsAt,
    resource: { kind: "host", name: "shop-1", parents: ["switch-1"] },
    ...more,
  });
  const raise = async (...alerts: Alert[]) => {
    const body = JSON.stringify(alerts);
    const headers = { authorization: "Bearer s3cret-of-the-shop" };
    const response = await fetch(`${api.url}/hooks/shop-hook/alerts`, { method: "POST", headers, body });
    await response.body?.cancel();
    await work();
    return response.status;
  };
  const list = async () =>
    (await api.ask(`{ alerts { nodes { status severity title resourceName endedBy endpoint { key } } } }`)).data?.["alerts"] as {
      nodes: object[];
    };

  it("are one alert from the first word to the end, however often they are said", async () => {
    expect(await raise(alert())).toBe(202);
    await raise(alert({ id: "17 again", severity: "major" }));
    expect((await list()).nodes).toEqual([
      {
        status: "FIRING",
        severity: "MAJOR",
        title: "The shop is down",
        resourceName: "shop-1",
        endedBy: null,
        endpoint: { key: "shop-hook" },
      },
    ]);
    await raise(alert({ status: "resolved", endsAt: new Date().toISOString() }));
    expect((await list()).nodes).toMatchObject([{ status: "RESOLVED", endedBy: "MONITOR" }]);
    await raise(alert());
    expect((await list()).nodes).toMatchObject([{ status: "RESOLVED" }]);
  });

  it("of a shape that is none are kept as a dead delivery, and nothing of them is believed", async () => {
    await raise({ ...alert(), severity: "awful" as "critical" });
    expect(await states()).toMatchObject([
      { state: "dead", error: { kind: "contract", message: expect.stringMatching(/severity: found "awful"/) as unknown } },
    ]);
    expect((await list()).nodes).toEqual([]);
  });
});

// Last, because it uses up what this address may do.
describe("a stranger", () => {
  it("let nobody guess for long", async () => {
    const statuses: number[] = [];
    while (statuses.length < 200 && statuses.at(-1) !== 429) statuses.push((await send(orders("1"), { secret: "guess" })).status);
    expect(statuses.at(-1)).toBe(429);
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([401]));
  });
});
