import { type Database, openDatabase } from "../db/client.js";

/** Transactions of pages are short, so the runs of a server share these. A single run uses one: a backend that knows its tables and statements. */
const MAX_CONNECTIONS = 4;
/** The statements of a page, with and without what is seldom. */
const PREPARED_TEXTS = 40;

/**
 * Connections for what runs repeat at every page. Prepared statements answer there with nothing, or with columns that no migration changes: to another
 * result PostgreSQL refuses a statement that was prepared before. They are planned at each call, for a plan for any value would open every day of runs.
 */
export function openPageDatabase(url: string, statementTimeoutMs: number): Database {
  return openDatabase(url, {
    max: MAX_CONNECTIONS,
    applicationName: "quiesce-pages",
    statementTimeoutMs,
    plansEachCall: true,
    preparedTexts: PREPARED_TEXTS,
  });
}
