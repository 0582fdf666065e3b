import { DomainError, formatLocal, parseLocal, type PlannedOccurrence, validateWindowSeries } from "@quiesce/core";
import { eq, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { holdHorizonMs } from "./expand.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { applyMembership } from "./membership.js";
import { instantsOfMove, occurrenceNamed } from "./moved-occurrences.js";
import { evaluatedSeries } from "./planning-store.js";
import { recordFreezes, refuseInFreeze } from "./refuse-in-freeze.js";
import { refuseUnapprovedMove } from "./refuse-unapproved-move.js";
import { knownWindow, refuse } from "./save-window.js";
import { insertOccurrenceHolds, loadCatalogFacts, lockMeantOccurrence } from "./store.js";
import { occurrence, type OccurrenceRow, type WindowRow } from "./table.js";
import { unknownOccurrence } from "./unknown-occurrence.js";

interface Moved {
  readonly key: string;
  readonly localStart: string;
}

interface Which {
  readonly key: string;
  readonly localStart: string;
  readonly reason: string;
  readonly overrideFreeze?: string | undefined;
}

/**
 * Plans one occurrence at other local times. It keeps its name, the local start that the series gives it, and survives edits of the series that
 * still name it. Without an end it lasts as long on the clock as before.
 */
export function moveOccurrence(
  context: CommandContext,
  input: Which & { readonly start: string; readonly end?: string | undefined },
): Promise<Moved> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { window, one, now } = await lockNamed(tx, input);
    const end = input.end ?? (await endAfterMove(tx, one, input.start));
    refuse(validateWindowSeries({ start: input.start, end, timeZone: window.series.timeZone }, { confirmLong: true }, context.zones));
    const { start: startsAt, end: endsAt } = instantsOfMove(window, { start: input.start, end }, context.zones);
    refusePast(one, { startsAt, now });
    await refuseConflict(tx, { one, startsAt, endsAt });
    refuseUnapprovedMove(window, one, { actor: context.actor.name, startsAt, endsAt });
    await refuseFrozen(tx, context, { window, one, input, now, localStart: input.start, localEnd: end, start: startsAt, end: endsAt });
    await tx.execute(sql`
      insert into occurrence_override (window_id, local_start, moved_start, moved_end, starts_at, ends_at, actor, reason)
      values (${window.id}, ${one.localStart}, ${input.start}, ${end}, ${startsAt}::timestamptz, ${endsAt}::timestamptz, ${context.actor.name}, ${input.reason})
      on conflict (window_id, local_start) do update set cancelled = false, moved_start = excluded.moved_start, moved_end = excluded.moved_end,
        starts_at = excluded.starts_at, ends_at = excluded.ends_at, actor = excluded.actor, reason = excluded.reason, at = app_now()`);
    await replan(tx, context, {
      window,
      one,
      input,
      action: "move",
      now,
      planned: { startsAt, endsAt, localEnd: end, notes: movedNotes(one, input.start) },
    });
    return { key: window.key, localStart: one.localStart };
  });
}

/** Takes back what was changed about one occurrence, moved or cancelled: it happens again as the series says. */
export function restoreOccurrence(context: CommandContext, input: Which): Promise<Moved> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { window, one, now } = await lockNamed(tx, input);
    const own = occurrenceNamed(await evaluatedSeries(tx, window.series), one.localStart, context.zones);
    const removed = await tx.execute(sql`
      delete from occurrence_override where window_id = ${window.id} and local_start = ${one.localStart} returning local_start`);
    if (own === undefined || removed.length === 0) {
      throw new DomainError(
        "QSC_OCCURRENCE_NOT_CHANGED",
        own === undefined
          ? `The series of "${window.key}" does not give an occurrence at ${one.localStart} any more. Cancel it, or move it.`
          : `Nothing was changed about the occurrence ${one.localStart} of "${window.key}".`,
        { field: "localStart" },
      );
    }
    refusePast(one, { startsAt: own.start, now });
    await refuseConflict(tx, { one, startsAt: own.start, endsAt: own.end });
    await refuseFrozen(tx, context, { ...own, window, one, input, now });
    const planned = { startsAt: own.start, endsAt: own.end, localEnd: own.localEnd, notes: own.notes };
    await replan(tx, context, { window, one, input, action: "restore", now, planned });
    return { key: window.key, localStart: one.localStart };
  });
}

/** The occurrence of that name, also a cancelled one, that has not begun. */
async function lockNamed(tx: Tx, input: Which): Promise<{ readonly window: WindowRow; readonly one: OccurrenceRow; readonly now: number }> {
  const window = await knownWindow(tx, input.key);
  const now = await readNow(tx);
  const one = await lockMeantOccurrence(tx, { windowId: window.id, localStart: input.localStart, now });
  if (one === undefined) {
    throw await unknownOccurrence(tx, { window, localStart: input.localStart });
  }
  if (one.startsAt <= now) {
    throw new DomainError(
      "QSC_WINDOW_HAS_BEGUN",
      `The occurrence ${one.localStart} of "${window.key}" has begun. End it early or extend it instead of moving it.`,
      { field: "localStart" },
    );
  }
  return { window, one, now };
}

/** As long on the clock as it was, also where it was moved before. */
async function endAfterMove(tx: Tx, one: OccurrenceRow, start: string): Promise<string> {
  const [moved] = await tx.execute<{ start: string | null }>(sql`
    select moved_start as start from occurrence_override where window_id = ${one.windowId} and local_start = ${one.localStart} and not cancelled`);
  const lengthMs = (parseLocal(one.localEnd) ?? 0) - (parseLocal(moved?.start ?? one.localStart) ?? 0);
  const startMs = parseLocal(start);
  return startMs === null || lengthMs <= 0 ? start : formatLocal(startMs + lengthMs);
}

const movedNotes = (one: OccurrenceRow, start: string): readonly string[] => [
  ...one.notes.filter((note) => !note.startsWith("moved to ")),
  `moved to ${start.replace("T", " ")}`,
];

function refusePast(one: OccurrenceRow, times: { readonly startsAt: number; readonly now: number }): void {
  if (times.startsAt > times.now) return;
  throw new DomainError(
    "QSC_OCCURRENCE_MOVE_PAST",
    `The occurrence ${one.localStart} would have begun at ${new Date(times.startsAt).toISOString()}, which is past. Choose a later start, or pause the scope now.`,
    { field: "start" },
  );
}

/** A change may not come to lie in a freeze by another way than planning it there. */
async function refuseFrozen(
  tx: Tx,
  context: CommandContext,
  input: PlannedOccurrence & { readonly window: WindowRow; readonly one: OccurrenceRow; readonly input: Which; readonly now: number },
): Promise<void> {
  const { window, one, now, localStart, localEnd, start, end } = input;
  const { key, kind, scope, series } = window;
  const planned = [{ localStart, localEnd, start, end }];
  const plan = { window: { key, kind, scope, timeZone: series.timeZone }, planned };
  const stays = await refuseInFreeze(tx, context, { ...plan, now, overrideFreeze: input.input.overrideFreeze });
  await recordFreezes(tx, { window, stays, localStart: one.localStart });
}

/** Two occurrences of one window must not be open together: ending the one would say nothing about the other. */
export async function refuseConflict(
  tx: Tx,
  input: { readonly one: OccurrenceRow; readonly startsAt: number; readonly endsAt: number; readonly field?: string },
): Promise<void> {
  const { one, field = "start" } = input;
  const [other] = await tx.execute<{ localStart: string; endsAt: number; active: boolean }>(sql`
    select o.local_start as "localStart", o.ends_at as "endsAt", o.starts_at <= app_now() as active from occurrence as o
    where o.window_id = ${one.windowId} and o.id <> ${one.id} and o.cancelled_at is null and o.closed_at is null and o.released_at is null
      and o.starts_at < ${input.endsAt}::timestamptz and o.ends_at > ${input.startsAt}::timestamptz
    order by o.starts_at limit 1`);
  if (other === undefined) return;
  throw new DomainError(
    "QSC_OCCURRENCE_MOVE_CONFLICT",
    `The occurrence ${other.localStart} of the same window ${other.active ? "is open" : "is planned"} until ${new Date(other.endsAt).toISOString()}. ${other.active ? "End that one early, or start this one later." : "Cancel or move that one first."}`,
    { field },
  );
}

async function replan(
  tx: Tx,
  context: CommandContext,
  step: {
    readonly window: WindowRow;
    readonly one: OccurrenceRow;
    readonly input: Which;
    readonly action: "move" | "restore";
    readonly now: number;
    readonly planned: { readonly startsAt: number; readonly endsAt: number; readonly localEnd: string; readonly notes: readonly string[] };
  },
): Promise<void> {
  const { window, one, input, planned, now } = step;
  const left = await tx.execute<{ id: number }>(sql`
    delete from hold_member where hold_id in (select id from hold where occurrence_id = ${one.id}) returning integration_id as id`);
  await tx.execute(sql`delete from hold where occurrence_id = ${one.id}`);
  const [after] = await tx
    .update(occurrence)
    .set({ ...planned, notes: [...planned.notes], cancelledAt: null, unapprovedTold: 0 })
    .where(eq(occurrence.id, one.id))
    .returning();
  const holds = await insertOccurrenceHolds(tx, { until: now + holdHorizonMs, now, windowId: window.id });
  const joined = await applyMembership(tx, { facts: await loadCatalogFacts(tx), holds });
  const subject = { subjectKind: "window", subjectKey: window.key } as const;
  await recordAudit(tx, {
    ...subject,
    actor: context.actor,
    action: `occurrence.${step.action}`,
    reason: input.reason,
    before: one,
    after,
  });
  const instants = { startsAt: payloadInstant(planned.startsAt), endsAt: payloadInstant(planned.endsAt) };
  await appendEvents(tx, [
    {
      ...subject,
      kind: step.action === "move" ? "window.moved" : "window.restored",
      payload: { localStart: one.localStart, ...instants, plannedStart: payloadInstant(one.startsAt), reason: input.reason },
    },
  ]);
  await lockDispatch(tx, [...left.map((row) => row.id), ...joined]);
}
