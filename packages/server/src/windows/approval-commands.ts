import { decideApproval, type WindowApproval, windowKindEffects } from "@quiesce/core";
import { eq } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { holdHorizonMs } from "./expand.js";
import { acceptedMeetings, happeningsOf } from "./freeze-store.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { applyMembership } from "./membership.js";
import { freezeHorizonMs, type FreezeOverride, recordFreezes, refuseInFreeze } from "./refuse-in-freeze.js";
import { knownWindow } from "./save-window.js";
import { insertOccurrenceHolds, loadCatalogFacts } from "./store.js";
import { maintenanceWindow, type WindowRow } from "./table.js";

interface Decided {
  readonly key: string;
  readonly approval: WindowApproval;
}

/**
 * Gives one's word for a window. When every policy is satisfied it holds from its next start on, or from now if it is open. A change that lies in a
 * freeze by then is refused, as if it were planned only now.
 */
export function approveWindow(
  context: CommandContext,
  input: { readonly key: string; readonly comment?: string | undefined } & FreezeOverride,
): Promise<Decided> {
  return decide(context, { ...input, decision: "approve" });
}

/** Refuses a window: it holds nothing until it is changed and approved. */
export function rejectWindow(context: CommandContext, input: { readonly key: string; readonly comment: string }): Promise<Decided> {
  return decide(context, { ...input, decision: "reject" });
}

function decide(
  context: CommandContext,
  input: { readonly key: string; readonly decision: "approve" | "reject"; readonly comment?: string | undefined } & FreezeOverride,
): Promise<Decided> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const window = await knownWindow(tx, input.key);
    const now = await readNow(tx);
    const comment = input.comment ?? null;
    const approval = decideApproval(window.approval, {
      window: window.key,
      actor: context.actor.name,
      decision: input.decision,
      comment,
      now,
    });
    if (approval.state === "approved") await refuseLate(tx, context, { window, now, overrideFreeze: input.overrideFreeze });
    await tx.update(maintenanceWindow).set({ approval }).where(eq(maintenanceWindow.id, window.id));
    await recordAudit(tx, {
      actor: context.actor,
      action: `window.${input.decision}`,
      subjectKind: "window",
      subjectKey: window.key,
      ...(comment === null ? {} : { reason: comment }),
      before: window.approval,
      after: approval,
    });
    const by = context.actor.name;
    const { requestedBy, requestedAt } = approval;
    const open = approval.needed.filter(({ policy }) => !approval.given.some((one) => one.policy === policy)).map(({ policy }) => policy);
    await appendEvents(tx, [
      {
        kind: input.decision === "approve" ? "window.approved" : "window.rejected",
        subjectKind: "window",
        subjectKey: window.key,
        payload: { state: approval.state, by, comment, open, requestedBy, requestedAt: payloadInstant(requestedAt) },
      },
    ]);
    if (approval.state === "approved") {
      const holds = await insertOccurrenceHolds(tx, { until: now + holdHorizonMs, now, windowId: window.id });
      await lockDispatch(tx, await applyMembership(tx, { facts: await loadCatalogFacts(tx), holds }));
    }
    return { key: window.key, approval };
  });
}

/** A freeze that came while the window waited for its approval binds it: it did not stand yet. What was overridden when it was planned is not asked again. */
async function refuseLate(
  tx: Tx,
  context: CommandContext,
  input: { readonly window: WindowRow; readonly now: number } & FreezeOverride,
): Promise<void> {
  const { window, now, overrideFreeze } = input;
  const { id, key, kind, scope, series } = window;
  if (!windowKindEffects[kind].changes) return;
  const happens = await happeningsOf(tx, { windows: [window], zones: context.zones, now, until: now + freezeHorizonMs });
  const plan = { window: { key, kind, scope, timeZone: series.timeZone }, planned: happens.get(id) ?? [] };
  const stays = await refuseInFreeze(tx, context, { ...plan, now, overrideFreeze, known: await acceptedMeetings(tx, id) });
  await recordFreezes(tx, { window, stays, adds: true });
}
