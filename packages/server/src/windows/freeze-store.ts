import {
  type CatalogFacts,
  type FreezeCause,
  type FreezeOccurrence,
  type MetFreeze,
  occurrences,
  type PlannedOccurrence,
  reachOfScope,
  sharedReach,
  windowKindEffects,
  windowKinds,
  type WindowKind,
  type WindowScope,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { mayHold } from "./approval-sql.js";
import { evaluatedSeries } from "./planning-store.js";
import { loadCatalogFacts } from "./store.js";
import type { WindowRow } from "./table.js";

const maxWindows = 1_000;
/** Undecided freezes that are shown; each is of one occurrence. */
const maxConflicts = 200;

const kindsThat = (effect: "changes" | "blocksChanges") => sql.param(windowKinds.filter((kind) => windowKindEffects[kind][effect]));

/** A window with what is needed to say when it happens and what it reaches. */
export type HappeningWindow = Pick<WindowRow, "id" | "key" | "title" | "owner" | "kind" | "scope" | "series" | "expandedUntil">;

const columns = sql`w.id, w.key, w.title, w.owner, w.kind, w.scope, w.series, w.expanded_until as "expandedUntil"`;
type Row = HappeningWindow & { readonly [column: string]: unknown };

/** Windows that block changes and hold: approved where that is asked for, and not only observing. */
export async function bindingFreezes(tx: Tx, except: string | null): Promise<readonly HappeningWindow[]> {
  return tx.execute<Row>(sql`
    select ${columns} from maintenance_window as w
    where w.cancelled_at is null and w.mode = 'enforce' and ${mayHold} and w.key is distinct from ${except}::text
      and w.kind = any (${kindsThat("blocksChanges")}::text[])
    order by w.id limit ${maxWindows}`);
}

/** Windows that change something and stand: those that wait for an approval are judged when it is given. */
export async function standingChanges(tx: Tx): Promise<readonly HappeningWindow[]> {
  return tx.execute<Row>(sql`
    select ${columns} from maintenance_window as w
    where w.cancelled_at is null and ${mayHold} and w.kind = any (${kindsThat("changes")}::text[])
    order by w.id`);
}

/** When windows happen from now on: as it is written, with what was changed about each; beyond what is written, as the series says. */
export async function happeningsOf(
  tx: Tx,
  input: { readonly windows: readonly HappeningWindow[]; readonly zones: ZoneData; readonly now: number; readonly until: number },
): Promise<ReadonlyMap<number, readonly PlannedOccurrence[]>> {
  const { windows, zones, now, until } = input;
  const written = await tx.execute<PlannedOccurrence & { readonly [column: string]: unknown; readonly windowId: number }>(sql`
    select window_id as "windowId", local_start as "localStart", local_end as "localEnd", starts_at as start, ends_at as "end" from occurrence
    where window_id = any (${sql.param(windows.map((one) => one.id))}::integer[]) and ends_at > ${now}::timestamptz
      and cancelled_at is null and released_at is null and closed_at is null
    order by starts_at`);
  const found = new Map<number, PlannedOccurrence[]>(windows.map((one) => [one.id, []]));
  for (const { windowId, localStart, localEnd, start, end } of written) found.get(windowId)?.push({ localStart, localEnd, start, end });
  for (const { id, series, expandedUntil } of windows)
    found.get(id)?.push(...occurrences(await evaluatedSeries(tx, series), { from: expandedUntil, to: until }, zones));
  return found;
}

/** The same of freezes, each occurrence with what names it. */
export async function happeningFreezes(
  tx: Tx,
  input: { readonly freezes: readonly HappeningWindow[]; readonly zones: ZoneData; readonly now: number; readonly until: number },
): Promise<readonly (FreezeOccurrence & { readonly freezeId: number })[]> {
  const { freezes, ...at } = input;
  const happenings = await happeningsOf(tx, { windows: freezes, ...at });
  return freezes.flatMap(({ id, key: freeze, title, owner }) =>
    (happenings.get(id) ?? []).map(({ localStart, start, end }) => ({ freezeId: id, freeze, title, owner, localStart, start, end })),
  );
}

/** Notes where a change lies in freezes: by somebody's word, or without one. What is noted already stays as it is, but takes a word. */
export async function insertFreezeConflicts(
  tx: Tx,
  input: {
    readonly windowId: number;
    readonly met: readonly MetFreeze[];
    readonly cause: FreezeCause | null;
    readonly accepted: { readonly by: string; readonly reason: string } | null;
  },
): Promise<void> {
  const { windowId, met, cause, accepted } = input;
  for (const { planned, freeze } of met) {
    const now = accepted === null ? sql`null` : sql`app_now()`;
    await tx.execute(sql`
      insert into freeze_conflict (window_id, local_start, starts_at, ends_at, freeze_id, freeze_local_start, freeze_starts_at, freeze_ends_at, cause,
        accepted_at, accepted_by, accepted_reason)
      select ${windowId}, ${planned.localStart}, ${planned.start}::timestamptz, ${planned.end}::timestamptz, f.id, ${freeze.localStart},
        ${freeze.start}::timestamptz, ${freeze.end}::timestamptz, ${cause}, ${now}, ${accepted?.by ?? null}, ${accepted?.reason ?? null}
      from maintenance_window as f where f.key = ${freeze.freeze} and f.cancelled_at is null
      on conflict (window_id, local_start, freeze_id, freeze_local_start) do update
        set starts_at = excluded.starts_at, ends_at = excluded.ends_at, freeze_starts_at = excluded.freeze_starts_at, freeze_ends_at = excluded.freeze_ends_at,
          accepted_at = coalesce(freeze_conflict.accepted_at, excluded.accepted_at),
          accepted_by = coalesce(freeze_conflict.accepted_by, excluded.accepted_by),
          accepted_reason = coalesce(freeze_conflict.accepted_reason, excluded.accepted_reason)`);
  }
}

/** Forgets what was noted of a window, or of one occurrence of it: it is judged anew. */
export async function forgetFreezeConflicts(
  tx: Tx,
  input: { readonly windowId: number; readonly localStart: string | null },
): Promise<void> {
  const { windowId, localStart } = input;
  await tx.execute(sql`
    delete from freeze_conflict where window_id = ${windowId} and (${localStart}::text is null or local_start = ${localStart}::text)`);
}

/** What stands in a freeze by somebody's word, of one window. */
export async function acceptedMeetings(
  tx: Tx,
  windowId: number,
): Promise<readonly { readonly localStart: string; readonly freeze: string; readonly freezeLocalStart: string }[]> {
  return tx.execute<{ localStart: string; freeze: string; freezeLocalStart: string }>(sql`
    select c.local_start as "localStart", f.key as "freeze", c.freeze_local_start as "freezeLocalStart"
    from freeze_conflict as c join maintenance_window as f on f.id = c.freeze_id
    where c.window_id = ${windowId} and c.accepted_at is not null`);
}

/** An occurrence of a change that lies in a freeze, and nobody has decided on that; instants in epoch ms. */
export interface FreezeConflict {
  readonly windowId: number;
  readonly window: string;
  readonly owner: string;
  readonly localStart: string;
  readonly localEnd: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly freezeId: number;
  readonly freeze: string;
  readonly freezeTitle: string;
  readonly freezeOwner: string;
  readonly freezeLocalStart: string;
  /** When both happen. */
  readonly from: number;
  readonly until: number;
  readonly cause: FreezeCause | null;
  readonly noticedAt: number;
}

/**
 * What nobody has decided on yet, of one window or of all, by start; at most 200. Whether they still meet is asked of what stands now, so nothing has
 * to be taken back when a change is moved away, cancelled or over, or the freeze is.
 */
export async function openFreezeConflicts(tx: Tx, input: { readonly windowId?: number } = {}): Promise<readonly FreezeConflict[]> {
  const { windowId = null } = input;
  const rows = await tx.execute<
    FreezeConflict & { [column: string]: unknown; kind: WindowKind; scope: WindowScope; freezeKind: WindowKind; freezeScope: WindowScope }
  >(sql`
    select * from (
      select w.id as "windowId", w.key as "window", w.owner, w.kind, w.scope, c.local_start as "localStart", coalesce(o.local_end, c.local_start) as "localEnd",
        coalesce(o.starts_at, c.starts_at) as "startsAt", coalesce(o.ends_at, c.ends_at) as "endsAt",
        f.id as "freezeId", f.key as "freeze", f.title as "freezeTitle", f.owner as "freezeOwner", f.kind as "freezeKind", f.scope as "freezeScope",
        c.freeze_local_start as "freezeLocalStart", greatest(coalesce(o.starts_at, c.starts_at), coalesce(p.starts_at, c.freeze_starts_at)) as "from",
        least(coalesce(o.ends_at, c.ends_at), coalesce(p.ends_at, c.freeze_ends_at)) as until, c.cause, c.noticed_at as "noticedAt"
      from freeze_conflict as c
      join maintenance_window as w on w.id = c.window_id and w.cancelled_at is null and w.kind = any (${kindsThat("changes")}::text[])
      join maintenance_window as f on f.id = c.freeze_id and f.cancelled_at is null and f.mode = 'enforce'
        and f.kind = any (${kindsThat("blocksChanges")}::text[]) and (f.approval is null or f.approval ->> 'state' = 'approved')
      left join occurrence as o on o.window_id = w.id and o.local_start = c.local_start
      left join occurrence as p on p.window_id = f.id and p.local_start = c.freeze_local_start
      where c.accepted_at is null and (${windowId}::integer is null or c.window_id = ${windowId}::integer)
        and case when o.id is null then c.starts_at >= w.expanded_until else o.cancelled_at is null and o.closed_at is null and o.released_at is null end
        and case when p.id is null then c.freeze_starts_at >= f.expanded_until else p.cancelled_at is null and p.closed_at is null and p.released_at is null end
    ) as met where "from" < until and until > app_now() order by "startsAt", "window", "freeze" limit ${maxConflicts}`);
  if (rows.length === 0) return [];
  const facts = await loadCatalogFacts(tx);
  return rows
    .filter((one) => doMeet(facts, one))
    .map(({ kind: _kind, scope: _scope, freezeKind: _of, freezeScope: _reach, ...one }) => one);
}

interface Sides {
  readonly kind: WindowKind;
  readonly scope: WindowScope;
  readonly freezeKind: WindowKind;
  readonly freezeScope: WindowScope;
}

function doMeet(facts: CatalogFacts, { kind, scope, freezeKind, freezeScope }: Sides): boolean {
  const own = reachOfScope(facts, scope, windowKindEffects[kind].holds);
  return sharedReach(own, reachOfScope(facts, freezeScope, windowKindEffects[freezeKind].holds)) !== null;
}

/** Somebody's word on all that is open of a window. */
export async function acceptFreezeConflicts(
  tx: Tx,
  input: { readonly windowId: number; readonly by: string; readonly reason: string },
): Promise<void> {
  await tx.execute(sql`
    update freeze_conflict set accepted_at = app_now(), accepted_by = ${input.by}, accepted_reason = ${input.reason}
    where window_id = ${input.windowId} and accepted_at is null`);
}
