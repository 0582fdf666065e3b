import type { Database } from "../../packages/server/src/db/client.js";
import { type ClaimedRun, claimRuns } from "../../packages/server/src/runs/claim.js";
import { registerWorker } from "../../packages/server/src/runs/worker-lease.js";
import { seedCatalogue } from "../database/seed-catalogue.js";

/** Longer than any story of a test. */
const LEASE_MS = 36_000_000;

/** A run of each of so many jobs, each of an integration of its own, started by one worker; in the order of the jobs. */
export async function startedRuns(
  database: Database,
  jobs: number,
): Promise<{ readonly worker: string; readonly claimed: readonly ClaimedRun[] }> {
  const worker = await registerWorker(database, { name: "test", leaseMs: LEASE_MS });
  await database.sql`update control set expanded_until = 'infinity'`;
  const names = Array.from({ length: jobs }, (_, n) => n);
  await seedCatalogue(database.sql, {
    integrations: names.map((n) => ({ key: `i${n}` })),
    jobs: names.map((n) => ({ key: `j${n}`, integration: `i${n}` })),
  });
  await database.sql`select ensure_run_partitions(app_now() - interval '1 day', app_now())`;
  const runs = await database.sql<{ id: string; dueAt: number }[]>`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(at), at, at, j.id, i.id, i.bucket, 'manual', 'queued', at
    from job as j join integration as i on i.id = j.integration_id cross join (select app_now() as at) as now order by j.id
    returning id, due_at as "dueAt"`;
  const { claimed } = await claimRuns(database.sql, { workerId: worker, runs, limit: jobs });
  if (claimed.length !== jobs) throw new Error(`${claimed.length} of ${jobs} runs started.`);
  return { worker, claimed: claimed.toSorted((a, b) => (a.jobId ?? 0) - (b.jobId ?? 0)) };
}
