import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { randomBytes } from "node:crypto";
import { applyWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";

const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
const mapping = { fields: { id: { from: "id" } } };
const endpoint = { key: "erp-in", system: "erp", connector: "postgres" };

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
  const pushed = (key: string, streams: readonly string[]) => ({
    key,
    target: "erp-in",
    via: ["shop"],
    streams: streams.map((stream) => ({ stream, mapping, push: true })),
  });
  await applyWorkspace(
    { ...api.context, keys },
    {
      quiesce: 1,
      endpoints: [endpoint],
      integrations: [pushed("web-orders", ["orders"]), pushed("web-both", ["orders", "returns"]), pushed("web-full", ["orders"])],
      jobs: ["web-orders", "web-both", "web-full"].map((key) => ({ key: `${key}-push`, integration: key, push: true })),
    },
  );
});
afterAll(async () => {
  await api?.stop();
});

interface Sent {
  readonly type?: string;
  readonly token?: string | null;
  readonly key?: string;
  readonly method?: string;
}

async function push(path: string, body: unknown, { type = "application/json", token, key, method = "POST" }: Sent = {}) {
  const headers: Record<string, string> = { "content-type": type };
  if (token !== null) headers["authorization"] = `Bearer ${token ?? api.tokens.operator}`;
  if (key !== undefined) headers["idempotency-key"] = key;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${api.url}${path}`, { method, headers, ...(method === "POST" ? { body: text } : {}) });
  return { status: response.status, headers: response.headers, json: (await response.json()) as Record<string, unknown> };
}

const waiting = async (integration: string) => {
  const rows = await api.database.sql<{ key: string; record: unknown }[]>`
    select r.record_key as key, r.record from inbox_record as r join integration as i on i.id = r.integration_id where i.key = ${integration} order by r.id`;
  return rows.map((row) => row.key);
};

describe("POST /push/<integration>", () => {
  it("takes one record, a list and lines, in their order, and queues one run for all of them", async () => {
    expect(await push("/push/web-orders", { key: "1", record: { id: "1" } })).toMatchObject({
      status: 202,
      json: { integration: "web-orders", stream: "orders", accepted: 1, duplicates: 0, waitingRecords: 1, held: false, heldUntil: null },
    });
    expect(
      await push("/push/web-orders", [
        { key: "2", record: {} },
        { key: "1", op: "delete" },
      ]),
    ).toMatchObject({ json: { accepted: 2 } });
    const lines = '{"key":"3","record":{"id":"3"}}\n\n{"key":"4","record":{"id":"4"}}\n';
    expect(await push("/push/web-orders", lines, { type: "application/x-ndjson" })).toMatchObject({
      json: { accepted: 2, waitingRecords: 5 },
    });
    expect(await waiting("web-orders")).toEqual(["1", "2", "1", "3", "4"]);
    const runs = await api.database
      .sql`select r.trigger, r.state from run as r join job as j on j.id = r.job_id where j.key = 'web-orders-push'`;
    expect(runs).toEqual([{ trigger: "queue", state: "queued" }]);
  });

  it("takes nothing twice: by the record's id, and by the request's key for records without one", async () => {
    const records = [
      { key: "a", id: "evt-1", record: {} },
      { key: "b", record: {} },
    ];
    expect(await push("/push/web-both?stream=orders", records, { key: "req-1" })).toMatchObject({ json: { accepted: 2, duplicates: 0 } });
    expect(await push("/push/web-both?stream=orders", records, { key: '"req-1"' })).toMatchObject({
      status: 202,
      json: { accepted: 0, duplicates: 2, waitingRecords: 2 },
    });
    expect(await push("/push/web-both?stream=orders", [{ key: "a", id: "evt-1", record: {} }])).toMatchObject({ json: { duplicates: 1 } });
    const twice = [
      { key: "c", id: "evt-2", record: {} },
      { key: "c", id: "evt-2", record: {} },
    ];
    expect(await push("/push/web-both?stream=orders", twice)).toMatchObject({ json: { accepted: 1, duplicates: 1 } });
    // Of another stream it is another change.
    expect(await push("/push/web-both?stream=returns", twice)).toMatchObject({ json: { accepted: 1 } });
    expect(await push("/push/web-both?stream=orders", records, { key: "x".repeat(201) })).toMatchObject({
      status: 400,
      json: { error: { code: "QSC_INBOX_IDEMPOTENCY_KEY" } },
    });
  });

  it("knows settled records for at least 72 hours", async () => {
    await push("/push/web-both?stream=returns", [{ key: "kept", id: "evt-old", record: {} }]);
    const { forgetSettled } = await import("../inbox/keep-inboxes.js");
    const age = (hours: number) => api.database.sql`
      update inbox_record set accepted_at = app_now() - ${`${hours} hours`}::interval, settled_at = app_now() - ${`${hours} hours`}::interval, outcome = 'done', record = null
      where delivery_id = 'id evt-old'`;
    await age(72);
    await forgetSettled(api);
    expect(await push("/push/web-both?stream=returns", [{ key: "kept", id: "evt-old", record: {} }])).toMatchObject({
      json: { duplicates: 1 },
    });
    await age(97);
    expect(await forgetSettled(api)).toBe(1);
    expect(await push("/push/web-both?stream=returns", [{ key: "kept", id: "evt-old", record: {} }])).toMatchObject({
      json: { accepted: 1 },
    });
  });

  it("says of what does not exist, takes no records, or is deleted, the same", async () => {
    const nowhere = await push("/push/nowhere", { key: "1", record: {} });
    const noPush = await push("/push/orders", { key: "1", record: {} });
    expect(nowhere.status).toBe(404);
    expect(noPush.status).toBe(404);
    expect(JSON.stringify(noPush.json).replaceAll("orders", "nowhere")).toBe(JSON.stringify(nowhere.json));
  });

  it("refuses strangers, roles that may not push, and other methods", async () => {
    expect((await push("/push/web-orders", {}, { token: null })).status).toBe(401);
    expect(await push("/push/web-orders", {}, { token: api.tokens.viewer })).toMatchObject({
      status: 403,
      json: { error: { code: "QSC_ACCESS_DENIED" } },
    });
    expect((await push("/push/web-orders", {}, { method: "GET" })).status).toBe(405);
    expect((await push("/push/web-orders/x", {})).status).toBe(404);
    expect((await push("/push/web-orders", "key=1", { type: "application/x-www-form-urlencoded" })).status).toBe(415);
  });

  it("accepts all of a request or nothing, and says what is wrong where", async () => {
    const before = await waiting("web-orders");
    const cases: readonly (readonly [unknown, number, string, string | undefined])[] = [
      [
        [
          { key: "9", record: {} },
          { key: "", record: {} },
        ],
        400,
        "QSC_INBOX_RECORD_INVALID",
        "records.1.key",
      ],
      [[{ key: "9", record: [] }], 400, "QSC_INBOX_RECORD_INVALID", "records.0.record"],
      [[{ key: "9", record: {}, colour: 1 }], 400, "QSC_INBOX_RECORD_INVALID", "records.0.colour"],
      [[], 400, "QSC_INBOX_RECORD_INVALID", "records"],
      [[{ key: "9", record: { id: "x".repeat(262_144) } }], 413, "QSC_INBOX_RECORD_TOO_LARGE", "records.0.record"],
      [Array.from({ length: 1_001 }, () => ({ key: "9", record: {} })), 413, "QSC_INBOX_REQUEST_TOO_LARGE", "records"],
      ["{", 400, "QSC_HTTP_BODY_INVALID", undefined],
      ["x".repeat(8 * 1_048_576 + 1), 413, "QSC_HTTP_BODY_TOO_LARGE", undefined],
    ];
    for (const [body, status, code, field] of cases)
      expect(await push("/push/web-orders", body)).toMatchObject({
        status,
        json: { error: { code, ...(field === undefined ? {} : { field }) } },
      });
    expect(await push("/push/web-both", { key: "1", record: {} })).toMatchObject({
      status: 400,
      json: { error: { code: "QSC_INBOX_STREAM" } },
    });
    expect(await waiting("web-orders")).toEqual(before);
  });

  it("answers a full inbox with 429, what waits, the limit and when to come again; once there is room it takes more", async () => {
    await push("/push/web-full", { key: "1", id: "first", record: {} });
    await api.database
      .sql`update inbox set accepted = 100000, waiting_records = 100000 where integration_id = (select id from integration where key = 'web-full')`;
    const full = await push("/push/web-full", { key: "2", record: {} });
    expect(full).toMatchObject({
      status: 429,
      json: { error: { code: "QSC_INBOX_FULL", details: { waitingRecords: 100_000, limitOf: "records", limit: 100_000, held: false } } },
    });
    expect(full.headers.get("retry-after")).toBe("30");
    // What it has already it may hear of all the same.
    expect(await push("/push/web-full", { key: "1", id: "first", record: {} })).toMatchObject({ status: 202, json: { duplicates: 1 } });
    await api.ask(
      'mutation { pause(input: { scope: { integrations: ["web-full"] }, reason: "stocktaking", until: "2999-01-01T00:00:00Z" }) { key } }',
    );
    expect((await push("/push/web-full", { key: "2", record: {} })).headers.get("retry-after")).toBe("86400");
    const filled = await api.ask('{ integration(key: "web-full") { inbox { fullSince maxRecords waiting } } }');
    expect(filled.data).toMatchObject({ integration: { inbox: { maxRecords: 100_000, waiting: 100_000 } } });
    expect((filled.data as { integration: { inbox: { fullSince: string | null } } }).integration.inbox.fullSince).not.toBeNull();
    const events = await api.database
      .sql`select kind from event_log where kind = 'inbox.filled' union all select kind from event_inbox where kind = 'inbox.filled'`;
    expect(events).toHaveLength(1);
    await api.database.sql`update inbox set accepted = 1, waiting_records = 1 where accepted = 100000`;
    expect(await push("/push/web-full", { key: "2", record: {} })).toMatchObject({ status: 202, json: { accepted: 1, held: true } });
    expect(await api.ask('{ integration(key: "web-full") { inbox { fullSince accepted waiting } } }')).toMatchObject({
      data: { integration: { inbox: { fullSince: null, accepted: 2, waiting: 2 } } },
    });
  });

  it("keeps records exactly as they came, whatever characters are in them", async () => {
    const body = '[{"key":"odd","record":{"zero":"a\\u0000b","half":"\\ud800","big":12345678901234.5,"__proto__":{"x":1}}}]';
    expect(await push("/push/web-orders", body)).toMatchObject({ status: 202, json: { accepted: 1 } });
    const [row] = await api.database.sql<{ record: unknown }[]>`select record::text as record from inbox_record where record_key = 'odd'`;
    expect(JSON.stringify(JSON.parse(String(row?.record)))).toBe(JSON.stringify((JSON.parse(body) as { record: unknown }[])[0]?.record));
  });
});

describe("pushRecords", () => {
  it("takes the same, and explain and the inbox say what waits", async () => {
    const answer = await api.ask(
      `mutation ($input: PushRecordsInput!) { pushRecords(input: $input) { stream accepted duplicates waitingRecords held heldUntil } }`,
      {
        input: {
          integration: "web-both",
          stream: "returns",
          idempotencyKey: "g-1",
          records: [
            { key: "r-1", record: { id: "1" } },
            { key: "r-2", op: "delete" },
          ],
        },
      },
    );
    expect(answer).toMatchObject({ data: { pushRecords: { stream: "returns", accepted: 2, duplicates: 0, held: false } } });
    const shown = await api.ask(
      '{ explain(job: "web-both-push") { summary facts } integration(key: "web-both") { inbox { accepted waiting processing done dead oldestAt } } }',
    );
    const data = shown.data as { explain: { summary: string }; integration: { inbox: Record<string, number> } };
    expect(data.explain.summary).toMatch(/\d+ pushed records wait, the oldest since /);
    const { accepted, waiting: waits, processing, done, dead } = data.integration.inbox;
    expect(accepted).toBe((waits ?? 0) + (processing ?? 0) + (done ?? 0) + (dead ?? 0));
    expect(await api.ask('{ integration(key: "orders") { inbox { waiting } } }')).toMatchObject({ data: { integration: { inbox: null } } });
    const stranger = await api.ask(
      'mutation { pushRecords(input: { integration: "web-both", records: [{ key: "1" }] }) { accepted } }',
      {},
      api.tokens.viewer,
    );
    expect(stranger.errors?.[0]?.extensions.code).toBe("QSC_ACCESS_DENIED");
  });
});
