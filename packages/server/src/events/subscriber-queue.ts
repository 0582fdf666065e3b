import { DomainError } from "@quiesce/core";
import { type EventPlace, encodeCursor, type LoggedEvent } from "./event-log.js";

/** A client that has this many events or bytes unread is closed with its cursor: memory is finite, the log is not. */
export const QUEUE_EVENT_LIMIT = 1_000;
export const QUEUE_BYTE_LIMIT = 1_048_576;

type Failure = (place: EventPlace) => DomainError;

/** The bounded queue between the bus, which never waits, and one subscriber, who may be slow. */
export class SubscriberQueue {
  closed = false;
  /** Set when the subscriber must be told why it ends; called with the place it had reached. */
  failure: Failure | null = null;
  readonly #matches: (event: LoggedEvent) => boolean;
  #items: { readonly event: LoggedEvent; readonly bytes: number }[] = [];
  #next = 0;
  #bytes = 0;
  #wake: (() => void) | null = null;

  constructor(matches: (event: LoggedEvent) => boolean) {
    this.#matches = matches;
  }

  push(event: LoggedEvent, bytes: number): void {
    if (this.closed || this.failure !== null || !this.#matches(event)) return;
    if (this.#items.length - this.#next >= QUEUE_EVENT_LIMIT || this.#bytes + bytes > QUEUE_BYTE_LIMIT) return this.fail(tooSlow);
    this.#items.push({ event, bytes });
    this.#bytes += bytes;
    this.#wake?.();
  }

  shift(): LoggedEvent | undefined {
    const item = this.#items[this.#next];
    if (item === undefined) return undefined;
    this.#next += 1;
    this.#bytes -= item.bytes;
    if (this.#next === this.#items.length) {
      this.#items = [];
      this.#next = 0;
    }
    return item.event;
  }

  /** Ends the subscription with a refusal; what is unread is dropped, the refusal carries the cursor to continue from. */
  fail(failure: Failure): void {
    this.failure = failure;
    this.#items = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#wake?.();
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }

  /** True when something happened, false when `timeoutMs` of silence passed. */
  wait(timeoutMs: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (happened: boolean) => {
        clearTimeout(timer);
        this.#wake = null;
        resolve(happened);
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => done(false), timeoutMs);
      this.#wake = () => done(true);
    });
  }
}

/** The refusal of a subscriber who left too much unread. */
export function tooSlow(place: EventPlace): DomainError {
  const cursor = encodeCursor(place);
  return new DomainError(
    "QSC_EVENTS_SUBSCRIBER_TOO_SLOW",
    `The subscriber had more than ${QUEUE_EVENT_LIMIT} events or ${QUEUE_BYTE_LIMIT} bytes unread and was closed. Subscribe again with after: "${cursor}".`,
    { details: { resumeFrom: cursor } },
  );
}
