import { DomainError } from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { announceOpened } from "./announce-opened.js";
import { type CatchUpOverride, overrideCatchUp } from "./catch-up-override.js";
import { longestOccurrenceMs } from "./expand.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { refuseConflict } from "./move-occurrence.js";
import { type FreezeHandling, recordFreezes, refuseInFreeze } from "./refuse-in-freeze.js";
import { endHold, forgetReadiness } from "./readiness.js";
import { refuseUnapprovedMove } from "./refuse-unapproved-move.js";
import { knownWindow } from "./save-window.js";
import { holdIntegrations, lockMeantOccurrence } from "./store.js";
import { hold, occurrence, type OccurrenceRow, type WindowRow } from "./table.js";
import { unknownOccurrence } from "./unknown-occurrence.js";

/**
 * Ends the current occurrence now; where its policy asks for it, its systems must be ready before it is released. The next one and every other
 * window stay as they are.
 */
export function endWindowEarly(
  context: CommandContext,
  input: CatchUpOverride & { readonly key: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<{ readonly key: string; readonly localStart: string; readonly endsAt: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { window, one, now } = await meantOccurrence(tx, input);
    if (one.startsAt > now) {
      throw new DomainError(
        "QSC_WINDOW_NOT_BEGUN",
        `The occurrence ${one.localStart} of "${window.key}" has not begun. Cancel it instead of ending it early.`,
        {
          field: "localStart",
        },
      );
    }
    if (one.verifyingAt !== null) {
      throw new DomainError(
        "QSC_WINDOW_VERIFYING",
        `The occurrence ${one.localStart} of "${window.key}" has ended and waits for its systems. Ask them again with \`quiesce window resume\`, or release it with --skip-readiness.`,
        { field: "key" },
      );
    }
    const holdId = await openHoldOf(tx, window, one);
    await announceOpened(tx, { occurrenceId: one.id });
    await tx.update(occurrence).set({ endsAt: now }).where(eq(occurrence.id, one.id));
    await tx.update(hold).set({ expiresAt: now }).where(eq(hold.id, holdId));
    await overrideCatchUp(tx, { ...input, holdId });
    await writeOverride(tx, context, { window, one, endsAt: now, reason: input.reason });
    await recordAudit(tx, {
      actor: context.actor,
      action: "occurrence.end-early",
      subjectKind: "window",
      subjectKey: window.key,
      reason: input.reason,
      before: one,
      after: { ...one, endsAt: now },
    });
    await appendEvents(tx, [
      {
        kind: "window.ended",
        subjectKind: "window",
        subjectKey: window.key,
        payload: { localStart: one.localStart, early: true, plannedEnd: payloadInstant(one.endsAt) },
      },
    ]);
    const changed = await endHold(tx, { holdId, actor: context.actor, reason: input.reason, now });
    await lockDispatch(tx, changed);
    return { key: window.key, localStart: one.localStart, endsAt: now };
  });
}

/** Moves the end of the current (or next) occurrence later, while it is not released. */
export function extendWindow(
  context: CommandContext,
  input: {
    readonly key: string;
    readonly localStart?: string | undefined;
    readonly until: number;
    readonly reason: string;
  } & Omit<FreezeHandling, "listFreezes">,
): Promise<{ readonly key: string; readonly localStart: string; readonly endsAt: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { window, one, now } = await meantOccurrence(tx, input);
    const isBeyond = window.approval?.state === "approved";
    if (isBeyond && one.startsAt > now)
      refuseUnapprovedMove(window, one, { actor: context.actor.name, startsAt: one.startsAt, endsAt: input.until });
    if (input.until <= one.endsAt) {
      throw new DomainError(
        "QSC_WINDOW_EXTEND_BACKWARDS",
        `The occurrence ${one.localStart} of "${window.key}" ends at ${new Date(one.endsAt).toISOString()}; ${new Date(input.until).toISOString()} is not later. End it early instead.`,
        { field: "until" },
      );
    }
    await refuseLonger(tx, context, { window, one, now, input });
    const changed: number[] = [];
    if (one.startedAt !== null || (await hasHold(tx, one.id))) {
      const holdId = await openHoldOf(tx, window, one);
      await tx.update(hold).set({ expiresAt: input.until }).where(eq(hold.id, holdId));
      changed.push(...(await holdIntegrations(tx, holdId)));
    }
    // Longer work is no failed check: what was asked about its end is asked anew at the new one.
    if (one.verifyingAt !== null) await forgetReadiness(tx, one.id);
    await tx.update(occurrence).set({ endsAt: input.until, verifyingAt: null, overrunAt: null }).where(eq(occurrence.id, one.id));
    await writeOverride(tx, context, { window, one, endsAt: input.until, reason: input.reason });
    await recordAudit(tx, {
      actor: context.actor,
      action: "occurrence.extend",
      subjectKind: "window",
      subjectKey: window.key,
      reason: input.reason,
      before: one,
      after: { ...one, endsAt: input.until, verifyingAt: null, overrunAt: null },
    });
    await appendEvents(tx, [
      {
        kind: "window.extended",
        subjectKind: "window",
        subjectKey: window.key,
        payload: {
          localStart: one.localStart,
          endsAt: payloadInstant(input.until),
          plannedEnd: payloadInstant(one.endsAt),
          beyondApproval: isBeyond,
        },
      },
    ]);
    await lockDispatch(tx, changed);
    return { key: window.key, localStart: one.localStart, endsAt: input.until };
  });
}

/**
 * What is added to an occurrence must not meet the next one of its window, nor, of a change, a freeze; and nothing lasts longer than the longest window
 * that is looked for.
 */
async function refuseLonger(
  tx: Tx,
  context: CommandContext,
  input: {
    readonly window: WindowRow;
    readonly one: OccurrenceRow;
    readonly now: number;
    readonly input: FreezeHandling & { readonly until: number };
  },
): Promise<void> {
  const { window, one, now } = input;
  const { until, overrideFreeze, keepInFreeze } = input.input;
  if (until - one.startsAt > longestOccurrenceMs) {
    throw new DomainError(
      "QSC_WINDOW_EXTEND_TOO_LONG",
      `The occurrence ${one.localStart} of "${window.key}" would last until ${new Date(until).toISOString()}, more than ${longestOccurrenceMs / 86_400_000} days. Pause the scope instead, or plan a new window.`,
      { field: "until" },
    );
  }
  await refuseConflict(tx, { one, startsAt: Math.max(one.endsAt, now), endsAt: until, field: "until" });
  const { key, kind, scope, series } = window;
  const longer = { localStart: one.localStart, localEnd: one.localEnd, start: one.startsAt, end: one.endsAt };
  const planned = [{ ...longer, start: one.endsAt, end: until }];
  const plan = { window: { key, kind, scope, timeZone: series.timeZone }, planned, longer };
  const stays = await refuseInFreeze(tx, context, { ...plan, now, overrideFreeze, keepInFreeze });
  await recordFreezes(tx, { window, stays, localStart: one.localStart, adds: true });
}

/** Cancels one occurrence that has not begun, inside a command that holds the catalogue lock. */
export async function cancelOccurrence(
  tx: Tx,
  context: CommandContext,
  input: { readonly key: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<readonly number[]> {
  const { window, one, now } = await meantOccurrence(tx, input);
  if (one.startsAt <= now) {
    throw new DomainError(
      "QSC_WINDOW_HAS_BEGUN",
      `The occurrence ${one.localStart} of "${window.key}" has begun. End it early instead of cancelling it.`,
      {
        field: "localStart",
      },
    );
  }
  const changed = await tx.execute<{ id: number }>(sql`
    delete from hold_member where hold_id in (select id from hold where occurrence_id = ${one.id}) returning integration_id as id`);
  await tx.execute(sql`delete from hold where occurrence_id = ${one.id}`);
  await tx.update(occurrence).set({ cancelledAt: now }).where(eq(occurrence.id, one.id));
  await writeOverride(tx, context, { window, one, cancelled: true, reason: input.reason });
  await recordAudit(tx, {
    actor: context.actor,
    action: "occurrence.cancel",
    subjectKind: "window",
    subjectKey: window.key,
    reason: input.reason,
    before: one,
    after: { ...one, cancelledAt: now },
  });
  await appendEvents(tx, [
    {
      kind: "window.cancelled",
      subjectKind: "window",
      subjectKey: window.key,
      payload: { localStart: one.localStart, reason: input.reason },
    },
  ]);
  return changed.map((row) => row.id);
}

async function meantOccurrence(
  tx: Tx,
  input: { readonly key: string; readonly localStart?: string | undefined },
): Promise<{ readonly window: WindowRow; readonly one: OccurrenceRow; readonly now: number }> {
  const window = await knownWindow(tx, input.key);
  const now = await readNow(tx);
  const one = await lockMeantOccurrence(tx, { windowId: window.id, localStart: input.localStart, now });
  if (one === undefined || one.cancelledAt !== null) {
    throw await unknownOccurrence(tx, { window, localStart: input.localStart });
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
    throw new DomainError(
      "QSC_OCCURRENCE_RELEASED",
      `The occurrence ${one.localStart} of "${window.key}" is released already. Pause the scope, or plan a new window.`,
      {
        field: "key",
      },
    );
  }
  return found.id;
}

async function writeOverride(
  tx: Tx,
  context: CommandContext,
  input: {
    readonly window: WindowRow;
    readonly one: OccurrenceRow;
    readonly cancelled?: boolean;
    readonly endsAt?: number;
    readonly reason: string;
  },
): Promise<void> {
  await tx.execute(sql`
    insert into occurrence_override (window_id, local_start, cancelled, ends_at, actor, reason)
    values (${input.window.id}, ${input.one.localStart}, ${input.cancelled === true}, ${input.endsAt ?? null}::timestamptz, ${context.actor.name}, ${input.reason})
    on conflict (window_id, local_start) do update
      set cancelled = excluded.cancelled, ends_at = coalesce(excluded.ends_at, occurrence_override.ends_at),
        -- The local end of a moved one is superseded by this instant.
        moved_end = case when excluded.ends_at is null then occurrence_override.moved_end end,
        actor = excluded.actor, reason = excluded.reason, at = app_now()`);
}
