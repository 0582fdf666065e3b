import { type CatalogFacts, type Occurrence, windowKindEffects, windowKinds } from "@quiesce/core";
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { mayHold } from "./approval-sql.js";
import { hold, type HoldRow, maintenanceWindow, type OccurrenceRow, occurrence, type WindowRow } from "./table.js";

/** What of the catalogue decides which integrations a scope covers; `integrationIds` narrows the integrations, never the systems. */
export async function loadCatalogFacts(tx: Tx, integrationIds?: readonly number[]): Promise<CatalogFacts> {
  const systems = await tx.execute<{ id: number; key: string }>(sql`select id, key from system order by id`);
  const dependencies = await tx.execute<{ systemId: number; dependsOnId: number; strength: "hard" | "soft" }>(sql`
    select system_id as "systemId", depends_on_id as "dependsOnId", strength from system_dependency`);
  const narrowed = integrationIds === undefined ? sql`` : sql`where i.id = any (${sql.param(integrationIds)}::integer[])`;
  // A route names a system once, as source where it is both: what is written to is asked of the target endpoint as well.
  const integrations = await tx.execute<{ id: number; key: string; tags: string[]; systemIds: number[]; targetSystemIds: number[] }>(sql`
    select i.id, i.key, i.tags, coalesce(array_agg(route.system_id) filter (where route.system_id is not null), '{}') as "systemIds",
      coalesce(array_agg(route.system_id) filter (where route.role = 'target' or route.system_id = target.system_id), '{}') as "targetSystemIds"
    from integration as i left join integration_system as route on route.integration_id = i.id left join endpoint as target on target.id = i.target_endpoint_id
    ${narrowed}
    group by i.id, i.key, i.tags order by i.id`);
  return { systems: [...systems], dependencies: [...dependencies], integrations: [...integrations] };
}

/** The living window of that key, locked against other editors. A cancelled one keeps its past and gives its key free. */
export async function lockWindow(tx: Tx, key: string): Promise<WindowRow | undefined> {
  const rows = await tx
    .select()
    .from(maintenanceWindow)
    .where(and(eq(maintenanceWindow.key, key), isNull(maintenanceWindow.cancelledAt)))
    .for("update");
  return rows[0];
}

/** The windows whose occurrences are not yet written ahead to `until`. */
export function windowsToExpand(tx: Tx, until: number): Promise<WindowRow[]> {
  return tx
    .select()
    .from(maintenanceWindow)
    .where(and(isNull(maintenanceWindow.cancelledAt), sql`${maintenanceWindow.expandedUntil} < ${until}::timestamptz`))
    .orderBy(maintenanceWindow.id);
}

/** Writes occurrences; one that is there already stays as it is: what has begun is frozen, and an identity is written once. */
export async function insertOccurrences(
  tx: Tx,
  input: { readonly window: WindowRow; readonly zoneDataVersion: string; readonly occurrences: readonly Occurrence[] },
): Promise<void> {
  if (input.occurrences.length === 0) return;
  await tx
    .insert(occurrence)
    .values(
      input.occurrences.map((one) => ({
        windowId: input.window.id,
        localStart: one.localStart,
        localEnd: one.localEnd ?? one.localStart,
        startsAt: one.start,
        endsAt: one.end ?? one.start,
        notes: [...one.notes],
        windowVersion: input.window.version,
        zoneDataVersion: input.zoneDataVersion,
      })),
    )
    .onConflictDoNothing({ target: [occurrence.windowId, occurrence.localStart] });
  await tx.execute(sql`
    update occurrence as o
    set cancelled_at = case when v.cancelled then app_now() end,
      starts_at = coalesce(v.starts_at, o.starts_at), ends_at = coalesce(v.ends_at, o.ends_at), local_end = coalesce(v.moved_end, o.local_end),
      notes = case when v.moved_start is null or 'moved to ' || replace(v.moved_start, 'T', ' ') = any (o.notes) then o.notes
        else o.notes || ('moved to ' || replace(v.moved_start, 'T', ' ')) end
    from occurrence_override as v
    where v.window_id = o.window_id and v.local_start = o.local_start and o.window_id = ${input.window.id}
      and o.started_at is null and o.window_version = ${input.window.version}`);
}

/** Removes the occurrences of a window that have not begun; their holds go with them. Answers the integrations these covered. */
export async function deleteFutureOccurrences(tx: Tx, windowId: number, now: number): Promise<void> {
  await tx.execute(sql`
    delete from occurrence where window_id = ${windowId} and starts_at > ${now}::timestamptz and started_at is null`);
}

/** What decides which integrations a hold covers. */
export type CoveringHold = Pick<HoldRow, "id" | "scope" | "coverage">;

const coverageOfKind = sql`case w.kind ${sql.join(
  windowKinds.map((kind) => sql`when ${kind} then ${windowKindEffects[kind].holds}`),
  sql` `,
)} end`;

/** Gives every open occurrence that begins before `until` its hold; answers the new holds. */
export async function insertOccurrenceHolds(
  tx: Tx,
  input: { readonly until: number; readonly now: number; readonly windowId?: number },
): Promise<readonly CoveringHold[]> {
  const one = input.windowId === undefined ? sql`` : sql`and w.id = ${input.windowId}`;
  return [
    ...(await tx.execute<CoveringHold & { readonly [column: string]: unknown }>(sql`
      insert into hold (kind, occurrence_id, mode, coverage, scope, owner, reason, begins_at, expires_at, lead_limit_ms, drain_deadline_ms, at_drain_deadline, resume)
      select 'window', o.id, w.mode, ${coverageOfKind}, w.scope, w.owner, w.reason, o.starts_at, o.ends_at, (w.drain ->> 'leadLimitMinutes')::integer * 60000,
        (w.drain ->> 'deadlineMinutes')::bigint * 60000, w.drain ->> 'atDeadline', w.resume
      from occurrence as o join maintenance_window as w on w.id = o.window_id
      where o.starts_at < ${input.until}::timestamptz and o.ends_at > ${input.now}::timestamptz
        and o.closed_at is null and o.cancelled_at is null and w.cancelled_at is null and ${mayHold} ${one}
        and not exists (select from hold as h where h.occurrence_id = o.id)
      order by o.starts_at, o.id
      returning id, scope, coverage`)),
  ];
}

/** The holds that are not released yet: active, or still to begin. Those that try first runs have the members that these need, whatever changes. */
export function openHolds(tx: Tx): Promise<CoveringHold[]> {
  return tx
    .select({ id: hold.id, scope: hold.scope, coverage: hold.coverage })
    .from(hold)
    .where(and(isNull(hold.releasedAt), isNull(hold.canaryOf)))
    .orderBy(hold.id);
}

/** The occurrence that a command means: the named one, or else the current or the next one of the window. Locked. */
export async function lockMeantOccurrence(
  tx: Tx,
  input: { readonly windowId: number; readonly localStart?: string | undefined; readonly now: number },
): Promise<OccurrenceRow | undefined> {
  const meant =
    input.localStart === undefined
      ? sql`(${occurrence.endsAt} > ${input.now}::timestamptz or ${occurrence.verifyingAt} is not null) and ${occurrence.releasedAt} is null and ${occurrence.cancelledAt} is null`
      : eq(occurrence.localStart, input.localStart);
  const rows = await tx
    .select()
    .from(occurrence)
    .where(and(eq(occurrence.windowId, input.windowId), meant))
    .orderBy(occurrence.startsAt)
    .limit(1)
    .for("update");
  return rows[0];
}

/** The integrations that a hold covers now (not those that have left it). */
export async function holdIntegrations(tx: Tx, holdId: number): Promise<readonly number[]> {
  const rows = await tx.execute<{ id: number }>(sql`
    select integration_id as id from hold_member where hold_id = ${holdId} and released_at is null order by integration_id`);
  return rows.map((row) => row.id);
}
