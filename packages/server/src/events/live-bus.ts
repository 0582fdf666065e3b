import { DomainError } from "@quiesce/core";
import postgres from "postgres";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import {
  EVENT_PAGE_SIZE,
  type EventPlace,
  encodeCursor,
  foreignCursor,
  type LoggedEvent,
  openCursor,
  readAfter,
  readHead,
} from "./event-log.js";
import type { Log } from "../log.js";
import { compileFilter, type LiveFilter } from "./live-filter.js";
import { EVENTS_CHANNEL } from "./sequencer.js";
import { SubscriberQueue } from "./subscriber-queue.js";

/** Looks at the log this often without being told to: notifications may be lost with their connection. */
const FALLBACK_POLL_MS = 500;

/** An event, or a sign of life, together with the cursor that continues after it and the position in it. */
export type LiveItem =
  | { readonly type: "event"; readonly position: number; readonly cursor: string; readonly event: LoggedEvent }
  | { readonly type: "heartbeat"; readonly position: number; readonly cursor: string; readonly at: number };

/** An event of the log as a subscriber sees it. */
export function eventItem(epoch: string, event: LoggedEvent): LiveItem {
  return { type: "event", position: event.position, cursor: encodeCursor({ epoch, position: event.position }), event };
}

export interface SubscribeOptions extends LiveFilter {
  /** Continue after this cursor; from the end of the log when left out. */
  readonly after?: string;
  /** Send a heartbeat after this many silent milliseconds; none when left out. */
  readonly heartbeatMs?: number;
}

export interface FollowOptions {
  readonly matches: (event: LoggedEvent) => boolean;
  readonly heartbeatMs?: number | undefined;
}

export type LiveSubscription = AsyncIterableIterator<LiveItem, undefined>;

/** Follows the event log and hands every event to every subscriber, in order, without a gap or a repeat. */
export interface LiveBus {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Throws the refusals of cursors and filters before the first item. */
  subscribe(options: SubscribeOptions): Promise<LiveSubscription>;
  /** What comes after `tail`, beginning at once: nothing falls between reading the one and calling the other. */
  follow(options: FollowOptions): LiveSubscription;
  /** The same from a cursor on. Throws the refusals of cursors. */
  resume(options: FollowOptions & { readonly after: string }): Promise<LiveSubscription>;
  /** Where a cursor stands, or the end of what this server has seen. Throws the refusals of cursors. */
  open(cursor?: string | null): Promise<EventPlace>;
  /** The next page after a place. Throws QSC_EVENTS_CURSOR_FOREIGN and QSC_EVENTS_CURSOR_EXPIRED. */
  readAfter(place: EventPlace): Promise<readonly LoggedEvent[]>;
  /** Calls `see` with every event before any subscriber gets it or a later one; answers how to end that. */
  observe(see: (event: LoggedEvent) => void): () => void;
  /** The end of what this server has seen. */
  readonly tail: EventPlace;
  readonly subscribers: number;
}

/** Starts to follow with `start()`; each server has one. */
export function createLiveBus(database: Database, log?: Log): LiveBus {
  const bus = new Bus(database, log);
  return {
    start: () => bus.start(),
    stop: () => bus.stop(),
    subscribe: (options) => bus.subscribe(options),
    follow: (options) => bus.follow(options),
    resume: (options) => bus.resume(options),
    open: async (cursor) => (typeof cursor === "string" ? openCursor(database.sql, cursor) : bus.tail),
    readAfter: async (place) => {
      if (place.epoch !== bus.tail.epoch) throw foreignCursor(bus.tail);
      return readAfter(database.sql, place.position);
    },
    observe: (see) => {
      bus.observers.add(see);
      return () => void bus.observers.delete(see);
    },
    get tail() {
      return bus.tail;
    },
    get subscribers() {
      return bus.queues.size;
    },
  };
}

class Bus {
  readonly queues = new Set<SubscriberQueue>();
  readonly observers = new Set<(event: LoggedEvent) => void>();
  tail: EventPlace = { epoch: "", position: 0 };
  readonly #database: Database;
  readonly #log: Log | undefined;
  #listener: postgres.Sql | null = null;
  #timer: NodeJS.Timeout | null = null;
  #advancing: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #heard = 0;

  constructor(database: Database, log: Log | undefined) {
    this.#database = database;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.tail = await readHead(this.#database.sql);
    await this.#listen();
    this.#timer = setInterval(() => void this.#poll(), FALLBACK_POLL_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const queue of this.queues) queue.close();
    await this.#advancing;
    await this.#listener?.end({ timeout: 1 });
  }

  async subscribe({ after, heartbeatMs, ...filter }: SubscribeOptions): Promise<LiveSubscription> {
    const matches = compileFilter(filter);
    return after === undefined ? this.follow({ matches, heartbeatMs }) : this.resume({ matches, heartbeatMs, after });
  }

  async resume({ after, ...options }: FollowOptions & { readonly after: string }): Promise<LiveSubscription> {
    return this.#subscription(new SubscriberQueue(options.matches), { ...options, from: await openCursor(this.#database.sql, after) });
  }

  follow(options: FollowOptions): LiveSubscription {
    const queue = new SubscriberQueue(options.matches);
    this.queues.add(queue);
    return this.#subscription(queue, { ...options, from: this.tail });
  }

  #subscription(queue: SubscriberQueue, options: FollowOptions & { readonly from: EventPlace }): LiveSubscription {
    const items = this.#follow(queue, options);
    const subscription: LiveSubscription = {
      next: () => items.next(),
      // A generator that waits for an event does not see return(); closing its queue wakes it.
      return: () => {
        this.#detach(queue);
        return items.return(undefined);
      },
      throw: (error: unknown) => {
        this.#detach(queue);
        return items.throw(error);
      },
      [Symbol.asyncIterator]: () => subscription,
    };
    return subscription;
  }

  #detach(queue: SubscriberQueue): void {
    this.queues.delete(queue);
    queue.close();
  }

  async *#follow(
    queue: SubscriberQueue,
    { from, matches, heartbeatMs }: FollowOptions & { readonly from: EventPlace },
  ): AsyncGenerator<LiveItem, undefined> {
    const { epoch } = from;
    let position = from.position;
    try {
      // The past is pulled page by page at the client's own speed. The moment it is all read, with no await between, the queue takes over.
      while (!queue.closed && !this.queues.has(queue)) {
        if (epoch !== this.tail.epoch) throw foreignCursor(this.tail);
        if (position >= this.tail.position) {
          this.queues.add(queue);
          break;
        }
        for (const event of await readAfter(this.#database.sql, position)) {
          if (queue.closed) return undefined;
          position = event.position;
          if (matches(event)) yield eventItem(epoch, event);
        }
      }
      while (true) {
        const event = queue.shift();
        if (event !== undefined) {
          if (event.position <= position) continue;
          position = event.position;
          yield eventItem(epoch, event);
          continue;
        }
        if (queue.failure !== null) throw queue.failure({ epoch, position });
        if (queue.closed) return undefined;
        if (await queue.wait(heartbeatMs)) continue;
        position = Math.max(position, this.tail.position);
        yield { type: "heartbeat", position, cursor: encodeCursor({ epoch, position }), at: clock.wallMs() };
      }
    } finally {
      this.#detach(queue);
    }
  }

  /** Reads what is new and hands it out; at most once at a time. */
  #advance(): Promise<void> {
    this.#again = true;
    this.#advancing ??= this.#drain().finally(() => {
      this.#advancing = null;
    });
    return this.#advancing;
  }

  async #drain(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      try {
        const events = await readAfter(this.#database.sql, this.tail.position);
        for (const event of events) this.#deliver(event);
        if (events.length === EVENT_PAGE_SIZE) this.#again = true;
      } catch (error) {
        await this.#recover(error);
      }
    }
  }

  #deliver(event: LoggedEvent): void {
    this.tail = { epoch: this.tail.epoch, position: event.position };
    for (const see of this.observers) see(event);
    const bytes = JSON.stringify(event).length;
    for (const queue of this.queues) queue.push(event, bytes);
  }

  async #recover(error: unknown): Promise<void> {
    this.#log?.warn({ err: error }, "reading live events failed; it is tried again");
    if (!(error instanceof DomainError)) return;
    // The log under our feet is another one (restored), or we slept longer than events are kept: nobody may be told that nothing happened.
    this.tail = await readHead(this.#database.sql);
    this.#failAll();
  }

  #failAll(): void {
    const head = this.tail;
    for (const queue of this.queues) queue.fail(() => foreignCursor(head));
    this.queues.clear();
  }

  async #poll(): Promise<void> {
    const heardBefore = this.#heard;
    try {
      const head = await readHead(this.#database.sql);
      if (this.#stopped) return;
      if (head.epoch !== this.tail.epoch) {
        this.tail = head;
        return this.#failAll();
      }
      if (head.position <= this.tail.position) return;
      await this.#advance();
      // News that no notification announced: the listening connection may be gone.
      if (this.#heard === heardBefore) await this.#listen();
    } catch (error) {
      if (!this.#stopped) this.#log?.warn({ err: error }, "polling live events failed; it is tried again");
    }
  }

  /** A connection of its own: a pool would recycle the session that listens. */
  async #listen(): Promise<void> {
    const before = this.#listener;
    const options = { ...this.#database.sql.options, max: 1, idle_timeout: null, max_lifetime: null };
    const listener = postgres(options as unknown as postgres.Options<Record<string, never>>);
    this.#listener = listener;
    await before?.end({ timeout: 0 });
    await listener.listen(EVENTS_CHANNEL, () => {
      this.#heard += 1;
      void this.#advance();
    });
  }
}
