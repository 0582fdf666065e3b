import { movedElsewhere, type PlannedOccurrence, windowKindEffects } from "@quiesce/core";
import { and, inArray, isNull, sql } from "drizzle-orm";
import { type CommandContext, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { expandNewWindow, occurrenceHorizonMs } from "./expand.js";
import { happeningsOf } from "./freeze-store.js";
import { type FreezeHandling, freezeHorizonMs, recordFreezes, refuseInFreeze } from "./refuse-in-freeze.js";
import { hasBegun } from "./save-window.js";
import { deleteFutureOccurrences } from "./store.js";
import { maintenanceWindow, type WindowRow } from "./table.js";

/** When each window happens that counts by a calendar; by the window's number. */
type Stood = ReadonlyMap<number, readonly PlannedOccurrence[]>;

/** When the windows that count by these calendars happen: asked before the calendars are written, to know later what moved. */
export async function whenCounted(tx: Tx, context: CommandContext, calendars: ReadonlySet<string>): Promise<Stood> {
  if (calendars.size === 0) return new Map();
  const now = await readNow(tx);
  const windows = await countingWindows(tx, calendars);
  return happeningsOf(tx, { windows, zones: context.zones, now, until: now + freezeHorizonMs });
}

/**
 * Computes again what lies ahead of the windows that count by a calendar that changed: of those that block changes, or of the others. A change that
 * comes to lie in a freeze by that is judged as if it were planned there. Answers the integrations whose cover changed.
 */
export async function recountWindows(
  tx: Tx,
  context: CommandContext,
  input: {
    readonly calendars: ReadonlySet<string>;
    readonly except: ReadonlySet<string>;
    readonly blocking: boolean;
    readonly stood: Stood;
    readonly freezes: FreezeHandling;
  },
): Promise<readonly number[]> {
  const { calendars, except, blocking, stood, freezes } = input;
  if (calendars.size === 0) return [];
  const windows = await countingWindows(tx, calendars);
  const changed: number[] = [];
  for (const window of windows) {
    if (except.has(window.key) || windowKindEffects[window.kind].blocksChanges !== blocking) continue;
    const now = await readNow(tx);
    await deleteFutureOccurrences(tx, window.id, now);
    changed.push(...(await expandNewWindow(tx, { window, zones: context.zones, now, fromNow: await hasBegun(tx, window.id) })));
    await judgeRecounted(tx, context, { window, stood: stood.get(window.id) ?? [], now, freezes });
    const subject = { subjectKind: "window", subjectKey: window.key } as const;
    await appendEvents(tx, [{ ...subject, kind: "window.recounted", payload: { calendar: window.series.calendar ?? null } }]);
  }
  return changed;
}

function countingWindows(tx: Tx, calendars: ReadonlySet<string>): Promise<readonly WindowRow[]> {
  return tx
    .select()
    .from(maintenanceWindow)
    .where(and(isNull(maintenanceWindow.cancelledAt), inArray(sql`${maintenanceWindow.series} ->> 'calendar'`, [...calendars])))
    .orderBy(maintenanceWindow.id)
    .for("update");
}

/** Only what moved is judged: what stood in a freeze before has been decided on, or was there first. */
async function judgeRecounted(
  tx: Tx,
  context: CommandContext,
  input: {
    readonly window: WindowRow;
    readonly stood: readonly PlannedOccurrence[];
    readonly now: number;
    readonly freezes: FreezeHandling;
  },
): Promise<void> {
  const { window, stood, now, freezes } = input;
  if (!windowKindEffects[window.kind].changes) return;
  const windows = [{ ...window, expandedUntil: now + occurrenceHorizonMs }];
  const happens = await happeningsOf(tx, { windows, zones: context.zones, now, until: now + freezeHorizonMs });
  const { key, kind, scope, series } = window;
  const plan = { key, kind, scope, timeZone: series.timeZone };
  const planned = movedElsewhere(stood, happens.get(window.id) ?? []);
  const stays = await refuseInFreeze(tx, context, { ...freezes, window: plan, planned, now });
  await recordFreezes(tx, { window, stays, adds: true });
}
