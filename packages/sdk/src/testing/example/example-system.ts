import type { FakeAnswer, SeenRequest } from "../fault-server.js";
import type { FakeSystem } from "../system-under-test.js";
import { TEST_NOW } from "../test-context.js";
import { SystemChanges } from "./system-changes.js";
import { SystemMessages } from "./system-messages.js";
import { SystemThings } from "./system-things.js";

interface Order {
  readonly id: string;
  readonly at: string;
  readonly n: number;
  readonly deleted?: boolean;
}

interface StoredTicket {
  readonly id: string;
  readonly key: string;
  version: number;
  title: string;
  body: string;
  state: string;
  by: string;
}

interface StoredDowntime {
  readonly id: string;
  readonly comment: string;
  readonly host: string;
  readonly from: number;
  readonly to: number;
}

const HOSTS = ["erp", "shop"];
const ALLOWANCE = 100;
const HOUR_MS = 3_600_000;

/** A small system that has a little of everything, in memory. Errors of its own come as 200 with `error`, as many systems have it. */
export class ExampleSystem implements FakeSystem {
  readonly orders = new Map<string, Order>();
  readonly written: string[] = [];
  readonly alerts = new Map<string, { since: string; state: "firing" | "ended"; until?: string; silencedBy?: string }>();
  readonly tickets: StoredTicket[] = [];
  readonly tokens = new Map([
    ["good", "writer"],
    ["reader", "reader"],
  ]);
  readonly changes = new SystemChanges();
  readonly things = new SystemThings();
  readonly messages = new SystemMessages();
  downtimes: StoredDowntime[] = [];
  /** Requests that somebody else has used of the allowance. */
  used = 0;
  #issued = 0;

  handle(request: SeenRequest): FakeAnswer {
    const user = this.tokens.get(/^Bearer (.+)$/u.exec(request.headers.authorization ?? "")?.[1] ?? "");
    if (user === undefined) return { status: 401, json: { message: "who are you?" } };
    if (request.method !== "GET" && user !== "writer") return { status: 403, json: { message: "you may only read" } };
    const [, collection = "", id] = request.url.pathname.split("/");
    const name = id === undefined ? undefined : decodeURIComponent(id);
    switch (collection) {
      case "health":
        return { json: { ok: true, version: "4.2" } };
      case "orders":
        return this.#orders(request, name);
      case "alerts":
        return this.#alerts();
      case "downtimes":
        return this.#downtimes(request, name);
      case "tickets":
        return this.#tickets(request, user, name);
      case "tokens":
        return this.#tokens(request, name);
      case "changes":
        return this.changes.handle(request, name);
      case "things":
        return this.things.handle(request);
      case "messages":
        return this.messages.handle(request);
      case "quota":
        return {
          json: { limit: ALLOWANCE, remaining: ALLOWANCE - this.used, resetsAt: new Date(TEST_NOW.getTime() + HOUR_MS).toISOString() },
        };
      default:
        return { status: 404, json: { message: "no such thing" } };
    }
  }

  #orders({ method, url, headers, body }: SeenRequest, id: string | undefined): FakeAnswer {
    if (method === "GET") {
      const [at, after] = [url.searchParams.get("at") ?? "", url.searchParams.get("id") ?? ""];
      const behind = [...this.orders.values()]
        .filter((order) => order.at > at || (order.at === at && Number(order.id) > Number(after)))
        .toSorted((left, right) => (left.at === right.at ? Number(left.id) - Number(right.id) : left.at < right.at ? -1 : 1));
      const size = Number(url.searchParams.get("size") ?? 10);
      return { json: { orders: behind.slice(0, size), more: behind.length > size } };
    }
    if (id === undefined) return { status: 405 };
    const present = this.written.includes(id);
    if (method === "DELETE") {
      if (!present) return { status: 404, json: {} };
      this.written.splice(this.written.indexOf(id), 1);
      return { status: 204 };
    }
    const match = headers["if-match"];
    if (match !== undefined && match !== "1") return { status: 412, json: { message: "it has changed" } };
    const content = JSON.parse(body) as { n?: unknown };
    if (typeof content.n !== "number") return { json: { error: { code: "BAD_CONTENT", field: "n" } } };
    // PUT knows records by their id, POST makes a new one each time.
    if (method === "POST" || !present) this.written.push(id);
    return { json: { id, version: "1", unchanged: present } };
  }

  #alerts(): FakeAnswer {
    return { json: { alerts: [...this.alerts].map(([host, alert]) => ({ host, ...alert })) } };
  }

  #downtimes({ method, body }: SeenRequest, id: string | undefined): FakeAnswer {
    if (method === "GET") return { json: { downtimes: this.downtimes } };
    if (method === "DELETE") {
      const before = this.downtimes.length;
      this.downtimes = this.downtimes.filter((one) => one.id !== id);
      return this.downtimes.length === before ? { status: 404, json: {} } : { status: 204 };
    }
    const given = JSON.parse(body) as Omit<StoredDowntime, "id">;
    if (!HOSTS.includes(given.host)) return { json: { error: { code: "NO_SUCH_HOST", field: given.host } } };
    this.#issued += 1;
    const made = { ...given, id: String(this.#issued) };
    this.downtimes.push(made);
    return { json: { id: made.id } };
  }

  #tickets({ method, url, headers, body }: SeenRequest, user: string, id: string | undefined): FakeAnswer {
    const shown = (ticket: StoredTicket): FakeAnswer => ({ json: { ...ticket, version: String(ticket.version) } });
    if (method === "POST") {
      const given = JSON.parse(body) as Pick<StoredTicket, "key" | "title" | "body" | "state">;
      const made = { ...given, id: String(this.tickets.length + 1), version: 1, by: user };
      this.tickets.push(made);
      return shown(made);
    }
    if (id === undefined) {
      const key = url.searchParams.get("key");
      const found = this.tickets.filter((ticket) => key === null || ticket.key === key);
      return { json: { tickets: found.map((ticket) => ({ ...ticket, version: String(ticket.version) })) } };
    }
    const ticket = this.tickets.find((one) => one.id === id);
    if (ticket === undefined) return { status: 404, json: {} };
    if (method === "GET") return shown(ticket);
    if (headers["if-match"] !== undefined && headers["if-match"] !== String(ticket.version)) return { status: 412, json: {} };
    const change = JSON.parse(body) as Partial<StoredTicket>;
    if (change.state === "closed" && ticket.state === "open") return { json: { error: { code: "NOT_ALLOWED", field: "state" } } };
    Object.assign(ticket, change, { version: ticket.version + 1, by: user });
    return shown(ticket);
  }

  #tokens({ method }: SeenRequest, token: string | undefined): FakeAnswer {
    if (method === "DELETE") return this.tokens.delete(token ?? "") ? { status: 204 } : { status: 404, json: {} };
    this.#issued += 1;
    const made = `issued-${this.#issued}`;
    this.tokens.set(made, "writer");
    return { json: { token: made } };
  }

  raise(host: string): void {
    this.alerts.set(host, { since: TEST_NOW.toISOString(), state: "firing" });
  }

  resolve(host: string): void {
    this.alerts.set(host, { since: TEST_NOW.toISOString(), state: "ended", until: new Date(TEST_NOW.getTime() + 60_000).toISOString() });
  }

  silence(host: string): void {
    this.alerts.set(host, { since: TEST_NOW.toISOString(), state: "firing", silencedBy: "downtime 7" });
  }

  editTicket(id: string): void {
    const ticket = this.tickets.find((one) => one.id === id);
    if (ticket !== undefined) Object.assign(ticket, { version: ticket.version + 1, by: "somebody else", body: "Mine." });
  }
}
