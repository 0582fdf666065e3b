// One server of the race: the built scheduler with an executor that does nothing but say so. Plain Node on the built output, as in production.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { packagedZoneData } from "@quiesce/core";

const built = (path) => new URL(`../../packages/server/dist/${path}`, import.meta.url).href;
const { openDatabase } = await import(built("db/client.js"));
const { Scheduler } = await import(built("scheduler/scheduler.js"));
const serverRequire = createRequire(fileURLToPath(new URL("../../packages/server/package.json", import.meta.url)));
const { default: pino } = await import(serverRequire.resolve("pino"));

const [url, name, settingsText] = process.argv.slice(2);
const settings = JSON.parse(settingsText);
const database = openDatabase(url, { max: 8, applicationName: name });
// The processes of one machine share this clock.
const microseconds = () => process.hrtime.bigint() / 1_000n;
const executor = {
  execute: async (run, signal) => {
    process.stdout.write(`begun ${run.runId} ${run.attempt} ${run.jobKey ?? "-"} ${microseconds()}\n`);
    if (settings.runMs > 0) await new Promise((resolve) => setTimeout(resolve, settings.runMs * (0.5 + Math.random())));
    process.stdout.write(`ended ${run.runId} ${run.attempt} ${run.jobKey ?? "-"} ${microseconds()}\n`);
    if (signal.aborted) return { kind: "given-back", reason: signal.reason?.why ?? "aborted" };
    return { kind: "succeeded", figures: {} };
  },
};
const scheduler = new Scheduler({
  database,
  databaseUrl: url,
  zones: packagedZoneData(),
  executor,
  probe: { isReady: async () => ({ ready: true, why: null }) },
  log: pino({ level: "error" }, pino.destination(2)),
  workerName: name,
  maxConcurrentRuns: settings.maxConcurrentRuns,
  lease: settings.lease,
  random: Math.random,
});
await scheduler.start();
process.stdout.write("started\n");
// The parent's end is this one's.
process.stdin.resume();
process.stdin.on("end", () => process.exit());
