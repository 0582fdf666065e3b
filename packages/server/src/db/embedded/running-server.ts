import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { CLUSTER_ROLE, type Cluster } from "./create-cluster.js";
import { isProcessAlive, readPostmasterFile, type PostmasterFile } from "./postmaster-file.js";
import { OWNER_FILE } from "./supervised-server.js";

const STOP_POLL_MS = 50;
const STOP_POLLS = 160;

/** The address of one database of the cluster. */
export const clusterUrl = (cluster: Cluster, port: number, database: string): string =>
  `postgres://${CLUSTER_ROLE}:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/${database}`;

const ownerFile = (cluster: Cluster, file: PostmasterFile): string => join(cluster.dir, `${OWNER_FILE}.${file.pid}`);

const hasLivingOwner = async (cluster: Cluster, file: PostmasterFile): Promise<boolean> => {
  const text = await readFile(ownerFile(cluster, file), "utf8").catch(() => "");
  const pids = text.trim().split(" ");
  return pids.length === 2 && pids.every((pid) => isProcessAlive(Number(pid)));
};

/** Whether the server behind this lock file answers with our password and works on our data. */
const isOurServer = async (cluster: Cluster, file: PostmasterFile): Promise<boolean> => {
  const sql = postgres(clusterUrl(cluster, file.port, "postgres"), { max: 1, connect_timeout: 3, onnotice: () => undefined });
  try {
    const [row] = await sql<{ data_directory: string }[]>`select current_setting('data_directory') as data_directory`;
    return row !== undefined && (await realpath(row.data_directory)) === (await realpath(cluster.dir));
  } catch {
    // Not reachable, another password, another server on a reused port: in every case not ours to use.
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
};

/** Until the server is ready, or gone, or its file says something new. */
const waitUntilSettled = async (cluster: Cluster, file: PostmasterFile): Promise<void> => {
  for (let poll = 0; poll < STOP_POLLS && isProcessAlive(file.pid); poll += 1) {
    const now = await readPostmasterFile(cluster.dir);
    if (now === undefined || now.ready || now.identity !== file.identity) return;
    await sleep(STOP_POLL_MS);
  }
};

const waitUntilGone = async (pid: number): Promise<void> => {
  for (let poll = 0; poll < STOP_POLLS && isProcessAlive(pid); poll += 1) await sleep(STOP_POLL_MS);
};

/**
 * Looks for a server that already runs on this cluster. One that another living Quiesce looks after is answered, to be
 * shared. One whose Quiesce and watchdog were both killed is stopped, so that the next start has a watchdog again.
 * Undefined is no promise that the data is free: PostgreSQL's own lock decides that at the start.
 */
export async function findRunningServer(cluster: Cluster, log: (line: string) => void): Promise<PostmasterFile | undefined> {
  const file = await readPostmasterFile(cluster.dir);
  if (file === undefined || !isProcessAlive(file.pid)) return undefined;
  if (!file.ready) {
    log(`Waiting for the PostgreSQL of an earlier start (process ${file.pid}) to start or stop`);
    await waitUntilSettled(cluster, file);
    const settled = await readPostmasterFile(cluster.dir);
    return settled?.ready === true ? findRunningServer(cluster, log) : undefined;
  }
  // After a crash of the machine the file may name any process that has the number now.
  if (!(await isOurServer(cluster, file))) return undefined;
  if (await hasLivingOwner(cluster, file)) return file;
  log(`A PostgreSQL (process ${file.pid}) was left behind by a killed Quiesce: stopping it`);
  process.kill(file.pid, "SIGINT");
  await waitUntilGone(file.pid);
  await rm(ownerFile(cluster, file), { force: true });
  return undefined;
}
