import { setImmediate as tick, setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@quiesce/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { type Database, openDatabase } from "../db/client.js";
import { appendEvents } from "./append-events.js";
import { type EventPlace, readHead } from "./event-log.js";
import { FeedSubscriber } from "./feed-subscriber.js";
import { createLiveBus, type LiveBus } from "./live-bus.js";
import type { LiveMessage } from "./live-message.js";
import { createLogFeed, type Feed, type Membership } from "./log-feed.js";
import { createSequencer, type Sequencer } from "./sequencer.js";
import { QUEUE_EVENT_LIMIT } from "./subscriber-queue.js";

/** A busy machine takes its time; what is waited for comes by an event. */
const soon = (look: () => unknown): Promise<unknown> => vi.waitFor(look, { timeout: 60_000 });

let fresh: FreshDatabase;
let database: Database;
let sequencer: Sequencer;
let bus: LiveBus;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 8, applicationName: "log-feed-test" });
  sequencer = createSequencer(database, silentLog);
  sequencer.start();
  bus = createLiveBus(database, silentLog);
  await bus.start();
});
afterAll(async () => {
  await bus.stop();
  await sequencer.stop();
  await database.close();
  await fresh.drop();
});

/** Events whose subject is their number; every third is of a kind that the feed's filter leaves out. */
async function emit(from: number, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, index) => ({
    kind: (from + index) % 3 === 0 ? "job.touched" : "run.touched",
    subjectKind: "run" as const,
    subjectKey: String(from + index),
  }));
  await database.db.transaction((tx) => appendEvents(tx, events));
  sequencer.poke();
}

const isRun = (event: { readonly kind: string }) => event.kind === "run.touched";

/** A feed that is made when somebody joins and there is none, as the API does it. Execution takes a while, differently each time. */
function sharedFeed() {
  let feed: Feed | null = null;
  const executed: number[] = [];
  return {
    executed,
    join(subscriber: FeedSubscriber): Membership {
      feed ??= createLogFeed({
        bus,
        matches: isRun,
        heartbeatMs: 60_000,
        execute: async (item) => {
          executed.push(item.position);
          for (let waits = item.position % 3; waits > 0; waits -= 1) await tick();
          return JSON.stringify({ position: item.position, key: item.type === "event" ? item.event.subjectKey : "" });
        },
        onOver: () => {
          feed = null;
        },
      });
      return feed.join(subscriber);
    },
    get isOpen() {
      return feed !== null;
    },
  };
}

/** A client that reads or does not. */
function client(place: EventPlace) {
  const state = { reads: true };
  const seen: number[] = [];
  const sink = {
    isReady: () => state.reads,
    write: (message: LiveMessage) =>
      void seen.push((JSON.parse(message.forStream.toString("utf8").slice(18)) as { position: number }).position),
  };
  const subscriber = new FeedSubscriber({ sink, place, keepsNewestOnly: false, expiresAt: null });
  return {
    seen,
    subscriber,
    stopReading: () => void (state.reads = false),
    read: () => {
      state.reads = true;
      subscriber.drained();
    },
  };
}

async function positionsAfter(place: EventPlace): Promise<number[]> {
  const rows = await database.sql<{ position: number }[]>`
    select position::float8 as position from event_log where position > ${place.position} and kind = 'run.touched' order by position`;
  return rows.map(({ position }) => position);
}

describe("subscribers of one feed", () => {
  it("each get every event once and in order, wherever they begin, pause and leave for another feed while events flow", async () => {
    const step = fc.record({
      what: fc.constantFrom("join", "join", "emit", "emit", "emit", "stop-reading", "read", "rejoin", "wait"),
      who: fc.nat(30),
      back: fc.nat(120),
      count: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const shared = sharedFeed();
        const clients: { readonly from: EventPlace; membership: Membership; readonly one: ReturnType<typeof client> }[] = [];
        const writing: Promise<void>[] = [];
        let next = 1;
        await emit(next, 100);
        next += 100;
        for (const { what, who, back, count } of steps) {
          const found = clients[who % Math.max(1, clients.length)];
          if (what === "join") {
            const head = await readHead(database.sql);
            const from = { ...head, position: Math.max(0, head.position - back) };
            const one = client(from);
            clients.push({ from, one, membership: shared.join(one.subscriber) });
          } else if (what === "emit") {
            writing.push(emit(next, count));
            next += count;
          } else if (what === "wait") await tick();
          else if (what === "stop-reading") found?.one.stopReading();
          else if (what === "read") found?.one.read();
          else if (found !== undefined) {
            found.membership.leave();
            await tick();
            found.membership = shared.join(found.one.subscriber);
          }
        }
        await Promise.all(writing);
        await soon(async () => expect((await database.sql`select from event_inbox`).length).toBe(0));
        for (const { one } of clients) one.read();
        for (const { one, from } of clients) {
          const expected = await positionsAfter(from);
          await soon(() => expect(one.seen.length).toBeGreaterThanOrEqual(expected.length));
          expect(one.seen).toEqual(expected);
        }
        for (const { membership } of clients) membership.leave();
        expect(shared.isOpen).toBe(false);
        expect(bus.subscribers).toBe(0);
      }),
      // A smaller example is not worth minutes: what is to be seen is in the steps.
      { numRuns: 25, endOnFailure: true },
    );
  }, 300_000);

  it("share one execution of each event", async () => {
    const shared = sharedFeed();
    const head = await readHead(database.sql);
    const clients = Array.from({ length: 50 }, () => client(head));
    for (const { subscriber } of clients) shared.join(subscriber);
    await emit(1, 30);
    await soon(() => expect(clients.every(({ seen }) => seen.length === 20)).toBe(true));
    expect(shared.executed).toEqual(clients[0]?.seen);
    for (const { subscriber } of clients) subscriber.end({ kind: "left" });
  });

  it("are let down by no burst that is larger than the bus keeps for one reader", async () => {
    const shared = sharedFeed();
    const one = client(await readHead(database.sql));
    const membership = shared.join(one.subscriber);
    await emit(1, QUEUE_EVENT_LIMIT * 3);
    await soon(() => expect(one.seen.length).toBe(QUEUE_EVENT_LIMIT * 2));
    expect(one.subscriber.isOver).toBe(false);
    membership.leave();
  });

  it("that do not read are closed with the cursor after the last event that was sent, and keep nobody back", async () => {
    const shared = sharedFeed();
    const head = await readHead(database.sql);
    const [slow, quick] = [client(head), client(head)];
    const memberships = [slow, quick].map(({ subscriber }) => shared.join(subscriber));
    await emit(1, 3);
    await soon(() => expect(slow.seen.length).toBe(2));
    slow.stopReading();
    await emit(1, QUEUE_EVENT_LIMIT * 2);
    const end = await slow.subscriber.ended;
    const error = end.kind === "failed" && end.error instanceof DomainError ? end.error : null;
    expect(error?.code).toBe("QSC_EVENTS_SUBSCRIBER_TOO_SLOW");
    const resumeFrom = Buffer.from(String(error?.details["resumeFrom"]), "base64url").toString("utf8");
    expect(resumeFrom).toBe(`1:${head.epoch}:${slow.seen.at(-1)}`);
    const expected = await positionsAfter(head);
    await soon(() => expect(quick.seen).toEqual(expected));
    for (const membership of memberships) membership.leave();
  });

  it("that do not read and go on in another feed get the rest when they read again", async () => {
    const head = await readHead(database.sql);
    await emit(1, 3);
    await soon(() => expect(bus.tail.position).toBeGreaterThanOrEqual(head.position + 3));
    const [left, entered] = [sharedFeed(), sharedFeed()];
    const one = client(head);
    one.stopReading();
    // Both wait for the client, and the one that it leaves began to wait later.
    const next = entered.join(one.subscriber);
    await sleep(200);
    const membership = left.join(one.subscriber);
    await sleep(200);
    membership.leave();
    one.read();
    await soon(() => expect(one.seen.length).toBe(2));
    expect(one.seen).toEqual(await positionsAfter(head));
    next.leave();
  });

  it("get nothing that happened after their token ended", async () => {
    const shared = sharedFeed();
    const seen: LiveMessage[] = [];
    const sink = { isReady: () => true, write: (message: LiveMessage) => void seen.push(message) };
    const [now] = await database.sql<{ ms: number }[]>`select (extract(epoch from app_now()) * 1000)::float8 as ms`;
    const place = await readHead(database.sql);
    const subscriber = new FeedSubscriber({ sink, place, keepsNewestOnly: false, expiresAt: now?.ms ?? 0 });
    const membership = shared.join(subscriber);
    await emit(1, 2);
    expect(await subscriber.ended).toEqual({ kind: "token" });
    expect(seen).toEqual([]);
    membership.leave();
  });
});
