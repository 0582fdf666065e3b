import { clock } from "../clock.js";
import { encodeCursor, type LoggedEvent } from "./event-log.js";
import type { FeedEnd, FeedSubscriber } from "./feed-subscriber.js";
import type { LiveBus, LiveSubscription } from "./live-bus.js";
import { LiveMessage } from "./live-message.js";
import type { Pulse } from "./live-source.js";
import type { Feed, Membership } from "./log-feed.js";

export interface StateFeedOptions {
  readonly bus: LiveBus;
  readonly matches: (event: LoggedEvent) => boolean;
  /** Nobody gets the state more often than this. */
  readonly minIntervalMs: number;
  /** The state of now, as JSON. */
  readonly execute: (pulse: Pulse) => string | Promise<string>;
  readonly onOver: () => void;
}

/** A state, read once for all who watch it: at once for who joins, then after relevant events for who has not seen them. */
export function createStateFeed(options: StateFeedOptions): Feed {
  return new StateFeed(options);
}

interface Member {
  readonly subscriber: FeedSubscriber;
  /** The state that it saw was read after this position; null before the first. */
  seen: number | null;
  /** When the read of that state began: who was in the last regular read is in the next one. */
  readAtMs: number;
}

/**
 * States are read one after the other, so no subscriber ever gets an older one after a newer. Who joins between two regular reads gets a read of
 * its own and then falls in with the others: however many watch, there is one regular read an interval.
 */
class StateFeed implements Feed {
  readonly #options: StateFeedOptions;
  readonly #source: LiveSubscription;
  readonly #members = new Set<Member>();
  /** Position of the newest relevant event. */
  #latest = -1;
  #regularAtMs = -Infinity;
  #over = false;
  #wake: (() => void) | null = null;

  constructor(options: StateFeedOptions) {
    this.#options = options;
    this.#source = options.bus.follow(options);
    void this.#pump();
    void this.#run();
  }

  join(subscriber: FeedSubscriber): Membership {
    const member: Member = { subscriber, seen: null, readAtMs: -Infinity };
    this.#members.add(member);
    this.#wake?.();
    return {
      leave: () => {
        this.#members.delete(member);
        if (this.#members.size === 0) this.#finish({ kind: "stopped" });
      },
    };
  }

  /** Reads events without a pause, so that a burst fills no queue. */
  async #pump(): Promise<void> {
    try {
      for await (const item of this.#source) {
        this.#latest = item.position;
        this.#wake?.();
      }
      this.#finish({ kind: "stopped" });
    } catch (error) {
      this.#finish({ kind: "failed", error });
    }
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      const members = [...this.#members];
      const first = members.filter(({ seen }) => seen === null);
      const owed = members.filter(({ seen }) => seen !== null && seen < this.#latest);
      const now = clock.monotonicMs();
      const { minIntervalMs } = this.#options;
      const regularAtMs =
        Math.max(
          this.#regularAtMs,
          owed.reduce((least, { readAtMs }) => Math.min(least, readAtMs), Infinity),
        ) + minIntervalMs;
      const isRegular = owed.length > 0 && now >= regularAtMs;
      if (first.length === 0 && !isRegular) {
        await this.#rest(owed.length === 0 ? undefined : regularAtMs - now);
        continue;
      }
      if (isRegular) this.#regularAtMs = now;
      const due = isRegular ? owed.filter(({ readAtMs }) => now - readAtMs >= minIntervalMs) : [];
      await this.#send([...first, ...due], now);
    }
  }

  async #send(members: readonly Member[], readAtMs: number): Promise<void> {
    // The place is taken before the state is read, so that nothing falls between the two.
    const place = this.#options.bus.tail;
    try {
      const json = await this.#options.execute({ cursor: encodeCursor(place) });
      const message = new LiveMessage({ position: place.position, at: 0, isSignOfLife: true, json });
      for (const member of members) {
        if (!this.#members.has(member)) continue;
        member.seen = place.position;
        member.readAtMs = readAtMs;
        member.subscriber.deliver(message);
      }
    } catch (error) {
      this.#finish({ kind: "failed", error });
    }
  }

  /** Until something happens, or for so long. */
  #rest(ms: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(done, ms);
      this.#wake = done;
    });
  }

  #finish(end: FeedEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onOver();
    for (const { subscriber } of this.#members) subscriber.end(end);
    this.#wake?.();
    void this.#source.return?.();
  }
}
