import { DomainError, parseLocal } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { WindowRow } from "./table.js";

const maxCompared = 2_000;

/** There is no such occurrence: the error, with the one whose start is nearest to the named one. */
export async function unknownOccurrence(
  tx: Tx,
  input: { readonly window: Pick<WindowRow, "id" | "key">; readonly localStart: string | undefined },
): Promise<DomainError> {
  const { window, localStart } = input;
  if (localStart === undefined) {
    return new DomainError("QSC_OCCURRENCE_NOT_FOUND", `The window "${window.key}" has no current or coming occurrence.`, {
      field: "localStart",
    });
  }
  const rows = await tx.execute<{ localStart: string }>(sql`
    select local_start as "localStart" from occurrence where window_id = ${window.id} and cancelled_at is null and ends_at > app_now()
    order by starts_at limit ${maxCompared}`);
  const wanted = parseLocal(localStart);
  const distance = (one: string): number => Math.abs((parseLocal(one) ?? 0) - (wanted ?? 0));
  const names = rows.map((row) => row.localStart);
  const nearest = wanted === null ? names[0] : names.toSorted((a, b) => distance(a) - distance(b))[0];
  const hint =
    nearest === undefined
      ? ""
      : ` ${wanted === null ? "The next" : "The nearest"} that it has: ${nearest}. An occurrence is named by the start that the series gives it.`;
  return new DomainError("QSC_OCCURRENCE_NOT_FOUND", `The window "${window.key}" has no occurrence that starts at ${localStart}.${hint}`, {
    field: "localStart",
    details: nearest === undefined ? {} : { nearest },
  });
}
