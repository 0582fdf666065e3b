import type { SQL } from "drizzle-orm";
import type { Tx } from "./client.js";

/** The rows of one statement. The row type is the caller's word about its own columns; nothing checks it but tests. */
export async function selectRows<Row>(tx: Tx, query: SQL): Promise<readonly Row[]> {
  return [...(await tx.execute(query))] as unknown as readonly Row[];
}
