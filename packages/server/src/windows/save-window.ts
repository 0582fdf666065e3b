import { DomainError, keyFromTitle, validateWindowSeries, type WindowInput, windowInputSchema } from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { expandNewWindow } from "./expand.js";
import { parsed } from "./parse-input.js";
import { releaseHold } from "./release-hold.js";
import { deleteFutureOccurrences, lockWindow } from "./store.js";
import { maintenanceWindow, occurrence, type WindowRow } from "./table.js";

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
    throw new DomainError("QSC_WINDOW_EXISTS", `There is already a window "${key}". Choose another key, or change that one.`, {
      field: "key",
    });
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
  const ahead = await expandNewWindow(tx, {
    window: after,
    zones: context.zones,
    now,
    fromNow: before !== undefined && (await hasBegun(tx, after.id)),
  });
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
      ? await tx
          .insert(maintenanceWindow)
          .values({ ...values, expandedUntil: now, createdBy: input.createdBy })
          .returning()
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
  await tx
    .update(maintenanceWindow)
    .set({ cancelledAt: now, updatedAt: now, version: window.version + 1 })
    .where(eq(maintenanceWindow.id, window.id));
  await recordAudit(tx, {
    actor: context.actor,
    action: "window.cancel",
    subjectKind: "window",
    subjectKey: window.key,
    reason: input.reason,
    before: window,
  });
  await appendEvents(tx, [{ kind: "window.cancelled", subjectKind: "window", subjectKey: window.key, payload: { reason: input.reason } }]);
  return changed;
}

/** The living window of that key, locked. Throws QSC_WINDOW_NOT_FOUND. */
export async function knownWindow(tx: Tx, key: string): Promise<WindowRow> {
  const window = await lockWindow(tx, key);
  if (window === undefined) {
    throw new DomainError("QSC_WINDOW_NOT_FOUND", `There is no window "${key}".`, { field: "key" });
  }
  return window;
}

function refuse(
  refusals: readonly { readonly code: string; readonly field: string; readonly message: string; readonly nearest?: string }[],
): void {
  const first = refusals[0];
  if (first === undefined) return;
  throw new DomainError(
    first.code,
    first.nearest === undefined ? first.message : `${first.message} The nearest that works: ${first.nearest}.`,
    {
      field: `series.${first.field}`,
      details: first.nearest === undefined ? {} : { nearest: first.nearest },
    },
  );
}
