import { occurrences, type ZoneData } from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { lockDispatch, lockCatalogue } from "./locks.js";
import { applyMembership } from "./membership.js";
import { insertOccurrenceHolds, insertOccurrences, loadCatalogFacts, windowsToExpand } from "./store.js";
import { withMovedOccurrences } from "./moved-occurrences.js";
import { evaluatedSeries } from "./planning-store.js";
import { maintenanceWindow, type WindowRow } from "./table.js";

const dayMs = 86_400_000;
/** Occurrences are written this far ahead: for lists, previews and conflicts. */
export const occurrenceHorizonMs = 100 * dayMs;
/** Holds with their members are written this far ahead: they are what the claim asks. */
export const holdHorizonMs = 7 * dayMs;
/** Both are renewed when less than this is left of the holds' horizon. */
const renewBelowMs = 6 * dayMs;
/** A window of this length is the longest; what began earlier cannot be open any more. */
export const longestOccurrenceMs = 400 * dayMs;

/** Writes the occurrences of one window ahead. `from` is inclusive; occurrences that are over at `now` are left out. */
export async function expandWindow(
  tx: Tx,
  input: { readonly window: WindowRow; readonly zones: ZoneData; readonly now: number; readonly from: number },
): Promise<void> {
  const until = input.now + occurrenceHorizonMs;
  const series = await evaluatedSeries(tx, input.window.series);
  const found = occurrences(series, { from: input.from, to: until }, input.zones);
  const ahead = await withMovedOccurrences(tx, { ...input, series, found });
  await insertOccurrences(tx, {
    window: input.window,
    zoneDataVersion: input.zones.version,
    occurrences: ahead.filter(({ startsAt, endsAt }) => endsAt > input.now && startsAt < until).map(({ one }) => one),
  });
  await tx.update(maintenanceWindow).set({ expandedUntil: until }).where(eq(maintenanceWindow.id, input.window.id));
}

/** The occurrences of a window that was just created or edited, with their holds. Answers the integrations that are covered by them. */
export async function expandNewWindow(
  tx: Tx,
  input: { readonly window: WindowRow; readonly zones: ZoneData; readonly now: number; readonly fromNow: boolean },
): Promise<readonly number[]> {
  // An edit changes what lies ahead; a new window may have begun already.
  const from = input.fromNow ? input.now + 1 : input.now - longestOccurrenceMs;
  await expandWindow(tx, { ...input, from });
  const holds = await insertOccurrenceHolds(tx, { until: input.now + holdHorizonMs, now: input.now, windowId: input.window.id });
  return applyMembership(tx, { facts: await loadCatalogFacts(tx), holds });
}

/**
 * Keeps the expansion ahead of the clock: occurrences to 100 days, holds to 7. Cheap when nothing is due. While it is stale the claim starts
 * nothing, so this also runs at the start of a server that was down for long.
 */
export async function expandWindows(context: Pick<CommandContext, "database" | "zones">): Promise<{ readonly expanded: boolean }> {
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ due: boolean }>(sql`
      select expanded_until < app_now() + ${`${renewBelowMs} milliseconds`}::interval as due from control`);
    if (rows[0]?.due !== true) return { expanded: false };
    await lockCatalogue(tx);
    const now = await readNow(tx);
    for (const window of await windowsToExpand(tx, now + occurrenceHorizonMs - dayMs)) {
      await expandWindow(tx, { window, zones: context.zones, now, from: window.expandedUntil });
    }
    // What began and ended while nobody was there held nothing; its account is closed.
    await tx.execute(sql`
      update occurrence as o set closed_at = ${now}::timestamptz
      where o.closed_at is null and o.cancelled_at is null and o.ends_at <= ${now}::timestamptz
        and not exists (select from hold as h where h.occurrence_id = o.id)`);
    const holds = await insertOccurrenceHolds(tx, { until: now + holdHorizonMs, now });
    const changed = await applyMembership(tx, { facts: await loadCatalogFacts(tx), holds });
    await tx.execute(sql`
      update control set expanded_until = ${now + holdHorizonMs}::timestamptz, zone_data_version = coalesce(zone_data_version, ${context.zones.version})`);
    await lockDispatch(tx, changed.length === 0 ? [] : "all");
    return { expanded: true };
  });
}
