import { DomainError, occurrenceState, type OccurrenceState, type WindowKind, type WindowMode, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { runsRetainedFrom } from "../runs/reach-back.js";
import { isUnapproved } from "./approval-sql.js";
import { occurrenceMode } from "./queries.js";
import { type DrainReport, readDrainReport } from "./report-drain.js";
import { type PushedReport, readPushedReport } from "./report-pushed.js";
import { type ReconciledReport, readReconciledReport } from "./report-reconciled.js";
import { readReportRuns } from "./report-runs.js";

/** What one occurrence did: how many due times fell into it, what became of them, and how the counts add up. */
export interface WindowReport extends DrainReport, PushedReport, ReconciledReport {
  readonly window: string;
  readonly title: string;
  readonly kind: WindowKind;
  readonly localStart: string;
  readonly localEnd: string;
  readonly timeZone: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly quiescedAt: number | null;
  readonly releasedAt: number | null;
  readonly closedAt: number | null;
  readonly state: OccurrenceState;
  /** Due times of the integrations while they were covered; the sum of `byState`. */
  readonly due: number;
  /** Due times by the state they are in now; those that one run stands for are counted as coalesced. */
  readonly byState: { readonly [state: string]: number };
  /** Due times that this window held; also those that were due before it began and still waited. */
  readonly held: number;
  /** Runs that failed although they were due inside: there should be none. */
  readonly failed: number;
  /** Runs that started while their integration was covered, whenever they were due: there should be none in a window that enforces. */
  readonly startedInside: number;
  readonly integrations: readonly {
    readonly key: string;
    readonly path: string;
    readonly due: number;
    readonly held: number;
    readonly coalesced: number;
    readonly failed: number;
  }[];
}

interface OccurrenceFound {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly holdId: number | null;
  readonly title: string;
  readonly kind: WindowKind;
  readonly localStart: string;
  readonly localEnd: string;
  readonly timeZone: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly quiescedAt: number | null;
  readonly verifyingAt: number | null;
  readonly overrunAt: number | null;
  readonly releasedAt: number | null;
  readonly reheldAt: number | null;
  readonly closedAt: number | null;
  readonly cancelledAt: number | null;
  readonly approved: boolean;
  readonly mode: WindowMode;
}

/** The most integrations that a report lists one by one. */
const maxIntegrations = 1_000;

/** Reports one occurrence: the named one, or else the current or the last one. */
export async function windowReport(
  tx: Tx,
  zones: ZoneData,
  input: { readonly key: string; readonly localStart?: string | undefined },
): Promise<WindowReport> {
  const found = await findOccurrence(tx, input);
  const keptFrom = await runsRetainedFrom(tx);
  if (keptFrom !== null && found.startsAt < keptFrom)
    throw new DomainError(
      "QSC_OCCURRENCE_NOT_RETAINED",
      `The occurrence of "${input.key}" at ${found.localStart} began before ${new Date(keptFrom).toISOString()}; runs from before that are no longer kept, so its report would be wrong.`,
      { field: "key" },
    );
  const now = await readNow(tx);
  const byState: Record<string, number> = {};
  const integrations = new Map<string, { key: string; path: string; due: number; held: number; coalesced: number; failed: number }>();
  let held = 0;
  let startedInside = 0;
  for (const row of found.holdId === null ? [] : await readReportRuns(tx, { holdId: found.holdId, now, zones })) {
    const entry = integrations.get(row.key) ?? { key: row.key, path: row.path, due: 0, held: 0, coalesced: 0, failed: 0 };
    integrations.set(row.key, entry);
    held += row.held;
    startedInside += row.startedInside;
    entry.held += row.held;
    entry.due += row.due;
    for (const { state, dues } of row.counts) {
      byState[state] = (byState[state] ?? 0) + dues;
      if (state === "coalesced") entry.coalesced += dues;
      if (state === "failed" || state === "dead" || state === "lost") entry.failed += dues;
    }
  }
  const list = [...integrations.values()];
  const sum = (read: (one: (typeof list)[number]) => number) => list.reduce((total, one) => total + read(one), 0);
  return {
    window: input.key,
    title: found.title,
    kind: found.kind,
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
    ...(await readDrainReport(tx, { occurrenceId: found.id, holdId: found.holdId, startsAt: found.startsAt, now })),
    ...(await readPushedReport(tx, found.holdId)),
    ...(await readReconciledReport(tx, found.id)),
    integrations: list.slice(0, maxIntegrations),
  };
}

async function findOccurrence(tx: Tx, input: { readonly key: string; readonly localStart?: string | undefined }): Promise<OccurrenceFound> {
  // A key that is used again means the window that lives.
  const wanted = input.localStart === undefined ? sql`o.starts_at <= app_now()` : sql`o.local_start = ${input.localStart}`;
  const rows = await tx.execute<OccurrenceFound>(sql`
    select o.id, h.id as "holdId", w.title, w.kind, o.local_start as "localStart", o.local_end as "localEnd", w.series ->> 'timeZone' as "timeZone",
      o.starts_at as "startsAt", o.ends_at as "endsAt", o.quiesced_at as "quiescedAt", o.verifying_at as "verifyingAt", o.overrun_at as "overrunAt", o.reheld_at as "reheldAt", o.released_at as "releasedAt", o.closed_at as "closedAt",
      o.cancelled_at as "cancelledAt", not ${isUnapproved} as approved, ${occurrenceMode} as mode
    from occurrence as o join maintenance_window as w on w.id = o.window_id left join hold as h on h.occurrence_id = o.id
    where w.key = ${input.key} and ${wanted} order by w.cancelled_at is null desc, o.starts_at desc limit 1`);
  const found = rows[0];
  if (found === undefined) {
    const which =
      input.localStart === undefined
        ? "has not begun yet, so there is nothing to report"
        : `has no occurrence that starts at ${input.localStart}`;
    throw new DomainError("QSC_OCCURRENCE_NOT_FOUND", `The window "${input.key}" is not known, or ${which}.`, { field: "key" });
  }
  return found;
}
