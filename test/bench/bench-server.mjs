import { openDatabase } from "../../packages/server/dist/db/client.js";
import { createSequencer } from "../../packages/server/dist/events/sequencer.js";
import { ClockWatch } from "../../packages/server/dist/scheduler/clock-watch.js";
import { Dispatcher } from "../../packages/server/dist/scheduler/dispatcher.js";
import { openDispatchDatabase } from "../../packages/server/dist/scheduler/open-dispatch-database.js";
import { RunWorker } from "../../packages/server/dist/scheduler/run-worker.js";

export const silent = { info() {}, warn: console.warn, error: console.error, debug() {} };

/** The dispatching half of a server, with runs that do nothing: worker, dispatcher and sequencer on one pool. */
export async function startBenchServer({ url, pool, maxConcurrentRuns = 1_000 }) {
  // As a server has them: a small pool for peeks, claims and the lease, the rest for everything else.
  const dispatchDatabase = openDispatchDatabase(url);
  const database = openDatabase(url, { max: pool - 4, applicationName: "bench-server" });
  const counted = { started: 0 };
  const executor = {
    execute: async () => {
      counted.started += 1;
      return { kind: "succeeded", figures: {} };
    },
  };
  const sequencer = createSequencer(database, silent);
  sequencer.start();
  const lease = { leaseMs: 60_000, marginMs: 10_000, renewEveryMs: 5_000 };
  const worker = new RunWorker({
    database,
    leaseDatabase: dispatchDatabase,
    executor,
    log: silent,
    name: "bench",
    maxConcurrentRuns,
    random: Math.random,
    lease,
  });
  await worker.start();
  const clockWatch = new ClockWatch({ database, log: silent, workerName: "bench" });
  const dispatcher = new Dispatcher({
    database: dispatchDatabase,
    worker,
    clockWatch,
    log: silent,
    onStale: () => console.error("stale"),
    beforeClaim: async () => undefined,
    onSlowClaim: (tookMs) => console.error(`  (a claim took ${Math.round(tookMs)} ms)`),
  });
  const ticking = setInterval(() => dispatcher.wake(), 500);
  return {
    database,
    counted,
    dispatch: () => dispatcher.start(),
    async stop() {
      clearInterval(ticking);
      await dispatcher.stop();
      await worker.stop(5_000);
      await sequencer.stop();
      await dispatchDatabase.close();
      await database.close();
    },
  };
}

// As a process of its own: dispatches until its pipe closes.
if (process.argv[2] === "serve") {
  const server = await startBenchServer({ url: process.argv[3], pool: 10 });
  server.dispatch();
  process.stdin.resume();
  process.stdin.once("close", () => void server.stop().then(() => process.exit(0)));
  console.log("ready");
}
