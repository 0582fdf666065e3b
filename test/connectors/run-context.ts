import { lookup } from "node:dns/promises";
import {
  networkError,
  parseSettings,
  type Connector,
  type ConnectorFetch,
  type Context,
  type Cursor,
  type Json,
  type Page,
  type SourceRecord,
  type WriteItem,
} from "@quiesce/sdk";

/** Options of {@link runContext}. */
export interface RunContextOptions {
  readonly config: unknown;
  readonly secrets?: unknown;
  readonly now?: Date;
  readonly signal?: AbortSignal;
}

/** A context as a host would make it, with real sockets: settings parsed by the connector's own schemas, state in memory. */
export async function runContext<C, S>(connector: Connector<C, S>, options: RunContextOptions): Promise<Context<C, S>> {
  const config = await parseSettings(connector.config, options.config);
  const secrets = await parseSettings(connector.secrets, options.secrets ?? {});
  if (!config.ok) throw new Error(`bad config: ${JSON.stringify(config.issues)}`);
  if (!secrets.ok) throw new Error(`bad secrets: ${JSON.stringify(secrets.issues)}`);
  const state = new Map<string, Json>();
  const signal = options.signal ?? new AbortController().signal;
  const quiet = (): void => undefined;
  return {
    config: config.value,
    secrets: secrets.value,
    signal,
    deadline: new Date(Date.now() + 60_000),
    fetch: classifyingFetch(signal),
    resolveHost: (host) => addressesOf(host),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    metric: quiet,
    state: {
      get: async (name) => state.get(name),
      set: async (name, value) => void state.set(name, value),
    },
    clock: { now: () => options.now ?? new Date() },
    meta: { integrationId: "i", endpointId: "e", runId: "r", attempt: 1, dryRun: false },
  };
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.toSorted((a, b) => a.family - b.family).map(({ address }) => address);
  } catch (thrown) {
    throw networkError(thrown, host);
  }
}

function classifyingFetch(signal: AbortSignal): ConnectorFetch {
  return async (url, options = {}) => {
    const { timeoutMs, ...init } = options;
    const signals = [signal, ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)])];
    try {
      return await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    } catch (thrown) {
      throw networkError(thrown, new URL(url).host, signal);
    }
  };
}

/** Reads until the stream says there is no more, as the engine does; `stopAfter` kills the reader after so many pages. */
export async function readPages(
  connector: Connector,
  x: Context,
  request: { readonly stream: string; readonly cursor?: Cursor | null; readonly pageSize?: number; readonly stopAfter?: number },
): Promise<{ records: SourceRecord[]; cursor: Cursor | null; pages: number; complete: boolean }> {
  if (connector.read === undefined) throw new Error(`${connector.id} cannot read`);
  const records: SourceRecord[] = [];
  let cursor = request.cursor ?? null;
  let pages = 0;
  for await (const page of connector.read(x, { stream: request.stream, cursor, pageSize: request.pageSize ?? 100 })) {
    records.push(...page.records);
    // As after a commit and a restart: only what JSON keeps comes back.
    cursor = JSON.parse(JSON.stringify(page.cursor)) as Cursor;
    pages += 1;
    if (!page.more) return { records, cursor, pages, complete: true };
    if (pages === request.stopAfter) break;
  }
  return { records, cursor, pages, complete: false };
}

/** A read whose pages are asked for one by one, for tests that stop in between. */
export function openPages(connector: Connector, x: Context, pageSize: number): { readonly next: () => Promise<Page> } {
  if (connector.read === undefined) throw new Error(`${connector.id} cannot read`);
  const pages = connector.read(x, { stream: "s", cursor: null, pageSize })[Symbol.asyncIterator]();
  return {
    next: async () => {
      const step = await pages.next();
      if (step.done === true) throw new Error("the read is at its end");
      return step.value;
    },
  };
}

/** Reads the whole stream with a new reader for every page. */
export async function readResumed(
  connector: Connector,
  x: Context,
  request: { readonly stream: string; readonly pageSize: number },
): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  let cursor: Cursor | null = null;
  for (let round = 0; round < 10_000; round += 1) {
    const part: Awaited<ReturnType<typeof readPages>> = await readPages(connector, x, { ...request, cursor, stopAfter: 1 });
    records.push(...part.records);
    cursor = part.cursor;
    if (part.complete) return records;
  }
  throw new Error("the stream never said that there is no more");
}

/** All keys of a stream, in the order of the listing. */
export async function listKeys(connector: Connector, x: Context, stream: string, pageSize = 100): Promise<string[]> {
  if (connector.listKeys === undefined) throw new Error(`${connector.id} cannot list keys`);
  const keys: string[] = [];
  let complete = false;
  for await (const page of connector.listKeys(x, { stream, cursor: null, pageSize })) {
    keys.push(...page.keys);
    complete = !page.more;
  }
  if (!complete) throw new Error("the listing ended without its last page");
  return keys;
}

/** An item to write; the idempotency key is made of the key and the version. */
export function writeItem(key: string, data: WriteItem["data"], more: Partial<WriteItem> = {}): WriteItem {
  return { key, data, idempotencyKey: `test:stream:${key}:${more.version ?? "1"}`, ...more };
}

/** The error a promise rejects with, or an error if it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("expected a rejection, found success");
    },
    (error: unknown) => error,
  );
}
