import {
  approvalOnSave,
  DomainError,
  drainPolicySchema,
  keyFromTitle,
  needsApprovalAgain,
  occurrences,
  type PlannedOccurrence,
  resumePolicySchema,
  validateWindowSeries,
  type WindowApproval,
  type WindowInput,
  windowInputSchema,
  type WindowSeries,
  type ZoneData,
} from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { expandNewWindow, longestOccurrenceMs } from "./expand.js";
import { cancelledStarts, withMovedOccurrences } from "./moved-occurrences.js";
import { fittingApprovals } from "./fitting-approvals.js";
import { parsed } from "./parse-input.js";
import { evaluatedSeries } from "./planning-store.js";
import { type FreezeHandling, freezeHorizonMs, recordFreezes, refuseInFreeze } from "./refuse-in-freeze.js";
import { releaseHold } from "./release-hold.js";
import { deleteFutureOccurrences, lockWindow } from "./store.js";
import { maintenanceWindow, occurrence, type WindowRow } from "./table.js";

interface SaveOptions extends FreezeHandling {
  readonly mustBeNew?: boolean;
  /** Lets the approval stand that the window is saved with, because what it holds stays the same. */
  readonly approval?: WindowApproval | null;
  /** The window that this one goes on from. */
  readonly splitFrom?: number;
}

/**
 * Creates or changes a window inside a command that holds the catalogue lock (an applied workspace saves many). Answers the integrations whose
 * cover changed; the command takes their dispatch locks last. An equal window is left alone.
 */
export async function saveWindow(
  tx: Tx,
  context: CommandContext,
  input: WindowInput,
  options: SaveOptions = {},
): Promise<{ readonly key: string; readonly changed: readonly number[] }> {
  const wanted = parsed(windowInputSchema, input, "QSC_WINDOW_INVALID");
  const now = await readNow(tx);
  const series = await evaluatedSeries(tx, wanted.series);
  refuse(validateWindowSeries(series, { confirmLong: wanted.confirmLong === true }, context.zones));
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
    kind: wanted.kind ?? "maintenance",
    mode: wanted.mode ?? "enforce",
    series: wanted.series,
    scope: wanted.scope,
    drain: drainPolicySchema.parse(wanted.drain ?? {}),
    resume: resumePolicySchema.parse(wanted.resume ?? {}),
    owner: wanted.owner,
    reason: wanted.reason,
  } as const;
  const approval =
    options.approval === undefined
      ? approvalOnSave({
          before: before === undefined ? null : { plan: before, approval: before.approval },
          after: values,
          policies: await fittingApprovals(tx, values),
          actor: context.actor.name,
          now,
        })
      : options.approval;
  // A split alone changes nothing: what stands in a freeze already has somebody's word.
  const isJudged = options.approval === undefined && (before === undefined || needsApprovalAgain(before, values));
  const plan = { key, kind: values.kind, scope: values.scope, timeZone: series.timeZone };
  const planned = isJudged ? await plannedAhead(tx, { before, series, zones: context.zones, now }) : [];
  const stays = await refuseInFreeze(tx, context, { ...options, window: plan, planned, now });
  const created = { createdBy: context.actor.name, splitFrom: options.splitFrom ?? null };
  const after = await writeWindow(tx, { before, values: { ...values, approval }, now, created });
  if (isJudged) await recordFreezes(tx, { window: after, stays });
  if (before !== undefined) await deleteFutureOccurrences(tx, before.id, now);
  const ahead = await expandNewWindow(tx, {
    window: after,
    zones: context.zones,
    now,
    fromNow: before !== undefined && (await hasBegun(tx, after.id)),
  });
  await tellSaved(tx, context, { before, after, integrations: ahead.length });
  return { key, changed: ahead };
}

/** When the window would happen from now on, without what was cancelled of it, and with what was moved at its own time. */
async function plannedAhead(
  tx: Tx,
  input: { readonly before: WindowRow | undefined; readonly series: WindowSeries; readonly zones: ZoneData; readonly now: number },
): Promise<readonly PlannedOccurrence[]> {
  const { before, series, zones, now } = input;
  const range = { from: before === undefined ? now - longestOccurrenceMs : now + 1, to: now + freezeHorizonMs };
  const found = occurrences(series, range, zones).filter((one) => one.end > now);
  if (before === undefined) return found;
  const cancelled = await cancelledStarts(tx, before.id);
  const ahead = await withMovedOccurrences(tx, { window: { ...before, series }, series, found, zones });
  return ahead
    .filter(({ one, startsAt }) => startsAt > now && !cancelled.has(one.localStart))
    .map(({ one, startsAt, endsAt }) => ({ localStart: one.localStart, localEnd: one.localEnd, start: startsAt, end: endsAt }));
}

async function tellSaved(
  tx: Tx,
  context: CommandContext,
  input: { readonly before: WindowRow | undefined; readonly after: WindowRow; readonly integrations: number },
): Promise<void> {
  const { before, after } = input;
  const subject = { subjectKind: "window", subjectKey: after.key } as const;
  const action = before === undefined ? "window.create" : "window.update";
  await recordAudit(tx, { ...subject, actor: context.actor, action, reason: after.reason, before, after });
  const { title, kind, version, scope, approval } = after;
  const events = [
    {
      ...subject,
      kind: before === undefined ? "window.created" : "window.updated",
      payload: { title, kind, version, scope, integrations: input.integrations, approval: approval?.state ?? null },
    },
  ];
  if (approval?.state === "pending" && approval !== before?.approval) {
    const needed = approval.needed.map(({ policy, by }) => ({ policy, by }));
    const payload = {
      title,
      kind,
      version,
      scope,
      integrations: input.integrations,
      approval: approval.state,
      requestedBy: approval.requestedBy,
      needed,
    };
    events.push({ ...subject, kind: "window.approval-requested", payload });
  }
  await appendEvents(tx, events);
}

async function writeWindow(
  tx: Tx,
  input: {
    readonly before: WindowRow | undefined;
    readonly values: Pick<
      WindowRow,
      "key" | "title" | "kind" | "mode" | "series" | "scope" | "drain" | "resume" | "owner" | "reason" | "approval"
    >;
    readonly now: number;
    readonly created: Pick<WindowRow, "createdBy" | "splitFrom">;
  },
): Promise<WindowRow> {
  const { before, values, now } = input;
  const rows =
    before === undefined
      ? await tx
          .insert(maintenanceWindow)
          .values({ ...values, ...input.created, expandedUntil: now })
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
export async function hasBegun(tx: Tx, windowId: number): Promise<boolean> {
  const rows = await tx.execute<{ begun: boolean }>(sql`
    select exists (select from occurrence as o join hold as h on h.occurrence_id = o.id
      where o.window_id = ${windowId} and o.starts_at <= app_now() and o.ends_at > app_now() and h.released_at is null) as begun`);
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
    after: { ...window, cancelledAt: now, updatedAt: now, version: window.version + 1 },
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

/** Throws the first refusal of a series, with the nearest form that works. */
export function refuse(
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
