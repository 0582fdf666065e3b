import type { FakeAnswer, SeenRequest } from "../fault-server.js";
import { TEST_NOW } from "../test-context.js";

interface StoredChange {
  readonly id: string;
  title: string;
  from: string;
  to: string;
  state: "approval" | "scheduled" | "cancelled";
  /** When it was touched last; no two are touched at one time. */
  touchedAt: string;
}

const HOUR_MS = 3_600_000;
const DECISIONS: { readonly [decision: string]: StoredChange["state"] } = { yes: "scheduled", no: "cancelled" };

/** The planned changes of the example's system. */
export class SystemChanges {
  readonly #changes = new Map<string, StoredChange>();
  #touches = 0;

  handle({ method, url, body }: SeenRequest, id: string | undefined): FakeAnswer {
    if (method === "GET") return this.#list(url.searchParams);
    const change = this.#changes.get(id ?? "");
    if (change === undefined) return { status: 404, json: {} };
    const state = DECISIONS[(JSON.parse(body) as { decision: string }).decision];
    if (state === undefined || (change.state !== "approval" && change.state !== state)) return { status: 409, json: {} };
    this.#touch(change, { state });
    return { status: 204 };
  }

  #list(query: URLSearchParams): FakeAnswer {
    const [from, to, after] = [query.get("from") ?? "", query.get("to") ?? "", query.get("after") ?? ""];
    const found = [...this.#changes.values()]
      .filter((change) => change.from < to && change.to > from && change.touchedAt > after)
      .toSorted((left, right) => (left.touchedAt < right.touchedAt ? -1 : 1));
    const size = Number(query.get("size") ?? 10);
    return { json: { changes: found.slice(0, size), more: found.length > size } };
  }

  plan({ id, start, end }: { readonly id: string; readonly start: Date; readonly end: Date }): void {
    const present = this.#changes.get(id);
    const change = present ?? { id, title: `Change ${id}`, from: "", to: "", state: "scheduled" as const, touchedAt: "" };
    this.#changes.set(id, change);
    this.#touch(change, { from: start.toISOString(), to: end.toISOString() });
  }

  put(id: string, state: StoredChange["state"]): void {
    const change = this.#changes.get(id);
    if (change !== undefined) this.#touch(change, { state });
  }

  #touch(change: StoredChange, members: Partial<StoredChange>): void {
    this.#touches += 1;
    Object.assign(change, members, { touchedAt: new Date(TEST_NOW.getTime() - HOUR_MS + this.#touches).toISOString() });
  }
}
