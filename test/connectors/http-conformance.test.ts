import { httpConnector } from "@quiesce/connectors";
import { conformance, fake, type ConformanceOptions, type FakeAnswer, type FakeSystem, type SeenRequest } from "@quiesce/sdk/testing";
import { describe, it } from "vitest";

interface Order {
  readonly id: string;
  readonly changedAt: string;
  readonly total: number;
}

/** A shop with a REST API: orders by change time and page token, written one by one, tokens that can be issued and ended. */
class Shop implements FakeSystem {
  readonly orders = new Map<string, Order>();
  readonly written: string[] = [];
  readonly tokens = new Map([
    ["good", "writer"],
    ["reader", "reader"],
  ]);
  #issued = 0;

  handle({ method, url, headers, body }: SeenRequest): FakeAnswer {
    const user = this.tokens.get((headers.authorization ?? "").replace(/^Bearer /u, ""));
    if (user === undefined) return { status: 401, json: { message: "who are you?" } };
    if (method !== "GET" && user === "reader") return { status: 403, json: { message: "you may only read" } };
    const [, , collection, id] = url.pathname.split("/").map(decodeURIComponent);
    if (collection === "tokens") return this.#token(method, id);
    if (method === "GET") return this.#page(url.searchParams);
    if (method === "DELETE") return { status: this.#remove(id ?? "") ? 204 : 404 };
    if (headers["if-match"] !== undefined && headers["if-match"] !== '"1"') return { status: 412, json: {} };
    if (typeof (JSON.parse(body) as { total?: unknown }).total !== "number")
      return { status: 422, json: { message: "total is no number" } };
    if (!this.written.includes(id ?? "")) this.written.push(id ?? "");
    return { json: { id }, headers: { etag: '"1"' } };
  }

  #page(query: URLSearchParams): FakeAnswer {
    const since = Date.parse(query.get("changed_since") ?? "1970-01-01T00:00:00Z");
    const size = Number(query.get("size") ?? "100");
    const begin = Number(query.get("page") ?? "0");
    const found = [...this.orders.values()]
      .filter((order) => Date.parse(order.changedAt) >= since)
      .toSorted((left, right) => left.changedAt.localeCompare(right.changedAt) || Number(left.id) - Number(right.id));
    const next = begin + size < found.length ? { next: String(begin + size) } : {};
    return { json: { data: found.slice(begin, begin + size), ...next } };
  }

  #remove(id: string): boolean {
    const at = this.written.indexOf(id);
    if (at >= 0) this.written.splice(at, 1);
    return at >= 0;
  }

  #token(method: string, token: string | undefined): FakeAnswer {
    if (method === "DELETE") return { status: this.tokens.delete(token ?? "") ? 204 : 404 };
    this.#issued += 1;
    const made = `issued-${this.#issued}`;
    this.tokens.set(made, "writer");
    return { json: { token: made } };
  }
}

const stream = {
  name: "orders",
  path: "/orders",
  recordsPath: "data",
  key: ["id"],
  paging: { style: "token", parameter: "page", nextPath: "next", sizeParameter: "size" },
  write: { path: "/orders/{key}", delete: { path: "/orders/{key}" }, ifMatch: true },
};
const configOf =
  (more: object) =>
  ({ url }: { readonly url: string }) => ({
    baseUrl: `${url}/api`,
    auth: { type: "bearer" },
    rotation: { issue: { path: "/tokens" }, revoke: { path: "/tokens/{token}" } },
    streams: [{ ...stream, ...more }],
  });

const options: ConformanceOptions<Shop> = {
  server: fake(() => new Shop()),
  config: {
    valid: configOf({ since: { parameter: "changed_since", field: "changedAt" } }),
    invalid: [{}, { baseUrl: "ftp://x", streams: [stream] }, { baseUrl: "https://x.example", streams: [stream, stream] }],
  },
  secrets: { valid: { token: "good" }, wrong: { token: "bad" }, readOnly: { token: "reader" } },
  read: {
    stream: "orders",
    seed: (shop, rows) => {
      for (const { id, at, n } of rows) shop.orders.set(id, { id, changedAt: at.toISOString(), total: n });
    },
    remove: (shop, id) => void shop.orders.delete(id),
    // The system is asked for what changed at or after an instant: the newest comes again.
    repeats: true,
  },
  write: {
    stream: "orders",
    item: (n) => ({ key: `order ${n}/a`, data: { total: n } }),
    bad: (n) => ({ key: `order ${n}/a`, data: { total: "many" } }),
    stored: (shop) => shop.written,
    staleVersion: '"0"',
    deletes: true,
  },
};

describe("what changed since", () => conformance(httpConnector, { describe, it, ...options }));

describe("everything, each time", () =>
  conformance(httpConnector, { describe, it, ...options, config: { ...options.config, valid: configOf({}) } }));
