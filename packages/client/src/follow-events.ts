import { stringifyDocument } from "@urql/core";
import type { Connection } from "./connection.js";
import { LiveEventsDocument, type LiveEventsSubscription } from "./documents/live.generated.js";
import { EventCursorDocument } from "./documents/start.generated.js";
import type { Refusal } from "./refusal.js";
import { isSignedOut, refusalOf } from "./refusal.js";

/** One event; docs/reference/events.md lists the kinds and what is in their payloads. */
export type LiveEvent = LiveEventsSubscription["liveEvents"];

export interface FollowOptions {
  /** Where to go on: the cursor of the last event dealt with, or of what was read. Left out: from now on. */
  readonly after?: string | undefined;
  /** run.started, or run.* for all of a noun; every kind when left out. */
  readonly kinds?: readonly string[] | undefined;
  /** integration:orders and the like; of everything when left out. */
  readonly subjects?: readonly string[] | undefined;
  readonly onEvent: (event: LiveEvent) => void;
  /**
   * Events were missed, and cannot be had any more: the server was restored from a backup, or the cursor is too old. Read again what you show;
   * events from before that reading on follow.
   */
  readonly onGap: (refusal: Refusal) => void;
  /** The server refuses: no right to read events, or nobody is signed in. Nothing more comes. */
  readonly onRefused?: ((refusal: Refusal) => void) | undefined;
}

export interface FollowedEvents {
  /** The cursor of the last event that was handed over, to go on from later; null before the first answer. */
  readonly cursor: string | null;
  stop(): void;
}

const query = stringifyDocument(LiveEventsDocument);
/** A server that refuses a cursor which it has just given out is not asked more often. */
const AGAIN_MS = 1_000;

/**
 * Follows the events of some kinds: each once, in their order, across lost connections and servers. What is missed for good is said (`onGap`), never
 * passed over.
 */
export function followEvents({ client, live }: Pick<Connection, "client" | "live">, options: FollowOptions): FollowedEvents {
  let cursor = options.after ?? null;
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unsubscribe: () => void = () => undefined;

  const later = (work: () => void): void => {
    if (!isOver) timer = setTimeout(work, AGAIN_MS);
  };
  const refused = (refusal: Refusal): void => {
    isOver = true;
    options.onRefused?.(refusal);
  };
  const subscribe = (): void => {
    if (isOver) return;
    unsubscribe = live.subscribe(
      {
        query,
        operationName: "LiveEvents",
        // Read at each connection, with the place as it is then.
        get variables() {
          return { after: cursor, kinds: options.kinds, subjects: options.subjects };
        },
      },
      {
        next: ({ data }) => {
          const event = (data as LiveEventsSubscription | null | undefined)?.liveEvents;
          if (event === undefined || isOver) return;
          cursor = event.cursor;
          // A heartbeat says only that the connection is alive; its cursor counts.
          if (event.kind !== "heartbeat") options.onEvent(event);
        },
        refused: (refusal) => goOn(refusal),
        complete: () => later(subscribe),
      },
    );
  };
  const goOn = (refusal: Refusal): void => {
    const { resumeFrom } = refusal.details;
    if (refusal.code === "QSC_EVENTS_SUBSCRIBER_TOO_SLOW") {
      // Nothing is lost: the log has what was not sent.
      if (typeof resumeFrom === "string") cursor = resumeFrom;
      return later(subscribe);
    }
    if (!refusal.code.startsWith("QSC_EVENTS_CURSOR_")) return refused(refusal);
    cursor = typeof resumeFrom === "string" ? resumeFrom : null;
    begin(() => options.onGap(refusal));
  };
  /** Without a place to go on from, what happens until the first event would be lost with the connection. */
  const begin = (then: () => void = () => undefined): void => {
    if (isOver) return;
    if (cursor !== null) {
      then();
      return subscribe();
    }
    void client
      .query(EventCursorDocument, {}, { requestPolicy: "network-only" })
      .toPromise()
      .then(({ data, error }) => {
        const refusal = refusalOf(error);
        if (isOver) return;
        if (refusal !== null && (isSignedOut(refusal) || refusal.code === "QSC_ACCESS_DENIED")) return refused(refusal);
        if (data === undefined) return later(() => begin(then));
        cursor = data.eventCursor;
        then();
        subscribe();
      });
  };
  begin();

  return {
    get cursor() {
      return cursor;
    },
    stop() {
      isOver = true;
      clearTimeout(timer);
      unsubscribe();
    },
  };
}
