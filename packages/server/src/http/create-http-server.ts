import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { can, DomainError } from "@quiesce/core";
import type { Authenticated } from "../access/authenticate.js";
import { createFailureLocks } from "../access/failure-locks.js";
import type { IdentityProvider } from "../access/oidc/identity-provider.js";
import { defaultSessionLimits, type SessionLimits } from "../access/sessions.js";
import { createAccessUse } from "../access/access-use.js";
import { createAccessWatch } from "../access/access-watch.js";
import { createVisibleDatabases } from "../access/visible-database.js";
import { redeemStreamTicket } from "../access/stream-tickets.js";
import { countedAs } from "../graphql/account-for-operations.js";
import { createApi } from "../graphql/create-yoga.js";
import { healthReport } from "../graphql/health-report.js";
import { createPersistedDocuments, type PersistedDocuments } from "../graphql/persisted-documents.js";
import { presentError } from "../graphql/present-error.js";
import type { ApiServices } from "../graphql/request-context.js";
import { createSharedFeeds } from "../graphql/shared-feeds.js";
import { defaultApiLimits, limitsCheck } from "./api-limits.js";
import { serveCalendar } from "./calendar-route.js";
import { createClientAddresses, homeNetworkOf } from "./client-address.js";
import { answerCors, originVerdict } from "./cors.js";
import { type Dashboard, loadDashboard, serveAsset, servePage, wantsDashboard } from "./dashboard-route.js";
import { serveGate } from "./gate-routes.js";
import { serveGraphiql, wantsPage } from "./graphiql-route.js";
import { paramsOfUrl, serveGraphql } from "./graphql-route.js";
import { createGraphqlSockets } from "./graphql-socket.js";
import { createOpenStreams } from "./open-streams.js";
import { createRateLimiter, FEED_LIMIT } from "./rate-limiter.js";
import { servePush } from "./push-route.js";
import { createCallerDoor } from "./recognise-caller.js";
import { createRequestBudgets, type RateOverrides } from "./request-budgets.js";
import { sendError, sendJson } from "./respond.js";
import { setSecurityHeaders } from "./security-headers.js";
import { serveReports } from "./report-routes.js";
import { serveSamples } from "./samples-route.js";
import { serveWebhook } from "./webhook-route.js";
import { createOwnAddress } from "./session-cookie.js";
import { serveSignIn, type SignInServices } from "./sign-in-routes.js";
import { serveTicketStream, type StreamServices } from "./stream-route.js";

export interface HttpServerOptions extends ApiServices, RateOverrides {
  /** Origins of web pages that may call the API from a browser, as https://ops.example.com; none when left out. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Whether the server is ready for work beyond its own checks: false while it starts and stops. */
  readonly isReady?: (() => boolean) | undefined;
  /** Addresses and subnets of proxies whose word on the client's address is believed; none when left out. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Whether browsers are shown GraphiQL; true when left out. */
  readonly graphiql?: boolean | undefined;
  /** Registered documents; every text is taken when left out. */
  readonly documents?: PersistedDocuments | undefined;
  readonly sessions?: SessionLimits | undefined;
  /** The web page at /; as it was built into this package when left out, null: none. */
  readonly dashboard?: Dashboard | null | undefined;
  /** Where people sign in; by links alone when left out. */
  readonly identityProvider?: IdentityProvider | null | undefined;
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
/** Connections beside those of streams. */
const MAX_REQUEST_CONNECTIONS = 5_000;

export function createHttpServer(given: HttpServerOptions): HttpServer {
  const { limits = defaultApiLimits, corsOrigins = [], trustedProxies = [], graphiql = true } = given;
  const addresses = createClientAddresses(trustedProxies);
  const budgets = createRequestBudgets(limits, given);
  const inForce = limitsCheck({ limits, corsOrigins, trustedProxies, graphiql });
  const watch = given.watch ?? createAccessWatch(given);
  const use = given.use ?? createAccessUse(given);
  const healthChecks = async () => [...((await given.healthChecks?.()) ?? []), inForce];
  const visible = createVisibleDatabases(given.database);
  const options: HttpServerOptions = { ...given, visible, limits, watch, use, healthChecks };
  const documents = options.documents ?? createPersistedDocuments({ documents: new Map(), only: false });
  const { takeCost } = budgets;
  const api = createApi({ ...options, documents, takeCost });
  const feeds = createSharedFeeds(options);
  const streams = createOpenStreams(options);
  const stream: StreamServices = { api, documents, feeds, streams, limits, takeCost, log: options.log };
  const readers = createRateLimiter(FEED_LIMIT);
  /** Who was recognised in a request, for what becomes of it. */
  const recognised = new WeakMap<IncomingMessage, Authenticated>();
  const meet = (request: IncomingMessage, caller: Authenticated): void => {
    recognised.set(request, caller);
    watch.arrived({ principalId: caller.principalId, name: caller.principal.name }, homeNetworkOf(addresses.of(request)));
  };
  const own = createOwnAddress(given.publicUrl);
  const locks = createFailureLocks(given);
  const door = createCallerDoor({ database: given.database, own, locks, groupOf: (request) => addresses.group(request) });
  const signIn: SignInServices = {
    ...given,
    own,
    locks,
    limits: given.sessions ?? defaultSessionLimits,
    provider: given.identityProvider ?? null,
    startPath: "/",
    groupOf: (request) => addresses.group(request),
  };
  // Its own page keeps its origin, whatever a proxy makes of the host.
  const socketOrigins = given.publicUrl === undefined ? corsOrigins : [...corsOrigins, new URL(given.publicUrl).origin];
  const sockets = createGraphqlSockets({
    ...stream,
    ...budgets,
    meet,
    door,
    services: options,
    groupOf: addresses.group,
    allowsOrigin: (request) => originVerdict(request, socketOrigins) !== "foreign",
  });

  /** Who asks. Strangers pay for each wrong token, so that guessing ends soon. */
  const identifyBy = async (request: IncomingMessage, recognise: () => Promise<Authenticated>): Promise<Authenticated> => {
    let caller: Authenticated;
    try {
      caller = await recognise();
    } catch (error) {
      if (error instanceof DomainError) budgets.takeStranger(addresses.group(request));
      throw error;
    }
    meet(request, caller);
    budgets.takeCaller(caller);
    return caller;
  };
  const identify = (request: IncomingMessage) => identifyBy(request, () => door.recognise(request));

  const route = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (answerCors(request, response, corsOrigins)) return;
    const { pathname } = url;
    if (pathname === "/livez") return sendJson(response, 200, { status: "pass" });
    if (pathname === "/readyz") return serveReadiness(response, options);
    budgets.takeAddress(addresses.group(request));
    if (pathname === "/health") return serveHealth(request, response, { options, identify, isStranger: !door.showsCredential(request) });
    if (pathname === "/graphql") {
      const input = { stream, request, response, url };
      if (graphiql && wantsPage(request, url)) return serveGraphiql(request, response);
      return serveGraphql({ ...input, caller: await identify(request) });
    }
    if (pathname === TICKET_STREAM_PATH) {
      const ticket = url.searchParams.get("ticket");
      const caller = await identifyBy(request, () => door.recogniseBy(request, ticket, () => redeemStreamTicket(options.database, ticket)));
      return serveTicketStream(stream, { request, response, caller, params: paramsOfUrl(url) });
    }
    if (pathname.startsWith("/auth/")) return serveSignIn({ services: signIn, request, response, url });
    if (pathname.startsWith("/calendars/")) {
      const takeStranger = () => budgets.takeStranger(addresses.group(request));
      return serveCalendar({ request, response, url, services: options, takeStranger, takeReader: (id) => readers.take(String(id)) });
    }
    if (pathname.startsWith("/hooks/") && options.webhooks !== undefined) {
      const takeStranger = () => budgets.takeStranger(addresses.group(request));
      return serveWebhook({ request, response, url, services: { ...options, webhooks: options.webhooks }, takeStranger });
    }
    if (pathname.startsWith("/gate/")) return serveGate({ request, response, url, services: options, caller: await identify(request) });
    if (pathname === "/ingest/samples") return serveSamples({ request, response, url, services: options, caller: await identify(request) });
    if (pathname.startsWith("/reports/"))
      return serveReports({ request, response, url, services: options, caller: await identify(request) });
    if (pathname.startsWith("/push/")) return servePush({ request, response, url, services: options, caller: await identify(request) });
    const dashboard = given.dashboard === undefined ? await loadDashboard() : given.dashboard;
    if (dashboard !== null) {
      if (serveAsset(request, response, { dashboard, path: pathname })) return;
      if (wantsDashboard(request, url)) return servePage(request, response, dashboard);
    }
    if (pathname === "/" && request.method === "GET") return void response.writeHead(302, { location: "/graphql" }).end();
    throw new DomainError(
      "QSC_HTTP_NOT_FOUND",
      "There is no such address. The page for people is at /, GraphQL at /graphql, the gate at /gate/<integration>, the inbox at /push/<integration>, samples at /ingest/samples, webhooks go to /hooks/<endpoint>.",
    );
  };

  const server = createServer((request, response) => {
    setSecurityHeaders(response, { isHttps: addresses.isHttps(request) });
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
      const [caller, kind] = [recognised.get(request), countedAs(presented.code)];
      if (caller !== undefined && kind !== null) watch.counted({ principalId: caller.principalId, name: caller.principal.name }, kind);
      if (response.headersSent) response.destroy();
      else sendError(response, presented, shape);
    });
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = BODY_TIMEOUT_MS;
  // Beyond, a connection is closed before anything is read from it.
  server.maxConnections = limits.sockets + MAX_REQUEST_CONNECTIONS;
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
      await visible.close();
      await watch.settled();
      await use.settled();
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
  try {
    const target = request.url ?? "";
    // Two slashes at the beginning are a strange path here, and not the name of another host.
    return target.startsWith("/") ? new URL(`http://quiesce.invalid${target}`) : new URL(target, "http://quiesce.invalid");
  } catch {
    return null;
  }
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
  input: {
    readonly options: HttpServerOptions;
    readonly identify: (request: IncomingMessage) => Promise<Authenticated>;
    readonly isStranger: boolean;
  },
): Promise<void> {
  const report = await healthReport(input.options);
  const caller = input.isStranger ? null : await input.identify(request);
  const seesAll = caller !== null && can(caller.principal, "control.read");
  if (seesAll) input.options.use?.used(caller, "control.read");
  const body = seesAll ? report : { status: report.status };
  sendJson(response, report.status === "fail" ? 503 : 200, body, { "content-type": "application/health+json" });
}
