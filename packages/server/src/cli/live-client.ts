import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { z } from "zod";
import { CliError } from "./cli-error.js";
import type { Connection } from "./cli.js";
import { type GraphqlClient, type Operation, refusal } from "./graphql-client.js";

/** A socket to the server. Whoever makes it disposes of it. */
export function connect(api: GraphqlClient, heard: () => void): Client {
  const { url, token } = api.connection;
  return createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: token === undefined ? {} : { authorization: `Bearer ${token}` },
    // Reconnecting is ours to do: theirs would repeat the first cursor.
    retryAttempts: 0,
    lazy: true,
    onNonLazyError: () => {},
    on: { message: heard },
  });
}

const closeSchema = z.looseObject({ code: z.number(), reason: z.string().optional() });
const graphqlErrorsSchema = z
  .array(z.looseObject({ message: z.string(), extensions: z.looseObject({ code: z.string().optional() }).optional() }))
  .min(1);

/** Follows one subscription until the signal, its end, or an error (CliError). */
export function subscribe<T>(
  { client, connection }: { readonly client: Client; readonly connection: Connection },
  wanted: Operation<T>,
  variables: { readonly [name: string]: unknown },
  options: { readonly signal: AbortSignal; readonly onData: (data: T) => void; readonly heard: () => void },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const unsubscribe = client.subscribe(
      { query: wanted.document, variables },
      {
        next: ({ data, errors }) => {
          options.heard();
          if (errors !== undefined && errors.length > 0) {
            reject(subscriptionError(errors, connection));
            return;
          }
          const parsed = wanted.data.safeParse(data);
          if (parsed.success) options.onData(parsed.data);
          else
            reject(new CliError("internal", "the server's live data is not understood here; compare the versions with `quiesce doctor`"));
        },
        error: (error) => reject(subscriptionError(error, connection)),
        complete: () => resolve(),
      },
    );
    options.signal.addEventListener(
      "abort",
      () => {
        unsubscribe();
        resolve();
      },
      { once: true },
    );
  });
}

/** The library rejects with a close event, an Error or GraphQL errors. */
function subscriptionError(error: unknown, connection: Connection): CliError {
  const errors = graphqlErrorsSchema.safeParse(error);
  if (errors.success) {
    const first = errors.data[0];
    return refusal({ code: first?.extensions?.code, message: first?.message ?? "refused", status: 200, connection });
  }
  const close = closeSchema.safeParse(error);
  if (close.success) {
    const { code, reason } = close.data;
    const denied = code === 4_401 || code === 4_403;
    const text = reason === undefined || reason === "" ? `the connection was closed (${code})` : reason;
    return new CliError(denied ? "denied" : "unreachable", text, { cause: error });
  }
  return new CliError("unreachable", error instanceof Error && error.message !== "" ? error.message : "the connection failed", {
    cause: error,
  });
}

/** Waits, at most until the signal. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
