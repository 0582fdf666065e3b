import { type Client as SocketClient, createClient } from "graphql-ws";
import { createLiveValue, type LiveValue } from "./live-value.js";
import { type Refusal, refusalOfError } from "./refusal.js";

/** Whether what is shown is the present. `since` is this machine's clock, epoch milliseconds. */
export type ConnectionStatus =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** What is shown is of that moment. */
  | { readonly kind: "lost"; readonly since: number }
  | { readonly kind: "signed-out"; readonly refusal: Refusal };

export interface LiveSocketOptions {
  /** The address of the API, as https://quiesce.example.com/graphql. */
  readonly url: string;
  /** The API token to show; null: the browser's session. Asked at each connection. */
  readonly token: () => string | null;
  /** The class for WebSockets where the platform has none, as Node 20. */
  readonly webSocketImpl?: unknown;
  /** How long to wait before connecting again, by how often it has failed. */
  readonly retryWaitMs?: (failures: number) => number;
  /** A ping goes out after so long without one, and the connection is given up when its answer takes as long; 10 s when left out. */
  readonly pingMs?: number;
}

/** A subscription as it is sent; `variables` is read again at each connection. */
export interface LiveOperation {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables: { readonly [name: string]: unknown };
}

export interface LiveResult {
  readonly data?: unknown;
  readonly errors?: readonly unknown[] | undefined;
}

export interface LiveSink {
  next(result: LiveResult): void;
  /** The server refuses it; nothing more comes. */
  refused(refusal: Refusal): void;
  /** The server has said everything. */
  complete?(): void;
}

/** One WebSocket for every subscription; it connects again by itself, for as long as somebody is subscribed. */
export interface LiveSocket {
  readonly status: LiveValue<ConnectionStatus>;
  /** Answers how to end it. */
  subscribe(operation: LiveOperation, sink: LiveSink): () => void;
  /** Gives up the present connection and makes another one: for when somebody knows that it is dead. */
  reconnect(): void;
  /** Somebody was refused elsewhere: what is subscribed here would be as well. */
  signedOut(refusal: Refusal): void;
  close(): void;
}

const PING_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** graphql-transport-ws: who asks is not known, or no longer. */
const UNAUTHORIZED = 4401;

/** Doubles from half a second to fifteen, each up to a half longer, so that a thousand pages do not come back at once. */
export function retryWaitMs(failures: number, random = Math.random()): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10)) * (1 + random / 2);
}

export function createLiveSocket(options: LiveSocketOptions): LiveSocket {
  const status = createLiveValue<ConnectionStatus>({ kind: "connecting" });
  const waitMs = options.retryWaitMs ?? ((failures: number) => retryWaitMs(failures));
  const watch = createPongWatch(options.pingMs ?? PING_MS, () => client.terminate());
  const lost = (): void => {
    watch.stop();
    if (status.get().kind === "live") status.set({ kind: "lost", since: Date.now() });
  };
  const client: SocketClient = createClient({
    url: options.url.replace(/^http/, "ws"),
    connectionParams: () => {
      const token = options.token();
      return token === null ? {} : { authorization: `Bearer ${token}` };
    },
    ...(options.webSocketImpl === undefined ? {} : { webSocketImpl: options.webSocketImpl }),
    retryAttempts: Number.POSITIVE_INFINITY,
    // Also an error event: browsers send one before they close.
    shouldRetry: () => true,
    retryWait: (failures) => new Promise((resolve) => setTimeout(resolve, waitMs(failures))),
    keepAlive: options.pingMs ?? PING_MS,
    // Pages come and go; the next one takes the connection of the one before.
    lazyCloseTimeout: 5_000,
    on: {
      connected: () => status.set({ kind: "live" }),
      closed: lost,
      error: lost,
      ping: (received) => (received ? undefined : watch.sent()),
      pong: (received) => (received ? watch.answered() : undefined),
    },
  });
  const signedOut = (refusal: Refusal): void => status.set({ kind: "signed-out", refusal });
  return {
    status,
    signedOut,
    reconnect: () => client.terminate(),
    subscribe: (operation, sink) => subscribe(client, { operation, sink, signedOut, waitMs }),
    close: () => {
      watch.stop();
      // Rejects when the socket was just being opened.
      void Promise.resolve(client.dispose()).catch(() => undefined);
    },
  };
}

/** Notices a network that swallows everything without a word. */
function createPongWatch(
  limitMs: number,
  onSilence: () => void,
): { readonly sent: () => void; readonly answered: () => void; readonly stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => clearTimeout(timer);
  return {
    sent() {
      stop();
      timer = setTimeout(onSilence, limitMs);
    },
    answered: stop,
    stop,
  };
}

function subscribe(
  client: SocketClient,
  input: {
    readonly operation: LiveOperation;
    readonly sink: LiveSink;
    readonly signedOut: (refusal: Refusal) => void;
    readonly waitMs: (failures: number) => number;
  },
): () => void {
  const { operation, sink, signedOut, waitMs } = input;
  let isOver = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let end: () => void = () => undefined;
  const begin = (): void => {
    end = client.subscribe(
      {
        query: operation.query,
        ...(operation.operationName === undefined ? {} : { operationName: operation.operationName }),
        // Read each time it is sent: after a lost connection it goes on from another place.
        get variables() {
          return { ...operation.variables };
        },
      },
      {
        next: (result) => {
          failures = 0;
          if (isOver) return;
          // A subscription that is refused while it begins is answered by its errors alone.
          const refusal = result.data === undefined || result.data === null ? refusalOfEnd(result.errors) : null;
          if (refusal === null) return sink.next(result);
          isOver = true;
          end();
          sink.refused(refusal);
        },
        error: (error) => {
          if (isOver) return;
          const refusal = refusalOfEnd(error);
          if (refusal?.code === "QSC_ACCESS_SESSION_OVER") signedOut(refusal);
          if (refusal !== null) return sink.refused(refusal);
          // A close that graphql-ws takes for final, as a server's own error: it may be well again later.
          timer = setTimeout(begin, waitMs((failures += 1)));
        },
        complete: () => {
          if (!isOver) sink.complete?.();
        },
      },
    );
  };
  begin();
  return () => {
    isOver = true;
    clearTimeout(timer);
    end();
  };
}

/** An answer of the API, or a connection that ended for good; null: it may be tried again. */
function refusalOfEnd(error: unknown): Refusal | null {
  if (Array.isArray(error)) {
    if (error.length === 0) return null;
    const [first] = error as readonly { readonly message: string; readonly extensions?: { readonly [name: string]: unknown } }[];
    return refusalOfError(first ?? { message: "The server refuses without saying why." });
  }
  const isClose = typeof error === "object" && error !== null && "code" in error && error.code === UNAUTHORIZED;
  return isClose
    ? refusalOfError({ message: "The session or the token is over. Sign in again.", extensions: { code: "QSC_ACCESS_SESSION_OVER" } })
    : null;
}
