import { sql } from "drizzle-orm";
import { recordAudits } from "../audit/record-audit.js";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";

/**
 * Tells that occurrences have begun: all that have, or the one that is about to be released, so that nobody hears of an end before the
 * beginning. The hold itself needs no telling: it covers from its start on. Answers how many were announced.
 */
export async function announceOpened(tx: Tx, only: { readonly occurrenceId?: number } = {}): Promise<number> {
  const which = only.occurrenceId === undefined ? sql`` : sql`and o.id = ${only.occurrenceId}`;
  const opened = await tx.execute<{ key: string; title: string; localStart: string; endsAt: number; mode: string }>(sql`
    update occurrence as o set started_at = app_now()
    from maintenance_window as w
    where w.id = o.window_id and o.starts_at <= app_now() and o.started_at is null and o.released_at is null and o.closed_at is null
      and o.cancelled_at is null and exists (select from hold as h where h.occurrence_id = o.id) ${which}
    returning w.key, w.title, o.local_start as "localStart", o.ends_at as "endsAt", w.mode`);
  await recordAudits(
    tx,
    opened.map(({ key, localStart, endsAt, mode }) => ({
      actor: systemActor,
      action: "occurrence.open",
      subjectKind: "window",
      subjectKey: key,
      reason: "its start was reached",
      after: { localStart, endsAt: payloadInstant(endsAt), mode },
    })),
  );
  await appendEvents(
    tx,
    opened.map(({ key, endsAt, ...payload }) => ({
      kind: "window.opened",
      subjectKind: "window",
      subjectKey: key,
      payload: { ...payload, endsAt: payloadInstant(endsAt) },
    })),
  );
  return opened.length;
}
