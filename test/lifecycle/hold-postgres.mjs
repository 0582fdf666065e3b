// Starts the embedded PostgreSQL from the built package, tells its parent, and holds it until it is killed.
import { startEmbeddedPostgres } from "../../packages/server/dist/db/embedded/start-embedded-postgres.js";

const [dataDir, binariesDir] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir, durable: true, binariesDir, log: (line) => process.send?.({ line }) });
process.send?.({ pid: server.pid, url: server.url });
await server.exited;
process.exit(3);
