import { type WindowSeries, windowAt, type ZoneData } from "@quiesce/core";
import { readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { evaluatedSeries } from "./planning-store.js";

/** When a window happens next as its series says; null when it never does again, or is cancelled. */
export async function nextStartOfSeries(
  database: Database,
  zones: ZoneData,
  window: { readonly series: WindowSeries; readonly cancelledAt: number | null },
): Promise<number | null> {
  if (window.cancelledAt !== null) return null;
  const series = await evaluatedSeries(database.db, window.series);
  const at = windowAt(series, await readNow(database.db), zones);
  // An occurrence of now that was cancelled, or ended early, is not the next one.
  const after = at.inWindow ? windowAt(series, at.end, zones) : at;
  return after.inWindow ? null : after.nextStart;
}
