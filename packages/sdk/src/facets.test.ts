import { describe, expectTypeOf, test } from "vitest";
import {
  defineConnector,
  z,
  type Alert,
  type AlertPage,
  type AuthMethod,
  type CatalogPage,
  type ChangePage,
  type Context,
  type Cursor,
  type Downtime,
  type IssueRequest,
  type KeyHash,
  type KeyPage,
  type NotifyMessage,
  type Page,
  type PushedRecords,
  type Quota,
  type RemoteDowntime,
  type RemoteTicket,
  type Stream,
  type Ticket,
  type TicketField,
  type TicketPage,
  type TicketPatch,
  type WebhookRequest,
  type WriteItem,
  type WriteResult,
} from "./index.js";

interface Config {
  url: string;
  limit: number;
}
interface Secrets {
  token: string;
}
type X = Context<Config, Secrets>;

const fail = (): never => {
  throw new Error("not called");
};
const webhook = { verify: fail, parse: fail };

/** Every facet in one definition: each parameter is inferred, so that an author writes no types. */
const every = defineConnector({
  apiVersion: 1,
  id: "every",
  version: "1.0.0",
  displayName: "Every",
  stability: "experimental",
  config: z.object({ url: z.url(), limit: z.coerce.number().default(5) }),
  secrets: z.object({ token: z.string() }),
  egress: (config) => {
    expectTypeOf(config).toEqualTypeOf<Config>();
    return [config.url];
  },
  auth: (config, secrets) => {
    expectTypeOf(config).toEqualTypeOf<Config>();
    expectTypeOf(secrets).toEqualTypeOf<Secrets>();
    return { kind: "bearer", token: secrets.token };
  },
  classify: ({ status, headers, text }) => {
    expectTypeOf(status).toEqualTypeOf<number>();
    expectTypeOf(headers).toEqualTypeOf<Headers>();
    expectTypeOf(text).toEqualTypeOf<string>();
    return { kind: "invalid", message: text };
  },
  check: async (x) => {
    expectTypeOf(x).toEqualTypeOf<X>();
    return { status: "up", kpis: [{ name: "x_own", value: 1 }] };
  },
  streams: async (x) => {
    expectTypeOf(x).toEqualTypeOf<X>();
    return [];
  },
  async *read(x, request) {
    expectTypeOf(x).toEqualTypeOf<X>();
    expectTypeOf(request.cursor).toEqualTypeOf<Cursor | null>();
    yield { records: [], cursor: {}, more: false };
  },
  async *listKeys(x, request) {
    expectTypeOf(x).toEqualTypeOf<X>();
    expectTypeOf(request.pageSize).toEqualTypeOf<number>();
    yield { keys: [], cursor: {}, more: false };
  },
  write: {
    idempotency: "key",
    maxBatch: 1,
    apply: async (x, stream, items) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(stream).toEqualTypeOf<string>();
      expectTypeOf(items).toEqualTypeOf<readonly WriteItem[]>();
      return [];
    },
  },
  push: {
    webhook: {
      verify: (request, secrets, now, config) => {
        expectTypeOf(request).toEqualTypeOf<WebhookRequest>();
        expectTypeOf(secrets).toEqualTypeOf<Secrets>();
        expectTypeOf(now).toEqualTypeOf<Date>();
        expectTypeOf(config).toEqualTypeOf<Config>();
        return { ok: false, why: "" };
      },
      parse: (request, config) => {
        expectTypeOf(request).toEqualTypeOf<WebhookRequest>();
        expectTypeOf(config).toEqualTypeOf<Config>();
        return [];
      },
      handshake: (request, secrets) => {
        expectTypeOf(request).toEqualTypeOf<WebhookRequest>();
        expectTypeOf(secrets).toEqualTypeOf<Secrets>();
        return undefined;
      },
    },
  },
  alerts: {
    async *pull(x, { cursor }) {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(cursor).toEqualTypeOf<Cursor | null>();
      yield { alerts: [], cursor: null, more: false };
    },
    webhook,
    acknowledge: async (x, alertId, note) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(alertId).toEqualTypeOf<string>();
      expectTypeOf(note).toEqualTypeOf<string>();
    },
  },
  tracker: {
    fields: async (x) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      return [];
    },
    whoAmI: fail,
    create: (x, ticket, request) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(ticket).toEqualTypeOf<Ticket>();
      expectTypeOf(request).toEqualTypeOf<{ readonly idempotencyKey: string }>();
      return fail();
    },
    update: (x, id, patch, request) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(id).toEqualTypeOf<string>();
      expectTypeOf(patch).toEqualTypeOf<TicketPatch>();
      expectTypeOf(request.ifVersion).toEqualTypeOf<string | undefined>();
      return fail();
    },
    find: async (x, by) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(by).toEqualTypeOf<{ readonly id: string } | { readonly deduplicationKey: string }>();
      return undefined;
    },
    changes: fail,
    webhook,
  },
  calendar: {
    changes: (x, request) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(request).toEqualTypeOf<{ readonly from: string; readonly to: string; readonly cursor: Cursor | null }>();
      return fail();
    },
    approve: async (x, id, decision) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(id).toEqualTypeOf<string>();
      expectTypeOf(decision).toEqualTypeOf<{ readonly approve: boolean; readonly note: string }>();
    },
  },
  downtime: {
    announce: async (x, downtime) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(downtime).toEqualTypeOf<Downtime>();
      return { ids: [] };
    },
    withdraw: async (x, windowId) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(windowId).toEqualTypeOf<string>();
    },
    list: async () => [],
  },
  async *catalog(x, { cursor }) {
    expectTypeOf(x).toEqualTypeOf<X>();
    yield { type: "full", items: [], cursor, more: false };
  },
  reconcile: {
    count: async (x, range) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(range.stream).toEqualTypeOf<string>();
      return 0;
    },
    keys: async (_x, { after, limit, fields }) => {
      expectTypeOf(after).toEqualTypeOf<string | undefined>();
      expectTypeOf(limit).toEqualTypeOf<number>();
      expectTypeOf(fields).toEqualTypeOf<readonly string[]>();
      return [];
    },
    digest: async (_x, { buckets }) => {
      expectTypeOf(buckets).toEqualTypeOf<number>();
      return [];
    },
  },
  rotate: {
    secrets: ["token"],
    canIssue: ({ limit }) => limit > 0,
    issue: async (x, request) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(request).toEqualTypeOf<IssueRequest>();
      return { secrets: { token: "new" } };
    },
    revoke: async (x, old) => {
      expectTypeOf(x).toEqualTypeOf<X>();
      expectTypeOf(old).toEqualTypeOf<Secrets>();
    },
  },
  quota: async (x) => {
    expectTypeOf(x).toEqualTypeOf<X>();
    return undefined;
  },
  notify: async (x, message, { idempotencyKey }) => {
    expectTypeOf(x).toEqualTypeOf<X>();
    expectTypeOf(message).toEqualTypeOf<NotifyMessage>();
    expectTypeOf(idempotencyKey).toEqualTypeOf<string>();
    return { id: "1" };
  },
});

type Of<T> = NonNullable<T>;
type Yields<T> = T extends (...given: never[]) => AsyncIterable<infer Y> ? Y : never;
type Gives<T> = T extends (...given: never[]) => infer R ? Awaited<R> : never;

describe("what a host gets from each facet", () => {
  type E = typeof every;
  test("pages of streams and of other things", () => {
    expectTypeOf<Yields<Of<E["read"]>>>().toEqualTypeOf<Page>();
    expectTypeOf<Yields<Of<E["listKeys"]>>>().toEqualTypeOf<KeyPage>();
    expectTypeOf<Yields<Of<Of<E["alerts"]>["pull"]>>>().toEqualTypeOf<AlertPage>();
    expectTypeOf<Yields<Of<Of<E["tracker"]>["changes"]>>>().toEqualTypeOf<TicketPage>();
    expectTypeOf<Yields<Of<E["calendar"]>["changes"]>>().toEqualTypeOf<ChangePage>();
    expectTypeOf<Yields<Of<E["catalog"]>>>().toEqualTypeOf<CatalogPage>();
    expectTypeOf<Gives<Of<E["streams"]>>>().toEqualTypeOf<readonly Stream[]>();
  });

  test("answers", () => {
    expectTypeOf<Gives<Of<E["write"]>["apply"]>>().toEqualTypeOf<readonly WriteResult[]>();
    expectTypeOf<Gives<Of<E["tracker"]>["fields"]>>().toEqualTypeOf<readonly TicketField[]>();
    expectTypeOf<Gives<Of<E["tracker"]>["create"]>>().toEqualTypeOf<RemoteTicket>();
    expectTypeOf<Gives<Of<E["tracker"]>["find"]>>().toEqualTypeOf<RemoteTicket | undefined>();
    expectTypeOf<Gives<Of<E["downtime"]>["announce"]>>().toEqualTypeOf<{ readonly ids: readonly string[] }>();
    expectTypeOf<Gives<Of<E["downtime"]>["list"]>>().toEqualTypeOf<readonly RemoteDowntime[]>();
    expectTypeOf<Gives<Of<Of<E["reconcile"]>["keys"]>>>().toEqualTypeOf<readonly KeyHash[]>();
    expectTypeOf<Gives<Of<E["quota"]>>>().toEqualTypeOf<Quota | undefined>();
    expectTypeOf<ReturnType<Of<E["auth"]>>>().toEqualTypeOf<AuthMethod | undefined>();
  });

  test("what webhooks say", () => {
    expectTypeOf<Gives<Of<E["push"]>["webhook"]["parse"]>>().toEqualTypeOf<readonly PushedRecords[]>();
    expectTypeOf<Gives<Of<Of<E["alerts"]>["webhook"]>["parse"]>>().toEqualTypeOf<readonly Alert[]>();
    expectTypeOf<Gives<Of<Of<E["tracker"]>["webhook"]>["parse"]>>().toEqualTypeOf<readonly RemoteTicket[]>();
  });
});

describe("what does not compile", () => {
  test("a wrong word where there is a list of words", () => {
    // @ts-expect-error -- alerts have no such severity.
    const severity: Alert["severity"] = "fatal";
    // @ts-expect-error -- a ticket's key is ours and does not change.
    const patch: TicketPatch = { deduplicationKey: "other" };
    // @ts-expect-error -- own figures begin with x_.
    const kpi: Of<Gives<Of<(typeof every)["check"]>>["kpis"]>[number] = { name: "own", value: 1 };
    // @ts-expect-error -- a cursor is flat.
    const cursor: Cursor = { at: { id: 1 } };
    // @ts-expect-error -- a failure says why.
    const result: WriteResult = { key: "1", ok: false };
    expectTypeOf([severity, patch, kpi, cursor, result]).toBeArray();
  });
});
