import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectorError, type ConnectorFetch } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { clock } from "../../clock.js";
import type { Database } from "../../db/client.js";

/** Nobody waits longer for a request's turn: the run is put off instead. */
const MAX_WAIT_MS = 60_000;
/** Turns that one server reserves at once are at most those of so long. */
const RESERVE_SPAN_MS = 250;
const SLOT_LEASE_MS = 30_000;
const SLOT_RENEW_MS = 10_000;
const SLOT_LOOK_MS = 100;
/** An answer that nobody reads keeps its place no longer than this after the request's own time. */
const UNREAD_GRACE_MS = 1_000;
const REQUEST_TIME_MS = 30_000;

/** What a system can bear, by its connector. */
export interface RequestLimits {
  readonly requestsPerSecond?: number;
  readonly concurrency?: number;
}

/** Keeps requests of all servers to what connectors say their systems can bear. */
export interface RequestPace {
  /** The same fetch, whose requests wait for their turn. Rejects with `rate_limited` when that would be later than a minute. */
  paced(
    fetch: ConnectorFetch,
    endpoint: { readonly id: number; readonly key: string },
    limits: RequestLimits,
    signal: AbortSignal,
  ): ConnectorFetch;
  close(): Promise<void>;
}

/**
 * Turns are reserved in the database, evenly apart, so that all servers together never begin more than `requestsPerSecond` in any second, and one server
 * asks for a bundle of turns when requests queue up. A turn that was reserved by somebody who then stopped is lost. `concurrency` is counted in the
 * database as well; a server that died holds its places for half a minute.
 */
export function createRequestPace(database: Database): RequestPace {
  const turns = createTurns(database);
  const slots = createSlots(database);
  return {
    paced(fetch, endpoint, { requestsPerSecond, concurrency }, signal) {
      if (requestsPerSecond === undefined && concurrency === undefined) return fetch;
      // Every request that waits listens to its call's one signal.
      setMaxListeners(0, signal);
      return async (url, options) => {
        const release = concurrency === undefined ? () => undefined : await slots.take(endpoint, concurrency, signal);
        try {
          if (requestsPerSecond !== undefined) await turns.take(endpoint, requestsPerSecond, signal);
          const response = await fetch(url, options);
          return releasingAtEnd(response, release, (options?.timeoutMs ?? REQUEST_TIME_MS) + UNREAD_GRACE_MS);
        } catch (thrown) {
          release();
          throw thrown;
        }
      };
    },
    close: () => slots.close(),
  };
}

function createTurns(database: Database) {
  const queues = new Map<number, { readonly resolve: (waitMs: number | null) => void; readonly reject: (error: Error) => void }[]>();
  const reserving = new Set<number>();
  const reserve = async (endpointId: number, perSecond: number): Promise<void> => {
    if (reserving.has(endpointId)) return;
    reserving.add(endpointId);
    const queue = queues.get(endpointId) ?? [];
    const intervalMs = 1_000 / perSecond;
    try {
      while (queue.length > 0) {
        const bundle = queue.slice(0, Math.max(1, Math.floor(RESERVE_SPAN_MS / intervalMs)));
        const rows = await database.db.execute<{ wait: number | null }>(
          sql`select reserve_requests(${endpointId}, ${bundle.length}, ${intervalMs}, ${MAX_WAIT_MS}) as wait`,
        );
        const wait = rows[0]?.wait ?? null;
        queue.splice(0, bundle.length);
        for (const [n, { resolve }] of bundle.entries()) resolve(wait === null ? null : wait + n * intervalMs);
      }
    } catch (cause) {
      for (const { reject } of queue) reject(new ConnectorError("transient", "The turn of a request could not be reserved.", { cause }));
    } finally {
      reserving.delete(endpointId);
      queues.delete(endpointId);
    }
  };
  return {
    async take(endpoint: { readonly id: number; readonly key: string }, perSecond: number, signal: AbortSignal): Promise<void> {
      const waitMs = await new Promise<number | null>((resolve, reject) => {
        const queue = queues.get(endpoint.id) ?? [];
        queues.set(endpoint.id, queue);
        queue.push({ resolve, reject });
        void reserve(endpoint.id, perSecond);
      });
      if (waitMs === null) throw tooLate(endpoint.key, `${perSecond} requests a second`);
      await pause(waitMs, signal);
    },
  };
}

function createSlots(database: Database) {
  const serverId = randomUUID();
  const held = new Map<number, number>();
  const renewing = setInterval(() => void renew(), SLOT_RENEW_MS);
  renewing.unref();
  const lease = `${SLOT_LEASE_MS} milliseconds`;
  const renew = async (): Promise<void> => {
    if (held.size === 0) return;
    await database.db
      .execute(
        sql`update endpoint_slot set lease_until = clock_timestamp() + ${lease}::interval where server_id = ${serverId}::uuid and held > 0`,
      )
      // The next renewal is in time for the same lease.
      .catch(() => undefined);
  };
  const giveBack = (endpointId: number): void => {
    const left = (held.get(endpointId) ?? 1) - 1;
    if (left > 0) held.set(endpointId, left);
    else held.delete(endpointId);
    void database.db
      .execute(
        sql`update endpoint_slot set held = greatest(0, held - 1) where endpoint_id = ${endpointId} and server_id = ${serverId}::uuid`,
      )
      // Its lease ends by itself when this server holds nothing any more.
      .catch(() => undefined);
  };
  return {
    async take(endpoint: { readonly id: number; readonly key: string }, most: number, signal: AbortSignal): Promise<() => void> {
      const untilMs = clock.monotonicMs() + MAX_WAIT_MS;
      while (clock.monotonicMs() < untilMs) {
        const rows = await database.db.execute<{ got: boolean }>(
          sql`select take_request_slot(${endpoint.id}, ${serverId}::uuid, ${most}, ${lease}::interval) as got`,
        );
        if (rows[0]?.got === true) {
          held.set(endpoint.id, (held.get(endpoint.id) ?? 0) + 1);
          let released = false;
          return () => {
            if (released) return;
            released = true;
            giveBack(endpoint.id);
          };
        }
        await pause(SLOT_LOOK_MS, signal);
      }
      throw tooLate(endpoint.key, `${most} requests at one time`);
    },
    async close(): Promise<void> {
      clearInterval(renewing);
      await database.db.execute(sql`delete from endpoint_slot where server_id = ${serverId}::uuid`).catch(() => undefined);
    },
  };
}

function tooLate(key: string, limit: string): ConnectorError {
  return new ConnectorError("rate_limited", `Endpoint "${key}" bears ${limit}, and more than those of a minute wait already.`, {
    retryAfterMs: MAX_WAIT_MS,
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) throw new ConnectorError("cancelled", "The call was stopped while a request waited for its turn.");
  if (ms <= 0) return;
  await sleep(ms, undefined, { signal }).catch(() => {
    throw new ConnectorError("cancelled", "The call was stopped while a request waited for its turn.");
  });
}

/** The place is given back when the answer has been read, was left, or is not read in its time. */
function releasingAtEnd(response: Response, release: () => void, limitMs: number): Response {
  if (response.body === null) {
    release();
    return response;
  }
  const timer = setTimeout(release, limitMs);
  timer.unref();
  const end = (): void => {
    clearTimeout(timer);
    release();
  };
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (thrown) {
        end();
        controller.error(thrown);
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  });
  const copy = new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
  Object.defineProperty(copy, "url", { value: response.url });
  return copy;
}
