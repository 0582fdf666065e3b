import { eq, sql } from "drizzle-orm";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { announceOpened } from "./announce-opened.js";
import { holdIntegrations } from "./store.js";
import { hold, occurrence } from "./table.js";

/**
 * Releases one hold: from the commit on it covers nothing. The runs it held are let go afterwards, without the locks, by the sweep. Other holds
 * are not touched. Answers the integrations it covered; the caller takes their dispatch locks last, so that no claim marks a run as held after
 * the sweep has passed.
 */
export async function releaseHold(
  tx: Tx,
  input: { readonly holdId: number; readonly actor: Actor; readonly reason: string; readonly now: number },
): Promise<readonly number[]> {
  const integrations = await holdIntegrations(tx, input.holdId);
  const rows = await tx
    .update(hold)
    .set({ releasedAt: input.now, releasedBy: input.actor.name, releaseReason: input.reason })
    .where(eq(hold.id, input.holdId))
    .returning({ kind: hold.kind, occurrenceId: hold.occurrenceId });
  await tx.execute(sql`
    update hold_member set released_at = ${input.now}::timestamptz where hold_id = ${input.holdId} and released_at is null`);
  const released = rows[0];
  if (released === undefined) throw new Error(`Hold ${input.holdId} is gone.`);
  if (released.occurrenceId === null) {
    await appendEvents(tx, [
      {
        kind: "hold.released",
        subjectKind: "hold",
        subjectKey: String(input.holdId),
        payload: { kind: released.kind, reason: input.reason },
      },
    ]);
    return integrations;
  }
  await announceOpened(tx, { occurrenceId: released.occurrenceId });
  await tx.update(occurrence).set({ releasedAt: input.now }).where(eq(occurrence.id, released.occurrenceId));
  const named = await tx.execute<{ key: string; localStart: string }>(sql`
    select w.key, o.local_start as "localStart" from occurrence as o join maintenance_window as w on w.id = o.window_id where o.id = ${released.occurrenceId}`);
  await appendEvents(
    tx,
    named.map((one) => ({
      kind: "window.released",
      subjectKind: "window",
      subjectKey: one.key,
      payload: { localStart: one.localStart, integrations: integrations.length, reason: input.reason },
    })),
  );
  return integrations;
}
