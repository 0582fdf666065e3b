import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { startedRuns } from "../../../../test/server/started-runs.js";
import { clock } from "../clock.js";
import { type Database, openDatabase } from "../db/client.js";
import type { ClaimedRun } from "../runs/claim.js";
import type { RunOutcome } from "../runs/finish.js";
import { lockCatalogue } from "../windows/locks.js";
import { FinishQueue } from "./finish-queue.js";

const jobs = 8;
const succeeded: RunOutcome = { kind: "succeeded", figures: {} };
const log = pino({ level: "silent" });

let fresh: FreshDatabase;
let database: Database;
let finishing: Database;
let worker: string;
let claimed: readonly ClaimedRun[];
let queue: FinishQueue;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "finish-queue-test" });
  finishing = openDatabase(fresh.url, { max: 4, applicationName: "finish-queue-test", statementTimeoutMs: 300 });
  ({ worker, claimed } = await startedRuns(database, jobs));
  queue = new FinishQueue({ database: finishing }, log);
});

afterEach(async () => {
  await finishing.close();
  await database.close();
  await fresh.drop();
});

const add = (run: ClaimedRun, giveUpInMs: number, outcome: RunOutcome = succeeded) => {
  const giveUpAtMs = clock.monotonicMs() + giveUpInMs;
  return queue.add(worker, { ...run, jitter: 0, outcome }, () => giveUpAtMs);
};

async function countIn(state: string): Promise<number> {
  const rows = await database.sql<{ n: number }[]>`select count(*)::integer as n from run where state = ${state}`;
  return rows[0]?.n ?? 0;
}

/** Holds what `lock` locks until the answered function is called. */
async function held(
  lock: (tx: Parameters<Parameters<Database["db"]["transaction"]>[0]>[0]) => Promise<unknown>,
): Promise<() => Promise<void>> {
  let free = (): void => undefined;
  let holding: Promise<void> = Promise.resolve();
  await new Promise<void>((locked) => {
    holding = database.db.transaction(async (tx) => {
      await lock(tx);
      await new Promise<void>((resolve) => {
        free = resolve;
        locked();
      });
    });
  });
  return async () => {
    free();
    await holding;
  };
}

it("an ending keeps its own deadline: one that came early and gave up drops none that came later", async () => {
  const free = await held((tx) => tx.execute("lock table run in access exclusive mode"));
  const [first, ...others] = claimed;
  if (first === undefined) throw new Error("no run");
  const early = add(first, 0);
  const later = others.map((run) => add(run, 30_000));
  await early;
  await free();
  await Promise.all(later);
  expect(await countIn("succeeded")).toBe(jobs - 1);
  expect(await countIn("running")).toBe(1);
});

it("an ending that the database refuses for its values drops no other of its batch", async () => {
  const [first, ...others] = claimed;
  if (first === undefined) throw new Error("no run");
  let gaveUp = false;
  const refused = add({ ...first, attempt: 2 ** 40 }, 10_000).then(() => (gaveUp = true));
  await Promise.all(others.map((run) => add(run, 30_000)));
  expect(gaveUp).toBe(false);
  expect(await countIn("succeeded")).toBe(jobs - 1);
  await refused;
});

it("endings do not wait for the catalogue because one of them holds its integration", async () => {
  // Nothing ends the wait for the catalogue but its release.
  queue = new FinishQueue({ database }, log);
  const free = await held((tx) => lockCatalogue(tx));
  const [first, ...others] = claimed;
  if (first === undefined) throw new Error("no run");
  const refused = add(first, 30_000, {
    kind: "failed",
    figures: {},
    failure: { kind: "auth", rule: { retry: false, holdsIntegration: true }, retryAfterMs: null, ambiguous: false },
    error: { kind: "auth", message: "refused" },
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all(others.map((run) => add(run, 30_000)));
    expect(await countIn("succeeded")).toBe(jobs - 1);
    expect(await countIn("running")).toBe(1);
  } finally {
    await free();
  }
  await refused;
  expect(await countIn("queued")).toBe(1);
});
