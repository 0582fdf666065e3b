import { startTestCluster, type TestCluster } from "./test-cluster.js";

interface SharedCluster {
  readonly cluster: Promise<TestCluster>;
  users: number;
}

/** Vitest loads this file once for each project, in one process: they share one cluster through the global object. */
const SHARED = Symbol.for("quiesce.test-cluster");
const shared: typeof globalThis & { [SHARED]?: SharedCluster } = globalThis;

/**
 * Vitest's global setup of every project whose tests need a database: one cluster a run, with one migrated template.
 * With TEST_DATABASE_URL set the same tests run on that server.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const entry = (shared[SHARED] ??= { cluster: startTestCluster(process.env["TEST_DATABASE_URL"] || undefined), users: 0 });
  entry.users += 1;
  const cluster = await entry.cluster;
  // The workers are started after this and inherit the environment.
  process.env["QUIESCE_TEST_ADMIN_URL"] = cluster.adminUrl;
  process.env["QUIESCE_TEST_TEMPLATE"] = cluster.template;
  return async () => {
    entry.users -= 1;
    if (entry.users > 0) return;
    delete shared[SHARED];
    await cluster.stop();
  };
}
