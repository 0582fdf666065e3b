import { type Database, openDatabase } from "../db/client.js";

const maxConnections = 4;
const timeoutMs = 2_000;

/**
 * Connections for peeks, claims and the worker's lease alone: these never wait behind commands. A claim takes milliseconds; one of a client that
 * froze, or of a plan gone wrong, must not keep the dispatch locks from writers.
 */
export function openDispatchDatabase(url: string): Database {
  return openDatabase(url, {
    max: maxConnections,
    applicationName: "quiesce-dispatch",
    statementTimeoutMs: timeoutMs,
    idleInTransactionTimeoutMs: timeoutMs,
    plansEachCall: true,
  });
}
