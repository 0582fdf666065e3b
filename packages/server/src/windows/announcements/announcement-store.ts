import type { AnnounceReason, DowntimeEffect } from "@quiesce/core";
import type { RemoteDowntime } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { systemActor } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { bigints, texts } from "../../db/sql-arrays.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";
import type { MonitorLook } from "./monitor-looks.js";
import type { WantedAnnouncement } from "./wanted-downtimes.js";

/** Of a monitor's own downtimes so many are kept to be shown. */
const MAX_KEPT = 5_000;

/** One occurrence at one monitor, as it was begun and is not known to be gone. */
export interface OpenAnnouncement {
  readonly id: number;
  readonly windowId: number;
  readonly window: string;
  readonly localStart: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly resources: readonly string[];
  readonly suppress: DowntimeEffect;
  readonly announcedAt: number | null;
  /** How it looked there before the last repair; null: it was found as it should be since. */
  readonly beforeRepair: string | null;
  readonly lastError: string | null;
}

/** Writes down what will be announced before anything is, and answers all that may be at the monitor. What is wanted otherwise than before is unconfirmed. */
export async function beginAnnouncements(
  tx: Tx,
  endpointId: number,
  wanted: readonly WantedAnnouncement[],
): Promise<readonly OpenAnnouncement[]> {
  const rows = wanted.map(({ windowId, localStart, resources, title, suppress, ...times }) => ({
    window_id: windowId,
    local_start: localStart,
    starts_at: payloadInstant(times.startsAt),
    ends_at: payloadInstant(times.endsAt),
    resources,
    title,
    suppress,
  }));
  await tx.execute(sql`
    insert into monitor_announcement as a (endpoint_id, window_id, local_start, starts_at, ends_at, resources, title, suppress)
    select ${endpointId}, r.window_id, r.local_start, r.starts_at, r.ends_at, array(select jsonb_array_elements_text(r.resources)), r.title, r.suppress
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as r(window_id integer, local_start text, starts_at timestamptz, ends_at timestamptz, resources jsonb, title text, suppress text)
    on conflict (endpoint_id, window_id, local_start) do update
    set starts_at = excluded.starts_at, ends_at = excluded.ends_at, resources = excluded.resources, title = excluded.title, suppress = excluded.suppress,
      announced_at = null, withdrawn_at = null, last_error = null, begun_at = case when a.withdrawn_at is null then a.begun_at else app_now() end
    where a.withdrawn_at is not null
      or (a.starts_at, a.ends_at, a.resources, a.suppress) is distinct from (excluded.starts_at, excluded.ends_at, excluded.resources, excluded.suppress)`);
  return selectRows<OpenAnnouncement>(
    tx,
    sql`
    select a.id, a.window_id as "windowId", w.key as window, a.local_start as "localStart", a.starts_at as "startsAt", a.ends_at as "endsAt", a.resources,
      a.suppress, a.announced_at as "announcedAt", a.before_repair as "beforeRepair", a.last_error as "lastError"
    from monitor_announcement as a join maintenance_window as w on w.id = a.window_id
    where a.endpoint_id = ${endpointId} and a.withdrawn_at is null order by a.id`,
  );
}

/** Writes down that the monitor has it. `ids`: what it answered; undefined: it was found there. */
export async function recordAnnounced(
  tx: Tx,
  look: MonitorLook,
  done: {
    readonly row: OpenAnnouncement;
    readonly why: AnnounceReason;
    readonly ids: readonly string[] | undefined;
    readonly before: string | null;
  },
): Promise<void> {
  const { row, why, ids, before } = done;
  await tx.execute(sql`
    update monitor_announcement set announced_at = app_now(), last_error = null, before_repair = ${before},
      remote_ids = coalesce(${ids === undefined ? null : texts(ids)}, remote_ids)
    where id = ${row.id}`);
  const payload = payloadOf(look, row);
  const what =
    why === "due" ? { kind: "window.downtime-announced", payload } : { kind: "window.downtime-repaired", payload: { ...payload, why } };
  await tell(tx, row, { ...what, action: why === "due" ? "window.announce-downtime" : "window.repair-downtime" });
}

/** It is there as it should be, as was known. */
export async function forgetRepair(tx: Tx, row: OpenAnnouncement): Promise<void> {
  await tx.execute(sql`update monitor_announcement set before_repair = null, last_error = null where id = ${row.id}`);
}

/** Writes down that nothing of it is left at the monitor; with `told` somebody had to take it away. */
export async function recordWithdrawn(tx: Tx, look: MonitorLook, row: OpenAnnouncement, told: boolean): Promise<void> {
  await tx.execute(sql`update monitor_announcement set withdrawn_at = app_now(), last_error = null where id = ${row.id}`);
  if (!told) return;
  await tell(tx, row, { kind: "window.downtime-removed", payload: payloadOf(look, row), action: "window.withdraw-downtime" });
}

/** Withdrawn though nobody here had begun it: of a backup's future, or of a window that was removed. */
export async function recordUnknownWithdrawn(tx: Tx, look: MonitorLook, name: string): Promise<void> {
  await recordAudit(tx, {
    actor: systemActor,
    action: "endpoint.withdraw-downtime",
    subjectKind: "endpoint",
    subjectKey: look.endpoint,
    after: { downtime: name },
  });
  await appendEvents(tx, [
    { kind: "endpoint.unknown-downtime-removed", subjectKind: "endpoint", subjectKey: look.endpoint, payload: { downtime: name } },
  ]);
}

/** Writes down what went wrong with one announcement, and tells of it once until it works again: the words may change with every try. */
export async function recordFailed(tx: Tx, look: MonitorLook, row: OpenAnnouncement, error: string): Promise<void> {
  if (row.lastError === error) return;
  await tx.execute(sql`update monitor_announcement set last_error = ${error} where id = ${row.id}`);
  if (row.lastError !== null) return;
  await appendEvents(tx, [
    { kind: "window.downtime-failed", subjectKind: "window", subjectKey: row.window, payload: { ...payloadOf(look, row), error } },
  ]);
}

/** Keeps what others have announced at the monitor, as it is there now. */
export async function saveRemote(tx: Tx, endpointId: number, listed: readonly RemoteDowntime[]): Promise<void> {
  const rows = listed
    .slice(0, MAX_KEPT)
    .map(({ id, start, end, resources, title, author }) => ({ id, start, end, resources, title, author: author ?? null }));
  const kept = await selectRows<{ id: number }>(
    tx,
    sql`
    insert into remote_downtime (endpoint_id, remote_id, starts_at, ends_at, resources, title, author)
    select distinct on (r.id) ${endpointId}::integer, r.id, r.start, r.end, array(select jsonb_array_elements_text(r.resources)), r.title, r.author
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(id text, start timestamptz, "end" timestamptz, resources jsonb, title text, author text)
    on conflict (endpoint_id, remote_id) do update
    set starts_at = excluded.starts_at, ends_at = excluded.ends_at, resources = excluded.resources, title = excluded.title, author = excluded.author
    returning id`,
  );
  await tx.execute(
    sql`delete from remote_downtime where endpoint_id = ${endpointId} and id <> all (${bigints(kept.map((row) => row.id))})`,
  );
}

function payloadOf({ endpoint }: MonitorLook, row: OpenAnnouncement) {
  const { localStart, resources } = row;
  return { endpoint, localStart, startsAt: payloadInstant(row.startsAt), endsAt: payloadInstant(row.endsAt), resources };
}

async function tell(
  tx: Tx,
  row: OpenAnnouncement,
  what: { readonly kind: string; readonly action: string; readonly payload: { readonly [name: string]: unknown } },
): Promise<void> {
  const { kind, action, payload } = what;
  await recordAudit(tx, { actor: systemActor, action, subjectKind: "window", subjectKey: row.window, after: payload });
  await appendEvents(tx, [{ kind, subjectKind: "window", subjectKey: row.window, payload }]);
}
