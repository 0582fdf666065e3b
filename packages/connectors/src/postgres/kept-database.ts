import { openDatabase, type Database, type PostgresContext } from "./postgres-client.js";
import type { Column } from "./table-columns.js";

/**
 * A connection that outlives a batch waits so long for the next one, in milliseconds. Batches of a copy follow one another within a tenth of that, and
 * for slower ones a new connection (7 ms, measured) does not matter.
 */
const KEPT_MS = 500;

/** A connection, and the columns of the table that it writes to. */
export interface Writer {
  readonly database: Database;
  readonly streamName: string;
  readonly columns: readonly Column[];
  /**
   * Rows of the next batch may be there already, value by value: some of the batch before were, or it is the first of this connection and may be one that
   * a process wrote which was killed then.
   */
  mayRepeat: boolean;
}

interface Kept extends Writer {
  readonly timer: NodeJS.Timeout;
}

/** By the context of an opened endpoint: no other run, and no other credential, meets it. */
const keptByContext = new WeakMap<PostgresContext, Kept>();

/** The connection of the batch before, if there is one. It may have ended meanwhile. */
export async function takeKept(x: PostgresContext, streamName: string): Promise<Writer | undefined> {
  const kept = keptByContext.get(x);
  if (kept === undefined) return undefined;
  keptByContext.delete(x);
  clearTimeout(kept.timer);
  if (kept.streamName === streamName) return kept;
  await kept.database.close();
  return undefined;
}

/** A new connection. */
export async function openWriter(
  x: PostgresContext,
  streamName: string,
  columnsOf: (database: Database) => Promise<readonly Column[]>,
): Promise<Writer> {
  const database = await openDatabase(x);
  try {
    return { database, streamName, columns: await columnsOf(database), mayRepeat: true };
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** Keeps the connection for the next batch of the same stream, after a batch in which everything went well. */
export function keepForNext(x: PostgresContext, writer: Writer): void {
  const { database } = writer;
  const timer = setTimeout(() => {
    if (keptByContext.get(x) === kept) keptByContext.delete(x);
    void database.close().catch(() => undefined);
  }, KEPT_MS);
  timer.unref();
  const kept: Kept = { ...writer, timer };
  keptByContext.set(x, kept);
}
