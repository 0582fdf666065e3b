import { CliError } from "../cli-error.js";
import type { CliClock } from "../cli.js";
import type { GraphqlClient } from "../graphql-client.js";
import { connect, pause, subscribe } from "../live-client.js";
import { type LiveEventAnswer, readStatus, type Status, watchEvents, watchStatus } from "../operations/status-operations.js";

/** What the feed tells, as it happens. */
export interface FeedListener {
  readonly onStatus: (status: Status) => void;
  readonly onEvent: (event: LiveEventAnswer) => void;
  /** null: connected. */
  readonly onTrouble: (reason: string | null) => void;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;
/** Heartbeats come every 15 s: more than two missed mean a connection that only looks alive. */
const SILENCE_MS = 40_000;

/** Watches until the signal: reconnects by itself and goes on from the last cursor, so that no event is missed or told twice. */
export async function followStatus(input: {
  readonly api: GraphqlClient;
  readonly clock: CliClock;
  readonly signal: AbortSignal;
  readonly listener: FeedListener;
}): Promise<void> {
  const { signal, listener } = input;
  let cursor: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  const onEvent = (event: LiveEventAnswer): void => {
    cursor = event.cursor;
    if (event.kind !== "heartbeat") listener.onEvent(event);
  };
  while (!signal.aborted) {
    try {
      await followOnce(input, {
        after: cursor,
        onEvent,
        onConnected: (from) => {
          cursor = from;
          retryMs = FIRST_RETRY_MS;
          listener.onTrouble(null);
        },
      });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CliError) || error.exit === "denied") throw error;
      // The log does not go back so far, or is another one: what happened in between is in the status, which is read anew.
      if (error.code?.startsWith("QSC_EVENTS_CURSOR") === true) cursor = undefined;
      listener.onTrouble(error.message);
    }
    if (!signal.aborted) await pause(retryMs, signal);
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
  }
}

async function followOnce(
  input: Parameters<typeof followStatus>[0],
  one: {
    readonly after: string | undefined;
    readonly onEvent: (event: LiveEventAnswer) => void;
    readonly onConnected: (cursor: string) => void;
  },
): Promise<void> {
  const { api, listener, clock } = input;
  const stop = new AbortController();
  const signal = AbortSignal.any([input.signal, stop.signal]);
  let heardAt = clock.monotonicMs();
  const heard = (): void => {
    heardAt = clock.monotonicMs();
  };
  const client = connect(api, heard);
  try {
    const { statusSummary: first } = await api.request(readStatus);
    listener.onStatus(first);
    // From the same snapshot as the status when there is no cursor yet: what happens from here on is told once.
    const after = one.after ?? first.cursor;
    const target = { client, connection: api.connection };
    const statuses = subscribe(target, watchStatus, {}, { signal, onData: ({ statusSummary }) => listener.onStatus(statusSummary), heard });
    const events = subscribe(target, watchEvents, { after }, { signal, onData: ({ liveEvents }) => one.onEvent(liveEvents), heard });
    one.onConnected(after);
    const silence = (async () => {
      while (!signal.aborted) {
        await pause(1_000, signal);
        if (clock.monotonicMs() - heardAt > SILENCE_MS) throw new CliError("unreachable", "the server has gone silent");
      }
    })();
    await Promise.race([statuses, events, silence]);
    if (!signal.aborted) throw new CliError("unreachable", "the server ended the subscription");
  } finally {
    stop.abort();
    await client.dispose();
  }
}
