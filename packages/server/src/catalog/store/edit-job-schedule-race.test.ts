import { randomBytes } from "node:crypto";
import { packagedZoneData } from "@quiesce/core";
import { expect, test } from "vitest";
import { freshDatabase } from "../../../../../test/database/fresh-database.js";
import { inTransaction } from "../../command.js";
import { masterKeyOf } from "../../credentials/master-key.js";
import { openDatabase } from "../../db/client.js";
import { claimRuns, peekDue } from "../../runs/claim.js";
import { finishRuns } from "../../runs/finish.js";
import { conservation } from "../../runs/ledger.js";
import { materialiseRuns } from "../../runs/materialise.js";
import { registerWorker } from "../../runs/worker-lease.js";
import { expandWindows } from "../../windows/expand.js";
import { applyWorkspace, type CatalogContext } from "../commands.js";

const JOBS = 40;
const RACE_MS = 6_000;
const LEAST_EDITS = 6;
const retry = { maxAttempts: 3, backoffSeconds: 10, maxBackoffSeconds: 600 };

/** The dispatcher, too, does again what PostgreSQL rolled back to break a deadlock; answers whether it was done. */
async function unlessDeadlock(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof Error && String(Reflect.get(error.cause ?? error, "code")) === "40P01") return false;
    throw error;
  }
}

test("schedules edited in the midst of dispatch: nothing fails, nothing is lost and no run starts twice", async () => {
  const fresh = await freshDatabase();
  const database = openDatabase(fresh.url, { max: 8, applicationName: "edit-race-test" });
  try {
    const context: CatalogContext = {
      database,
      zones: packagedZoneData(),
      keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
      actor: { kind: "token", name: "ada", role: "admin" },
    };
    await expandWindows(context);
    const document = (seconds: (index: number) => number, enabled: (index: number) => boolean) => ({
      quiesce: 1,
      systems: [{ key: "erp", maxConcurrentRuns: 15 }],
      endpoints: [{ key: "erp-api", system: "erp", connector: "http" }],
      integrations: [{ key: "orders", source: "erp-api" }],
      jobs: Array.from({ length: JOBS }, (_, index) => ({
        key: `job-${index}`,
        integration: "orders",
        schedule: { every: `${seconds(index)}s` },
        enabled: enabled(index),
        catchUp: "all",
      })),
    });
    await applyWorkspace(
      context,
      document(
        () => 1,
        () => true,
      ),
    );
    const from = Date.now() - 60_000;
    const until = performance.now() + RACE_MS;
    const starts: string[] = [];
    let edits = 0;
    /** A busy machine races longer, until there was something to see. */
    const racing = (): boolean => performance.now() < until || edits < LEAST_EDITS || starts.length <= 20;

    const dispatch = async () => {
      const worker = await registerWorker(database, { name: "race", leaseMs: 3_600_000 });
      while (racing()) {
        await unlessDeadlock(() => materialiseRuns(context));
        const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 100, after: null });
        const { claimed } = await claimRuns(database.sql, { workerId: worker, runs, limit: 100 });
        starts.push(...claimed.map((one) => `${one.runId}/${one.attempt}`));
        const finish = () =>
          finishRuns(context, {
            workerId: worker,
            runs: claimed.map((one) => ({ ...one, retry, jitter: 0, outcome: { kind: "succeeded", figures: {} } })),
          });
        while (!(await unlessDeadlock(finish)));
      }
    };
    const edit = async (salt: number) => {
      while (racing()) {
        edits += 1;
        const turn = edits * 7 + salt;
        await applyWorkspace(
          context,
          document(
            (index) => 1 + ((index + turn) % 3),
            (index) => (index + turn) % 5 !== 0,
          ),
        );
      }
    };
    await Promise.all([dispatch(), dispatch(), edit(0), edit(1)]);
    for (let after: number | null = 0; after !== null;) after = (await materialiseRuns(context, after)).next;

    expect(edits).toBeGreaterThanOrEqual(LEAST_EDITS);
    expect(starts.length).toBeGreaterThan(20);
    expect(new Set(starts).size).toBe(starts.length);
    const account = await inTransaction(context, (tx) => conservation(tx, context.zones, { from, to: from + 3_600_000 }));
    expect(account.differences).toEqual([]);
    expect(account.accounted).toBe(account.expected);
  } finally {
    await database.close();
    await fresh.drop();
  }
});
