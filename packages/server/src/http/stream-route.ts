import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError } from "@quiesce/core";
import { OperationTypeNode } from "graphql";
import type { Authenticated } from "../access/authenticate.js";
import type { LiveMessage } from "../events/live-message.js";
import type { TakeCost } from "../graphql/account-for-operations.js";
import type { Api } from "../graphql/create-yoga.js";
import type { PersistedDocuments } from "../graphql/persisted-documents.js";
import { type OperationParams, type PreparedOperation, prepareOperation } from "../graphql/prepare-operation.js";
import type { Log } from "../log.js";
import { lastWords, type SharedFeeds } from "../graphql/shared-feeds.js";
import type { ApiLimits } from "./api-limits.js";
import type { OpenStreams } from "./open-streams.js";

/** What a stream of server-sent events needs of the server around it. */
export interface StreamServices {
  readonly api: Api;
  readonly documents: PersistedDocuments;
  readonly feeds: SharedFeeds;
  readonly streams: OpenStreams;
  readonly limits: ApiLimits;
  readonly takeCost: TakeCost;
  readonly log: Log;
}

interface StreamRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly caller: Authenticated;
  readonly params: OperationParams;
}

/** Proxies close what is silent for half a minute; a comment now and then costs nothing. */
const PING_INTERVAL_MS = 12_000;
const PING = ":\n\n";

/** Serves a subscription as server-sent events. Answers false, with nothing sent, for an operation that is none. */
export async function serveStream(services: StreamServices, input: StreamRequest): Promise<boolean> {
  const { caller, params } = input;
  const prepared = await prepareOperation(services.api, { ...services, caller, params });
  // A reader of events cannot read the body of a refusal: it is told in the stream.
  if (!("document" in prepared)) return tell(input.response, prepared);
  return prepared.operation.operation === OperationTypeNode.SUBSCRIPTION && serveSubscription(services, input, prepared);
}

/** Serves the one stream that a ticket is worth. A ticket is good for nothing else: an address is kept in too many places. */
export async function serveTicketStream(
  services: StreamServices,
  { params, ...input }: Omit<StreamRequest, "params"> & { readonly params: OperationParams | null },
): Promise<void> {
  if (input.request.method !== "GET")
    throw new DomainError("QSC_HTTP_METHOD", `This address takes GET, found ${input.request.method ?? "nothing"}.`);
  if (params === null) throw new DomainError("QSC_GRAPHQL_INVALID", "`variables` must be a JSON object.", { field: "variables" });
  if (await serveStream(services, { ...input, params })) return;
  throw new DomainError("QSC_GRAPHQL_STREAM_ONLY", "This address takes subscriptions only. Send queries and mutations to POST /graphql.");
}

async function serveSubscription(services: StreamServices, input: StreamRequest, operation: PreparedOperation): Promise<true> {
  const { request, response, caller } = input;
  const sink = {
    isReady: () => !response.writableNeedDrain,
    write: (message: LiveMessage) => void response.write(message.forStream),
  };
  if (services.streams.size >= services.limits.sockets)
    throw new DomainError(
      "QSC_HTTP_STREAMS_FULL",
      `This server has ${services.limits.sockets} open streams, and no more. Try again later, or at another server.`,
    );
  // Before the first wait: a client that leaves meanwhile must not leave its subscription behind.
  const left = new Promise<void>((resolve) => response.once("close", resolve));
  begin(response);
  const stream = await services.feeds.subscribe(operation, { caller, sink });
  if (!("ended" in stream)) return tell(response, stream);
  void left.then(() => stream.close());
  response.on("drain", () => stream.drained());
  const pings = setInterval(() => (sink.isReady() ? response.write(PING) : undefined), PING_INTERVAL_MS);
  let now = caller;
  const open = services.streams.add({
    get caller() {
      return now;
    },
    // Nothing tells the client that the subscription is complete: it is to come back.
    close: () => stream.close(),
    pause: () => stream.pause(),
    resume: (renewed) => {
      now = renewed;
      stream.resume(renewed);
    },
  });
  request.socket.setNoDelay(true);
  const end = await stream.ended;
  clearInterval(pings);
  open.remove();
  const last = lastWords(end, services.log);
  if (last === null) response.end();
  else tell(response, last.errors ?? []);
  return true;
}

function begin(response: ServerResponse): void {
  if (response.headersSent) return;
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    // Proxies that gather answers would keep events back.
    "x-accel-buffering": "no",
  });
  // Some browsers show nothing before the first byte.
  response.write(PING);
}

/** The last event of a stream: why there are no more. */
function tell(response: ServerResponse, errors: readonly object[]): true {
  begin(response);
  response.end(`event: next\ndata: ${JSON.stringify({ errors })}\n\nevent: complete\ndata:\n\n`);
  return true;
}
