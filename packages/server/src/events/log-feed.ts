import { DomainError } from "@quiesce/core";
import { encodeCursor, type EventPlace, foreignCursor, type LoggedEvent } from "./event-log.js";
import type { FeedEnd, FeedSubscriber } from "./feed-subscriber.js";
import { eventItem, type LiveBus, type LiveItem, type LiveSubscription } from "./live-bus.js";
import { LiveMessage } from "./live-message.js";
import type { SeesEvent } from "./visible-events.js";

/** What one subscriber has of a feed. */
export interface Membership {
  /** From now on it gets nothing of this feed. */
  leave(): void;
}

/** Runs one execution for all subscribers of a feed. */
export interface Feed {
  join(subscriber: FeedSubscriber): Membership;
}

export interface LogFeedOptions {
  readonly bus: LiveBus;
  readonly matches: (event: LoggedEvent) => boolean;
  readonly heartbeatMs: number;
  /** Of those that match, the ones that the subscribers may know of; all of them when left out. */
  readonly sees?: SeesEvent | undefined;
  /** The result of the operation for one item, as JSON. */
  readonly execute: (item: LiveItem) => string | Promise<string>;
  /** The last subscriber left, or the feed failed: nobody may join any more. */
  readonly onOver: () => void;
}

/** The events after some place, each executed once and handed to every subscriber that has come so far. */
export function createLogFeed(options: LogFeedOptions): Feed {
  return new LogFeed(options);
}

interface Member {
  readonly subscriber: FeedSubscriber;
  left: boolean;
}

class LogFeed implements Feed {
  readonly #options: LogFeedOptions;
  /** Everything up to here has been handed out. */
  #place: EventPlace;
  #source: LiveSubscription;
  /** Everybody; those who read the past at their own speed are not in `#present` yet. */
  readonly #members = new Set<Member>();
  readonly #present = new Set<Member>();
  #over = false;

  constructor(options: LogFeedOptions) {
    this.#options = options;
    this.#place = options.bus.tail;
    this.#source = options.bus.follow(options);
    void this.#run();
  }

  join(subscriber: FeedSubscriber): Membership {
    const member: Member = { subscriber, left: false };
    this.#members.add(member);
    void this.#catchUp(member);
    return { leave: () => this.#leave(member) };
  }

  /** The past is pulled page by page at the client's own speed. The moment it has come as far as the feed, with no await between, the feed takes over. */
  async #catchUp(member: Member): Promise<void> {
    const { subscriber } = member;
    const { epoch } = subscriber;
    try {
      while (!member.left && !subscriber.isOver) {
        if (epoch !== this.#place.epoch) throw foreignCursor(this.#place);
        if (subscriber.position >= this.#place.position) return void this.#present.add(member);
        for (const event of await this.#options.bus.readAfter({ epoch, position: subscriber.position })) {
          await subscriber.ready();
          if (member.left || subscriber.isOver) return;
          const item = eventItem(epoch, event);
          const shown = this.#options.matches(event) ? await this.#shown(item) : null;
          const message = shown === null ? null : await this.#messageOf(shown);
          // Whoever left meanwhile goes on elsewhere from the place before this event.
          if (member.left) return;
          if (message === null) subscriber.position = event.position;
          else subscriber.deliver(message);
        }
      }
    } catch (error) {
      if (!member.left) subscriber.end({ kind: "failed", error });
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      try {
        for await (const item of this.#source) {
          const shown = await this.#shown(item);
          const message = shown === null ? null : await this.#messageOf(shown);
          this.#place = { epoch: this.#place.epoch, position: item.position };
          for (const { subscriber } of this.#present) {
            if (message === null) subscriber.position = Math.max(subscriber.position, item.position);
            else subscriber.deliver(message);
          }
        }
        return this.#finish({ kind: "stopped" });
      } catch (error) {
        if (!isTooSlow(error)) return this.#finish({ kind: "failed", error });
        // More came at once than the bus keeps for anybody: the log has it all.
        const { matches, ...rest } = this.#options;
        try {
          this.#source = await rest.bus.resume({ matches, heartbeatMs: rest.heartbeatMs, after: encodeCursor(this.#place) });
        } catch (refusal) {
          return this.#finish({ kind: "failed", error: refusal });
        }
        if (this.#over) return void this.#source.return?.();
      }
    }
  }

  /** What the feed's readers may know of an item; null: nothing. */
  async #shown(item: LiveItem): Promise<LiveItem | null> {
    const { sees } = this.#options;
    if (sees === undefined || item.type === "heartbeat") return item;
    const event = await sees(item.event);
    return event === null ? null : { ...item, event };
  }

  async #messageOf(item: LiveItem): Promise<LiveMessage> {
    const isSignOfLife = item.type === "heartbeat";
    const json = await this.#options.execute(item);
    return new LiveMessage({ position: item.position, at: isSignOfLife ? item.at : item.event.at, isSignOfLife, json });
  }

  #leave(member: Member): void {
    member.left = true;
    this.#members.delete(member);
    this.#present.delete(member);
    if (this.#members.size === 0) this.#finish({ kind: "stopped" });
  }

  #finish(end: FeedEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#options.onOver();
    for (const member of this.#members) {
      member.left = true;
      member.subscriber.end(end);
    }
    void this.#source.return?.();
  }
}

function isTooSlow(error: unknown): boolean {
  return error instanceof DomainError && error.code === "QSC_EVENTS_SUBSCRIBER_TOO_SLOW";
}
