import { DomainError, keyFromTitle, needsApprovalAgain, splitSeries, type WindowInput, type WindowSeries } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { inputOf } from "./commands.js";
import { expandNewWindow } from "./expand.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { evaluatedSeries } from "./planning-store.js";
import { knownWindow, saveWindow } from "./save-window.js";
import { deleteFutureOccurrences, lockWindow } from "./store.js";
import type { WindowRow } from "./table.js";
import { type WindowChanges, withChanges } from "./window-changes.js";

/**
 * "This and following": the window ends before one of its occurrences, and a new one goes on from there, with other properties where `changes`
 * says so. What was changed about later occurrences moves along. Answers the key of the new window.
 */
export function splitWindow(
  context: CommandContext,
  input: {
    readonly key: string;
    readonly localStart: string;
    readonly reason: string;
    readonly changes?: WindowChanges | undefined;
    readonly overrideFreeze?: string | undefined;
  },
): Promise<{ readonly key: string; readonly newKey: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const window = await knownWindow(tx, input.key);
    await refuseBegun(tx, window, input.localStart);
    const halves = splitSeries(await evaluatedSeries(tx, window.series), input.localStart, context.zones);
    const whole = inputOf(window);
    const first = await saveWindow(
      tx,
      context,
      { ...whole, key: window.key, series: asPlanned(window, halves.first) },
      // It holds nothing that it did not hold before.
      { approval: window.approval },
    );
    const tail = { ...whole, series: asPlanned(window, halves.second) };
    const { key: wantedKey, ...changes } = input.changes ?? {};
    const wanted: WindowInput = { ...withChanges(tail, changes), key: wantedKey ?? (await freeKey(tx, window.key, input.localStart)) };
    const isSame = !needsApprovalAgain(planOf(tail), planOf(wanted));
    const second = await saveWindow(tx, context, wanted, {
      mustBeNew: true,
      overrideFreeze: input.overrideFreeze,
      splitFrom: window.id,
      ...(isSame ? { approval: window.approval } : {}),
    });
    const moved = await takeOverrides(tx, context, { from: window, toKey: second.key, localStart: input.localStart });
    const subject = { subjectKind: "window", subjectKey: window.key } as const;
    const after = { localStart: input.localStart, into: second.key };
    await recordAudit(tx, { ...subject, actor: context.actor, action: "window.split", reason: input.reason, before: window.series, after });
    await appendEvents(tx, [{ ...subject, kind: "window.continued", payload: { ...after, reason: input.reason } }]);
    await lockDispatch(tx, [...first.changed, ...second.changed, ...moved]);
    return { key: window.key, newKey: second.key };
  });
}

/** A half knows its holidays; what is stored names the calendar, as before. */
function asPlanned(window: WindowRow, half: WindowSeries): WindowSeries {
  const { holidays: _evaluated, ...series } = half;
  const { holidays, calendar } = window.series;
  return { ...series, ...(holidays === undefined ? {} : { holidays }), ...(calendar === undefined ? {} : { calendar }) };
}

const planOf = ({ kind = "maintenance", mode = "enforce", scope, series }: WindowInput) => ({ kind, mode, scope, series });

async function refuseBegun(tx: Tx, window: WindowRow, localStart: string): Promise<void> {
  const now = await readNow(tx);
  const [one] = await tx.execute<{ startsAt: number }>(sql`
    select starts_at as "startsAt" from occurrence where window_id = ${window.id} and local_start = ${localStart} and starts_at <= ${now}::timestamptz`);
  if (one === undefined) return;
  throw new DomainError(
    "QSC_WINDOW_HAS_BEGUN",
    `The occurrence ${localStart} of "${window.key}" has begun. Split at a later one, and end or extend this one.`,
    { field: "localStart" },
  );
}

async function freeKey(tx: Tx, key: string, localStart: string): Promise<string> {
  const wanted = keyFromTitle(`${key.slice(0, 45)} ${localStart.slice(0, 10)}`);
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? wanted : `${wanted}-${number}`;
    if ((await lockWindow(tx, candidate)) === undefined) return candidate;
  }
}

/** What was changed about later occurrences belongs to the new window, whose occurrences are then computed with it. */
async function takeOverrides(
  tx: Tx,
  context: CommandContext,
  input: { readonly from: WindowRow; readonly toKey: string; readonly localStart: string },
): Promise<readonly number[]> {
  const window = await knownWindow(tx, input.toKey);
  const taken = await tx.execute(sql`
    update occurrence_override set window_id = ${window.id}
    where window_id = ${input.from.id} and local_start >= ${input.localStart} returning local_start`);
  // So does what was decided on freezes that they lie in.
  await tx.execute(sql`
    update freeze_conflict set window_id = ${window.id} where window_id = ${input.from.id} and local_start >= ${input.localStart}
      and not exists (select from freeze_conflict as own where own.window_id = ${window.id} and own.local_start = freeze_conflict.local_start
        and own.freeze_id = freeze_conflict.freeze_id and own.freeze_local_start = freeze_conflict.freeze_local_start)`);
  if (taken.length === 0) return [];
  const now = await readNow(tx);
  await deleteFutureOccurrences(tx, window.id, now);
  return expandNewWindow(tx, { window, zones: context.zones, now, fromNow: true });
}
