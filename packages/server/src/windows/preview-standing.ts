import { DomainError, type Occurrence, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { inputOf } from "./commands.js";
import { type PreviewConflicts, previewConflicts } from "./preview-conflicts.js";
import { previewWindow, type WindowPreview } from "./preview.js";
import { loadCatalogFacts } from "./store.js";
import { maintenanceWindow } from "./table.js";

/** Previews a window that stands: when it really happens, with every override, and what that does. Throws QSC_WINDOW_NOT_FOUND. */
export async function previewStandingWindow(tx: Tx, zones: ZoneData, key: string): Promise<WindowPreview> {
  const [window] = await tx
    .select()
    .from(maintenanceWindow)
    .where(sql`${maintenanceWindow.key} = ${key} and ${maintenanceWindow.cancelledAt} is null`);
  if (window === undefined) throw new DomainError("QSC_WINDOW_NOT_FOUND", `There is no window "${key}".`, { field: "key" });
  return previewWindow(tx, zones, { ...inputOf(window), key }, { happens: await happeningFromNow(tx, window.id) });
}

/** What a window that stands meets, with every override; nothing where it is cancelled. */
export async function standingConflicts(tx: Tx, windowId: number): Promise<PreviewConflicts> {
  const [window] = await tx
    .select()
    .from(maintenanceWindow)
    .where(sql`${maintenanceWindow.id} = ${windowId} and ${maintenanceWindow.cancelledAt} is null`);
  if (window === undefined) return { listed: [], overlaps: 0, touches: 0 };
  return previewConflicts(tx, { facts: await loadCatalogFacts(tx), plan: window, occurrences: await happeningFromNow(tx, window.id) });
}

async function happeningFromNow(tx: Tx, windowId: number): Promise<readonly Occurrence[]> {
  return tx.execute<Occurrence & { readonly [column: string]: unknown }>(sql`
    select starts_at as start, ends_at as "end", local_start as "localStart", local_end as "localEnd", notes from occurrence
    where window_id = ${windowId} and cancelled_at is null and released_at is null and closed_at is null and ends_at > app_now()
    order by starts_at, id`);
}
