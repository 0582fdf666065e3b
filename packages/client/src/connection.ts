import { Client, fetchExchange, mapExchange, subscriptionExchange } from "@urql/core";
import { cacheExchange, type KeyingConfig } from "@urql/exchange-graphcache";
import { createLiveSocket, type LiveSocket, type LiveSocketOptions } from "./live-socket.js";
import { isSignedOut, refusalOf } from "./refusal.js";

export interface ConnectionOptions extends Omit<LiveSocketOptions, "token"> {
  /** The API token to show, or how to find it; left out or null: the browser's session. */
  readonly token?: string | null | (() => string | null) | undefined;
  /** In place of the platform's. */
  readonly fetch?: typeof fetch | undefined;
}

/** A front end's way to one Quiesce. */
export interface Connection {
  /** Queries and mutations with a normalised cache; subscriptions go over `live`. */
  readonly client: Client;
  readonly live: LiveSocket;
  /** Ends the socket. The client may not be used afterwards. */
  close(): void;
}

/**
 * A thing with an id is one thing wherever it is shown; whatever has none belongs to where it stands. A list of the types would be
 * every type of the schema, so the answer is the same for any name.
 */
const keys = new Proxy<KeyingConfig>(
  {},
  {
    get: () => (data: { readonly id?: unknown }) => (typeof data.id === "string" ? data.id : null),
  },
);

/** Opens a connection. Nothing is sent before something is asked. */
export function connect(options: ConnectionOptions): Connection {
  const { token = null } = options;
  const readToken = typeof token === "function" ? token : () => token;
  const live = createLiveSocket({ ...options, token: readToken });
  const client = new Client({
    url: options.url,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    preferGetMethod: false,
    requestPolicy: "cache-and-network",
    fetchOptions: () => {
      const shown = readToken();
      const headers: Record<string, string> = shown === null ? {} : { authorization: `Bearer ${shown}` };
      return { headers };
    },
    exchanges: [
      mapExchange({
        onError: (error) => {
          const refusal = refusalOf(error);
          if (refusal !== null && isSignedOut(refusal)) live.signedOut(refusal);
        },
      }),
      cacheExchange({ keys }),
      subscriptionExchange({ forwardSubscription: (operation) => ({ subscribe: (sink) => forward(live, operation, sink) }) }),
      fetchExchange,
    ],
  });
  return { client, live, close: () => live.close() };
}

type Forwarder = Parameters<typeof subscriptionExchange>[0]["forwardSubscription"];
type Operation = Parameters<Forwarder>[0];
type Sink = Parameters<ReturnType<Forwarder>["subscribe"]>[0];

function forward(live: LiveSocket, { query = "", variables = {} }: Operation, sink: Sink): { readonly unsubscribe: () => void } {
  const unsubscribe = live.subscribe(
    { query, variables: variables as { readonly [name: string]: unknown } },
    {
      next: (result) => sink.next(result as Parameters<Sink["next"]>[0]),
      refused: ({ message, code, field, details }) => {
        sink.next({ errors: [{ message, extensions: { code, field, details } }] });
        sink.complete();
      },
      complete: () => sink.complete(),
    },
  );
  return { unsubscribe };
}
