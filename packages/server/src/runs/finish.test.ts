import { afterEach, beforeEach, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { startedRuns } from "../../../../test/server/started-runs.js";
import { type Database, openDatabase } from "../db/client.js";
import type { ClaimedRun } from "./claim.js";
import { type FinishedRun, finishRuns, type RunOutcome } from "./finish.js";

const jobs = 4;

let fresh: FreshDatabase;
let database: Database;
let worker: string;
let claimed: readonly ClaimedRun[];

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "finish-test", statementTimeoutMs: 5_000 });
  ({ worker, claimed } = await startedRuns(database, jobs));
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

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
  const [a, b, c, d] = claimed;
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

it("of two attempts of one run only the one that holds it ends it, although both come together", async () => {
  const [run] = claimed;
  if (run === undefined) throw new Error("no runs");
  // As after a freeze: taken back from the worker, and claimed by it again.
  await database.sql`update run set attempt = 2 where id = ${run.runId}::uuid`;
  const fenced = ended(run, failed("the first attempt"));
  const own = ended({ ...run, attempt: 2 }, { kind: "succeeded", figures: {} });
  const done = await finishRuns({ database }, { workerId: worker, runs: [fenced, own] });
  expect([...done]).toEqual([own]);
});

it("several refusals of credentials hold each integration once, with an audit entry each", async () => {
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
