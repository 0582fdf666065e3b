import { sql } from "drizzle-orm";
import type { Change } from "../access/targets.js";
import { anyRow } from "../db/any-row.js";
import type { RequestContext } from "../graphql/request-context.js";
import { type StoredScope, targetOfScope } from "./stored-scope.js";

/** What is changed by saving: the scope that is named, and that of the one of this key that is there already. */
export async function changeOf(
  { whole }: RequestContext,
  of: { readonly table: "objective" | "threshold" | "anomaly_rule"; readonly key: string; readonly scope: StoredScope },
): Promise<Change> {
  const isThere = await anyRow(whole.db, sql`${sql.identifier(of.table)} where key = ${of.key}`);
  return {
    action: "objectives.write",
    on: [targetOfScope(of.scope), ...(isThere ? [{ kind: of.table, key: of.key } as const] : [])],
  };
}
