import { createHash } from "node:crypto";
import { type EventName, type ImportPlan, occurrences, type PlannedWindow, sortedJson, type WindowInput } from "@quiesce/core";
import { and, eq, isNull } from "drizzle-orm";
import { type CommandContext, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import type { FreezeHandling } from "../windows/refuse-in-freeze.js";
import { deleteWindow, saveWindow } from "../windows/save-window.js";
import { maintenanceWindow, type WindowRow } from "../windows/table.js";
import { openOccurrences } from "./store.js";
import { calendarImportEvent, type ImportEventRow, type ImportReport, type ImportRow, type ReportedWindow } from "./table.js";

/** Entries of each list of a report. */
const maxReported = 500;
/** Of an event that is gone while its window is open: the next pass sees that the window is not as the calendar wants it. */
const goneFingerprint = "gone";

/** An event of an import that has a window, with the window as it is now. */
interface Known {
  readonly row: ImportEventRow;
  readonly window: WindowRow;
}

/** What has to be done so that the windows of an import are as its calendar says. */
interface Difference {
  readonly added: readonly PlannedWindow[];
  readonly changed: readonly { readonly planned: PlannedWindow; readonly known: Known }[];
  readonly gone: readonly Known[];
  readonly unchanged: number;
}

/** The windows that were made from the events of an import, living or cancelled. */
export async function knownEvents(tx: Tx, importId: number): Promise<readonly Known[]> {
  const rows = await tx
    .select({ row: calendarImportEvent, window: maintenanceWindow })
    .from(calendarImportEvent)
    .innerJoin(maintenanceWindow, eq(maintenanceWindow.id, calendarImportEvent.windowId))
    .where(eq(calendarImportEvent.importId, importId))
    .orderBy(calendarImportEvent.uid, calendarImportEvent.recurrenceId);
  return rows;
}

/** An event that is over, or that is no longer understood, keeps the window it has; an event that still asks for the same changes nothing. */
export function differenceOf(plan: ImportPlan, known: readonly Known[]): Difference {
  const byName = new Map(known.map((one) => [nameOf({ uid: one.row.uid, recurrenceId: one.row.recurrenceId || null }), one]));
  const added: PlannedWindow[] = [];
  const changed: { planned: PlannedWindow; known: Known }[] = [];
  let unchanged = 0;
  for (const planned of plan.windows) {
    const found = byName.get(nameOf(planned));
    if (found === undefined) added.push(planned);
    else if (found.row.fingerprint === fingerprintOf(planned.input)) unchanged += 1;
    else changed.push({ planned, known: found });
  }
  const kept = new Set([...plan.windows, ...plan.over, ...plan.refused].map(nameOf));
  return { added, changed, unchanged, gone: [...byName].filter(([name]) => !kept.has(name)).map(([, one]) => one) };
}

/** The report of a difference, before or after it was carried out. */
export function reportOf(
  plan: ImportPlan,
  difference: Difference,
  { key, running }: { readonly key: string; readonly running: readonly Known[] },
): ImportReport {
  const ended = difference.gone.filter((one) => !running.includes(one));
  const planned = (one: PlannedWindow): ReportedWindow => ({ window: windowKeyOf(key, one), title: one.input.title });
  const present = ({ window }: Known): ReportedWindow => ({ window: window.key, title: window.title });
  return {
    added: difference.added.slice(0, maxReported).map(planned),
    changed: difference.changed.slice(0, maxReported).map((one) => planned(one.planned)),
    removed: ended.slice(0, maxReported).map(present),
    running: running.slice(0, maxReported).map(present),
    refused: plan.refused.slice(0, maxReported),
    addedCount: difference.added.length,
    changedCount: difference.changed.length,
    removedCount: ended.length,
    refusedCount: plan.refused.length,
    unchangedCount: difference.unchanged,
    overCount: plan.over.length,
  };
}

/**
 * Carries a difference out, inside a command that holds the catalogue lock. Answers the events that are gone while their windows are open, and the
 * integrations whose cover changed; the command takes their dispatch locks last.
 */
export async function applyDifference(
  tx: Tx,
  context: CommandContext,
  input: { readonly import: Pick<ImportRow, "id" | "key">; readonly difference: Difference; readonly freezes: FreezeHandling },
): Promise<{ readonly running: readonly Known[]; readonly changed: readonly number[] }> {
  const { difference, freezes } = input;
  const integrations: number[] = [];
  const save = async (planned: PlannedWindow): Promise<void> => {
    const key = windowKeyOf(input.import.key, planned);
    integrations.push(...(await saveWindow(tx, context, { ...planned.input, key }, freezes)).changed);
    await writeEvent(tx, { importId: input.import.id, name: planned, key, fingerprint: fingerprintOf(planned.input) });
  };
  for (const planned of difference.added) await save(planned);
  for (const { planned } of difference.changed) await save(planned);
  const running: Known[] = [];
  for (const known of difference.gone) {
    const ended = await endWindow(tx, context, known);
    integrations.push(...ended.changed);
    if (ended.isRunning) running.push(known);
  }
  return { running, changed: integrations };
}

/** Nothing that is open is cut off because an event went: it ends as planned, what lies ahead of it goes now, and the rest when it is over. */
async function endWindow(
  tx: Tx,
  context: CommandContext,
  known: Known,
): Promise<{ readonly isRunning: boolean; readonly changed: readonly number[] }> {
  const { window, row } = known;
  const [open] = await openOccurrences(tx, [window.id]);
  if (window.cancelledAt === null && open !== undefined) {
    if (row.fingerprint === goneFingerprint) return { isRunning: true, changed: [] };
    const { start: _start, end: _end, duration: _duration, rrule: _rrule, exdates: _exdates, rdates: _rdates, ...rest } = window.series;
    const lastsSeconds = Math.max(1, Math.round((open.endsAt - open.startsAt) / 1_000));
    const series = { ...rest, start: open.localStart, duration: `PT${lastsSeconds}S` };
    const saved = await saveWindow(tx, context, { ...inputOf(window), series, key: window.key, confirmLong: true });
    await tx.update(calendarImportEvent).set({ fingerprint: goneFingerprint }).where(isEvent(row));
    return { isRunning: true, changed: saved.changed };
  }
  await tx.delete(calendarImportEvent).where(isEvent(row));
  if (window.cancelledAt !== null) return { isRunning: false, changed: [] };
  return { isRunning: false, changed: await deleteWindow(tx, context, { key: window.key, reason: "it is no longer in the calendar" }) };
}

/** An occurrence that is open while the calendar says a later end for it, with that end. */
export interface LaterEnd {
  readonly key: string;
  readonly localStart: string;
  readonly until: number;
}

/** The open occurrences of an import that go on for longer than they were planned when they began: a vendor who needs more time moves the end. */
export async function laterEnds(tx: Tx, context: CommandContext, importId: number): Promise<readonly LaterEnd[]> {
  const now = await readNow(tx);
  const windows = new Map((await knownEvents(tx, importId)).map(({ window }) => [window.id, window]));
  const found: LaterEnd[] = [];
  for (const open of await openOccurrences(tx, [...windows.keys()])) {
    const window = windows.get(open.windowId);
    if (window === undefined || window.cancelledAt !== null) continue;
    const around = occurrences(window.series, { from: open.startsAt - longestMs, to: now + 1 }, context.zones).filter(
      ({ end }) => end > now,
    );
    const until = Math.max(open.endsAt, ...around.map(({ end }) => end));
    if (until > open.endsAt) found.push({ key: window.key, localStart: open.localStart, until });
  }
  return found;
}

const longestMs = 62 * 86_400_000;

async function writeEvent(
  tx: Tx,
  input: { readonly importId: number; readonly name: EventName; readonly key: string; readonly fingerprint: string },
): Promise<void> {
  const [window] = await tx
    .select({ id: maintenanceWindow.id })
    .from(maintenanceWindow)
    .where(and(eq(maintenanceWindow.key, input.key), isNull(maintenanceWindow.cancelledAt)));
  if (window === undefined) throw new Error(`Window ${input.key} was saved and is gone.`);
  const { importId, fingerprint } = input;
  const values = { importId, uid: input.name.uid, recurrenceId: input.name.recurrenceId ?? "", windowId: window.id, fingerprint };
  const target = [calendarImportEvent.importId, calendarImportEvent.uid, calendarImportEvent.recurrenceId];
  await tx
    .insert(calendarImportEvent)
    .values(values)
    .onConflictDoUpdate({ target, set: { windowId: window.id, fingerprint } });
}

/** What a person would have to write to get this window as it is. */
function inputOf({ title, kind, mode, series, scope, drain, resume, owner, reason }: WindowRow): WindowInput {
  return { title, kind, mode, series, scope, drain, resume, owner, reason };
}

const isEvent = ({ importId, uid, recurrenceId }: ImportEventRow) =>
  and(eq(calendarImportEvent.importId, importId), eq(calendarImportEvent.uid, uid), eq(calendarImportEvent.recurrenceId, recurrenceId));

const nameOf = ({ uid, recurrenceId }: EventName): string => JSON.stringify([uid, recurrenceId]);

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

function fingerprintOf(input: WindowInput): string {
  return sha256(JSON.stringify(sortedJson(input)));
}

/** The key of an event's window: the same in every pass, whatever happens to its title. */
function windowKeyOf(importKey: string, name: EventName): string {
  return `${importKey}-${sha256(nameOf(name)).slice(0, 10)}`;
}
