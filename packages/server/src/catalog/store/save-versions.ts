import { DomainError, type IntegrationEntry } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { appendEvents } from "../../events/append-events.js";
import { inChunks } from "./key-ids.js";

/** Why a version was written. */
export type VersionOrigin = "apply" | "rollback" | "promotion" | "standing";

/** So many versions of an integration are kept; older ones are in the audit trail still. */
export const VERSIONS_KEPT = 1_000;

/** What is written of each integration that changes. */
export interface NewVersions {
  readonly entries: readonly IntegrationEntry[];
  /** What stood before, for integrations that have no version yet. */
  readonly standing: readonly IntegrationEntry[];
  readonly origin: VersionOrigin;
  readonly restores: number | null;
  readonly actor: string;
  readonly reason: string | null;
}

/** Writes a version of each integration that was made or changed. The caller holds the catalogue lock, so numbers have no gaps. */
export async function saveVersions(tx: Tx, versions: NewVersions): Promise<void> {
  for (const some of inChunks(versions.standing)) {
    await tx.execute(sql`
      insert into integration_version (integration_id, number, document, origin, actor, reason)
      select i.id, 1, e.document, 'standing', 'system:quiesce', null
      from jsonb_to_recordset(${rowsOf(some)}::text::jsonb) as e(key text, document jsonb) join integration as i on i.key = e.key
      where not exists (select from integration_version as v where v.integration_id = i.id)`);
  }
  for (const some of inChunks(versions.entries)) {
    await tx.execute(sql`
      with made as (
        insert into integration_version (integration_id, number, document, origin, restores, actor, reason)
        select i.id, coalesce((select max(v.number) from integration_version as v where v.integration_id = i.id), 0) + 1, e.document,
          ${versions.origin}, ${versions.restores}::integer, ${versions.actor}, ${versions.reason}
        from jsonb_to_recordset(${rowsOf(some)}::text::jsonb) as e(key text, document jsonb) join integration as i on i.key = e.key
        returning integration_id, number
      )
      delete from integration_version as v using made where v.integration_id = made.integration_id and v.number <= made.number - ${VERSIONS_KEPT}::integer`);
  }
}

function rowsOf(entries: readonly IntegrationEntry[]): string {
  return JSON.stringify(entries.map((document) => ({ key: document.key, document })));
}

/** A definition that was changed is not what is being tried beside it any more. */
export async function supersedeTrials(tx: Tx, keys: readonly string[]): Promise<void> {
  for (const some of inChunks(keys)) {
    await tx.execute(sql`
      update integration_trial as t set state = 'superseded', verdict = 'The definition was changed meanwhile.', ended_at = app_now()
      from integration as i where i.id = t.integration_id and i.key = any (${sql.param(some)}::text[]) and t.kind <> 'dry-run' and t.state in ('running', 'promoting')`);
  }
}

/** The trial whose candidate becomes the definition in this transaction. Throws QSC_TRIAL_OVER if somebody ended it, or changed the definition, meanwhile. */
export async function endPromoted(tx: Tx, trialId: number): Promise<void> {
  const rows = await tx.execute<{ integration: string; kind: string; verdict: string }>(sql`
    update integration_trial as t set state = 'promoted', ended_at = app_now() from integration as i
    where t.id = ${trialId}::bigint and t.state = 'promoting' and i.id = t.integration_id
    returning i.key as integration, t.kind, t.verdict`);
  const [row] = rows;
  if (row === undefined)
    throw new DomainError("QSC_TRIAL_OVER", `The trial ${trialId} was ended meanwhile, so nothing is promoted.`, { field: "key" });
  const { integration, ...trial } = row;
  const subject = { subjectKind: "integration", subjectKey: integration, integrationKey: integration } as const;
  await appendEvents(tx, [{ ...subject, kind: "integration.trial-ended", payload: { trial: trialId, ...trial, state: "promoted" } }]);
}
