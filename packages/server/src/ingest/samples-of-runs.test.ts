import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { startedRuns } from "../../../../test/server/started-runs.js";
import { type Database, openDatabase } from "../db/client.js";
import { createSequencer, type Sequencer } from "../events/sequencer.js";
import type { ClaimedRun } from "../runs/claim.js";
import { finishRuns } from "../runs/finish.js";
import { sampleEndedRuns } from "./samples-of-runs.js";

let fresh: FreshDatabase;
let database: Database;
let sequencer: Sequencer;
let worker: string;
let claimed: readonly ClaimedRun[];

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "samples-of-runs-test" });
  ({ worker, claimed } = await startedRuns(database, 4));
  sequencer = createSequencer(database, silentLog);
  sequencer.start();
});
afterAll(async () => {
  await sequencer?.stop();
  await database?.close();
  await fresh?.drop();
});

const retry = { maxAttempts: 3, backoffSeconds: 60, maxBackoffSeconds: 60 };
const failure = { kind: "unavailable", rule: { retry: true, holdsIntegration: false }, retryAfterMs: null, ambiguous: false } as const;

/** Everything that was written has its number. */
const numbered = () =>
  vi.waitFor(async () => expect(await database.sql`select from event_inbox`).toEqual([]), { timeout: 60_000, interval: 50 });
const sampled = async () => {
  for (let more = true; more;) ({ more } = await sampleEndedRuns({ database }));
  const rows = await database.sql<{ metric: string; n: number; good: number }[]>`
    select s.metric, count(*)::integer as n, (count(*) filter (where k.ok))::integer as good
    from kpi_sample as k join kpi_series as s on s.id = k.series_id group by s.metric order by s.metric`;
  return Object.fromEntries(rows.map(({ metric, n, good }) => [metric, [n, good]]));
};

it("makes samples of attempts that succeeded, failed and will be tried again, none of those that were handed back, and each once", async () => {
  const [good, again, bad, back] = claimed;
  if (good === undefined || again === undefined || bad === undefined || back === undefined) throw new Error("no runs");
  // Its second attempt.
  await database.sql`update run set attempt = 2 where id = ${bad.runId}::uuid`;
  const error = { kind: "unavailable", message: "refused" };
  await finishRuns(
    { database },
    {
      workerId: worker,
      runs: [
        { ...good, jitter: 0, retry, outcome: { kind: "succeeded", figures: { written: 7 } } },
        { ...again, jitter: 0, retry, outcome: { kind: "failed", figures: {}, failure, error } },
        {
          ...bad,
          attempt: 2,
          jitter: 0,
          retry,
          outcome: { kind: "failed", figures: {}, failure: { ...failure, rule: { retry: false, holdsIntegration: false } }, error },
        },
        { ...back, jitter: 0, retry, outcome: { kind: "given-back", reason: "drain" } },
      ],
    },
  );
  await numbered();
  const expected = {
    "run.attempt": [3, 1],
    "run.latency": [2, 1],
    "run.latency-without-hold": [2, 1],
    "run.records": [1, 1],
    "run.retry": [1, 0],
  };
  expect(await sampled()).toEqual(expected);
  expect(await sampled()).toEqual(expected);
  // A restart that has lost its place makes none twice.
  await database.sql`update kpi_progress set followed_position = 0`;
  expect(await sampled()).toEqual(expected);
  const [records] =
    await database.sql`select k.value, k.mark from kpi_sample as k join kpi_series as s on s.id = k.series_id where s.metric = 'run.records'`;
  expect(records).toEqual({ value: 7, mark: 0 });
});
