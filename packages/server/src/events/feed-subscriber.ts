import type { EventPlace } from "./event-log.js";
import type { LiveMessage } from "./live-message.js";
import { QUEUE_BYTE_LIMIT, QUEUE_EVENT_LIMIT, tooSlow } from "./subscriber-queue.js";

/** The client's connection. */
export interface FeedSink {
  /** False while the client has been sent more than it reads. */
  isReady(): boolean;
  write(message: LiveMessage): void;
}

/** Why a subscription is over: its client left, its token is no longer valid, the server stops, or an error that its client is told. */
export type FeedEnd =
  | { readonly kind: "left" }
  | { readonly kind: "token" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly error: unknown };

export interface FeedSubscriberOptions {
  readonly sink: FeedSink;
  readonly place: EventPlace;
  readonly expiresAt: number | null;
  /** Of states only the newest is worth waiting for. */
  readonly keepsNewestOnly: boolean;
}

/**
 * One client of a feed: writes what it is given as long as the client reads, keeps a bounded queue when it does not, and never the same position twice.
 * It knows its place, so that it can leave one feed and go on in another.
 */
export class FeedSubscriber {
  readonly ended: Promise<FeedEnd>;
  readonly epoch: string;
  isOver = false;
  /** What happened from this instant on is not for this subscriber; null: its token has no end. */
  expiresAt: number | null;
  /** Everything up to here has been delivered, or was not asked for. */
  position: number;
  readonly #sink: FeedSink;
  readonly #keepsNewestOnly: boolean;
  /** Up to here it lies in the connection: where a client continues that was too slow. */
  #written: number;
  #queue: LiveMessage[] = [];
  #bytes = 0;
  #settle: (end: FeedEnd) => void = () => undefined;
  /** Several may wait at once: the feed that it leaves and the one that it goes on in. */
  #waiting: (() => void)[] = [];

  constructor({ sink, place, expiresAt, keepsNewestOnly }: FeedSubscriberOptions) {
    this.#sink = sink;
    this.expiresAt = expiresAt;
    this.#keepsNewestOnly = keepsNewestOnly;
    this.epoch = place.epoch;
    this.position = place.position;
    this.#written = place.position;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  deliver(message: LiveMessage): void {
    if (this.isOver || message.position < this.position || (message.position === this.position && !message.isSignOfLife)) return;
    if (this.expiresAt !== null && message.at >= this.expiresAt) return this.end({ kind: "token" });
    this.position = message.position;
    if (this.#queue.length === 0 && this.#sink.isReady()) {
      this.#written = message.position;
      return this.#sink.write(message);
    }
    if (this.#keepsNewestOnly) this.#forget();
    if (this.#queue.length >= QUEUE_EVENT_LIMIT || this.#bytes + message.bytes > QUEUE_BYTE_LIMIT)
      return this.end({ kind: "failed", error: tooSlow({ epoch: this.epoch, position: this.#written }) });
    this.#queue.push(message);
    this.#bytes += message.bytes;
  }

  /** The client reads again. */
  drained(): void {
    let count = 0;
    for (const message of this.#queue) {
      if (!this.#sink.isReady()) break;
      count += 1;
      this.#bytes -= message.bytes;
      this.#written = message.position;
      this.#sink.write(message);
    }
    if (count > 0) this.#queue = this.#queue.slice(count);
    if (this.#sink.isReady()) this.#wake();
  }

  /** Resolves when the client reads, or the subscription is over. */
  async ready(): Promise<void> {
    while (!this.isOver && (this.#queue.length > 0 || !this.#sink.isReady())) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  end(end: FeedEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#forget();
    this.#wake();
    this.#settle(end);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #forget(): void {
    this.#queue = [];
    this.#bytes = 0;
  }
}
