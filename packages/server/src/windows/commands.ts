import { DomainError, keyFromTitle, validateWindowSeries, type WindowInput, type WindowScope, windowInputSchema, windowScopeSchema } from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import type { z } from "zod";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { announceOpened } from "./announce-opened.js";
import { expandNewWindow } from "./expand.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { applyMembership } from "./membership.js";
import { releaseHold } from "./release-hold.js";
import { deleteFutureOccurrences, holdIntegrations, loadCatalogFacts, lockMeantOccurrence, lockWindow } from "./store.js";
import { hold, maintenanceWindow, occurrence, type OccurrenceRow, type WindowRow } from "./table.js";

/** Plans a new maintenance window. When it answers, no run starts inside the window any more. */
export function createWindow(context: CommandContext, input: WindowInput): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const saved = await saveWindow(tx, context, input, { mustBeNew: true });
    await lockDispatch(tx, saved.changed);
    return { key: saved.key };
  });
}

/** Changes a window. Occurrences that have begun stay as they are; what lies ahead follows the new definition. */
export function updateWindow(
  context: CommandContext,
  input: Partial<WindowInput> & { readonly key: string },
): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const current = await knownWindow(tx, input.key);
    const { key: _key, ...patch } = input;
    const saved = await saveWindow(tx, context, { ...inputOf(current), ...patch, key: current.key });
    await lockDispatch(tx, saved.changed);
    return { key: saved.key };
  });
}

/**
 * Creates or changes a window inside a command that holds the catalogue lock (an applied workspace saves many). Answers the integrations whose
 * cover changed; the command takes their dispatch locks last. An equal window is left alone.
 */
export async function saveWindow(
  tx: Tx,
  context: CommandContext,
  input: WindowInput,
  options: { readonly mustBeNew?: boolean } = {},
): Promise<{ readonly key: string; readonly changed: readonly number[] }> {
  const wanted = parsed(windowInputSchema, input, "QSC_WINDOW_INVALID");
  const now = await readNow(tx);
  refuse(validateWindowSeries(wanted.series, { confirmLong: wanted.confirmLong === true }, context.zones));
  const key = wanted.key ?? keyFromTitle(wanted.title);
  const before = await lockWindow(tx, key);
  if (before !== undefined && options.mustBeNew === true) {
    throw new DomainError("QSC_WINDOW_EXISTS", `There is already a window "${key}". Choose another key, or change that one.`, { field: "key" });
  }
  const values = {
    key,
    title: wanted.title,
    mode: wanted.mode ?? "enforce",
    series: wanted.series,
    scope: wanted.scope,
    owner: wanted.owner,
    reason: wanted.reason,
  } as const;
  const after = await writeWindow(tx, { before, values, now, createdBy: context.actor.name });
  if (before !== undefined) await deleteFutureOccurrences(tx, before.id, now);
  const ahead = await expandNewWindow(tx, { window: after, zones: context.zones, now, fromNow: before !== undefined && (await hasBegun(tx, after.id)) });
  const action = before === undefined ? "window.create" : "window.update";
  await recordAudit(tx, { actor: context.actor, action, subjectKind: "window", subjectKey: key, reason: wanted.reason, before, after });
  await appendEvents(tx, [
    {
      kind: before === undefined ? "window.created" : "window.updated",
      subjectKind: "window",
      subjectKey: key,
      payload: { title: after.title, version: after.version, scope: after.scope, integrations: ahead.length },
    },
  ]);
  return { key, changed: ahead };
}

async function writeWindow(
  tx: Tx,
  input: {
    readonly before: WindowRow | undefined;
    readonly values: Pick<WindowRow, "key" | "title" | "mode" | "series" | "scope" | "owner" | "reason">;
    readonly now: number;
    readonly createdBy: string;
  },
): Promise<WindowRow> {
  const { before, values, now } = input;
  const rows =
    before === undefined
      ? await tx.insert(maintenanceWindow).values({ ...values, expandedUntil: now, createdBy: input.createdBy }).returning()
      : await tx
          .update(maintenanceWindow)
          .set({ ...values, version: before.version + 1, updatedAt: now, expandedUntil: now })
          .where(eq(maintenanceWindow.id, before.id))
          .returning();
  const row = rows[0];
  if (row === undefined) throw new Error(`Window ${values.key} was not written.`);
  return row;
}

/** Whether an occurrence of the window is open right now; then an edit must not open a second one beside it. */
async function hasBegun(tx: Tx, windowId: number): Promise<boolean> {
  const rows = await tx.execute<{ begun: boolean }>(sql`
    select exists (select from occurrence as o join hold as h on h.occurrence_id = o.id
      where o.window_id = ${windowId} and o.starts_at <= app_now() and h.released_at is null) as begun`);
  return rows[0]?.begun === true;
}

/** Cancels the whole series (what lies ahead goes, what is open ends now), or one occurrence of it. */
export function cancelWindow(
  context: CommandContext,
  input: { readonly key: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const changed = input.localStart === undefined ? await deleteWindow(tx, context, input) : await cancelOccurrence(tx, context, input);
    await lockDispatch(tx, changed);
    return { key: input.key };
  });
}

/** Cancels a series inside a command that holds the catalogue lock. Its past stays on record. */
export async function deleteWindow(
  tx: Tx,
  context: CommandContext,
  input: { readonly key: string; readonly reason: string },
): Promise<readonly number[]> {
  const window = await knownWindow(tx, input.key);
  const now = await readNow(tx);
  await deleteFutureOccurrences(tx, window.id, now);
  const open = await tx.execute<{ id: number; occurrenceId: number }>(sql`
    select h.id, o.id as "occurrenceId" from occurrence as o join hold as h on h.occurrence_id = o.id
    where o.window_id = ${window.id} and h.released_at is null order by o.id for update of o, h`);
  const changed: number[] = [];
  for (const one of open) {
    changed.push(...(await releaseHold(tx, { holdId: one.id, actor: context.actor, reason: input.reason, now })));
    await tx.update(occurrence).set({ endsAt: now }).where(eq(occurrence.id, one.occurrenceId));
  }
  await tx.update(maintenanceWindow).set({ cancelledAt: now, updatedAt: now, version: window.version + 1 }).where(eq(maintenanceWindow.id, window.id));
  await recordAudit(tx, { actor: context.actor, action: "window.cancel", subjectKind: "window", subjectKey: window.key, reason: input.reason, before: window });
  await appendEvents(tx, [{ kind: "window.cancelled", subjectKind: "window", subjectKey: window.key, payload: { reason: input.reason } }]);
  return changed;
}

async function cancelOccurrence(
  tx: Tx,
  context: CommandContext,
  input: { readonly key: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<readonly number[]> {
  const { window, one, now } = await meantOccurrence(tx, input);
  if (one.startsAt <= now) {
    throw new DomainError("QSC_WINDOW_HAS_BEGUN", `The occurrence ${one.localStart} of "${window.key}" has begun. End it early instead of cancelling it.`, {
      field: "localStart",
    });
  }
  const changed = await tx.execute<{ id: number }>(sql`
    delete from hold_member where hold_id in (select id from hold where occurrence_id = ${one.id}) returning integration_id as id`);
  await tx.execute(sql`delete from hold where occurrence_id = ${one.id}`);
  await tx.update(occurrence).set({ cancelledAt: now }).where(eq(occurrence.id, one.id));
  await writeOverride(tx, context, { window, one, cancelled: true, reason: input.reason });
  await recordAudit(tx, { actor: context.actor, action: "occurrence.cancel", subjectKind: "window", subjectKey: window.key, reason: input.reason, before: one });
  await appendEvents(tx, [
    { kind: "window.cancelled", subjectKind: "window", subjectKey: window.key, payload: { localStart: one.localStart, reason: input.reason } },
  ]);
  return changed.map((row) => row.id);
}

/** Ends the current occurrence now. The next one and every other window stay as they are. */
export function endWindowEarly(
  context: CommandContext,
  input: { readonly key: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<{ readonly key: string; readonly localStart: string; readonly endsAt: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { window, one, now } = await meantOccurrence(tx, input);
    if (one.startsAt > now) {
      throw new DomainError("QSC_WINDOW_NOT_BEGUN", `The occurrence ${one.localStart} of "${window.key}" has not begun. Cancel it instead of ending it early.`, {
        field: "localStart",
      });
    }
    const holdId = await openHoldOf(tx, window, one);
    await announceOpened(tx, { occurrenceId: one.id });
    await tx.update(occurrence).set({ endsAt: now }).where(eq(occurrence.id, one.id));
    await writeOverride(tx, context, { window, one, endsAt: now, reason: input.reason });
    await recordAudit(tx, { actor: context.actor, action: "occurrence.end-early", subjectKind: "window", subjectKey: window.key, reason: input.reason, before: one });
    await appendEvents(tx, [
      { kind: "window.ended", subjectKind: "window", subjectKey: window.key, payload: { localStart: one.localStart, early: true, plannedEnd: one.endsAt } },
    ]);
    const changed = await releaseHold(tx, { holdId, actor: context.actor, reason: input.reason, now });
    await lockDispatch(tx, changed);
    return { key: window.key, localStart: one.localStart, endsAt: now };
  });
}

/** Moves the end of the current (or next) occurrence later, while it is not released. */
export function extendWindow(
  context: CommandContext,
  input: { readonly key: string; readonly localStart?: string | undefined; readonly until: number; readonly reason: string },
): Promise<{ readonly key: string; readonly localStart: string; readonly endsAt: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { window, one } = await meantOccurrence(tx, input);
    if (input.until <= one.endsAt) {
      throw new DomainError(
        "QSC_WINDOW_EXTEND_BACKWARDS",
        `The occurrence ${one.localStart} of "${window.key}" ends at ${new Date(one.endsAt).toISOString()}; ${new Date(input.until).toISOString()} is not later. End it early instead.`,
        { field: "until" },
      );
    }
    const changed: number[] = [];
    if (one.startedAt !== null || (await hasHold(tx, one.id))) {
      const holdId = await openHoldOf(tx, window, one);
      await tx.update(hold).set({ expiresAt: input.until }).where(eq(hold.id, holdId));
      changed.push(...(await holdIntegrations(tx, holdId)));
    }
    await tx.update(occurrence).set({ endsAt: input.until }).where(eq(occurrence.id, one.id));
    await writeOverride(tx, context, { window, one, endsAt: input.until, reason: input.reason });
    await recordAudit(tx, { actor: context.actor, action: "occurrence.extend", subjectKind: "window", subjectKey: window.key, reason: input.reason, before: one });
    await appendEvents(tx, [
      { kind: "window.extended", subjectKind: "window", subjectKey: window.key, payload: { localStart: one.localStart, endsAt: input.until, plannedEnd: one.endsAt } },
    ]);
    await lockDispatch(tx, changed);
    return { key: window.key, localStart: one.localStart, endsAt: input.until };
  });
}

/** Holds a scope by hand, until an instant or until somebody resumes it. */
export function pause(
  context: CommandContext,
  input: { readonly scope: WindowScope; readonly until: number | null; readonly reason: string },
): Promise<{ readonly holdId: number; readonly integrations: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const now = await readNow(tx);
    const scope = parsed(windowScopeSchema, input.scope, "QSC_HOLD_SCOPE_INVALID");
    if (input.until !== null && input.until <= now) {
      throw new DomainError("QSC_HOLD_UNTIL_PAST", `A pause until ${new Date(input.until).toISOString()} would be over already. Give a later time, or none.`, {
        field: "until",
      });
    }
    const made = await placeHold(tx, { kind: "manual", scope, owner: context.actor.name, reason: input.reason, beginsAt: now, expiresAt: input.until });
    await recordAudit(tx, { actor: context.actor, action: "hold.create", subjectKind: "hold", subjectKey: String(made.holdId), reason: input.reason, after: { scope, until: input.until } });
    await lockDispatch(tx, made.changed);
    return { holdId: made.holdId, integrations: made.changed.length };
  });
}

/** Writes a hold with its members inside a command that holds the catalogue lock; the command takes the dispatch locks of `changed` last. */
export async function placeHold(
  tx: Tx,
  input: {
    readonly kind: "manual" | "credentials" | "unready";
    readonly scope: WindowScope;
    readonly owner: string;
    readonly reason: string;
    readonly beginsAt: number;
    readonly expiresAt: number | null;
  },
): Promise<{ readonly holdId: number; readonly changed: readonly number[] }> {
  const rows = await tx.insert(hold).values(input).returning({ id: hold.id });
  const holdId = rows[0]?.id;
  if (holdId === undefined) throw new Error("The hold was not written.");
  const changed = await applyMembership(tx, { facts: await loadCatalogFacts(tx), holds: [{ id: holdId, scope: input.scope }] });
  await appendEvents(tx, [
    {
      kind: "hold.created",
      subjectKind: "hold",
      subjectKey: String(holdId),
      payload: { kind: input.kind, scope: input.scope, reason: input.reason, until: input.expiresAt, integrations: changed.length },
    },
  ]);
  return { holdId, changed };
}

/** Lifts holds that are no window's: one by its id, or every manual hold of exactly this scope. Never lifts another. */
export function resume(
  context: CommandContext,
  input: { readonly holdId?: number | undefined; readonly scope?: WindowScope | undefined; readonly reason: string },
): Promise<{ readonly released: readonly number[] }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const now = await readNow(tx);
    const wanted =
      input.holdId !== undefined
        ? sql`h.id = ${input.holdId}`
        : sql`h.kind = 'manual' and h.scope = ${JSON.stringify(parsed(windowScopeSchema, input.scope, "QSC_HOLD_SCOPE_INVALID"))}::text::jsonb`;
    const holds = await tx.execute<{ id: number; kind: string }>(sql`
      select h.id, h.kind from hold as h where h.released_at is null and ${wanted} order by h.id for update`);
    if (holds.length === 0) {
      throw new DomainError("QSC_HOLD_NOT_FOUND", "No open pause fits. List the open ones with the query holds, or `quiesce status`.", { field: input.holdId === undefined ? "scope" : "holdId" });
    }
    if (holds.some((one) => one.kind === "window")) {
      throw new DomainError("QSC_HOLD_IS_WINDOW", "This hold belongs to a maintenance window. End that window early instead.", { field: "holdId" });
    }
    const changed: number[] = [];
    for (const one of holds) {
      changed.push(...(await releaseHold(tx, { holdId: one.id, actor: context.actor, reason: input.reason, now })));
      await recordAudit(tx, { actor: context.actor, action: "hold.release", subjectKind: "hold", subjectKey: String(one.id), reason: input.reason });
    }
    await lockDispatch(tx, changed);
    return { released: holds.map((one) => one.id) };
  });
}

/** Switches the whole product between enforcing holds and only recording what they would have held. */
export function setMode(context: CommandContext, input: { readonly mode: "enforce" | "observe"; readonly reason: string }): Promise<{ readonly mode: "enforce" | "observe" }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    await tx.execute(sql`update control set mode = ${input.mode}`);
    await recordAudit(tx, { actor: context.actor, action: "control.mode", subjectKind: "control", subjectKey: "mode", reason: input.reason, after: { mode: input.mode } });
    await appendEvents(tx, [{ kind: "control.mode-changed", subjectKind: "control", subjectKey: "mode", payload: { mode: input.mode, reason: input.reason } }]);
    await lockDispatch(tx, "all");
    return { mode: input.mode };
  });
}

async function knownWindow(tx: Tx, key: string): Promise<WindowRow> {
  const window = await lockWindow(tx, key);
  if (window === undefined) {
    throw new DomainError("QSC_WINDOW_NOT_FOUND", `There is no window "${key}".`, { field: "key" });
  }
  return window;
}

async function meantOccurrence(
  tx: Tx,
  input: { readonly key: string; readonly localStart?: string | undefined },
): Promise<{ readonly window: WindowRow; readonly one: OccurrenceRow; readonly now: number }> {
  const window = await knownWindow(tx, input.key);
  const now = await readNow(tx);
  const one = await lockMeantOccurrence(tx, { windowId: window.id, localStart: input.localStart, now });
  if (one === undefined || one.cancelledAt !== null) {
    const which = input.localStart === undefined ? "no current or coming occurrence" : `no occurrence that starts at ${input.localStart}`;
    throw new DomainError("QSC_OCCURRENCE_NOT_FOUND", `The window "${input.key}" has ${which}.`, { field: "localStart" });
  }
  return { window, one, now };
}

async function hasHold(tx: Tx, occurrenceId: number): Promise<boolean> {
  const rows = await tx.select({ id: hold.id }).from(hold).where(eq(hold.occurrenceId, occurrenceId));
  return rows.length > 0;
}

/** The hold of an occurrence, locked; a released one is refused: what was let go cannot be held after the fact. */
async function openHoldOf(tx: Tx, window: WindowRow, one: OccurrenceRow): Promise<number> {
  const rows = await tx.select().from(hold).where(eq(hold.occurrenceId, one.id)).for("update");
  const found = rows[0];
  if (found === undefined || found.releasedAt !== null) {
    throw new DomainError("QSC_OCCURRENCE_RELEASED", `The occurrence ${one.localStart} of "${window.key}" is released already. Pause the scope, or plan a new window.`, {
      field: "key",
    });
  }
  return found.id;
}

async function writeOverride(
  tx: Tx,
  context: CommandContext,
  input: { readonly window: WindowRow; readonly one: OccurrenceRow; readonly cancelled?: boolean; readonly endsAt?: number; readonly reason: string },
): Promise<void> {
  await tx.execute(sql`
    insert into occurrence_override (window_id, local_start, cancelled, ends_at, actor, reason)
    values (${input.window.id}, ${input.one.localStart}, ${input.cancelled === true}, ${input.endsAt ?? null}::timestamptz, ${context.actor.name}, ${input.reason})
    on conflict (window_id, local_start) do update
      set cancelled = excluded.cancelled, ends_at = coalesce(excluded.ends_at, occurrence_override.ends_at),
        actor = excluded.actor, reason = excluded.reason, at = app_now()`);
}

/** What a person would have to write to get this window as it is. */
function inputOf(window: WindowRow): WindowInput {
  return { title: window.title, mode: window.mode, series: window.series, scope: window.scope, owner: window.owner, reason: window.reason, confirmLong: true };
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, code: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join(".") ?? "";
  throw new DomainError(code, `${field === "" ? "" : `${field}: `}${issue?.message ?? "The input does not fit."}`, { field });
}

function refuse(refusals: readonly { readonly code: string; readonly field: string; readonly message: string; readonly nearest?: string }[]): void {
  const first = refusals[0];
  if (first === undefined) return;
  throw new DomainError(first.code, first.nearest === undefined ? first.message : `${first.message} The nearest that works: ${first.nearest}.`, {
    field: `series.${first.field}`,
    details: first.nearest === undefined ? {} : { nearest: first.nearest },
  });
}
