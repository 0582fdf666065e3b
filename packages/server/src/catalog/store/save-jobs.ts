import {
  DomainError,
  equalJson,
  jobScheduleOf,
  nextDueAt,
  parseDurationMs,
  type JobEntry,
  type JobSchedule,
  type ZoneData,
} from "@quiesce/core";
import { eq, inArray } from "drizzle-orm";
import { readNow } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { integration, job, type JobRow } from "../table.js";
import { editJobSchedules, effectiveSchedule, openSchedule } from "./edit-job-schedule.js";
import { idOf, idsOfKeys, inChunks } from "./key-ids.js";

/** Writes jobs. A changed schedule, and switching a job on or off, is an edit of the schedule with its history. */
export async function saveJobs(tx: Tx, input: { readonly entries: readonly JobEntry[]; readonly zones: ZoneData }): Promise<void> {
  const { entries, zones } = input;
  const integrations = await idsOfKeys(
    tx,
    integration,
    entries.map((entry) => entry.integration),
  );
  const known = new Map<string, JobRow>();
  for (const some of inChunks(entries)) {
    const rows = await tx
      .select()
      .from(job)
      .where(
        inArray(
          job.key,
          some.map((entry) => entry.key),
        ),
      );
    for (const row of rows) known.set(row.key, row);
  }
  const edits = new Map<number, { readonly schedule: JobSchedule | null; readonly enabled: boolean }>();
  const plain: { readonly id: number; readonly entry: JobEntry; readonly schedule: JobSchedule | null }[] = [];
  for (const entry of entries) {
    const integrationId = idOf(integrations, entry.integration);
    const row = known.get(entry.key);
    const schedule = entry.schedule === null ? null : jobScheduleOf(entry.schedule);
    if (row === undefined) {
      await createJob(tx, { entry, schedule, integrationId, zones });
      continue;
    }
    refuseMove(row, integrationId, entry);
    plain.push({ id: row.id, entry, schedule });
    const wanted = { schedule, enabled: entry.enabled };
    if (!equalJson(effectiveSchedule(row), effectiveSchedule(wanted))) edits.set(row.id, wanted);
  }
  // The schedules first: what was due under the old one is judged by the old catch-up policy, and runs are locked before jobs.
  await editJobSchedules(tx, { edits, zones });
  const now = await readNow(tx);
  for (const { id, entry, schedule } of plain) {
    await tx
      .update(job)
      .set({ ...settingsOf(entry), schedule, enabled: entry.enabled, updatedAt: now })
      .where(eq(job.id, id));
  }
}

async function createJob(
  tx: Tx,
  input: { readonly entry: JobEntry; readonly schedule: JobSchedule | null; readonly integrationId: number; readonly zones: ZoneData },
): Promise<void> {
  const { entry, schedule, zones } = input;
  const now = await readNow(tx);
  const effective = entry.enabled ? schedule : null;
  const rows = await tx
    .insert(job)
    .values({
      key: entry.key,
      integrationId: input.integrationId,
      ...settingsOf(entry),
      schedule,
      enabled: entry.enabled,
      watermark: now,
      nextDueAt: effective === null ? null : nextDueAt(effective, now - 1, zones),
    })
    .returning({ id: job.id });
  const jobId = rows[0]?.id;
  if (jobId === undefined) throw new Error(`Job ${entry.key} was not written.`);
  await openSchedule(tx, { jobId, version: 1, schedule: effective, at: now, zones });
}

/** Its runs carry the integration whose holds they obey, so a job stays with its integration. */
function refuseMove(row: JobRow, integrationId: number, entry: JobEntry): void {
  if (row.integrationId === integrationId) return;
  throw new DomainError(
    "QSC_CATALOGUE_JOB_MOVED",
    `Job "${entry.key}" belongs to another integration than "${entry.integration}", and its runs with it. Give the new job a key of its own and delete this one.`,
    { field: `jobs.${entry.key}.integration` },
  );
}

function seconds(text: string): number {
  return (parseDurationMs(text) ?? 0) / 1_000;
}

function settingsOf(
  entry: JobEntry,
): Pick<JobRow, "name" | "catchUp" | "catchUpMaxAgeSeconds" | "timeoutSeconds" | "retry" | "continuous" | "push" | "reconcile"> {
  return {
    name: entry.name,
    catchUp: entry.catchUp,
    catchUpMaxAgeSeconds: entry.catchUpMaxAge === null ? null : seconds(entry.catchUpMaxAge),
    timeoutSeconds: seconds(entry.timeout),
    retry: {
      maxAttempts: entry.retry.attempts,
      backoffSeconds: seconds(entry.retry.backoff),
      maxBackoffSeconds: seconds(entry.retry.maxBackoff),
    },
    continuous: entry.continuous,
    push: entry.push,
    reconcile: entry.reconcile,
  };
}
