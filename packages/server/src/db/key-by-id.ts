import { sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { selectRows } from "./select-rows.js";

/** Tables whose rows have a key beside their number. */
export type KeyedTable = "system" | "endpoint" | "integration" | "job" | "maintenance_window";

/** The key of a row by its number; null when there is none. */
export async function keyById(database: Database, table: KeyedTable, id: number): Promise<string | null> {
  const [row] = await selectRows<{ readonly key: string }>(
    database.db,
    sql`select key from ${sql.identifier(table)} where id = ${id}::integer`,
  );
  return row?.key ?? null;
}
