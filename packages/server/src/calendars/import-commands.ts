import { DomainError, planImport } from "@quiesce/core";
import { and, eq, isNull, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import { fingerprint, open, seal } from "../credentials/sealed-secret.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { lockCatalogue, lockDispatch } from "../windows/locks.js";
import { extendWindow } from "../windows/occurrence-commands.js";
import type { FreezeHandling, FreezeOverride } from "../windows/refuse-in-freeze.js";
import { deleteWindow } from "../windows/save-window.js";
import { calendarUrl, fetchCalendar, type FetchedCalendar, type Validators } from "./fetch-calendar.js";
import { readCalendar } from "./ical-text.js";
import { type ImportInput, parseImportInput } from "./import-input.js";
import { calendarDomain } from "./store.js";
import { applyDifference, differenceOf, knownEvents, laterEnds, reportOf } from "./sync-import.js";
import { calendarImport, calendarImportEvent, calendarUrlAddress, type ImportReport, type ImportRow } from "./table.js";

/** What commands of imports need beside the rest: the keys that seal addresses, and a signal that ends a fetch. */
export interface CalendarContext extends CommandContext {
  readonly keys: KeyRing;
  /** Names that may lead into private networks. */
  readonly privateHosts?: readonly string[];
  readonly signal: AbortSignal;
}

/** After a failure the next attempt comes after a minute, then two, four, up to the usual time between two. */
const firstRetryMs = 60_000;
const maxDoublings = 12;
/** Nobody acts when a calendar is followed: what it moves into a freeze stays there until somebody has decided on it. */
const byItself: FreezeHandling = { keepInFreeze: "calendar" };
const noValidators: Validators = { etag: null, lastModified: null };
/** A server that says "not changed" is believed for a day: then the calendar is read whole, for our own zone data and times have moved on. */
const believedMs = 86_400_000;

/** Where an imported calendar comes from. */
export type ImportSource = { readonly url: string } | { readonly document: string };

/**
 * Imports a calendar, or changes the import of that key: its events become windows, and from then on follow it. A dry run says what would be done.
 * Throws QSC_CALENDAR_... when the calendar cannot be had or read; events that are not understood are in the report instead.
 */
export async function importCalendar(
  context: CalendarContext,
  input: { readonly import: ImportInput; readonly source: ImportSource; readonly dryRun: boolean } & FreezeOverride,
): Promise<{ readonly key: string; readonly report: ImportReport }> {
  const wanted = parseImportInput(input.import, context.zones);
  const { source } = input;
  const url = "url" in source ? calendarUrl(source.url) : null;
  const fetched = url === null ? null : await fetchCalendar(url, { ...context, validators: noValidators });
  const text = "document" in source ? source.document : fetched?.kind === "new" ? fetched.text : "";
  const report = await inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const now = await readNow(tx);
    const before = await lockImport(tx, wanted.key);
    if (input.dryRun)
      return (await planned(tx, context, { import: before ?? { id: 0 }, key: wanted.key, settings: wanted.settings, text })).report;
    const sealedUrl =
      url === null
        ? null
        : seal(context.keys, { ...calendarUrlAddress(wanted.key), version: (before?.sealedUrl?.version ?? 0) + 1 }, url.href);
    const values = {
      title: wanted.title,
      settings: wanted.settings,
      sealedUrl,
      urlSource: url === null ? null : "inline",
      urlFingerprint:
        url === null || sealedUrl === null ? null : fingerprint(context.keys, calendarUrlAddress(wanted.key), sealedUrl, url.href),
      origin: url?.origin ?? null,
      everySeconds: url === null ? null : wanted.everySeconds,
      updatedAt: now,
    };
    const [row] =
      before === undefined
        ? await tx
            .insert(calendarImport)
            .values({ ...values, key: wanted.key, createdBy: context.actor.name })
            .returning()
        : await tx.update(calendarImport).set(values).where(eq(calendarImport.id, before.id)).returning();
    if (row === undefined) throw new Error(`The import ${wanted.key} was not written.`);
    const subject = { subjectKind: "calendar", subjectKey: wanted.key } as const;
    await recordAudit(tx, {
      ...subject,
      actor: context.actor,
      action: before === undefined ? "calendar.import" : "calendar.change-import",
      reason: wanted.settings.reason,
      ...(before === undefined ? {} : { before: shown(before) }),
      after: shown(row),
    });
    const freezes = { overrideFreeze: input.overrideFreeze };
    return takeOver(tx, context, { import: row, text, validators: fetched?.kind === "new" ? fetched : noValidators, freezes });
  });
  if (!input.dryRun) await extendOpen(context, wanted.key);
  return { key: wanted.key, report };
}

/**
 * Reads the calendar of an import again and brings its windows in step. A calendar that cannot be had, or is none, changes nothing: the windows stay
 * as they were last known, the failure is on record, and the next attempt follows. Throws QSC_CALENDAR_IMPORT_NOT_FOUND, QSC_CALENDAR_IMPORT_WITHOUT_URL.
 */
export async function syncCalendarImport(
  context: CalendarContext,
  input: { readonly key: string },
): Promise<{ readonly key: string; readonly problem: string | null }> {
  const { key } = input;
  const { row, now } = await inTransaction(context, async (tx) => ({ row: await knownImport(tx, key), now: await readNow(tx) }));
  if (row.sealedUrl === null) {
    throw new DomainError(
      "QSC_CALENDAR_IMPORT_WITHOUT_URL",
      `The calendar "${key}" was handed in as a document. Import its next version under the same key.`,
      { field: "key" },
    );
  }
  let problem: string | null = null;
  try {
    const url = calendarUrl(open(context.keys, calendarUrlAddress(key), row.sealedUrl));
    const fetched = await fetchCalendar(url, { ...context, validators: believes(row, now) ? row : noValidators });
    await inTransaction(context, (tx) => takeOverFetched(tx, context, key, fetched));
  } catch (error) {
    // A fetch that a stopping server broke off is no failure of the calendar.
    if (!(error instanceof DomainError) || context.signal.aborted) throw error;
    problem = error.message;
    await inTransaction(context, (tx) => noteFailure(tx, { key, code: error.code, problem: error.message }));
  }
  await extendOpen(context, key);
  return { key, problem };
}

/** Forgets an import. Its windows are cancelled, those that are open end now; or they stay, as windows that somebody planned. */
export function removeCalendarImport(
  context: CommandContext,
  input: { readonly key: string; readonly reason: string; readonly keepWindows: boolean },
): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const row = await knownImport(tx, input.key);
    const changed = await forgetImport(tx, context, { row, reason: input.reason, keepWindows: input.keepWindows });
    await lockDispatch(tx, changed);
    return { key: input.key };
  });
}

/** What the audit trail keeps of an import: never its address. */
function shown({ title, settings, origin, everySeconds }: ImportRow) {
  return { title, settings, origin, everySeconds };
}

/** Forgets an import inside a command that holds the catalogue lock. Answers the integrations whose cover changed. */
export async function forgetImport(
  tx: Tx,
  context: CommandContext,
  input: { readonly row: ImportRow; readonly reason: string; readonly keepWindows: boolean },
): Promise<readonly number[]> {
  const { row, reason, keepWindows } = input;
  const changed: number[] = [];
  const living = (await knownEvents(tx, row.id)).filter(({ window }) => window.cancelledAt === null);
  for (const { window } of keepWindows ? [] : living) changed.push(...(await deleteWindow(tx, context, { key: window.key, reason })));
  await tx.delete(calendarImportEvent).where(eq(calendarImportEvent.importId, row.id));
  // Nobody needs the address any more.
  await tx
    .update(calendarImport)
    .set({ removedAt: await readNow(tx), sealedUrl: null, urlSource: null, urlFingerprint: null, nextAt: null })
    .where(eq(calendarImport.id, row.id));
  const subject = { subjectKind: "calendar", subjectKey: row.key } as const;
  const payload = { windows: living.length, keepWindows };
  await recordAudit(tx, { ...subject, actor: context.actor, action: "calendar.remove-import", reason, after: payload });
  await appendEvents(tx, [{ ...subject, kind: "calendar.import-removed", payload }]);
  return changed;
}

/** Whether "not changed" is enough: not after failures, and not while something waits for its end to be removed. */
function believes({ failures, readAt, report }: ImportRow, now: number): boolean {
  return failures === 0 && readAt !== null && readAt > now - believedMs && report?.running.length === 0;
}

async function takeOverFetched(tx: Tx, context: CalendarContext, key: string, fetched: FetchedCalendar): Promise<void> {
  await lockCatalogue(tx);
  const row = await knownImport(tx, key);
  if (fetched.kind === "new") await takeOver(tx, context, { import: row, text: fetched.text, validators: fetched, freezes: byItself });
  else await noteSuccess(tx, row, {});
}

/** Brings the windows of an import in step with a text, and notes what was done. */
async function takeOver(
  tx: Tx,
  context: CommandContext,
  input: { readonly import: ImportRow; readonly text: string; readonly validators: Validators; readonly freezes: FreezeHandling },
): Promise<ImportReport> {
  const { import: row, validators } = input;
  const { plan, difference } = await planned(tx, context, { import: row, key: row.key, settings: row.settings, text: input.text });
  const applied = await applyDifference(tx, context, { import: row, difference, freezes: input.freezes });
  const report = reportOf(plan, difference, { key: row.key, running: applied.running });
  await noteSuccess(tx, row, { etag: validators.etag, lastModified: validators.lastModified, report, readAt: await readNow(tx) });
  const counts = { added: report.addedCount, changed: report.changedCount, removed: report.removedCount, refused: report.refusedCount };
  const isNews = counts.added + counts.changed + counts.removed > 0 || counts.refused !== (row.report?.refusedCount ?? 0);
  if (isNews) {
    const subject = { subjectKind: "calendar", subjectKey: row.key } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "calendar.sync", reason: row.settings.reason, after: counts });
    await appendEvents(tx, [{ ...subject, kind: "calendar.imported", payload: counts }]);
  }
  await lockDispatch(tx, applied.changed);
  return report;
}

async function planned(
  tx: Tx,
  context: CommandContext,
  input: { readonly import: Pick<ImportRow, "id">; readonly key: string; readonly settings: ImportRow["settings"]; readonly text: string },
) {
  const now = await readNow(tx);
  const plan = planImport(readCalendar(input.text), { settings: input.settings, now, ownDomain: await calendarDomain(tx) }, context.zones);
  const difference = differenceOf(plan, await knownEvents(tx, input.import.id));
  return { plan, difference, report: reportOf(plan, difference, { key: input.key, running: [] }) };
}

async function noteSuccess(
  tx: Tx,
  row: ImportRow,
  values: Partial<Pick<ImportRow, "etag" | "lastModified" | "report" | "readAt">>,
): Promise<void> {
  const now = await readNow(tx);
  const nextAt = row.everySeconds === null ? null : now + row.everySeconds * 1_000;
  await tx
    .update(calendarImport)
    .set({ ...values, attemptedAt: now, succeededAt: now, failures: 0, problem: null, nextAt })
    .where(eq(calendarImport.id, row.id));
}

async function noteFailure(tx: Tx, input: { readonly key: string; readonly code: string; readonly problem: string }): Promise<void> {
  const row = await knownImport(tx, input.key);
  const now = await readNow(tx);
  const retryMs = Math.min((row.everySeconds ?? 0) * 1_000, firstRetryMs * 2 ** Math.min(row.failures, maxDoublings));
  await tx
    .update(calendarImport)
    .set({ attemptedAt: now, failures: row.failures + 1, problem: input.problem, nextAt: now + retryMs })
    .where(eq(calendarImport.id, row.id));
  if (row.problem === input.problem) return;
  const payload = { code: input.code, problem: input.problem, origin: row.origin };
  await appendEvents(tx, [{ kind: "calendar.import-failed", subjectKind: "calendar", subjectKey: input.key, payload }]);
}

/** A vendor who needs longer moves the end of what is open: the hold goes on. One who is done earlier says so to an operator, who ends it. */
async function extendOpen(context: CommandContext, key: string): Promise<void> {
  const ends = await inTransaction(context, async (tx) => laterEnds(tx, context, (await knownImport(tx, key)).id));
  for (const one of ends) {
    await extendWindow(context, { ...one, ...byItself, reason: `the calendar ${key} says a later end` }).catch((error: unknown) => {
      // Somebody ended it meanwhile: what was let go is not held again.
      if (!(error instanceof DomainError)) throw error;
    });
  }
}

/** The living import of that key, locked. */
export async function lockImport(tx: Tx, key: string): Promise<ImportRow | undefined> {
  const [row] = await tx
    .select()
    .from(calendarImport)
    .where(and(eq(calendarImport.key, key), isNull(calendarImport.removedAt)))
    .for("update");
  return row;
}

async function knownImport(tx: Tx, key: string): Promise<ImportRow> {
  const row = await lockImport(tx, key);
  if (row === undefined) {
    throw new DomainError(
      "QSC_CALENDAR_IMPORT_NOT_FOUND",
      `There is no imported calendar "${key}". List them with the query calendarImports.`,
      { field: "key" },
    );
  }
  return row;
}

/** Takes an import that is due, so that no other server reads it at the same time; null when none is. A server that dies gives it free after `leaseMs`. */
export async function takeDueImport(context: CommandContext, leaseMs: number): Promise<string | null> {
  const [row] = await context.database.db.execute<{ key: string }>(sql`
    update calendar_import set next_at = app_now() + ${`${leaseMs} milliseconds`}::interval
    where id = (select id from calendar_import where removed_at is null and next_at <= app_now() order by next_at limit 1 for update skip locked)
    returning key`);
  return row?.key ?? null;
}
