import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { can, DomainError } from "@quiesce/core";
import { authenticate, type Authenticated } from "../access/authenticate.js";
import { redeemStreamTicket } from "../access/stream-tickets.js";
import { createApi } from "../graphql/create-yoga.js";
import { healthReport } from "../graphql/health-report.js";
import { createPersistedDocuments, type PersistedDocuments } from "../graphql/persisted-documents.js";
import { presentError } from "../graphql/present-error.js";
import type { ApiServices } from "../graphql/request-context.js";
import { createSharedFeeds } from "../graphql/shared-feeds.js";
import { serveCalendar } from "./calendar-route.js";
import { serveGate } from "./gate-routes.js";
import { paramsOfUrl, serveGraphiql, serveGraphql, wantsPage } from "./graphql-route.js";
import { createGraphqlSockets } from "./graphql-socket.js";
import { createOpenStreams } from "./open-streams.js";
import { CALLER_LIMIT, createRateLimiter, FEED_LIMIT, type RateLimit, STRANGER_LIMIT } from "./rate-limiter.js";
import { servePush } from "./push-route.js";
import { sendError, sendJson } from "./respond.js";
import { serveTicketStream, type StreamServices } from "./stream-route.js";

export interface HttpServerOptions extends ApiServices {
  /** Origins of web pages that may call the API from a browser, as https://ops.example.com; none when left out. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Whether the server is ready for work beyond its own checks: false while it starts and stops. */
  readonly isReady?: (() => boolean) | undefined;
  readonly callerLimit?: RateLimit | undefined;
  /** Registered documents; every text is taken when left out. */
  readonly documents?: PersistedDocuments | undefined;
}

/** GraphQL, GraphiQL, the gate and the health pages on one port. */
export interface HttpServer {
  /** Listens; port 0 takes a free one. */
  start(port: number, host: string): Promise<void>;
  /** Takes no more requests, ends streams with "going away", and waits for what is in flight, three seconds or `limitMs` at most. */
  stop(limitMs?: number): Promise<void>;
  /** Where it listens, as http://127.0.0.1:4000; empty before `start`. */
  readonly url: string;
}

const STOP_WAIT_MS = 3_000;
/** What is left of the limit for closing the connections that were waited for. */
const STOP_RESERVE_MS = 100;
const STOP_LOOK_MS = 50;
/** For clients that can send no header. The ticket stands in the address, so addresses are never logged. */
const TICKET_STREAM_PATH = "/graphql/stream";
const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 60_000;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const documents = options.documents ?? createPersistedDocuments({ documents: new Map(), only: false });
  const api = createApi({ ...options, documents });
  const feeds = createSharedFeeds(options);
  const streams = createOpenStreams(options);
  const stream: StreamServices = { api, documents, feeds, streams, log: options.log };
  const callers = createRateLimiter(options.callerLimit ?? CALLER_LIMIT);
  const strangers = createRateLimiter(STRANGER_LIMIT);
  const readers = createRateLimiter(FEED_LIMIT);
  const takeCaller = ({ tokenId }: Authenticated) => callers.take(String(tokenId));
  const sockets = createGraphqlSockets({ ...stream, services: options, takeCaller, takeStranger: (address) => strangers.take(address) });

  /** Who asks. Strangers pay for each wrong token, so that guessing ends soon. */
  const identifyBy = async (request: IncomingMessage, recognise: () => Promise<Authenticated>): Promise<Authenticated> => {
    let caller: Authenticated;
    try {
      caller = await recognise();
    } catch (error) {
      if (error instanceof DomainError) strangers.take(request.socket.remoteAddress ?? "");
      throw error;
    }
    takeCaller(caller);
    return caller;
  };
  const identify = (request: IncomingMessage) => identifyBy(request, () => authenticate(options.database, request.headers.authorization));

  const route = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (allowOrigin(request, response, options.corsOrigins ?? [])) return;
    const { pathname } = url;
    if (pathname === "/livez") return sendJson(response, 200, { status: "pass" });
    if (pathname === "/readyz") return serveReadiness(response, options);
    if (pathname === "/health") return serveHealth(request, response, { options, identify });
    if (pathname === "/graphql") {
      const input = { stream, request, response, url };
      return wantsPage(request, url) ? serveGraphiql(input) : serveGraphql({ ...input, caller: await identify(request) });
    }
    if (pathname === TICKET_STREAM_PATH) {
      const caller = await identifyBy(request, () => redeemStreamTicket(options.database, url.searchParams.get("ticket")));
      return serveTicketStream(stream, { request, response, caller, params: paramsOfUrl(url) });
    }
    if (pathname.startsWith("/calendars/")) {
      const takeStranger = () => strangers.take(request.socket.remoteAddress ?? "");
      return serveCalendar({ request, response, url, services: options, takeStranger, takeReader: (id) => readers.take(String(id)) });
    }
    if (pathname.startsWith("/gate/")) return serveGate({ request, response, url, services: options, caller: await identify(request) });
    if (pathname.startsWith("/push/")) return servePush({ request, response, url, services: options, caller: await identify(request) });
    if (pathname === "/" && request.method === "GET") return void response.writeHead(302, { location: "/graphql" }).end();
    throw new DomainError(
      "QSC_HTTP_NOT_FOUND",
      "There is no such address. GraphQL is at /graphql, the gate at /gate/<integration>, the inbox at /push/<integration>.",
    );
  };

  const server = createServer((request, response) => {
    const url = parseUrl(request);
    const shape = url?.pathname.startsWith("/graphql") === true ? "graphql" : "rest";
    const work =
      url === null
        ? Promise.reject(new DomainError("QSC_HTTP_NOT_FOUND", "The address is not well-formed."))
        : route(request, response, url);
    work.catch((error: unknown) => {
      // A client that left in the middle of its own request is nobody's fault.
      if (response.destroyed || request.errored) return;
      const presented = presentError(error, options.log);
      if (response.headersSent) response.destroy();
      else sendError(response, presented, shape);
    });
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = BODY_TIMEOUT_MS;
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => socket.destroy());
    if (parseUrl(request)?.pathname === "/graphql") sockets.upgrade(request, socket, head);
    else socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
  });

  return {
    start: (port, host) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          streams.start();
          resolve();
        });
      }),
    async stop(limitMs = STOP_WAIT_MS) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const waitMs = Math.max(0, Math.min(STOP_WAIT_MS, limitMs - STOP_RESERVE_MS));
      const timer = setTimeout(() => server.closeAllConnections(), waitMs);
      // A connection whose answer or stream ends during the stop is kept alive for five more seconds, unless somebody looks again.
      const looking = setInterval(() => server.closeIdleConnections(), STOP_LOOK_MS);
      streams.stop();
      await Promise.all([sockets.stop(), closed]);
      clearTimeout(timer);
      clearInterval(looking);
    },
    get url() {
      const address = server.address();
      return address === null || typeof address === "string" ? "" : urlOf(address);
    },
  };
}

function urlOf({ address, family, port }: AddressInfo): string {
  const host = address === "::" || address === "0.0.0.0" ? "localhost" : family === "IPv6" ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

function parseUrl(request: IncomingMessage): URL | null {
  return URL.canParse(request.url ?? "", "http://quiesce.invalid") ? new URL(request.url ?? "", "http://quiesce.invalid") : null;
}

/** Answers CORS for pages of allowed origins; true when the request was only the browser's question. */
function allowOrigin(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): boolean {
  const { origin } = request.headers;
  response.setHeader("vary", "Origin");
  if (origin !== undefined && allowed.includes(origin)) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-headers", "authorization, content-type");
    response.setHeader("access-control-allow-methods", "GET, POST");
    response.setHeader("access-control-max-age", "600");
  }
  if (request.method !== "OPTIONS") return false;
  response.writeHead(204).end();
  return true;
}

async function serveReadiness(response: ServerResponse, options: HttpServerOptions): Promise<void> {
  const { serves } = await healthReport(options);
  const ready = serves && options.isReady?.() !== false;
  sendJson(response, ready ? 200 : 503, { status: ready ? "pass" : "fail" });
}

/** Strangers learn whether it is well; what was looked at is for callers with a token. */
async function serveHealth(
  request: IncomingMessage,
  response: ServerResponse,
  input: { readonly options: HttpServerOptions; readonly identify: (request: IncomingMessage) => Promise<Authenticated> },
): Promise<void> {
  const report = await healthReport(input.options);
  const caller = request.headers.authorization === undefined ? null : await input.identify(request);
  const body = caller !== null && can(caller.principal, "control.read") ? report : { status: report.status };
  sendJson(response, report.status === "fail" ? 503 : 200, body, { "content-type": "application/health+json" });
}
