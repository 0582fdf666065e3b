import { httpConnector } from "@quiesce/connectors";
import { writeIdempotency, type WriteResult } from "@quiesce/sdk";
import { afterEach, describe, expect, test } from "vitest";
import { listKeys, readPages, readResumed, rejection, runContext, writeItem } from "./run-context.js";
import { startShopServer, type Answer, type SeenRequest, type ShopServer } from "./shop-server.js";

const NOW = new Date("2026-11-20T08:00:00.000Z");
const orders = Array.from({ length: 25 }, (_, index) => ({
  id: index + 1,
  // Five orders share each instant, so that a page border falls between equal ones.
  changed: new Date(NOW.getTime() - 86_400_000 + Math.floor(index / 5) * 60_000).toISOString(),
}));

let shop: ShopServer;
afterEach(async () => shop.close());

async function endpoint(
  answer: (request: SeenRequest) => Answer,
  stream: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
) {
  shop = await startShopServer(answer);
  const config = {
    baseUrl: `${shop.url}/api/`,
    streams: [{ name: "orders", path: "/orders", key: ["id"], recordsPath: "data", ...stream }],
    ...more,
  };
  return { config, x: await runContext(httpConnector, { config, secrets: { token: "s3cret-token", password: "pä:ss" }, now: NOW }) };
}

function paged({ url }: SeenRequest): Answer {
  const query = url.searchParams;
  const since = query.get("since");
  const all = since === null ? orders : orders.filter((order) => order.changed >= since);
  const size = Math.min(Number(query.get("limit") ?? 1000), 7);
  const offset = query.has("page") ? (Number(query.get("page")) - 1) * size : Number(query.get("offset") ?? query.get("cursor") ?? 0);
  const data = all.slice(offset, offset + size);
  const next = offset + size < all.length ? String(offset + size) : null;
  return { json: { data, links: { next } } };
}

const STYLES = {
  page: { paging: { style: "page", sizeParameter: "limit" } },
  offset: { paging: { style: "offset", sizeParameter: "limit" } },
  token: { paging: { style: "token", sizeParameter: "limit", nextPath: "links.next" } },
};

describe("the http connector reads", () => {
  test.each(Object.entries(STYLES))(
    "every record once by %s, with any page size, though the server caps pages at 7",
    async (_style, stream) => {
      const { x } = await endpoint(paged, stream);
      for (const pageSize of [1, 2, 7, 100]) {
        const { records, complete } = await readPages(httpConnector, x, { stream: "orders", pageSize });
        expect(complete).toBe(true);
        expect(records.map((record) => record.key)).toEqual(orders.map((order) => String(order.id)));
        expect(await readResumed(httpConnector, x, { stream: "orders", pageSize })).toEqual(records);
      }
      expect(await listKeys(httpConnector, x, "orders", 5)).toEqual(orders.map((order) => String(order.id)));
    },
  );

  test("only what changed, with the overlap, and the cursor keeps the instant as it was written", async () => {
    const since = { parameter: "since", field: "changed" };
    const { x } = await endpoint(paged, { ...STYLES.token, since });
    const first = await readPages(httpConnector, x, { stream: "orders", pageSize: 4 });
    expect(first.records).toHaveLength(25);
    expect(first.cursor).toEqual({ since: orders[24]?.changed, newest: null, next: null });
    const second = await readPages(httpConnector, x, { stream: "orders", cursor: first.cursor });
    // The five that share the newest instant come again: a lost sixth of them would be worse.
    expect(second.records.map((record) => record.key)).toEqual(["21", "22", "23", "24", "25"]);
    expect(second.cursor).toEqual(first.cursor);

    const overlapping = await runContext(httpConnector, {
      config: { ...x.config, streams: [{ ...x.config.streams[0], since: { ...since, overlapSeconds: 60 } }] },
      now: NOW,
    });
    const third = await readPages(httpConnector, overlapping, { stream: "orders", cursor: first.cursor });
    expect(third.records).toHaveLength(10);
  });

  test("a change during the paging is not lost: the next round asks from the newest of this round only", async () => {
    const { x } = await endpoint(paged, { ...STYLES.token, since: { parameter: "since", field: "changed" } });
    const part = await readPages(httpConnector, x, { stream: "orders", pageSize: 7, stopAfter: 2 });
    expect(part.cursor).toEqual({ since: null, newest: orders[13]?.changed, next: "14" });
  });

  test("a record dated in the future does not silence the stream", async () => {
    const { x } = await endpoint(() => ({ json: { data: [{ id: 1, changed: "2999-01-01T00:00:00Z" }] } }), {
      since: { parameter: "since", field: "changed" },
    });
    const { cursor } = await readPages(httpConnector, x, { stream: "orders" });
    expect(cursor?.["since"]).toBe(NOW.toISOString());
  });

  test("epoch seconds, a version, tombstones and a key of two fields", async () => {
    const data = [{ shop: "a|b", id: 1, at: 1_795_000_000, etag: 4, gone: true }];
    const { x } = await endpoint(() => ({ json: data }), {
      recordsPath: "",
      key: ["shop", "id"],
      versionPath: "etag",
      deletedPath: "gone",
      since: { parameter: "s", field: "at", format: "epoch-seconds", overlapSeconds: 30 },
    });
    const { records, cursor } = await readPages(httpConnector, x, { stream: "orders" });
    expect(records).toMatchObject([{ key: "a\\|b|1", op: "delete", version: "4" }]);
    await readPages(httpConnector, x, { stream: "orders", cursor });
    expect(shop.seen.at(-1)?.url.search).toBe("?s=1794999970");
    expect(await listKeys(httpConnector, x, "orders")).toEqual([]);
  });

  test("a mark of deletion that systems write for no: 0, texts of it, and what is absent", async () => {
    const marks = [0, "0", "false", "False", " FALSE ", "", null, false, 1, "1", "true", true, "2026-11-20T08:00:00Z", -1];
    const data = [...marks.map((deleted, id) => ({ id, deleted })), { id: 99 }];
    const { x } = await endpoint(() => ({ json: { data } }), { deletedPath: "deleted" });
    const { records } = await readPages(httpConnector, x, { stream: "orders" });
    const gone = records.filter(({ op }) => op === "delete").map(({ key }) => marks[Number(key)]);
    expect(gone).toEqual([1, "1", "true", true, "2026-11-20T08:00:00Z", -1]);
    expect(records).toHaveLength(marks.length + 1);
  });

  describe("what changed, of a system that names no versions,", () => {
    const since = { parameter: "since", field: "changed" };
    const record = { id: 1, changed: "2026-11-20T07:00:00Z", total: 5, lines: [{ a: 1, b: 2 }] };
    const versionsOf = async (data: readonly object[], stream: Record<string, unknown> = {}) => {
      const { x } = await endpoint(() => ({ json: { data } }), { since, ...stream });
      const { records } = await readPages(httpConnector, x, { stream: "orders" });
      await shop.close();
      shop = await startShopServer(() => ({}));
      return records.map(({ version }) => version);
    };

    test("has one that is the same in the next round, in whatever order its members come", async () => {
      const turned = { lines: [{ b: 2, a: 1 }], total: 5, changed: record.changed, id: 1 };
      const [first, again, later, other] = await versionsOf([
        record,
        turned,
        { ...record, changed: "2026-11-20T07:00:01Z" },
        { ...record, total: 6 },
      ]);
      expect(first).toMatch(/^since 2026-11-20T07:00:00Z [0-9a-f]{32}$/u);
      expect(again).toBe(first);
      expect(new Set([first, later, other]).size).toBe(3);
    });

    test("keeps it short, with an instant as a number too", async () => {
      const long = { ...record, changed: `Fri, 20 Nov 2026 07:00:00 GMT (${"x".repeat(5_000)})` };
      for (const version of await versionsOf([long])) expect(version?.length).toBeLessThan(100);
      const seconds = { since: { ...since, format: "epoch-seconds" } };
      expect(await versionsOf([{ id: 1, changed: 1_795_000_000 }], seconds)).toEqual([expect.stringMatching(/^since 1795000000 /u)]);
    });

    test("gives way to a version of the system's own", async () => {
      expect(await versionsOf([{ ...record, etag: 4 }], { versionPath: "etag" })).toEqual(["4"]);
      // Read whole each time, a record that came back could not be told from one that stayed.
      expect(await versionsOf([record], { since: undefined })).toEqual([undefined]);
    });

    test("never asks the system for it: If-Match holds what the system said itself", async () => {
      const { x } = await endpoint(({ method }) => (method === "GET" ? { json: { data: [record] } } : { status: 204 }), {
        since,
        write: { path: "/orders/{key}", ifMatch: true },
      });
      const [read] = (await readPages(httpConnector, x, { stream: "orders" })).records;
      const ifVersion = read?.version ?? "";
      expect(ifVersion).not.toBe("");
      await httpConnector.write?.apply(x, "orders", [writeItem("1", {}, { ifVersion }), writeItem("2", {}, { ifVersion: '"1"' })]);
      expect(shop.seen.slice(-2).map(({ headers }) => headers["if-match"])).toEqual([undefined, '"1"']);
    });
  });

  test.each([
    [{ auth: { type: "bearer" } }, "authorization", "Bearer s3cret-token"],
    [{ auth: { type: "header", header: "x-api-key" } }, "x-api-key", "s3cret-token"],
    [{ auth: { type: "basic", user: "müller" } }, "authorization", `Basic ${Buffer.from("müller:pä:ss").toString("base64")}`],
  ])("with credentials as %j", async (more, header, value) => {
    const { x } = await endpoint(() => ({ json: { data: [] } }), {}, more);
    expect(await httpConnector.check?.(x)).toEqual({ status: "up" });
    expect(shop.seen[0]?.headers[header]).toBe(value);
    expect(shop.seen[0]?.url.pathname).toBe("/api/orders");
  });
});

describe("the http connector classifies", () => {
  test.each<[Answer, string, Record<string, unknown>]>([
    [{ status: 401, json: {} }, "auth", { status: 401 }],
    [{ status: 403, json: {} }, "permission", {}],
    [{ status: 422, json: { error: "no" } }, "invalid", {}],
    [{ status: 429, headers: { "retry-after": "17" } }, "rate_limited", { retryAfterMs: 17_000 }],
    [{ status: 429, headers: { "retry-after": "Fri, 20 Nov 2026 08:00:42 GMT" } }, "rate_limited", { retryAfterMs: 42_000 }],
    [{ status: 503, headers: { "retry-after": "5" } }, "unavailable", { retryAfterMs: 5_000 }],
    [{ text: "<html>Sign in</html>", headers: { "content-type": "text/html" } }, "contract", {}],
    [{ json: { data: "none" } }, "contract", {}],
    [{ json: { data: [{ no: "id" }] } }, "contract", { field: "id" }],
    [{ json: { data: [7] } }, "contract", {}],
    [{ status: 302, headers: { location: "https://elsewhere.example/" } }, "config", {}],
    [(response) => response.destroy(), "unavailable", { ambiguous: true }],
    [
      (response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{");
        setTimeout(() => response.destroy(), 20);
      },
      "unavailable",
      {},
    ],
  ])("%j as %s", async (answer, kind, info) => {
    const { x } = await endpoint(() => answer);
    expect(await rejection(readPages(httpConnector, x, { stream: "orders" }))).toMatchObject({ kind, info });
  });

  test("a server that is down as unavailable, an unknown stream as config with those there are", async () => {
    const { x } = await endpoint(() => ({}));
    expect(await rejection(readPages(httpConnector, x, { stream: "order" }))).toMatchObject({
      kind: "config",
      message: expect.stringContaining("orders"),
    });
    await shop.close();
    expect(await rejection(Promise.resolve(httpConnector.check?.(x)))).toMatchObject({ kind: "unavailable" });
    shop = await startShopServer(() => ({}));
  });

  test("a server that ignores the page parameter, instead of reading for ever", async () => {
    const { x } = await endpoint(() => ({ json: { data: [{ id: 1 }], links: { next: "same" } } }), STYLES.page);
    expect(await rejection(readPages(httpConnector, x, { stream: "orders" }))).toMatchObject({ kind: "contract" });
  });

  test("a stop as cancelled, at once, while the server does not answer", async () => {
    const stop = new AbortController();
    shop = await startShopServer(() => () => stop.abort({ why: "window" }));
    const config = { baseUrl: shop.url, streams: [{ name: "orders", path: "/", key: ["id"] }] };
    const x = await runContext(httpConnector, { config, signal: stop.signal });
    expect(await rejection(readPages(httpConnector, x, { stream: "orders" }))).toMatchObject({ kind: "cancelled" });
  });

  test("a missing secret as config, naming it", async () => {
    shop = await startShopServer(() => ({}));
    const config = { baseUrl: shop.url, auth: { type: "bearer" }, streams: [{ name: "o", path: "/", key: ["id"] }] };
    const x = await runContext(httpConnector, { config });
    expect(await rejection(Promise.resolve(httpConnector.check?.(x)))).toMatchObject({ kind: "config", info: { field: "token" } });
    expect(shop.seen).toEqual([]);
  });
});

describe("the http connector writes", () => {
  const write = { path: "/orders/{key}", delete: { path: "/orders/{key}" }, ifMatch: true, remoteIdPath: "id" };

  test("one request an item, with key, body and If-Match; a deletion of what is gone is a success", async () => {
    const { x } = await endpoint(({ method }) => (method === "DELETE" ? { status: 404 } : { json: { id: 9 }, headers: { etag: '"2"' } }), {
      write,
    });
    const results = await httpConnector.write?.apply(x, "orders", [
      writeItem("a/1 ü", { total: 5 }, { ifVersion: '"1"' }),
      writeItem("b", {}, { op: "delete" }),
    ]);
    expect(results).toEqual([
      { key: "a/1 ü", ok: true, remoteId: "9", version: '"2"' },
      { key: "b", ok: true, unchanged: true },
    ]);
    expect(shop.seen[0]).toMatchObject({ method: "PUT", body: '{"total":5}' });
    expect(shop.seen[0]?.url.pathname).toBe("/api/orders/a%2F1%20%C3%BC");
    expect(shop.seen[0]?.headers["if-match"]).toBe('"1"');
  });

  test("one bad record fails alone; a system that goes away fails the rest unsent and undoubted", async () => {
    const { x } = await endpoint(
      ({ url }) => {
        if (url.pathname.endsWith("/bad")) return { status: 422, json: { message: "total is missing" } };
        if (url.pathname.endsWith("/lost")) return (response) => response.destroy();
        return { status: 204 };
      },
      { write },
    );
    const results: readonly WriteResult[] =
      (await httpConnector.write?.apply(
        x,
        "orders",
        ["ok", "bad", "fine", "lost", "unsent"].map((key) => writeItem(key, {})),
      )) ?? [];
    expect(results.map((result) => result.ok)).toEqual([true, false, true, false, false]);
    expect(results[1]).toMatchObject({ error: { kind: "invalid", message: expect.stringContaining("total is missing") } });
    expect(results[3]).toMatchObject({ error: { kind: "unavailable", ambiguous: true } });
    expect(results[4]).toMatchObject({ error: { kind: "unavailable", ambiguous: undefined } });
    expect(shop.seen).toHaveLength(4);
  });

  test("a key that would address the collection is refused before it is sent", async () => {
    const { x } = await endpoint(() => ({ status: 204 }), { write });
    const results = await httpConnector.write?.apply(x, "orders", [writeItem("..", {}, { op: "delete" }), writeItem(".", {})]);
    expect(results).toMatchObject([
      { ok: false, error: { kind: "invalid" } },
      { ok: false, error: { kind: "invalid" } },
    ]);
    expect(shop.seen).toEqual([]);
  });

  test("a key that cannot stand in a header is sent as its digest, always the same one; any other as it is", async () => {
    const { x } = await endpoint(() => ({ status: 204 }), {
      write: { path: "/orders", method: "POST", idempotencyHeader: "Idempotency-Key" },
    });
    const keys = [
      "i:orders:7:1",
      "i:orders:Łódź 東京:1",
      "i:orders:Łódź 東京:1",
      "i:orders:Łódź 東京:2",
      "i:orders:a\r\nb:1",
      "i:orders:x: ",
    ];
    const results = await httpConnector.write?.apply(
      x,
      "orders",
      keys.map((idempotencyKey, n) => writeItem(`k${n}`, {}, { idempotencyKey })),
    );
    expect(results?.every(({ ok }) => ok)).toBe(true);
    const [plain, city, again, later, broken, spaced] = shop.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(plain).toBe("i:orders:7:1");
    expect(again).toBe(city);
    const digests = [city, later, broken, spaced];
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/u);
    expect(new Set(digests).size).toBe(4);
  });

  test("a version that cannot stand in If-Match fails its record alone, as invalid", async () => {
    const { x } = await endpoint(() => ({ status: 204 }), { write });
    const results = await httpConnector.write?.apply(x, "orders", [writeItem("a", {}, { ifVersion: '"東"' }), writeItem("b", {})]);
    expect(results).toMatchObject([{ ok: false, error: { kind: "invalid" } }, { ok: true }]);
  });

  test("what a repetition does follows from the configuration", async () => {
    const promise = async (config: Record<string, unknown> | undefined): Promise<unknown> => {
      const { x } = await endpoint(() => ({}), config === undefined ? {} : { write: config });
      const found = httpConnector.write === undefined ? undefined : writeIdempotency(httpConnector.write, x.config, "orders");
      await shop.close();
      return found;
    };
    expect(await promise(undefined)).toBe("none");
    expect(await promise({ path: "/orders/{key}" })).toBe("upsert");
    expect(await promise({ path: "/orders", method: "POST" })).toBe("none");
    expect(await promise({ path: "/orders", method: "POST", idempotencyHeader: "Idempotency-Key" })).toBe("key");
    expect(await promise({ path: "/orders", method: "POST", idempotency: "upsert" })).toBe("upsert");
    shop = await startShopServer(() => ({}));
  });
});
