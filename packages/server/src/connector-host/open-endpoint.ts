import {
  type AlertPage,
  type Connector,
  ConnectorError,
  type Context,
  type Cursor,
  ERROR_POLICIES,
  type FacetName,
  facetsOf,
  type KeyHash,
  type KeyPage,
  type ListKeysRequest,
  type Page,
  type ReadRequest,
  type ReconcileCapability,
  type Stream,
  type WriteIdempotency,
  writeIdempotency,
  type WriteItem,
  type WriteResult,
} from "@quiesce/sdk";
import type { EndpointFacts } from "./endpoint-facts.js";
import type { HostedConnector } from "./hosted-connector.js";
import { alertPageProblem, countProblem, digestsProblem, keyHashesProblem, keyPageProblem, pageProblem } from "./page-problem.js";
import { requirePermit, type RunPermit } from "./run-permit.js";
import { type CallGuard, settleCall } from "./settle-call.js";
import type { EndpointTraffic } from "./traffic/endpoint-traffic.js";

/**
 * An endpoint that a claimed run has opened. Every function demands that the run's permit still holds; every error is a ConnectorError without
 * secrets.
 */
export interface OpenEndpoint {
  readonly key: string;
  /** The connector that answers, as it is loaded now. */
  readonly connector: UsedConnector;
  readonly facets: readonly FacetName[];
  /** The streams there are; empty if the connector does not tell. */
  streams(): Promise<readonly Stream[]>;
  /** Pages, checked; ends after one with `more: false`. Leaving the loop releases what the connector holds. */
  read(request: ReadRequest): AsyncIterable<Page>;
  listKeys(request: ListKeysRequest): AsyncIterable<KeyPage>;
  /** What of a comparison it can do by itself. */
  readonly reconciles: { readonly [name in "count" | "keys" | "digest"]: boolean };
  reconcileCount(request: Asked<"count">): Promise<number>;
  reconcileKeys(request: Asked<"keys">): Promise<readonly KeyHash[]>;
  reconcileDigest(request: Asked<"digest">): Promise<readonly string[]>;
  /** What a monitor says; ends after a page with `more: false`. */
  alerts(request: { readonly cursor: Cursor | null }): AsyncIterable<AlertPage>;
  readonly maxBatch: number;
  idempotencyOf(stream: string): WriteIdempotency;
  /** One result for each item; a missing one is filled in as an ambiguous failure. */
  write(stream: string, items: readonly WriteItem[]): Promise<readonly WriteResult[]>;
}

/** Which connector an endpoint was used with. */
export interface UsedConnector {
  /** What endpoints call it: its alias, or its id. */
  readonly name: string;
  readonly id: string;
  /** null: it comes with Quiesce. */
  readonly package: string | null;
  readonly version: string;
}

type Asked<Name extends keyof ReconcileCapability<unknown, unknown>> = Parameters<Required<ReconcileCapability<unknown, unknown>>[Name]>[1];

/** Binds a connector's facets to a permit and a context. */
export function boundEndpoint(options: {
  readonly permit: RunPermit;
  readonly key: string;
  readonly connector: Connector;
  readonly context: Context;
  readonly guard: CallGuard;
  readonly hosted: Pick<HostedConnector, "isolation" | "name" | "package" | "version">;
  readonly facts: Pick<EndpointFacts, "idempotency">;
  readonly traffic: EndpointTraffic;
}): OpenEndpoint {
  const { permit, key, connector, context, guard, hosted, facts, traffic } = options;
  const lacks = (what: string): ConnectorError =>
    new ConnectorError("config", `Endpoint "${key}": the connector "${connector.id}" cannot ${what}. Use another connector here.`);
  const call: Call = (work, how) => {
    requirePermit(permit);
    return traffic.watched(() => settleCall(guard, work), how);
  };
  /** Comparing; every answer is checked. */
  function boundReconcile(): Pick<OpenEndpoint, "reconciles" | "reconcileCount" | "reconcileKeys" | "reconcileDigest"> {
    const { reconcile } = connector;
    const checked = async <T>(
      stream: string,
      problem: (answer: T) => string | undefined,
      work: () => Promise<T> | undefined,
    ): Promise<T> => {
      const answer = await call(async () => {
        const given = work();
        if (given === undefined) throw lacks("compare so");
        return given;
      });
      const found = problem(answer);
      if (found === undefined) return answer;
      throw new ConnectorError("contract", `Endpoint "${key}", comparing "${stream}": ${found}.`);
    };
    return {
      reconciles: { count: reconcile?.count !== undefined, keys: reconcile?.keys !== undefined, digest: reconcile?.digest !== undefined },
      reconcileCount: (request) => checked(request.stream, countProblem, () => reconcile?.count?.(context, request)),
      reconcileKeys: (request) =>
        checked(
          request.stream,
          (page) => keyHashesProblem(page, request.limit),
          () => reconcile?.keys?.(context, request),
        ),
      reconcileDigest: (request) => checked(request.stream, digestsProblem, () => reconcile?.digest?.(context, request)),
    };
  }
  return {
    key,
    connector: { name: hosted.name, id: connector.id, package: hosted.package, version: hosted.version },
    facets: facetsOf(connector),
    streams: async () =>
      connector.streams === undefined ? [] : call(async () => (await connector.streams?.(context)) ?? [], { speaks: false }),
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
    ...boundReconcile(),
    alerts(request) {
      if (connector.alerts?.pull === undefined) throw lacks("be asked for alerts");
      return pagesOf(call, () => connector.alerts?.pull?.(context, request), {
        key,
        what: "asking for alerts",
        problemOf: alertPageProblem,
      });
    },
    get maxBatch() {
      if (connector.write === undefined) throw lacks("write");
      return connector.write.maxBatch;
    },
    idempotencyOf(stream) {
      if (connector.write === undefined) throw lacks("write");
      // A connector elsewhere was asked about the streams that the integrations have; of any other nothing is known.
      return (
        facts.idempotency[stream] ?? (hosted.isolation === "worker" ? "none" : writeIdempotency(connector.write, context.config, stream))
      );
    },
    async write(stream, items) {
      const { write } = connector;
      if (write === undefined) throw lacks("write");
      const results = await call(async () => write.apply(context, stream, items), { judge: systemTrouble });
      return completed(items, results, guard);
    },
  };
}

type Call = EndpointTraffic["watched"];

async function* pagesOf<P extends { readonly more: boolean }>(
  call: Call,
  open: () => AsyncIterable<P> | undefined,
  options: { readonly key: string; readonly what: string; readonly problemOf: (page: P) => string | undefined },
): AsyncGenerator<P, void, void> {
  const iterator = await call(async () => open()?.[Symbol.asyncIterator](), { speaks: false });
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

/** Records that were not written because of the system and not because of themselves. */
function systemTrouble(results: readonly WriteResult[]): ConnectorError | undefined {
  for (const result of results) {
    if (result.ok) continue;
    const { kind, message, retryAfterMs } = result.error;
    if (ERROR_POLICIES[kind].feedsBreaker || ERROR_POLICIES[kind].delaysEndpoint)
      return new ConnectorError(kind, message, { retryAfterMs });
  }
  return undefined;
}

function completed(items: readonly WriteItem[], results: readonly WriteResult[], guard: CallGuard): readonly WriteResult[] {
  // Most connectors answer in the order of the items.
  if (results.length === items.length && results.every((result, index) => result.ok && result.key === items[index]?.key)) return results;
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
