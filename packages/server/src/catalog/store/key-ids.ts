import { inArray } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { endpoint, integration, job, system } from "../table.js";

/** Rows of one statement; PostgreSQL takes 65,535 parameters. */
export const ROWS_PER_STATEMENT = 500;

/** The ids behind keys of one table; unknown keys are left out. */
export async function idsOfKeys(
  tx: Tx,
  table: typeof system | typeof endpoint | typeof integration | typeof job,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const ids = new Map<string, number>();
  for (const some of inChunks([...new Set(keys)])) {
    const rows = await tx
      .select({ id: table.id, key: table.key })
      .from(table)
      .where(inArray(table.key, [...some]));
    for (const row of rows) ids.set(row.key, row.id);
  }
  return ids;
}

/** The id of a key that validation has found already. */
export function idOf(ids: ReadonlyMap<string, number>, key: string): number {
  const id = ids.get(key);
  if (id === undefined) throw new Error(`There is no row for the key ${key}, though it was checked.`);
  return id;
}

/** Splits a list into pieces of at most {@link ROWS_PER_STATEMENT}. */
export function inChunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const chunks: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += ROWS_PER_STATEMENT) chunks.push(items.slice(start, start + ROWS_PER_STATEMENT));
  return chunks;
}
