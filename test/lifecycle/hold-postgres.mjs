// Starts the embedded PostgreSQL from the built package, tells its parent, and holds it until it is killed.
import { startEmbeddedPostgres } from "../../packages/server/dist/db/embedded/start-embedded-postgres.js";

const [dataDir, binariesDir] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir, durable: true, binariesDir, log: (line) => process.send?.({ line }) });
// The server alone does not keep Node: without this the script would end here.
setInterval(() => undefined, 60_000);
process.send?.({ pid: server.pid, url: server.url });
await server.exited;
process.exit(3);
