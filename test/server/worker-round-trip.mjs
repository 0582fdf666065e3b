/**
 * Measures a page of 100 records through a connector's worker: from the host's `next()` to the page. Run after a build:
 * node test/server/worker-round-trip.mjs
 */
import { mkdtemp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startWorkerConnector } from "../../packages/server/dist/connector-host/worker/worker-connector.js";
import { defaultWorkerLimits } from "../../packages/server/dist/connector-host/worker/worker-limits.js";

const PAGES = 5_000;
const WARM_UP = 500;
const folder = await mkdtemp(join(tmpdir(), "quiesce-round-trip-"));
await mkdir(join(folder, "node_modules", "@quiesce"), { recursive: true });
await symlink(fileURLToPath(new URL("../../packages/sdk", import.meta.url)), join(folder, "node_modules", "@quiesce", "sdk"));
const module = join(folder, "index.mjs");
await writeFile(
  module,
  `import { defineConnector, z } from "@quiesce/sdk";
const records = Array.from({ length: 100 }, (_, n) => ({ key: "order-" + n, version: String(n), data: { id: n, name: "Order number " + n, amount: n * 1.5, open: n % 2 === 0, city: "Granada" } }));
export default defineConnector({ apiVersion: 1, id: "pages", version: "1.0.0", displayName: "Pages", stability: "beta", config: z.object({}), secrets: z.object({}), egress: () => [],
  async *read() { for (let n = 0; ; n += 1) yield { records, cursor: { n }, more: true }; } });`,
);
const quiet = { info() {}, warn() {}, error() {} };
const startedAt = performance.now();
const worker = await startWorkerConnector({
  entry: new URL("../../packages/server/dist/connector-host/worker/connector-worker.js", import.meta.url),
  start: { module, apiVersion: 1 },
  name: "pages",
  limits: defaultWorkerLimits,
  log: quiet,
});
const startMs = performance.now() - startedAt;
const context = { config: {}, secrets: {}, signal: new AbortController().signal, deadline: new Date(Date.now() + 60_000), meta: {} };
const times = [];
const pages = worker.connector.read(context, { stream: "s", cursor: null, pageSize: 100 })[Symbol.asyncIterator]();
for (let n = 0; n < PAGES + WARM_UP; n += 1) {
  const before = performance.now();
  await pages.next();
  if (n >= WARM_UP) times.push(performance.now() - before);
}
await pages.return();
await worker.close();
await rm(folder, { recursive: true });
times.sort((a, b) => a - b);
const at = (share) => times[Math.floor(times.length * share)].toFixed(3);
console.log(
  `start ${startMs.toFixed(0)} ms; page of 100 records: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(0.9999)} ms (${PAGES} pages)`,
);
