import { z } from "zod";

const number = (minimum: number, maximum: number, fallback: number) => {
  const expected = `Expected a whole number from ${minimum} to ${maximum}.`;
  return z.coerce.number(expected).int(expected).min(minimum, expected).max(maximum, expected).default(fallback);
};

/** Bounds of what one caller, one address and one operation may cost a server, each one environment variable. They are part of the settings in config.ts. */
export const apiLimitSettings = {
  QUIESCE_MAX_QUERY_DEPTH: number(3, 30, 10).describe("Fields inside fields of a GraphQL operation. Introspection has its own bound, 20."),
  QUIESCE_MAX_QUERY_ALIASES: number(0, 500, 15).describe("Aliases of an operation, its fragments unfolded."),
  QUIESCE_MAX_QUERY_DIRECTIVES: number(0, 500, 50).describe("Directives of an operation, its fragments unfolded."),
  QUIESCE_MAX_QUERY_TOKENS: number(100, 20_000, 1_000).describe("Lexical tokens of a document. Long inputs belong into variables."),
  QUIESCE_MAX_QUERY_FIELDS: number(50, 20_000, 1_000).describe("Fields of an operation, its fragments unfolded."),
  QUIESCE_MAX_QUERY_COST: number(1_000, 10_000_000, 50_000).describe(
    "Points of an operation: one a field, times the page size of every list around it.",
  ),
  QUIESCE_MAX_BODY_KIB: number(16, 4_096, 256).describe("KiB of an ordinary request's body, and of a WebSocket message."),
  QUIESCE_REQUEST_SECONDS: number(1, 120, 10).describe("An operation that takes longer is given up."),
  QUIESCE_MAX_SOCKETS: number(1, 100_000, 5_000).describe("Open WebSockets and streams of events of this server."),
  QUIESCE_MAX_SOCKETS_PER_ADDRESS: number(1, 100_000, 2_000).describe("Open WebSockets from one address (IPv6: one /64)."),
  QUIESCE_MAX_OPERATIONS_PER_SOCKET: number(1, 1_000, 50).describe("Operations under way on one WebSocket."),
  QUIESCE_CALLER_REQUESTS_PER_SECOND: number(1, 100_000, 100).describe(
    "Requests of one principal, over all its tokens and all transports; five times as many at once.",
  ),
  QUIESCE_CALLER_COST_PER_MINUTE: number(1_000, 1_000_000_000, 6_000_000).describe(
    "Points of GraphQL that one principal may spend in a minute; at least QUIESCE_MAX_QUERY_COST.",
  ),
  QUIESCE_ADDRESS_REQUESTS_PER_SECOND: number(1, 100_000, 400).describe(
    "Requests from one address (IPv6: one /64), whoever sends them; five times as many at once.",
  ),
} as const;

/** The effective bounds of one server. Durations are seconds, sizes KiB, costs points. */
export interface ApiLimits {
  readonly queryDepth: number;
  readonly queryAliases: number;
  readonly queryDirectives: number;
  readonly queryTokens: number;
  readonly queryFields: number;
  readonly queryCost: number;
  readonly bodyKib: number;
  readonly requestSeconds: number;
  readonly sockets: number;
  readonly socketsPerAddress: number;
  readonly operationsPerSocket: number;
  readonly callerRequestsPerSecond: number;
  readonly callerCostPerMinute: number;
  readonly addressRequestsPerSecond: number;
}

/** A caller or an address may do so many seconds' worth at once. */
export const BURST_SECONDS = 5;

type Values = z.output<z.ZodObject<typeof apiLimitSettings>>;

/** The settings as the server uses them. */
export function apiLimitsOf(values: Values): ApiLimits {
  return {
    queryDepth: values.QUIESCE_MAX_QUERY_DEPTH,
    queryAliases: values.QUIESCE_MAX_QUERY_ALIASES,
    queryDirectives: values.QUIESCE_MAX_QUERY_DIRECTIVES,
    queryTokens: values.QUIESCE_MAX_QUERY_TOKENS,
    queryFields: values.QUIESCE_MAX_QUERY_FIELDS,
    queryCost: values.QUIESCE_MAX_QUERY_COST,
    bodyKib: values.QUIESCE_MAX_BODY_KIB,
    requestSeconds: values.QUIESCE_REQUEST_SECONDS,
    sockets: values.QUIESCE_MAX_SOCKETS,
    socketsPerAddress: values.QUIESCE_MAX_SOCKETS_PER_ADDRESS,
    operationsPerSocket: values.QUIESCE_MAX_OPERATIONS_PER_SOCKET,
    callerRequestsPerSecond: values.QUIESCE_CALLER_REQUESTS_PER_SECOND,
    callerCostPerMinute: values.QUIESCE_CALLER_COST_PER_MINUTE,
    addressRequestsPerSecond: values.QUIESCE_ADDRESS_REQUESTS_PER_SECOND,
  };
}

/** What a server has that is told nothing. */
export const defaultApiLimits: ApiLimits = apiLimitsOf(z.object(apiLimitSettings).parse({}));

/** The limits in force, as `/health` and `health` show them to callers: a proxy that hides clients and a forgotten origin are found here. */
export function limitsCheck(options: {
  readonly limits: ApiLimits;
  readonly corsOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly graphiql: boolean;
}): { readonly name: string; readonly status: "pass"; readonly observed: unknown } {
  const { limits, corsOrigins, trustedProxies, graphiql } = options;
  return { name: "limits", status: "pass", observed: { ...limits, corsOrigins, trustedProxies, graphiql } };
}
