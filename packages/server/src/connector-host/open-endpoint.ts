import {
  type Connector,
  ConnectorError,
  type Context,
  type FacetName,
  facetsOf,
  type KeyPage,
  type ListKeysRequest,
  type Page,
  type ReadRequest,
  type Stream,
  type WriteIdempotency,
  writeIdempotency,
  type WriteItem,
  type WriteResult,
} from "@quiesce/sdk";
import { keyPageProblem, pageProblem } from "./page-problem.js";
import { requirePermit, type RunPermit } from "./run-permit.js";
import { type CallGuard, settleCall } from "./settle-call.js";

/**
 * An endpoint that a claimed run has opened. Every function demands that the run's permit still holds; every error is a ConnectorError without
 * secrets.
 */
export interface OpenEndpoint {
  readonly key: string;
  readonly facets: readonly FacetName[];
  /** The streams there are; empty if the connector does not tell. */
  streams(): Promise<readonly Stream[]>;
  /** Pages, checked; ends after one with `more: false`. Leaving the loop releases what the connector holds. */
  read(request: ReadRequest): AsyncIterable<Page>;
  listKeys(request: ListKeysRequest): AsyncIterable<KeyPage>;
  readonly maxBatch: number;
  idempotencyOf(stream: string): WriteIdempotency;
  /** One result for each item; a missing one is filled in as an ambiguous failure. */
  write(stream: string, items: readonly WriteItem[]): Promise<readonly WriteResult[]>;
}

/** Binds a connector's facets to a permit and a context. */
export function boundEndpoint(options: {
  readonly permit: RunPermit;
  readonly key: string;
  readonly connector: Connector;
  readonly context: Context;
  readonly guard: CallGuard;
}): OpenEndpoint {
  const { permit, key, connector, context, guard } = options;
  const lacks = (what: string): ConnectorError =>
    new ConnectorError("config", `Endpoint "${key}": the connector "${connector.id}" cannot ${what}. Use another connector here.`);
  const call = <T>(work: () => Promise<T>): Promise<T> => {
    requirePermit(permit);
    return settleCall(guard, work);
  };
  return {
    key,
    facets: facetsOf(connector),
    streams: async () => (connector.streams === undefined ? [] : call(async () => (await connector.streams?.(context)) ?? [])),
    read(request) {
      if (connector.read === undefined) throw lacks("read");
      return pagesOf(call, () => connector.read?.(context, request), { key, what: `reading "${request.stream}"`, problemOf: pageProblem });
    },
    listKeys(request) {
      if (connector.listKeys === undefined) throw lacks("list keys");
      return pagesOf(call, () => connector.listKeys?.(context, request), {
        key,
        what: `listing the keys of "${request.stream}"`,
        problemOf: keyPageProblem,
      });
    },
    get maxBatch() {
      if (connector.write === undefined) throw lacks("write");
      return connector.write.maxBatch;
    },
    idempotencyOf(stream) {
      if (connector.write === undefined) throw lacks("write");
      return writeIdempotency(connector.write, context.config, stream);
    },
    async write(stream, items) {
      const { write } = connector;
      if (write === undefined) throw lacks("write");
      const results = await call(async () => write.apply(context, stream, items));
      return completed(items, results, guard);
    },
  };
}

type Call = <T>(work: () => Promise<T>) => Promise<T>;

async function* pagesOf<P extends { readonly more: boolean }>(
  call: Call,
  open: () => AsyncIterable<P> | undefined,
  options: { readonly key: string; readonly what: string; readonly problemOf: (page: P) => string | undefined },
): AsyncGenerator<P, void, void> {
  const iterator = await call(async () => open()?.[Symbol.asyncIterator]());
  if (iterator === undefined) return;
  let ended = false;
  try {
    while (true) {
      const step = await call(() => iterator.next()).catch((error: unknown) => {
        // An iterator that threw is at its end; one that was left behind would not hear a return.
        ended = true;
        throw error;
      });
      if (step.done === true) {
        ended = true;
        return;
      }
      const problem = options.problemOf(step.value);
      if (problem !== undefined) throw new ConnectorError("contract", `Endpoint "${options.key}", ${options.what}: ${problem}.`);
      yield step.value;
      if (!step.value.more) return;
    }
  } finally {
    // Not through `call`: clean-up has to happen after an abort too, and its failure must not hide why the loop was left.
    if (!ended) await releaseIterator(iterator);
  }
}

/** A connector whose clean-up hangs is left behind. */
const RELEASE_LIMIT_MS = 5_000;

async function releaseIterator(iterator: AsyncIterator<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RELEASE_LIMIT_MS);
  });
  await Promise.race([Promise.resolve(iterator.return?.()).catch(() => undefined), limit]);
  clearTimeout(timer);
}

function completed(items: readonly WriteItem[], results: readonly WriteResult[], guard: CallGuard): readonly WriteResult[] {
  const byKey = new Map(results.map((result) => [result.key, result]));
  return items.map((item) => {
    const result = byKey.get(item.key);
    if (result === undefined) {
      return {
        key: item.key,
        ok: false,
        error: {
          kind: "contract",
          message: "The connector gave no result for this record, so nobody knows whether it was written.",
          ambiguous: true,
        },
      };
    }
    return result.ok ? result : { ...result, error: guard.mask.deep(result.error) };
  });
}
