import { joinKey, type Page, type ReadRequest } from "../../index.js";
import { exampleConnector } from "../example/example-connector.js";
import type { ExampleContext } from "../example/example-request.js";
import { mutant, own, type Mutant } from "./mutant.js";

type Read = (x: ExampleContext, request: ReadRequest) => AsyncIterable<Page>;
const read: Read = own(exampleConnector.read?.bind(exampleConnector));

/** Reads as the example does, each page changed. */
function pages(change: (page: Page) => Page): { readonly read: Read } {
  return {
    read: async function* (x, request) {
      for await (const page of read(x, request)) yield change(page);
    },
  };
}

/** What each call of a read was acknowledged by, in the source. */
const acknowledged = new WeakMap<ExampleContext, Page["cursor"]>();

/** As a queue that forgets a page when the next one is asked for, though it says that this may be done at once. */
async function* takenWhenAsked(x: ExampleContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  const taken = acknowledged.get(x);
  const isBehind = taken !== undefined && placeOf(taken) > placeOf(request.cursor);
  for await (const page of read(x, isBehind ? { ...request, cursor: taken } : request)) {
    yield { ...page, ahead: true };
    acknowledged.set(x, page.cursor);
  }
}

function placeOf(cursor: ReadRequest["cursor"]): string {
  return cursor === null ? "" : `${String(cursor["at"])} ${String(cursor["id"])}`;
}

/** Faults of reading. */
export const readingMutants: readonly Mutant[] = [
  mutant("read: killed after each page of 1, nothing is lost or doubled", "commits early: a page carries the cursor of the next", {
    read: async function* (x, request) {
      let held: Page | undefined;
      for await (const page of read(x, request)) {
        if (held !== undefined) yield { ...held, cursor: page.cursor };
        held = page;
      }
      if (held !== undefined) yield held;
    },
  }),
  mutant("read: killed after each page of 1, nothing is lost or doubled", "commits late: a page carries the cursor of the one before", {
    read: async function* (x, request) {
      let before = request.cursor ?? {};
      for await (const page of read(x, request)) {
        yield { ...page, cursor: page.more ? before : page.cursor };
        before = page.cursor;
      }
    },
  }),
  mutant(
    "read: killed after each page of 1, nothing is lost or doubled",
    "loses records of the same time behind the border of a page",
    pages((page) => ({ ...page, cursor: { ...page.cursor, id: "99999" } })),
  ),
  mutant(
    "read: killed when the page after one that says ahead was given, nothing is lost or doubled",
    "says ahead, and takes a page for committed when it is asked for the next one",
    { read: takenWhenAsked },
  ),
  mutant("read: pages of 1 give every record once", "skips every second record at page size 1", {
    read: async function* (x, request) {
      const single = request.pageSize === 1;
      for await (const page of read(x, single ? { ...request, pageSize: 2 } : request))
        yield single ? { ...page, records: page.records.slice(0, 1) } : page;
    },
  }),
  mutant("read: pages of 5 give every record once", "gives the last record of a page again on the next", {
    read: async function* (x, request) {
      let last: Page["records"] = [];
      for await (const page of read(x, request)) {
        yield { ...page, records: [...last, ...page.records] };
        last = page.records.slice(-1);
      }
    },
  }),
  mutant(
    "read: pages of 100 give every record once",
    "has keys that are not unique",
    pages((page) => ({ ...page, records: page.records.map((record) => ({ ...record, key: record.at ?? "" })) })),
  ),
  mutant(
    "read: the stream is listed, with a key that its records have",
    "has keys that its own key fields do not give",
    pages((page) => ({
      ...page,
      records: page.records.map((record) => ({ ...record, key: joinKey([record.key]) ?? "", data: {} })),
    })),
  ),
  mutant(
    "read: pages of 5 give every record once",
    "nests its cursor",
    pages((page) => ({ ...page, cursor: { position: page.cursor } as unknown as Page["cursor"] })),
  ),
  mutant(
    "read: pages of 5 give every record once",
    "has a cursor of 9 KiB",
    pages((page) => ({ ...page, cursor: { ...page.cursor, seen: "x".repeat(9 * 1024) } })),
  ),
  mutant("read: a cursor of the future does not silence the stream for ever", "is silent for ever from a cursor of the future", {
    read: (x, request) => read({ ...x, clock: { now: () => new Date("3001-01-01T00:00:00Z") } }, request),
  }),
  mutant(
    "read: pages of 5 give every record once",
    "never says that there is no more",
    pages((page) => ({ ...page, more: true })),
  ),
  mutant(
    "read: pages of 5 give every record once",
    "says that there is no more after the first page",
    pages((page) => ({ ...page, more: false })),
  ),
  mutant("read: killed after each page of 1, nothing is lost or doubled", "does not go on from its cursor", {
    read: (x, request) => read(x, { ...request, cursor: null }),
  }),
  mutant(
    "read: a deleted record is found as the stream declares",
    "leaves deletions out",
    pages((page) => ({ ...page, records: page.records.filter(({ op }) => op !== "delete") })),
  ),
  mutant("read: behind the end comes what has changed since, and nothing else", "asks for what changed by the clock here", {
    read: async function* (x, request) {
      for await (const page of read(x, request)) yield page.more ? page : { ...page, cursor: { at: x.clock.now().toISOString(), id: "0" } };
    },
  }),
  mutant("read: a stream that there is not is config", "takes a stream that there is not for an empty one", {
    read: async function* (x, request) {
      if (request.stream === "orders") yield* read(x, request);
      else yield { records: [], cursor: {}, more: false };
    },
  }),
  mutant("read: a range of time is kept to, or refused as config", "leaves the bounds of a range out", {
    read: (x, { stream, cursor, pageSize }) => read(x, { stream, cursor, pageSize }),
  }),
  mutant("read: a reader that is ended after its first page leaves nothing open", "leaks a handle when the reader is ended early", {
    read: async function* (x, request) {
      const timer = setInterval(() => undefined, 50);
      setTimeout(() => clearInterval(timer), 5_000).unref();
      yield* read(x, request);
      clearInterval(timer);
    },
  }),
  mutant("read: the stream is listed, with a key that its records have", "lists other streams than it reads", { streams: async () => [] }),
];
