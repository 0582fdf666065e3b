import { DomainError } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { type Database, openDatabase } from "../db/client.js";
import { appendEvents } from "./append-events.js";
import { decodeCursor, encodeCursor, openCursor, readHead } from "./event-log.js";
import { createLiveBus, type LiveBus, type LiveItem, type LiveSubscription, type SubscribeOptions } from "./live-bus.js";
import { createSequencer, type Sequencer } from "./sequencer.js";
import { QUEUE_EVENT_LIMIT } from "./subscriber-queue.js";

let fresh: FreshDatabase;
let database: Database;
let sequencer: Sequencer;
let bus: LiveBus;
let open: LiveSubscription[] = [];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 8, applicationName: "live-bus-test" });
  sequencer = createSequencer(database, silentLog);
  sequencer.start();
  bus = createLiveBus(database, silentLog);
  await bus.start();
});
afterEach(async () => {
  await Promise.all(open.map(async (subscription) => subscription.return?.()));
  open = [];
  await bus.stop();
  await sequencer.stop();
  await database.close();
  await fresh.drop();
});

async function subscribe(options: SubscribeOptions = {}): Promise<LiveSubscription> {
  const subscription = await bus.subscribe(options);
  open.push(subscription);
  return subscription;
}

async function emit(keys: readonly string[], kind = "run.started", integrationKey = "orders"): Promise<void> {
  await database.db.transaction((tx) =>
    appendEvents(
      tx,
      keys.map((subjectKey) => ({ kind, subjectKind: "run" as const, subjectKey, integrationKey })),
    ),
  );
  sequencer.poke();
}

async function take(subscription: LiveSubscription, count: number): Promise<LiveItem[]> {
  const items: LiveItem[] = [];
  while (items.length < count) {
    const next = await subscription.next();
    if (next.done === true) throw new Error(`The subscription ended after ${items.length} of ${count} items.`);
    items.push(next.value);
  }
  return items;
}

const keysOf = (items: readonly LiveItem[]) => items.map((item) => (item.type === "event" ? item.event.subjectKey : item.type));
const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => String(from + index));
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "nothing was refused",
    (error: unknown) => (error instanceof DomainError ? error.code : error),
  );

describe("a live subscription", () => {
  it("sees what is committed after it began, in order", async () => {
    await emit(["before"]);
    await take(await subscribe({ after: encodeCursor({ ...(await readHead(database.sql)), position: 0 }) }), 1);
    const subscription = await subscribe();
    await emit(numbers(0, 5));
    expect(keysOf(await take(subscription, 5))).toEqual(numbers(0, 5));
  });

  it("continues from a cursor without a gap or a repeat, while events keep coming", async () => {
    const expected = numbers(0, 1_500);
    const writing = (async () => {
      for (let at = 0; at < expected.length; at += 30) await emit(expected.slice(at, at + 30));
    })();
    const seen: string[] = [];
    let after = encodeCursor({ ...(await readHead(database.sql)), position: 0 });
    for (const portion of [1, 7, 200, 512, 780]) {
      const subscription = await subscribe({ after });
      const items = await take(subscription, portion);
      seen.push(...keysOf(items));
      after = items.at(-1)?.cursor ?? after;
      await subscription.return?.();
    }
    await writing;
    expect(seen).toEqual(expected);
  });

  it("passes only the kinds and subjects asked for, an integration with its runs", async () => {
    const subscription = await subscribe({ kinds: ["run.*", "window.opened"], subjects: ["integration:orders"] });
    await emit(["a"], "run.held", "invoices");
    await emit(["b"], "window.closed");
    await emit(["c"], "run.held");
    await emit(["d"], "window.opened");
    expect(keysOf(await take(subscription, 2))).toEqual(["c", "d"]);
  });

  it("is closed with the cursor to continue from when its client does not read", async () => {
    const subscription = await subscribe();
    const count = QUEUE_EVENT_LIMIT + 200;
    await emit(["first"]);
    const [first] = await take(subscription, 1);
    await emit(numbers(0, count));
    const follower = await subscribe({ after: first?.cursor ?? "" });
    await take(follower, count);
    const refusal: unknown = await subscription.next().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "QSC_EVENTS_SUBSCRIBER_TOO_SLOW", details: { resumeFrom: first?.cursor } });
  });

  it("says that it is alive while nothing happens, with a cursor past what was filtered out", async () => {
    const subscription = await subscribe({ kinds: ["window.*"], heartbeatMs: 300 });
    await emit(numbers(0, 3));
    const [item] = await take(subscription, 1);
    expect(item?.type).toBe("heartbeat");
    expect(decodeCursor(item?.cursor ?? "").position).toBe(3);
  });

  it("gets nothing twice when its cursor is ahead of what this server has read so far", async () => {
    // Events that no notification announces: the bus learns of them from its next poll.
    const log = (count: number) => database.sql`
      with head as (update event_head set last_position = last_position + ${count} returning last_position - ${count} as before)
      insert into event_log (position, at, kind, subject_kind, subject_key, payload)
      select before + n, app_now(), 'run.started', 'run', (before + n)::text, '{}' from head, generate_series(1, ${count}::int) as n`;
    await emit(["1"]);
    await take(await subscribe({ after: encodeCursor({ ...(await readHead(database.sql)), position: 0 }) }), 1);
    await log(3);
    const subscription = await subscribe({ after: encodeCursor(await readHead(database.sql)) });
    const next = take(subscription, 1);
    await log(1);
    expect(keysOf(await next)).toEqual(["5"]);
  });

  it("ends at once when its reader leaves while it waits", async () => {
    const subscription = await subscribe();
    const pending = subscription.next();
    await subscription.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(bus.subscribers).toBe(0);
  });

  it("hears of events although the notification's connection is cut", async () => {
    const subscription = await subscribe();
    await database.sql`select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%' and datname = current_database()`;
    await emit(["after the cut"]);
    expect(keysOf(await take(subscription, 1))).toEqual(["after the cut"]);
  });
});

describe("a cursor", () => {
  it("of another epoch is refused", async () => {
    const forged = encodeCursor({ epoch: "00000000-0000-4000-8000-000000000000", position: 0 });
    expect(await codeOf(bus.subscribe({ after: forged }))).toBe("QSC_EVENTS_CURSOR_FOREIGN");
  });

  it("that points past the end of the log is refused", async () => {
    const head = await readHead(database.sql);
    expect(await codeOf(bus.subscribe({ after: encodeCursor({ ...head, position: head.position + 1 }) }))).toBe("QSC_EVENTS_CURSOR_AHEAD");
  });

  it("that is not one is refused", async () => {
    for (const text of ["", "12", "MTI6", "x".repeat(5_000)])
      expect(await codeOf(openCursor(database.sql, text))).toBe("QSC_EVENTS_CURSOR_MALFORMED");
  });

  it("whose next event was dropped from the log is refused, never answered with a gap", async () => {
    const subscription = await subscribe();
    await emit(numbers(0, 5));
    const [first] = await take(subscription, 5);
    await database.sql`delete from event_log where position <= 3`;
    const late = await subscribe({ after: first?.cursor ?? "" });
    expect(await codeOf(late.next())).toBe("QSC_EVENTS_CURSOR_EXPIRED");
  });

  it("ends open subscriptions when the epoch changes under them", async () => {
    const subscription = await subscribe();
    await database.sql`update control set event_epoch = gen_random_uuid()`;
    expect(await codeOf(subscription.next())).toBe("QSC_EVENTS_CURSOR_FOREIGN");
  });
});
