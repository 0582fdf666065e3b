import { eq, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { announceOpened } from "./announce-opened.js";
import { placeCanaryHold } from "./place-canary-hold.js";
import { holdIntegrations } from "./store.js";
import { hold, type HoldRow, occurrence } from "./table.js";

/** What a release is: of which hold, by whom and why. */
export interface Release {
  readonly holdId: number;
  readonly actor: Actor;
  readonly reason: string;
  readonly now: number;
}

/**
 * Releases one hold: from the commit on it covers nothing. The runs it held are let go afterwards, without the locks, by the sweep; after an
 * occurrence whose policy wants it, its first runs go ahead of the rest. Other holds are not touched. Answers the integrations it covered; the
 * caller takes their dispatch locks last, so that no claim marks a run as held after the sweep has passed.
 */
export async function releaseHold(tx: Tx, input: Release): Promise<readonly number[]> {
  const integrations = await holdIntegrations(tx, input.holdId);
  const rows = await tx
    .update(hold)
    .set({ releasedAt: input.now, releasedBy: input.actor.name, releaseReason: input.reason })
    .where(eq(hold.id, input.holdId))
    .returning();
  await tx.execute(sql`
    update hold_member set released_at = ${input.now}::timestamptz where hold_id = ${input.holdId} and released_at is null`);
  const released = rows[0];
  if (released === undefined) throw new Error(`Hold ${input.holdId} is gone.`);
  const { kind, scope, owner, reason, beginsAt, expiresAt } = released;
  await recordAudit(tx, {
    actor: input.actor,
    action: "hold.release",
    subjectKind: "hold",
    subjectKey: String(input.holdId),
    reason: input.reason,
    before: { kind, scope, owner, reason, beginsAt: payloadInstant(beginsAt), until: payloadInstant(expiresAt) },
    after: { releasedAt: payloadInstant(input.now), integrations: integrations.length },
  });
  if (released.occurrenceId !== null)
    await releaseOccurrence(tx, { ...input, released, occurrenceId: released.occurrenceId, integrations });
  else {
    // Whoever lifts the hold that tried first runs has decided what else would be waited for.
    if (released.canaryOf !== null) await tx.update(occurrence).set({ reheldAt: null }).where(eq(occurrence.id, released.canaryOf));
    await appendEvents(tx, [
      {
        kind: "hold.released",
        subjectKind: "hold",
        subjectKey: String(input.holdId),
        payload: { kind: released.kind, reason: input.reason },
      },
    ]);
  }
  return integrations;
}

async function releaseOccurrence(
  tx: Tx,
  input: Release & { readonly released: HoldRow; readonly occurrenceId: number; readonly integrations: readonly number[] },
): Promise<void> {
  const { occurrenceId, now, reason } = input;
  await announceOpened(tx, { occurrenceId });
  await tx.update(occurrence).set({ releasedAt: now }).where(eq(occurrence.id, occurrenceId));
  const named = await tx.execute<{ key: string; localStart: string }>(sql`
    select w.key, o.local_start as "localStart" from occurrence as o join maintenance_window as w on w.id = o.window_id where o.id = ${occurrenceId}`);
  await appendEvents(
    tx,
    named.map((one) => ({
      kind: "window.released",
      subjectKind: "window",
      subjectKey: one.key,
      payload: { localStart: one.localStart, integrations: input.integrations.length, reason },
    })),
  );
  await placeCanaryHold(tx, { released: input.released, occurrenceId, now });
}
