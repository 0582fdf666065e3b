import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLiveRows, type PageAsked } from "./live-rows.js";

interface Row {
  readonly key: string;
  readonly value: number;
}

const rowsOf = (options: { readonly limit?: number } = {}) =>
  createLiveRows<Row>({
    keyOf: ({ key }) => key,
    compare: (a, b) => b.value - a.value || (a.key < b.key ? -1 : 1),
    flushMs: 3_600_000,
    ...options,
  });
const set =
  (value: number) =>
  (row: Row): Row => ({ ...row, value });

describe("live rows", () => {
  it("a page that comes late does not overwrite what an event has said since it was asked for", () => {
    const rows = rowsOf();
    rows.page(rows.begin(), [{ key: "a", value: 1 }]);
    const asked = rows.begin();
    rows.change("a", set(2));
    rows.page(asked, [{ key: "a", value: 1 }]);
    expect(rows.get("a")?.value).toBe(2);
  });

  it("a page that brings a row for the first time has what events said of it meanwhile", () => {
    const rows = rowsOf();
    const asked = rows.begin();
    rows.change("a", set(2));
    rows.page(asked, [{ key: "a", value: 1 }]);
    expect(rows.get("a")?.value).toBe(2);
  });

  it("a row that was removed does not come back with a page from before", () => {
    const rows = rowsOf();
    const asked = rows.begin();
    rows.remove("a");
    rows.page(asked, [{ key: "a", value: 1 }]);
    expect(rows.get("a")).toBeUndefined();
    rows.page(rows.begin(), [{ key: "a", value: 3 }]);
    expect(rows.get("a")?.value).toBe(3);
  });

  it("a page asked for before everything was cleared brings nothing", () => {
    const rows = rowsOf();
    const asked = rows.begin();
    rows.clear();
    rows.page(asked, [{ key: "a", value: 1 }]);
    expect(rows.size).toBe(0);
  });

  it("whatever the order in which pages and events arrive, the rows end as the server has them", () => {
    const keys = ["a", "b", "c"];
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("event" as const), key: fc.constantFrom(...keys) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("ask" as const) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("read" as const) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("answer" as const) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("deliver" as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rows = rowsOf();
        const server = new Map(keys.map((key) => [key, 0]));
        const events: { readonly key: string; readonly value: number }[] = [];
        /** Asked for, perhaps read by the server, not yet answered. */
        const pages: { readonly asked: PageAsked; read: readonly Row[] | null }[] = [];
        let clock = 0;
        const read = () => [...server].map(([key, value]) => ({ key, value }));
        const deliver = () => {
          const event = events.shift();
          if (event !== undefined) rows.change(event.key, set(event.value));
        };
        const answer = () => {
          const page = pages.shift();
          if (page !== undefined) rows.page(page.asked, page.read ?? read());
        };
        for (const one of steps) {
          if (one.kind === "event") {
            clock += 1;
            server.set(one.key, clock);
            events.push({ key: one.key, value: clock });
          } else if (one.kind === "ask") pages.push({ asked: rows.begin(), read: null });
          else if (one.kind === "read") for (const page of pages) page.read ??= read();
          else if (one.kind === "answer") answer();
          else deliver();
        }
        pages.push({ asked: rows.begin(), read: null });
        while (pages.length > 0) answer();
        while (events.length > 0) deliver();
        expect(new Map([...rows.all()].map(({ key, value }) => [key, value]))).toEqual(server);
      }),
      { numRuns: 500 },
    );
  });

  it("moves no row before somebody says so, counts those that stand elsewhere, and puts new ones at the end", () => {
    const rows = rowsOf();
    rows.page(rows.begin(), [
      { key: "a", value: 3 },
      { key: "b", value: 2 },
      { key: "c", value: 1 },
    ]);
    rows.flush();
    expect(rows.overview.get()).toMatchObject({ order: ["a", "b", "c"], moved: 0 });
    rows.change("c", set(9));
    rows.page(rows.begin(), [{ key: "d", value: 5 }]);
    rows.flush();
    expect(rows.overview.get()).toMatchObject({ order: ["a", "b", "c", "d"], moved: 4 });
    rows.reorder();
    expect(rows.overview.get()).toMatchObject({ order: ["c", "d", "a", "b"], moved: 0 });
  });

  it("tells a row's listener of its own changes alone, once a flush", () => {
    const rows = rowsOf();
    rows.page(rows.begin(), [
      { key: "a", value: 1 },
      { key: "b", value: 1 },
    ]);
    rows.flush();
    let told = 0;
    const stop = rows.row("a").subscribe(() => (told += 1));
    rows.change("b", set(2));
    rows.flush();
    expect(told).toBe(0);
    rows.change("a", set(2));
    rows.change("a", set(3));
    rows.flush();
    expect([told, rows.row("a").get()?.value]).toEqual([1, 3]);
    stop();
    rows.change("a", set(4));
    rows.flush();
    expect(told).toBe(1);
  });

  it("takes no more rows than its limit", () => {
    const rows = rowsOf({ limit: 2 });
    rows.page(
      rows.begin(),
      ["a", "b", "c"].map((key) => ({ key, value: 1 })),
    );
    expect(rows.size).toBe(2);
  });
});
