import { cpus, loadavg } from "node:os";
import { aged, agedSettings } from "./aged.mjs";
import { startBenchCluster } from "./cluster.mjs";
import { burst, decisionShare, lateness } from "./burst.mjs";
import { copyMemory } from "./copy-memory.mjs";
import { copies } from "./copy.mjs";
import { changeOneWindow, decisionRatio, expandMany, indexMemory } from "./decision.mjs";
import { dashboard, dashboardSettings } from "./dashboard.mjs";
import { dashboardPage, pageSettings } from "./dashboard-page.mjs";
import { ingest } from "./ingest.mjs";
import { sla } from "./sla.mjs";
import { promises } from "./promises.mjs";
import { agenda, graphileWorker, pgBoss, quiesce } from "./dispatch.mjs";
import { live, liveSettings } from "./live.mjs";
import { resumeHeld } from "./resume.mjs";
import { storm, stormSettings } from "./storm.mjs";

/**
 * `npm run bench [-- decision|dispatch|copy|memory|ingest|sla|storm|aged|live|dashboard|page|promises|resume]`: every figure of docs/performance.md, as ratios within this one run. What a busy
 * machine does to a figure shows in the load that stands beside it. `resume [runs]` is the longest part; without a number it takes 20,000 runs.
 * `page [minutes] [path]` looks at a page of the dashboard in Chromium, and runs only where it is asked for.
 */
const only = process.argv[2];
const line = (text) => console.log(text);
const load = () => `load ${loadavg()[0].toFixed(1)}`;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
line(`Node ${process.version}, ${cpus().length} CPUs, ${load()}`);

if (only === undefined || only === "decision") {
  line(`\nDecision (the compiled index of holds), ${load()}`);
  const decision = decisionRatio();
  line(
    `  10,000 integrations: ${decision.keyNs.toFixed(1)} ns by key, ${decision.numberNs.toFixed(1)} ns by number, Map.get and compare ${decision.mapNs.toFixed(1)} ns: ratio ${decision.ratio.toFixed(2)} (goal 1.5)`,
  );
  for (const affected of [1, 100, 1_000]) {
    const change = changeOneWindow(affected);
    line(
      `  one window changed, ${change.affected} integrations affected of 10,000: ${change.ms.toFixed(2)} ms of CPU (goal ${change.limitMs.toFixed(1)})`,
    );
  }
  const expand = expandMany();
  line(`  90 days of ${expand.count} windows: ${expand.seconds.toFixed(2)} s of CPU for ${expand.found} occurrences (goal 1.5)`);
  const memory = indexMemory();
  line(`  index of 100,000 integrations: ${memory.mib.toFixed(1)} MiB (goal 60)`);
}

if (only === undefined || only === "dispatch") {
  const count = 10_000;
  const cluster = await startBenchCluster();
  line(`\nDispatch of ${count} due no-op jobs, pools of 10 connections, ${await cluster.settings()}, ${load()}`);
  const contenders = [
    ["quiesce", () => quiesce(cluster, count)],
    ["agenda 6.2.6", () => agenda(cluster, count)],
    ["graphile-worker 0.16.6", () => graphileWorker(cluster, count, false)],
    ["graphile-worker 0.16.6, localQueue", () => graphileWorker(cluster, count, true)],
    ["pg-boss 10.4.2", () => pgBoss(cluster, count)],
  ];
  // Turn by turn and the median: what else the machine does meets all of them.
  const rounds = 3;
  const taken = new Map(contenders.map(([name]) => [name, []]));
  const notes = new Map();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of contenders) {
      const { seconds, note } = await work();
      taken.get(name).push(seconds);
      notes.set(name, note);
    }
  }
  const ours = median(taken.get("quiesce"));
  for (const [name, values] of taken) {
    const seconds = median(values);
    const others = name === "quiesce" ? "" : `, quiesce is ${(seconds / ours).toFixed(2)}x as fast`;
    const all = values.map((value) => value.toFixed(2)).join(", ");
    line(`  ${name}: ${seconds.toFixed(2)} s of ${all}; ${(count / seconds).toFixed(0)} jobs/s${others} (${notes.get(name)})`);
  }
  line(`  (${load()})`);
  const share = await decisionShare(cluster);
  line(
    `  the decision's share of a claim of ${share.count}: ${(share.share * 100).toFixed(1)} % (${share.withMs.toFixed(1)} ms with, ${share.withoutMs.toFixed(1)} ms without; goal under 5 %)`,
  );
  const late = await lateness(cluster);
  line(
    `  lateness of ${late.count} random due times: p50 ${late.p50.toFixed(0)} ms, p99 ${late.p99.toFixed(0)} ms, worst ${late.max.toFixed(0)} ms (goal p99 under 100 ms)`,
  );
  const many = await burst(cluster);
  line(
    `  ${many.count} runs due at once, two servers: all started in ${many.seconds.toFixed(1)} s (goal 20), ${many.twice} started twice, ${many.saved} windows saved meanwhile, slowest acknowledged in ${many.slowestAckMs.toFixed(0)} ms (goal 1,000)`,
  );
  await cluster.stop();
}

if (only === undefined || only === "copy") {
  const cluster = await startBenchCluster();
  const count = Number(process.argv[3] ?? 100_000);
  line(`\nCopy of ${count} records by an integration, beside one written by hand (batches of 500), median of three by turns, ${load()}`);
  for (const { route, seconds, byHandSeconds, ratio, earlyMib, lateMib } of await copies(cluster, count))
    line(
      `  ${route} -> PostgreSQL: ${seconds.toFixed(1)} s, by hand ${byHandSeconds.toFixed(1)} s: ${ratio.toFixed(2)}x as fast (goal 0.5); memory of the server ${earlyMib} MiB early, ${lateMib} MiB late`,
    );
  line(`  (${load()})`);
  await cluster.stop();
}

if (only === undefined || only === "ingest") {
  const cluster = await startBenchCluster();
  const count = Number(process.argv[3] ?? 200_000);
  line(`\nSamples by POST /ingest/samples beside COPY by psql, median of three by turns, ${await cluster.settings()}, ${load()}`);
  const { bytes, ours, copy, ratio } = await ingest(cluster, count);
  line(
    `  ${count} lines of ${bytes} bytes in one request: ${ours.toFixed(0)} rows/s, COPY ${copy.toFixed(0)} rows/s: ratio ${ratio.toFixed(2)} (goal 100,000 rows/s or 0.5); ${load()}`,
  );
  await cluster.stop();
}

if (only === undefined || only === "sla") {
  const cluster = await startBenchCluster();
  const count = Number(process.argv[3] ?? 1_000_000);
  line(`\nReport of service levels, 30 days of 100 integrations, ${count} samples, ${load()}`);
  const { sumSeconds, p50Ms, p95Ms, cpuMs, rawMs, rawCpuMs, ratio } = await sla(cluster, count, (text) => line(`  ... ${text}`));
  line(`  summed up in ${sumSeconds.toFixed(1)} s (${(count / sumSeconds).toFixed(0)} samples/s)`);
  line(
    `  report: p50 ${p50Ms.toFixed(0)} ms, p95 ${p95Ms.toFixed(0)} ms (goal 250); from the samples ${rawMs.toFixed(0)} ms: ${ratio.toFixed(1)}x as fast (goal 40); ${load()}`,
  );
  line(
    `  CPU of server and PostgreSQL: ${cpuMs.toFixed(0)} ms a report, ${rawCpuMs.toFixed(0)} ms from the samples: ${(rawCpuMs / cpuMs).toFixed(1)} times as much`,
  );
  await cluster.stop();
}

// Minutes by itself, so only where it is asked for.
if (only === "memory") {
  const cluster = await startBenchCluster();
  const count = Number(process.argv[3] ?? 1_000_000);
  line(`\nMemory of a server that copies ${count} records from a file to PostgreSQL, by tenths, ${load()}`);
  const { seconds, parts } = await copyMemory(cluster, count);
  for (const { records, peakMib, heapMib } of parts)
    line(`  at ${records} records: ${peakMib} MiB resident at most, ${heapMib} MiB of heap after a collection`);
  line(`  ${seconds.toFixed(0)} s (${load()})`);
  await cluster.stop();
}

if (only === undefined || only === "aged") {
  const cluster = await startBenchCluster();
  line(`\nA database with ${agedSettings.days} days of runs beside a new one, median of ${agedSettings.rounds - 1}, ${load()}`);
  for (const { name, agedMs, youngMs } of await aged(cluster))
    line(`  ${name}: ${agedMs.toFixed(1)} ms, in a new one ${youngMs.toFixed(1)} ms: ratio ${(agedMs / youngMs).toFixed(2)}`);
  await cluster.stop();
}

if (only === undefined || only === "live") {
  const cluster = await startBenchCluster();
  const { subscribers, events, rounds, everyMs, latencyEvents } = liveSettings;
  line(
    `\nLive events: ${subscribers} subscribers of one liveEvents document on WebSocket, ${rounds} rounds of ${events} events, one every ${everyMs} ms; ${await cluster.settings()}, ${load()}`,
  );
  const figures = await live(cluster);
  line(
    `  CPU per message of ${figures.bytes} bytes: ${figures.oursUs.toFixed(1)} us, raw ws broadcast ${figures.rawUs.toFixed(1)} us: ratio ${figures.ratio.toFixed(2)} (goal 1.5)`,
  );
  line(
    `  commit of another process to client, ${latencyEvents} events to each: p50 ${figures.p50.toFixed(0)} ms, p99 ${figures.p99.toFixed(0)} ms, worst ${figures.max.toFixed(0)} ms (goal p99 under 100 ms)`,
  );
  await cluster.stop();
}

if (only === undefined || only === "dashboard") {
  const cluster = await startBenchCluster();
  const { integrations, requests, rounds } = dashboardSettings;
  line(
    `\nDashboard: ${integrations} integrations with last run, owner and what holds, ${rounds} rounds of ${requests} requests by turns, ${load()}`,
  );
  const { measured, skipped } = await dashboard(cluster);
  for (const { atOnce, figures } of measured) {
    const [ours, unguarded, raw, ...peers] = figures;
    line(`  ${atOnce} at once:`);
    line(
      `    CPU per request: ${ours.ms.toFixed(2)} ms, one SQL statement behind a bare HTTP server ${raw.ms.toFixed(2)} ms: ratio ${raw.ratio.toFixed(2)} (goal 4)`,
    );
    line(
      `    what access, limits and accounting add: ${((unguarded.ratio - 1) * 100).toFixed(0)} % to ${unguarded.ms.toFixed(2)} ms of the same GraphQL without them (goal 15 %)`,
    );
    for (const peer of peers)
      line(`    ${peer.name}, without anything that guards it: ${peer.ms.toFixed(2)} ms: ratio ${peer.ratio.toFixed(2)}`);
  }
  for (const reason of skipped) line(`  (left out: ${reason})`);
  line(`  (${load()})`);
  await cluster.stop();
}

if (only === "page") {
  const cluster = await startBenchCluster();
  const minutes = Number(process.argv[3] ?? 1);
  const path = process.argv[4] ?? "/";
  const { integrations, eventsPerSecond, changeMs } = pageSettings;
  line(
    `\nThe page ${path} in Chromium: ${integrations} integrations, ${eventsPerSecond} events/s, a pause begins or ends every ${changeMs / 1_000} s, ${minutes} min, ${load()}`,
  );
  const found = await dashboardPage(cluster, { minutes, path }).catch(async (error) => {
    await cluster.stop();
    throw error;
  });
  line(
    `  ${found.longTasks} long tasks, longest ${found.longestMs.toFixed(0)} ms (goal under 200; while it loaded ${found.longestLoadingMs.toFixed(0)} ms); main thread ${(found.busyShare * 100).toFixed(0)} % busy`,
  );
  line(
    `  heap after a collection ${found.startMib.toFixed(1)} -> ${found.endMib.toFixed(1)} MiB, at most ${found.peakMib.toFixed(1)} MiB between; ${found.nodes} DOM nodes`,
  );
  line(
    `  ${found.eventsPerSecond.toFixed(0)} events/s written, ${found.changes} changes of a pause, ${found.headings} headings seen, ${found.faults.length} faults of the page; ${load()}`,
  );
  for (const fault of found.faults.slice(0, 5)) line(`  fault: ${fault}`);
  await cluster.stop();
}

if (only === undefined || only === "resume") {
  const cluster = await startBenchCluster();
  const count = Number(process.argv[3] ?? 20_000);
  line(`\nResume of ${count} held runs by ramp, two servers, ${load()}`);
  const found = await resumeHeld(await cluster.database("bench_resume", { migrated: true }), count);
  line(
    `  all ended in ${found.seconds?.toFixed(0) ?? "more than twenty minutes"} s, let go in ${found.sweptSeconds?.toFixed(0)} s; ${found.twice} started twice, ${found.crowded} closer than their spacing; at most ${found.mostRunning} running on a system (cap ${found.cap})`,
  );
  line(
    `  largest transaction of the sweep ${found.largestBatch} runs, longest transaction ${found.longestTransactionMs.toFixed(0)} ms, most memory of a server ${found.mostMemoryMib} MiB; ${found.saved} windows saved meanwhile, slowest acknowledged in ${found.slowestAckMs.toFixed(0)} ms (goal 1,000); ${load()}`,
  );
  await cluster.stop();
}

if (only === undefined || only === "promises") {
  const cluster = await startBenchCluster();
  line(`\nPromises in seconds, the slowest of three, ${load()}`);
  for (const { promise, goal, seconds } of await promises(await cluster.database("bench_promises")))
    line(`  ${promise}: ${seconds.toFixed(2)} s (goal ${goal})`);
  line(`  (${load()})`);
  await cluster.stop();
}

if (only === undefined || only === "storm") {
  const { nodes, alertsPerSecond, ticks } = stormSettings;
  line(`\nA storm of ${alertsPerSecond} alerts/s over ${nodes} nodes, ${ticks} ticks of correlation, CPU of this process, ${load()}`);
  const found = storm();
  line(
    `  taken in ${found.observeNs.toFixed(0)} ns each; a tick p50 ${found.tickP50Ms.toFixed(0)} ms, worst ${found.tickMaxMs.toFixed(0)} ms (goal 50); ${(found.share * 100).toFixed(0)} % of one core for ${found.alerts} alerts`,
  );
}
