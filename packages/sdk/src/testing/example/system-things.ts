import type { FakeAnswer, SeenRequest } from "../fault-server.js";
import { TEST_NOW } from "../test-context.js";

interface StoredThing {
  readonly id: string;
  readonly needs: readonly string[];
  readonly touchedAt: string;
  readonly gone: boolean;
}

const HOUR_MS = 3_600_000;

/** What the example's system knows about others. What is gone leaves a trace. */
export class SystemThings {
  readonly #things = new Map<string, StoredThing>();
  #touches = 0;

  handle({ url }: SeenRequest): FakeAnswer {
    const [since, behind] = [url.searchParams.get("since"), url.searchParams.get("behind") ?? ""];
    const all = [...this.#things.values()];
    const until =
      all
        .map(({ touchedAt }) => touchedAt)
        .toSorted()
        .at(-1) ?? "";
    const found = all
      .filter((thing) => (since === null ? !thing.gone : thing.touchedAt > since) && thing.id > behind)
      .toSorted((left, right) => (left.id < right.id ? -1 : 1));
    const size = Number(url.searchParams.get("size") ?? 10);
    return { json: { things: found.slice(0, size), more: found.length > size, until } };
  }

  put(id: string, needs: readonly string[], gone = false): void {
    this.#touches += 1;
    const touchedAt = new Date(TEST_NOW.getTime() - HOUR_MS + this.#touches).toISOString();
    this.#things.set(id, { id, needs, gone, touchedAt });
  }
}
