import type { FieldConflict } from "@quiesce/core";
import type { Json } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { storedKey } from "./dead-letters.js";
import type { StreamRun } from "./pipeline-run.js";
import { storableJson } from "./storable-json.js";

/** Why a field, or a record, is not the same at both sides, or whose value gave way. */
export interface FoundConflict extends Omit<FieldConflict, "rule"> {
  readonly recordKey: string;
  readonly kind: "changed" | "refused" | "deleted";
  readonly rule: string;
  readonly message: string | null;
}

/** The field of a conflict about the record as a whole. */
export const WHOLE_RECORD = "";

/**
 * Writes conflicts down before anything is written over: those that a rule decided as the record of what gave way, the others for a person. A page
 * that is tried again finds its own.
 */
export async function noteConflicts(tx: Tx, run: StreamRun, conflicts: readonly FoundConflict[]): Promise<void> {
  if (conflicts.length === 0) return;
  const { mask } = run.permit;
  const { integrationId, integrationKey, runId } = run.run;
  const place = { integrationId, stream: run.stream.stream, runId, mask };
  const rows = storableJson(
    conflicts.map((one) => ({
      ...one,
      recordKey: storedKey(place, one.recordKey),
      agreed: mask.deep(one.agreed),
      source: mask.deep(one.source),
      target: mask.deep(one.target),
      message: one.message === null ? null : mask.text(one.message),
    })),
  );
  const given = sql`jsonb_to_recordset(${rows}::text::jsonb) as g("recordKey" text, field text, kind text, agreed jsonb, source jsonb, target jsonb, rule text, message text, winner text)`;
  await tx.execute(sql`
    insert into sync_conflict (integration_id, stream, record_key, field, kind, agreed, source, target, rule, message, state, winner, run_id)
    select ${integrationId}, ${place.stream}, g."recordKey", g.field, g.kind, g.agreed, g.source, g.target, g.rule, g.message, 'settled', g.winner, ${runId}::uuid
    from ${given} where g.winner is not null and not exists (
      select from sync_conflict as c where c.integration_id = ${integrationId} and c.stream = ${place.stream} and c.record_key = g."recordKey" and c.field = g.field
        and c.state = 'settled' and c.run_id = ${runId}::uuid and c.source is not distinct from g.source and c.target is not distinct from g.target)
    order by g."recordKey", g.field`);
  const opened = await tx.execute<{ isNew: boolean }>(sql`
    insert into sync_conflict as c (integration_id, stream, record_key, field, kind, agreed, source, target, rule, message, state, run_id)
    select ${integrationId}, ${place.stream}, g."recordKey", g.field, g.kind, g.agreed, g.source, g.target, g.rule, g.message, 'open', ${runId}::uuid
    from ${given} where g.winner is null order by g."recordKey", g.field
    on conflict (integration_id, stream, record_key, field) where state = 'open' do update
      set kind = excluded.kind, agreed = excluded.agreed, source = excluded.source, target = excluded.target, rule = excluded.rule, message = excluded.message, run_id = excluded.run_id
    returning xmax = 0 as "isNew"`);
  const found = opened.filter(({ isNew }) => isNew).length;
  if (found === 0) return;
  const payload = { stream: place.stream, conflicts: found, run: runId };
  await appendEvents(tx, [
    { kind: "integration.conflicts-found", subjectKind: "integration", subjectKey: integrationKey, integrationKey, payload },
  ]);
}

/** A value of the target that the source has refused, and about which nobody has decided yet. */
export interface OpenRefusal {
  readonly [column: string]: unknown;
  readonly recordKey: string;
  readonly field: string;
  readonly target: Json;
}

/** What the source has refused of these records: it is not tried again before somebody decides, or the value is another one. */
export async function openRefusals(tx: Tx, run: StreamRun, keys: readonly string[]): Promise<readonly OpenRefusal[]> {
  return tx.execute<OpenRefusal>(sql`
    select record_key as "recordKey", field, target from sync_conflict
    where integration_id = ${run.run.integrationId} and stream = ${run.stream.stream} and state = 'open' and kind = 'refused' and record_key = any (${sql.param(keys)}::text[])`);
}

/** Closes the conflicts of records that were settled, save those that are still there. */
export async function closeConflicts(
  tx: Tx,
  run: StreamRun,
  settled: { readonly keys: readonly string[]; readonly standing: readonly Pick<FoundConflict, "recordKey" | "field" | "winner">[] },
): Promise<void> {
  if (settled.keys.length === 0) return;
  const { integrationId, runId } = run.run;
  const place = { integrationId, stream: run.stream.stream, runId, mask: run.permit.mask };
  const keys = settled.keys.map((key) => storedKey(place, key));
  const standing = settled.standing
    .filter(({ winner }) => winner === null)
    .map(({ recordKey, field }) => ({ recordKey: storedKey(place, recordKey), field }));
  await tx.execute(sql`
    update sync_conflict as c set state = 'settled'
    where c.integration_id = ${integrationId} and c.stream = ${place.stream} and c.state in ('open', 'decided') and c.record_key = any (${sql.param(keys)}::text[])
      and not exists (select from jsonb_to_recordset(${storableJson(standing)}::text::jsonb) as g("recordKey" text, field text)
        where c.state = 'open' and g."recordKey" = c.record_key and g.field = c.field)`);
  await forgetOldConflicts(tx, integrationId);
}

/** So many settled conflicts of an integration are kept. */
const KEPT_CONFLICTS = 10_000;
const FORGOTTEN_AT_ONCE = 1_000;

async function forgetOldConflicts(tx: Tx, integrationId: number): Promise<void> {
  await tx.execute(sql`
    delete from sync_conflict where id in (
      select c.id from sync_conflict as c where c.integration_id = ${integrationId} and c.state = 'settled' and c.id <= (
        select o.id from sync_conflict as o where o.integration_id = ${integrationId} order by o.id desc offset ${KEPT_CONFLICTS} limit 1)
      order by c.id limit ${FORGOTTEN_AT_ONCE})`);
}
