import { afterEach, beforeEach, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { type ClaimedRun, claimRuns } from "./claim.js";
import { type FinishedRun, finishRuns, type RunOutcome } from "./finish.js";
import { registerWorker } from "./worker-lease.js";

const jobs = 4;

let fresh: FreshDatabase;
let database: Database;
let worker: string;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "finish-test", statementTimeoutMs: 5_000 });
  worker = await registerWorker(database, { name: "test", leaseMs: 3_600_000 });
  await database.sql`update control set expanded_until = 'infinity'`;
  const names = Array.from({ length: jobs }, (_, n) => n);
  await seedCatalogue(database.sql, {
    integrations: names.map((n) => ({ key: `i${n}` })),
    jobs: names.map((n) => ({ key: `j${n}`, integration: `i${n}` })),
  });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

async function claimAll(): Promise<readonly ClaimedRun[]> {
  await database.sql`select ensure_run_partitions(app_now() - interval '1 day', app_now())`;
  const runs = await database.sql<{ id: string; dueAt: number }[]>`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(at), at, at, j.id, i.id, i.bucket, 'manual', 'queued', at
    from job as j join integration as i on i.id = j.integration_id cross join (select app_now() as at) as now order by j.id
    returning id, due_at as "dueAt"`;
  const { claimed } = await claimRuns(database.sql, { workerId: worker, runs, limit: 100 });
  expect(claimed).toHaveLength(jobs);
  return claimed.toSorted((a, b) => (a.jobId ?? 0) - (b.jobId ?? 0));
}

const ended = (run: ClaimedRun, outcome: RunOutcome): FinishedRun => ({ ...run, jitter: 0, outcome });
const refused = (message: string): RunOutcome => ({
  kind: "failed",
  figures: {},
  failure: { kind: "auth", rule: { retry: false, holdsIntegration: true }, retryAfterMs: null, ambiguous: false },
  error: { kind: "auth", message },
});
const failed = (message: string): RunOutcome => ({
  kind: "failed",
  figures: {},
  failure: { kind: "invalid", rule: { retry: false, holdsIntegration: false }, retryAfterMs: null, ambiguous: false },
  error: { kind: "invalid", message },
});

it("an error's message with a zero character or half a surrogate pair is stored, and stops no other ending", async () => {
  const [a, b, c, d] = await claimAll();
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("no runs");
  const runs = [
    ended(a, failed("nul \0 here")),
    ended(b, failed("half \ud83d")),
    ended(c, refused("nul \0 and half \ud83d")),
    ended(d, { kind: "succeeded", figures: {} }),
  ];
  expect((await finishRuns({ database }, { workerId: worker, runs })).size).toBe(jobs);
  const rows = await database.sql<
    { message: string }[]
  >`select error ->> 'message' as message from run where error is not null order by job_id`;
  expect(rows.map((row) => row.message)).toEqual(["nul \ufffd here", "half \ufffd", "nul \ufffd and half \ufffd"]);
});

it("several refusals of credentials hold each integration once, with an audit entry each", async () => {
  const claimed = await claimAll();
  await finishRuns(
    { database },
    { workerId: worker, runs: claimed.map((run, n) => ended(run, n === 0 ? failed("bad") : refused(`refused ${n}`))) },
  );
  const members = await database.sql<{ key: string; reason: string }[]>`
    select i.key, h.reason from hold as h join hold_member as m on m.hold_id = h.id join integration as i on i.id = m.integration_id order by i.key`;
  expect([...members]).toEqual([1, 2, 3].map((n) => ({ key: `i${n}`, reason: `auth: refused ${n}` })));
  const audited = await database.sql<{ actor: string; action: string; reason: string; scope: unknown }[]>`
    select e.actor, e.action, e.reason, e.after -> 'scope' as scope from audit_entry as e join hold as h on h.id::text = e.subject_key
    where e.subject_kind = 'hold' order by e.reason`;
  expect([...audited]).toEqual(
    [1, 2, 3].map((n) => ({
      actor: "system:quiesce",
      action: "hold.create",
      reason: `auth: refused ${n}`,
      scope: { integrations: [`i${n}`] },
    })),
  );
});
