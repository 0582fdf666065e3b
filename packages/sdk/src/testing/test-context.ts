import { ConnectorError, parseSettings, type CallMeta, type Connector, type Context, type Json, type LogFields } from "../index.js";
import { testFetch } from "./test-fetch.js";

/** One line that the connector logged. */
export interface LoggedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** One figure that the connector recorded. */
export interface RecordedMetric {
  readonly name: string;
  readonly value: number;
  readonly labels: { readonly [name: string]: string };
}

/** A context for tests, with what the connector did through it. */
export interface TestContext<C = unknown, S = unknown> extends Context<C, S> {
  readonly lines: readonly LoggedLine[];
  readonly metrics: readonly RecordedMetric[];
  /** Requests of `fetch`, redirects among them. */
  readonly requests: readonly { readonly method: string; readonly url: URL }[];
  /** What `state` holds; hand it to another context to be the same endpoint again. */
  readonly stored: Map<string, StoredValue>;
  /** Moves the virtual clock. */
  readonly advance: (ms: number) => void;
}

/** A value of `state`, and when it ends by the virtual clock. */
export interface StoredValue {
  readonly value: Json;
  readonly untilMs: number;
}

/** Options of {@link testContext}. */
export interface TestContextOptions {
  readonly config: unknown;
  readonly secrets?: unknown;
  /** Where the virtual clock stands; 2026-11-20T08:00:00Z if absent. It moves only by `advance`. */
  readonly now?: Date;
  readonly signal?: AbortSignal;
  /** Time for one request in milliseconds: 10 000 if absent. */
  readonly requestTimeoutMs?: number;
  readonly stored?: Map<string, StoredValue>;
  readonly meta?: Partial<CallMeta>;
}

/** Where the virtual clock stands at the beginning. */
export const TEST_NOW = new Date("2026-11-20T08:00:00.000Z");
const REQUEST_TIMEOUT_MS = 10_000;
const DEADLINE_MS = 60_000;
const STATE_MAX_BYTES = 64 * 1024;

/**
 * A context as a host makes it, for one endpoint: settings parsed by the connector's own schemas, a virtual clock, a fetch that reaches the connector's
 * `egress` only, a log, figures and a state that can be looked at. Throws ConnectorError `config` for settings that the schemas refuse.
 */
export async function testContext<C, S>(connector: Connector<C, S>, options: TestContextOptions): Promise<TestContext<C, S>> {
  const config = settled("config", await parseSettings(connector.config, options.config));
  const secrets = settled("secrets", await parseSettings(connector.secrets, options.secrets ?? {}));
  let nowMs = (options.now ?? TEST_NOW).getTime();
  const now = (): Date => new Date(nowMs);
  const signal = options.signal ?? new AbortController().signal;
  const origins = connector.egress(config);
  const lines: LoggedLine[] = [];
  const metrics: RecordedMetric[] = [];
  const requests: { method: string; url: URL }[] = [];
  const stored = options.stored ?? new Map<string, StoredValue>();
  const line =
    (level: LoggedLine["level"]) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields });
  return {
    config,
    secrets,
    signal,
    deadline: new Date(nowMs + DEADLINE_MS),
    fetch: testFetch({
      origins,
      signal,
      requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      auth: connector.auth?.(config, secrets),
      classify: connector.classify?.bind(connector),
      sent: (method, url) => void requests.push({ method, url }),
      now,
    }),
    resolveHost: async (host) => resolveHost(origins, host),
    log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    metric: (name, value, labels = {}) => void metrics.push({ name, value, labels }),
    state: stateOf(stored, now),
    clock: { now },
    meta: { integrationId: "integration", endpointId: "endpoint", runId: "run", attempt: 1, dryRun: false, ...options.meta },
    lines,
    metrics,
    requests,
    stored,
    advance: (ms) => void (nowMs += ms),
  };
}

function settled<T>(what: string, parsed: Awaited<ReturnType<typeof parseSettings<T>>>): T {
  if (parsed.ok) return parsed.value;
  const issues = parsed.issues.map(({ path, message }) => `${path === "" ? what : path}: ${message}`).join("; ");
  throw new ConnectorError("config", `The ${what} given to the test does not fit the connector's schema: ${issues}`);
}

function resolveHost(origins: readonly string[], host: string): readonly string[] {
  const own = origins.some((origin) => URL.canParse(origin) && new URL(origin).hostname.replace(/^\[|\]$/gu, "") === host);
  if (!own) throw new ConnectorError("permission", `${host} is not among the origins of this endpoint: ${origins.join(", ") || "none"}.`);
  return [host === "localhost" ? "127.0.0.1" : host];
}

function stateOf(stored: Map<string, StoredValue>, now: () => Date): Context["state"] {
  return {
    get: async (name) => {
      const found = stored.get(name);
      return found === undefined || found.untilMs <= now().getTime() ? undefined : found.value;
    },
    set: async (name, value, { ttlMs } = {}) => {
      const text = JSON.stringify(value);
      if (Buffer.byteLength(text) > STATE_MAX_BYTES)
        throw new ConnectorError("bug", `state "${name}" has ${Buffer.byteLength(text)} bytes, the most is ${STATE_MAX_BYTES}.`);
      // Only what JSON keeps comes back, as from the host's database.
      const untilMs = ttlMs === undefined ? Number.POSITIVE_INFINITY : now().getTime() + ttlMs;
      stored.set(name, { value: JSON.parse(text) as Json, untilMs });
    },
  };
}
