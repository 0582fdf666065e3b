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
import type { EventsLog } from "./events-log.js";
import { compileFilter, type LiveFilter } from "./live-filter.js";
import { EVENTS_CHANNEL } from "./sequencer.js";
import { SubscriberQueue } from "./subscriber-queue.js";

/** Looks at the log this often without being told to: notifications may be lost with their connection. */
const FALLBACK_POLL_MS = 500;

/** An event, or a sign of life, together with the cursor that continues after it. */
export type LiveItem =
  | { readonly type: "event"; readonly cursor: string; readonly event: LoggedEvent }
  | { readonly type: "heartbeat"; readonly cursor: string; readonly at: number };

export interface SubscribeOptions extends LiveFilter {
  /** Continue after this cursor; from the end of the log when left out. */
  readonly after?: string;
  /** Send a heartbeat after this many silent milliseconds; none when left out. */
  readonly heartbeatMs?: number;
}

export type LiveSubscription = AsyncIterableIterator<LiveItem, undefined>;

/** Follows the event log and hands every event to every subscriber, in order, without a gap or a repeat. */
export interface LiveBus {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Throws the refusals of cursors and filters before the first item. */
  subscribe(options: SubscribeOptions): Promise<LiveSubscription>;
  readonly subscribers: number;
}

/** Starts to follow with `start()`; each server has one. */
export function createLiveBus(database: Database, log?: EventsLog): LiveBus {
  const bus = new Bus(database, log);
  return {
    start: () => bus.start(),
    stop: () => bus.stop(),
    subscribe: (options) => bus.subscribe(options),
    get subscribers() {
      return bus.queues.size;
    },
  };
}

class Bus {
  readonly queues = new Set<SubscriberQueue>();
  tail: EventPlace = { epoch: "", position: 0 };
  readonly #database: Database;
  readonly #log: EventsLog | undefined;
  #listener: postgres.Sql | null = null;
  #timer: NodeJS.Timeout | null = null;
  #advancing: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  #heard = 0;

  constructor(database: Database, log: EventsLog | undefined) {
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

  async subscribe(options: SubscribeOptions): Promise<LiveSubscription> {
    const matches = compileFilter(options);
    // Without a cursor the subscriber begins at the end of what this server has already seen.
    const place = options.after === undefined ? this.tail : await openCursor(this.#database.sql, options.after);
    const queue = new SubscriberQueue(matches);
    if (options.after === undefined) this.queues.add(queue);
    const items = this.#follow(queue, place, matches, options.heartbeatMs);
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
    from: EventPlace,
    matches: (event: LoggedEvent) => boolean,
    heartbeatMs: number | undefined,
  ): AsyncGenerator<LiveItem, undefined> {
    const { epoch } = from;
    let position = from.position;
    const item = (event: LoggedEvent): LiveItem => ({ type: "event", cursor: encodeCursor({ epoch, position: event.position }), event });
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
          if (matches(event)) yield item(event);
        }
      }
      while (true) {
        const event = queue.shift();
        if (event !== undefined) {
          if (event.position <= position) continue;
          position = event.position;
          yield item(event);
          continue;
        }
        if (queue.failure !== null) throw queue.failure({ epoch, position });
        if (queue.closed) return undefined;
        if (await queue.wait(heartbeatMs)) continue;
        position = Math.max(position, this.tail.position);
        yield { type: "heartbeat", cursor: encodeCursor({ epoch, position }), at: clock.wallMs() };
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
