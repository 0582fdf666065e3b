import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "./client.js";
import { selectRows } from "./select-rows.js";

/** Whether a statement's `from` and `where`, such as "team where key = $1", find a row. */
export async function anyRow(tx: Tx, what: SQL): Promise<boolean> {
  const [row] = await selectRows<{ readonly found: boolean }>(tx, sql`select exists (select from ${what}) as found`);
  return row?.found === true;
}
