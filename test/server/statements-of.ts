import type { Database } from "../../packages/server/src/db/client.js";

/** What reads and numbers events, notes uses of rights every now and then, and opens connections, does so by itself, whatever is asked. */
const BY_ITSELF = /\bevent_(?:log|head|inbox)\b|\baccess_use\b|\bpg_catalog\.pg_type\b/;

/** The statements that a piece of work sends to the database: what an attack costs, without a clock. */
export async function statementsOf(database: Database, work: () => Promise<unknown>): Promise<readonly string[]> {
  const statements: string[] = [];
  const { options } = database.sql;
  options.debug = (_connection, statement) => {
    if (!BY_ITSELF.test(statement)) statements.push(statement);
  };
  try {
    await work();
    return statements;
  } finally {
    options.debug = false;
  }
}
