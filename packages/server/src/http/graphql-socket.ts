import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { DomainError } from "@quiesce/core";
import { type ExecutionResult, OperationTypeNode } from "graphql";
import { type Context, handleProtocols, makeServer, type SubscribePayload } from "graphql-ws";
import { type WebSocket, WebSocketServer } from "ws";
import type { Authenticated } from "../access/authenticate.js";
import type { TakeCost } from "../graphql/account-for-operations.js";
import type { Api } from "../graphql/create-yoga.js";
import type { LiveMessage } from "../events/live-message.js";
import type { PersistedDocuments } from "../graphql/persisted-documents.js";
import { type OperationParams, type PreparedOperation, prepareOperation } from "../graphql/prepare-operation.js";
import { presentedError, presentError } from "../graphql/present-error.js";
import type { ApiServices } from "../graphql/request-context.js";
import type { LiveStream, SharedFeeds } from "../graphql/shared-feeds.js";
import { lastWordsOf } from "./last-words-of.js";
import type { OpenStreams } from "./open-streams.js";
import type { CallerDoor } from "./recognise-caller.js";
import { type AdmissionRules, createSocketAdmission, takesQuietly } from "./socket-admission.js";
import type { ApiLimits } from "./api-limits.js";

const PING_INTERVAL_MS = 15_000;
const INIT_WAIT_MS = 5_000;
/** graphql-transport-ws: clients do not try again after it, as a token does not become valid by waiting. */
const UNAUTHORIZED = 4401;
const TOO_MANY_REQUESTS = 4429;
const INTERNAL_ERROR = 4500;
const GOING_AWAY = 1001;
const MAX_REASON_BYTES = 123;
/** Answers that a client asks for and does not read; live events have a smaller bound of their own. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

interface SocketInput extends AdmissionRules {
  readonly api: Api;
  readonly services: ApiServices;
  readonly documents: PersistedDocuments;
  readonly feeds: SharedFeeds;
  readonly streams: OpenStreams;
  readonly limits: ApiLimits;
  /** Recognises callers. */
  readonly door: CallerDoor;
  /** A caller has shown itself. */
  readonly meet: (request: IncomingMessage, caller: Authenticated) => void;
  /** These throw when somebody asks too often. */
  readonly takeCaller: (caller: Authenticated) => void;
  readonly takeStranger: (group: string) => void;
  readonly takeCost: TakeCost;
}

interface Extra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  caller: Authenticated | null;
  /** The subscriptions on this socket. */
  readonly live: Set<LiveStream>;
  /** While the caller's rights are looked at. */
  isPaused: boolean;
}

/** GraphQL over WebSocket (graphql-transport-ws). The token comes in `connection_init`, as { authorization: "Bearer qsc_…" }, or in the header. */
export interface GraphqlSockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells every client to go away, and ends those that do not within a second. */
  stop(): Promise<void>;
}

/** Serves sockets that an HTTP server hands over. */
export function createGraphqlSockets(input: SocketInput): GraphqlSockets {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: input.limits.bodyKib * 1024,
    handleProtocols,
    perMessageDeflate: false,
  });
  const protocol = makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_WAIT_MS,
    onConnect: (context) => welcome(input, context),
    onSubscribe: (context, id, payload) => prepare(input, context, { id, payload }),
    // `rootValue` carries what the API made of this operation, with its limits and masking inside.
    execute: (args) => (args.rootValue as Prepared).operation.enveloped.execute({ ...args, rootValue: undefined }),
    subscribe: (args) => follow(input, args.rootValue as Prepared),
  });
  sockets.on("connection", (socket: WebSocket, request: IncomingMessage) => serve(input, protocol, socket, request));
  const admit = createSocketAdmission(input);
  return {
    upgrade(request, socket, head) {
      const admission = admit(request, Math.max(sockets.clients.size, input.streams.size));
      if ("refused" in admission) return void socket.end(`HTTP/1.1 ${admission.refused}\r\nConnection: close\r\n\r\n`);
      socket.once("close", admission.leave);
      sockets.handleUpgrade(request, socket, head, (upgraded) => sockets.emit("connection", upgraded, request));
    },
    async stop() {
      for (const client of sockets.clients) client.close(GOING_AWAY, "The server stops.");
      const closed = new Promise<void>((resolve) => sockets.close(() => resolve()));
      const timer = setTimeout(() => sockets.clients.forEach((client) => client.terminate()), 1_000);
      if (sockets.clients.size > 0)
        await Promise.all([...sockets.clients].map((client) => new Promise((resolve) => client.once("close", resolve))));
      clearTimeout(timer);
      await closed;
    },
  };
}

function serve(
  input: SocketInput,
  protocol: ReturnType<typeof makeServer<Record<string, unknown>, Extra>>,
  socket: WebSocket,
  request: IncomingMessage,
): void {
  const extra: Extra = { socket, request, caller: null, live: new Set(), isPaused: false };
  request.socket.on("drain", () => extra.live.forEach((stream) => stream.drained()));
  const fail = (error: unknown) => {
    const { code } = presentError(error, input.services.log);
    closeSocket(socket, INTERNAL_ERROR, code);
  };
  const group = input.groupOf(request);
  /** Every message and every ping of the protocol below counts, also before anybody has shown a token. */
  const isAllowed = (): boolean => {
    if (socket.readyState !== socket.OPEN) return false;
    if (socket.bufferedAmount <= MAX_UNREAD_BYTES && takesQuietly(() => input.takeAddress(group))) return true;
    closeSocket(socket, TOO_MANY_REQUESTS, "QSC_HTTP_RATE_LIMITED");
    return false;
  };
  socket.on("ping", isAllowed);
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      // The wait for the write is what slows a subscription down to its client's speed.
      send: (data) =>
        new Promise((resolve, reject) =>
          socket.readyState === socket.OPEN ? socket.send(data, (error) => (error ? reject(error) : resolve())) : resolve(),
        ),
      close: (code, reason) => closeSocket(socket, code ?? GOING_AWAY, reason ?? ""),
      onMessage: (receive) =>
        socket.on("message", (data) => {
          if (isAllowed()) void receive(Buffer.isBuffer(data) ? data.toString("utf8") : "").catch(fail);
        }),
    },
    extra,
  );
  let alive = true;
  const pings = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    socket.ping();
  }, PING_INTERVAL_MS);
  socket.on("pong", () => {
    alive = true;
  });
  const stream = input.streams.add({
    get caller() {
      return extra.caller;
    },
    pause: () => {
      extra.isPaused = true;
      for (const live of extra.live) live.pause();
    },
    resume: (caller) => {
      extra.caller = caller;
      extra.isPaused = false;
      for (const live of extra.live) live.resume(caller);
    },
    close: (why) =>
      why === "shutdown" ? closeSocket(socket, GOING_AWAY, "The server stops.") : extra.caller === null ? undefined : closeForToken(socket),
  });
  // A broken frame or a payload over the limit: ws closes the socket itself.
  socket.on("error", (error) => input.services.log.warn({ err: error }, "a WebSocket was closed because of what its client sent"));
  socket.once("close", (code, reason) => {
    clearInterval(pings);
    stream.remove();
    void closed(code, String(reason));
  });
}

/** A close frame's reason is at most 123 bytes. */
function closeSocket(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, Buffer.from(reason, "utf8").subarray(0, MAX_REASON_BYTES));
}

function closeForToken(socket: WebSocket): void {
  closeSocket(socket, UNAUTHORIZED, "QSC_ACCESS_TOKEN_REVOKED, QSC_ACCESS_SESSION_OVER or expired");
}

async function welcome(input: SocketInput, context: Context<Record<string, unknown>, Extra>): Promise<boolean> {
  const { extra, connectionParams } = context;
  try {
    extra.caller = await input.door.recognise(extra.request, { token: headerOf(connectionParams), isSocket: true });
    input.meet(extra.request, extra.caller);
    return true;
  } catch (error) {
    const { code } = presentError(error, input.services.log);
    closeSocket(extra.socket, UNAUTHORIZED, code);
    takesQuietly(() => input.takeStranger(input.groupOf(extra.request)));
    return false;
  }
}

function headerOf(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const value = params?.["authorization"] ?? params?.["Authorization"];
  return typeof value === "string" ? value : undefined;
}

interface Prepared {
  readonly operation: PreparedOperation;
  readonly extra: Extra & { readonly caller: Authenticated };
  /** The subscription's own, chosen by the client. */
  readonly id: string;
}

/** Everything between a `subscribe` message and its execution. Errors answer this operation only. */
async function prepare(
  input: SocketInput,
  context: Context<Record<string, unknown>, Extra>,
  { id, payload }: { readonly id: string; readonly payload: SubscribePayload & OperationParams },
) {
  const { extra, subscriptions } = context;
  const { caller, socket } = extra;
  if (caller === null) throw new Error("A subscription before the connection was acknowledged.");
  const { log } = input.services;
  try {
    input.takeCaller(caller);
    const most = input.limits.operationsPerSocket;
    if (Object.keys(subscriptions).length > most) {
      throw new DomainError(
        "QSC_GRAPHQL_TOO_MANY_SUBSCRIPTIONS",
        `A socket carries at most ${most} operations at once. Complete one, or open another socket.`,
      );
    }
    const operation = await prepareOperation(input.api, {
      documents: input.documents,
      caller,
      params: payload,
      log,
      takeCost: input.takeCost,
    });
    if (!("document" in operation)) return operation;
    return {
      schema: operation.enveloped.schema,
      document: operation.document,
      operationName: payload.operationName ?? null,
      variableValues: payload.variables ?? null,
      // A subscription has the context of its feed.
      contextValue: operation.operation.operation === OperationTypeNode.SUBSCRIPTION ? null : await operation.contextOf(caller),
      rootValue: { operation, extra, id },
    };
  } catch (error) {
    const shown = presentedError(error, log);
    if (shown.extensions["code"] === "QSC_HTTP_RATE_LIMITED") closeSocket(socket, TOO_MANY_REQUESTS, "QSC_HTTP_RATE_LIMITED");
    return [shown];
  }
}

/**
 * Joins a shared feed, which writes to the socket by itself. What graphql-ws iterates has only the last words: why the subscription is over,
 * and the end, so that completing, closing and ids stay its business.
 */
async function follow(
  input: SocketInput,
  { operation, extra, id }: Prepared,
): Promise<ExecutionResult | AsyncGenerator<ExecutionResult, undefined>> {
  const { socket, request, live } = extra;
  const start = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
  const sink = {
    isReady: () => !request.socket.writableNeedDrain,
    write: (message: LiveMessage) => socket.send(Buffer.concat([start, message.forSocket]), { binary: false }),
  };
  const stream = await input.feeds.subscribe(operation, { caller: extra.caller, sink });
  if (!("ended" in stream)) return { errors: stream };
  live.add(stream);
  if (extra.isPaused) stream.pause();
  void stream.ended.then(({ kind }) => {
    live.delete(stream);
    if (kind === "token") closeForToken(socket);
  });
  return lastWordsOf(stream, input.services.log);
}
