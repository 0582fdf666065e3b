import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { type CatchUpOverride, overrideCatchUp } from "./catch-up-override.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { announce, tryAgain } from "./readiness.js";
import { releaseHold } from "./release-hold.js";
import { knownWindow } from "./save-window.js";

export interface ResumeWindowInput extends CatchUpOverride {
  readonly key: string;
  /** Let go what waits, whatever the systems say. */
  readonly skipReadiness?: boolean | undefined;
  readonly reason: string;
}

/** The hold that keeps an ended occurrence from resuming. */
interface Kept {
  readonly [column: string]: unknown;
  readonly occurrenceId: number;
  readonly localStart: string;
  readonly holdId: number;
  readonly reheld: boolean;
  readonly checks: number;
}

/**
 * Resumes what waits after the end of a window: asks its systems again at once, or with `skipReadiness` lets it go by hand. After failed first
 * runs the first tries others where there is nothing to ask, and the second lets the rest go. Throws QSC_WINDOW_NOT_WAITING while the window is
 * open and after it is over.
 */
export function resumeWindow(
  context: CommandContext,
  input: ResumeWindowInput,
): Promise<{ readonly key: string; readonly localStart: string; readonly released: boolean }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const window = await knownWindow(tx, input.key);
    const kept = await lockKept(tx, window.id);
    if (kept === undefined) {
      throw new DomainError(
        "QSC_WINDOW_NOT_WAITING",
        `No occurrence of "${window.key}" has ended and waits to resume. An open one ends with \`quiesce window end\`.`,
        { field: "key" },
      );
    }
    await overrideCatchUp(tx, { ...input, holdId: kept.holdId });
    const skips = input.skipReadiness === true;
    await recordAudit(tx, {
      actor: context.actor,
      action: skips ? "occurrence.release" : "occurrence.check",
      subjectKind: "window",
      subjectKey: window.key,
      reason: input.reason,
      before: { localStart: kept.localStart, reheld: kept.reheld },
      after: { localStart: kept.localStart, skipReadiness: skips, catchUp: input.catchUp ?? null },
    });
    if (skips) {
      const now = await readNow(tx);
      await lockDispatch(tx, await releaseHold(tx, { holdId: kept.holdId, actor: context.actor, reason: input.reason, now }));
    } else await askAgain(tx, kept);
    return { key: window.key, localStart: kept.localStart, released: skips };
  });
}

/** Rows before the hold's, as every command takes them. */
async function lockKept(tx: Tx, windowId: number): Promise<Kept | undefined> {
  const found = await tx.execute<Kept>(sql`
    select o.id as "occurrenceId", o.local_start as "localStart", h.id as "holdId", o.reheld_at is not null as reheld,
      (select count(*) from readiness_check as k where k.occurrence_id = o.id) as checks
    from occurrence as o join hold as h on h.released_at is null and (h.canary_of = o.id or (h.occurrence_id = o.id and o.verifying_at is not null))
    where o.window_id = ${windowId} and o.closed_at is null and o.cancelled_at is null
    order by o.starts_at limit 1 for update of o`);
  const kept = found[0];
  if (kept === undefined) return undefined;
  const still = await tx.execute(sql`select from hold where id = ${kept.holdId} and released_at is null for update`);
  return still.length === 0 ? undefined : kept;
}

async function askAgain(tx: Tx, kept: Kept): Promise<void> {
  const { occurrenceId } = kept;
  if (kept.reheld && kept.checks === 0) {
    await tryAgain(tx, kept);
    return;
  }
  await tx.execute(sql`update readiness_check set next_at = least(next_at, app_now()) where occurrence_id = ${occurrenceId} and not ok`);
  await announce(tx, { occurrenceId, kind: "window.readiness-asked", payload: {} });
}
