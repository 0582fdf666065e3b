import { DomainError, occurrenceState, type OccurrenceState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";

/** What one occurrence did: how many due times fell into it, what became of them, and how the counts add up. */
export interface WindowReport {
  readonly window: string;
  readonly title: string;
  readonly localStart: string;
  readonly localEnd: string;
  readonly timeZone: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly quiescedAt: number | null;
  readonly releasedAt: number | null;
  readonly closedAt: number | null;
  readonly state: OccurrenceState;
  /** Due times of covered integrations between start and release; the sum of all the counts below. */
  readonly due: number;
  /** Due times by the state they are in now; those that one run stands for are counted as coalesced. */
  readonly byState: { readonly [state: string]: number };
  /** Due times that this window held. */
  readonly held: number;
  /** Runs that failed although they were due inside: there should be none. */
  readonly failed: number;
  /** Runs that started between start and release: there should be none in a window that enforces. */
  readonly startedInside: number;
  readonly integrations: readonly { readonly key: string; readonly path: string; readonly due: number; readonly held: number; readonly coalesced: number; readonly failed: number }[];
}

interface OccurrenceFound {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly holdId: number | null;
  readonly title: string;
  readonly localStart: string;
  readonly localEnd: string;
  readonly timeZone: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly quiescedAt: number | null;
  readonly releasedAt: number | null;
  readonly closedAt: number | null;
  readonly cancelledAt: number | null;
}

/** The most integrations that a report lists one by one. */
const maxIntegrations = 1_000;

/** Reports one occurrence: the named one, or else the current or the last one. */
export async function windowReport(tx: Tx, input: { readonly key: string; readonly localStart?: string | undefined }): Promise<WindowReport> {
  const found = await findOccurrence(tx, input);
  const now = await readNow(tx);
  const until = found.releasedAt ?? Math.max(now, found.startsAt);
  const counts = await tx.execute<{ key: string; path: string; state: string; runs: number; dues: number; held: number; inside: number }>(sql`
    select i.key, m.path, r.state, count(r.id)::integer as runs, coalesce(sum(r.due_count), 0)::integer as dues,
      coalesce(sum(r.due_count) filter (where ${found.holdId}::bigint = any (r.held_by)), 0)::integer as held,
      (count(r.id) filter (where r.started_at >= m.begins_at and r.started_at < ${until}::timestamptz
        and (r.passes_holds is null or ${found.holdId}::bigint <> all (r.passes_holds))))::integer as inside
    from hold_member as m join integration as i on i.id = m.integration_id
    left join run as r on r.integration_id = m.integration_id and r.due_at >= ${found.startsAt}::timestamptz and r.due_at < ${until}::timestamptz
      -- Somebody asked at the gate and was told to wait: no work was due.
      and not (r.trigger = 'gate' and r.state = 'cancelled')
    where m.hold_id = ${found.holdId}::bigint
    group by i.key, m.path, r.state order by i.key`);
  const byState: Record<string, number> = {};
  const integrations = new Map<string, { key: string; path: string; due: number; held: number; coalesced: number; failed: number }>();
  let held = 0;
  let startedInside = 0;
  for (const row of counts) {
    const entry = integrations.get(row.key) ?? { key: row.key, path: row.path, due: 0, held: 0, coalesced: 0, failed: 0 };
    integrations.set(row.key, entry);
    // A group without runs has no state.
    if (row.runs === 0) continue;
    const apart = row.state === "skipped" || row.state === "coalesced" || row.state === "cancelled" ? row.dues : row.runs;
    byState[row.state] = (byState[row.state] ?? 0) + apart;
    if (row.dues > apart) byState["coalesced"] = (byState["coalesced"] ?? 0) + row.dues - apart;
    entry.due += row.dues;
    entry.held += row.held;
    entry.coalesced += row.state === "coalesced" ? row.dues : row.dues - apart;
    entry.failed += row.state === "failed" || row.state === "dead" || row.state === "lost" ? row.runs : 0;
    held += row.held;
    startedInside += row.inside;
  }
  const list = [...integrations.values()];
  const sum = (read: (one: (typeof list)[number]) => number) => list.reduce((total, one) => total + read(one), 0);
  return {
    window: input.key,
    title: found.title,
    localStart: found.localStart,
    localEnd: found.localEnd,
    timeZone: found.timeZone,
    startsAt: found.startsAt,
    endsAt: found.endsAt,
    quiescedAt: found.quiescedAt,
    releasedAt: found.releasedAt,
    closedAt: found.closedAt,
    state: occurrenceState(found, now),
    due: sum((one) => one.due),
    byState,
    held,
    failed: sum((one) => one.failed),
    startedInside,
    integrations: list.slice(0, maxIntegrations),
  };
}

async function findOccurrence(tx: Tx, input: { readonly key: string; readonly localStart?: string | undefined }): Promise<OccurrenceFound> {
  const wanted = input.localStart === undefined ? sql`o.starts_at <= app_now()` : sql`o.local_start = ${input.localStart}`;
  const rows = await tx.execute<OccurrenceFound>(sql`
    select o.id, h.id as "holdId", w.title, o.local_start as "localStart", o.local_end as "localEnd", w.series ->> 'timeZone' as "timeZone",
      o.starts_at as "startsAt", o.ends_at as "endsAt", o.quiesced_at as "quiescedAt", o.released_at as "releasedAt", o.closed_at as "closedAt",
      o.cancelled_at as "cancelledAt"
    from occurrence as o join maintenance_window as w on w.id = o.window_id left join hold as h on h.occurrence_id = o.id
    where w.key = ${input.key} and ${wanted} order by o.starts_at desc limit 1`);
  const found = rows[0];
  if (found === undefined) {
    const which = input.localStart === undefined ? "has not begun yet, so there is nothing to report" : `has no occurrence that starts at ${input.localStart}`;
    throw new DomainError("QSC_OCCURRENCE_NOT_FOUND", `The window "${input.key}" is not known, or ${which}.`, { field: "key" });
  }
  return found;
}
