import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";

/** An event as the subscription gave it. */
export interface SeenEvent {
  readonly kind: string;
  readonly subjectKind: string;
  readonly subjectKey: string;
  readonly at: string;
  readonly cursor: string;
  readonly payload: { readonly [name: string]: unknown };
}

/** Follows the live events over a WebSocket and keeps every one. */
export interface EventRecorder {
  readonly seen: readonly SeenEvent[];
  /** The first event that matches and came after the first `from` ones; waits for it. */
  waitFor(what: string, matches: (event: SeenEvent) => boolean, timeoutMs: number, from?: number): Promise<SeenEvent>;
  /** Cuts the connection under the subscription, waits, and continues from the last cursor seen. */
  reconnect(awayMs: number): Promise<void>;
  stop(): Promise<void>;
}

const DOCUMENT = "subscription($after: String) { liveEvents(after: $after) { kind subjectKind subjectKey at cursor payload } }";

/** Starts to follow behind the given cursor. */
export function recordEvents(url: string, token: string, after: string): EventRecorder {
  const seen: SeenEvent[] = [];
  const waiting = new Set<() => void>();
  let failure: unknown;
  let cursor = after;
  let connection = connect();

  function connect(): { readonly client: Client; readonly socket: () => WebSocket | undefined } {
    let socket: WebSocket | undefined;
    const opened = (one: WebSocket): void => {
      socket = one;
    };
    const client = createClient({
      url: `${url.replace(/^http/, "ws")}/graphql`,
      webSocketImpl: class extends WebSocket {
        constructor(address: string, protocol: string) {
          super(address, protocol);
          opened(this);
        }
      },
      connectionParams: { authorization: `Bearer ${token}` },
      // Continuing is ours: a client that retries by itself would begin again at the old cursor.
      retryAttempts: 0,
      lazy: true,
    });
    let current = true;
    client.subscribe<{ liveEvents: SeenEvent }>(
      { query: DOCUMENT, variables: { after: cursor } },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined) failure = errors;
          if (data === null || data === undefined || !current) return;
          cursor = data.liveEvents.cursor;
          if (data.liveEvents.kind !== "heartbeat") seen.push(data.liveEvents);
          for (const wake of waiting) wake();
        },
        error: (error) => {
          if (connection.client === client && current) failure = error;
          current = false;
        },
        complete: () => {
          current = false;
        },
      },
    );
    return { client, socket: () => socket };
  }

  return {
    seen,
    async waitFor(what, matches, timeoutMs, from = 0) {
      const until = performance.now() + timeoutMs;
      for (;;) {
        const found = seen.slice(from).find(matches);
        if (found !== undefined) return found;
        if (failure !== undefined) throw new Error(`The subscription failed while waiting for ${what}: ${JSON.stringify(failure)}`);
        const leftMs = until - performance.now();
        if (leftMs <= 0)
          throw new Error(
            `No ${what} within ${timeoutMs} ms. Seen last: ${seen
              .slice(-12)
              .map((event) => `${event.kind} ${event.subjectKey}`)
              .join(", ")}`,
          );
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            clearTimeout(timer);
            waiting.delete(wake);
            resolve();
          };
          const timer = setTimeout(wake, Math.min(leftMs, 1_000));
          waiting.add(wake);
        });
      }
    },
    async reconnect(awayMs) {
      const before = connection;
      // Until the new connection exists, errors of the old one are what was wanted.
      connection = { client: { dispose: () => undefined } as unknown as Client, socket: () => undefined };
      before.socket()?.terminate();
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      await before.client.dispose();
      failure = undefined;
      connection = connect();
    },
    async stop() {
      await connection.client.dispose();
    },
  };
}
