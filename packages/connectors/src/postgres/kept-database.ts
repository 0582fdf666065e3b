import { openDatabase, type Database, type PostgresContext } from "./postgres-client.js";
import type { Column } from "./table-columns.js";

/**
 * A connection that outlives a batch waits so long for the next one, in milliseconds. Batches of a copy follow one another within a tenth of that, and
 * for slower ones a new connection (7 ms, measured) does not matter.
 */
const KEPT_MS = 500;

/** A connection with a transaction begun, and the columns of the table that it writes to. */
export interface Writer {
  readonly database: Database;
  readonly streamName: string;
  readonly columns: readonly Column[];
}

interface Kept extends Writer {
  readonly timer: NodeJS.Timeout;
}

/** By the context of an opened endpoint: no other run, and no other credential, meets it. */
const keptByContext = new WeakMap<PostgresContext, Kept>();

/** The connection of the batch before, or a new one; `columnsOf` is asked before the transaction of a new one. */
export async function beginWriting(
  x: PostgresContext,
  streamName: string,
  columnsOf: (database: Database) => Promise<readonly Column[]>,
): Promise<Writer> {
  const kept = keptByContext.get(x);
  if (kept !== undefined) {
    keptByContext.delete(x);
    clearTimeout(kept.timer);
    if (kept.streamName === streamName && (await hasBegun(kept.database))) return kept;
    await kept.database.close();
  }
  const database = await openDatabase(x);
  try {
    const columns = await columnsOf(database);
    await database.begin();
    return { database, streamName, columns };
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

/** Keeps the connection for the next batch of the same stream, after a batch in which everything went well. */
export function keepForNext(x: PostgresContext, writer: Writer): void {
  const { database, streamName, columns } = writer;
  const timer = setTimeout(() => {
    if (keptByContext.get(x) === kept) keptByContext.delete(x);
    void database.close().catch(() => undefined);
  }, KEPT_MS);
  timer.unref();
  const kept: Kept = { database, streamName, columns, timer };
  keptByContext.set(x, kept);
}

/** A server that ended the connection meanwhile, or a firewall, is no trouble of the batch: nothing was sent yet. */
async function hasBegun(database: Database): Promise<boolean> {
  return database.begin().then(
    () => true,
    () => false,
  );
}
