import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ServerAccount } from "./server-account.js";

/** Where root keeps the data when the wanted folder lies under one that PostgreSQL's account cannot enter. */
const SHARED_STATE_FOLDER = "/var/lib/quiesce";

const nearestExisting = async (path: string): Promise<string> => {
  try {
    return await realpath(path);
  } catch {
    return nearestExisting(dirname(path));
  }
};

const canEnter = async (folder: string, account: ServerAccount): Promise<boolean> => {
  const { mode, uid, gid } = await stat(folder);
  if (uid === account.uid) return (mode & 0o100) !== 0;
  if (gid === account.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
};

const canReach = async (folder: string, account: ServerAccount): Promise<boolean> => {
  for (let step = folder; ; step = dirname(step)) {
    if (!(await canEnter(step, account))) return false;
    if (step === dirname(step)) return true;
  }
};

/** An empty folder that root has just made for this (mkdtemp closes it to others) may be opened for passing through. */
const openEmptyFolder = async (folder: string, account: ServerAccount): Promise<void> => {
  const { uid, mode } = await stat(folder);
  if (uid === 0 && !(await canEnter(folder, account)) && (await readdir(folder)).length === 0) await chmod(folder, (mode & 0o777) | 0o011);
};

/**
 * Creates the folder that holds the cluster, the server's log and the private copy of the binaries, and answers its
 * real path. Usually `wanted` itself; for root below a folder closed to `account` (a 0700 home) a folder of its own
 * under /var/lib/quiesce, named after `wanted` so that two checkouts never share a database.
 */
export async function prepareDataFolder(wanted: string, account: ServerAccount | undefined): Promise<string> {
  const absolute = resolve(wanted);
  const existing = await nearestExisting(absolute);
  if (account !== undefined && existing === absolute) await openEmptyFolder(absolute, account);
  const reachable = account === undefined || (await canReach(existing, account));
  const fingerprint = createHash("sha256").update(absolute).digest("hex").slice(0, 8);
  const owner = basename(dirname(absolute)).replaceAll(/[^\w.-]/g, "") || "data";
  const folder = reachable ? absolute : join(SHARED_STATE_FOLDER, `${owner}-${fingerprint}`);
  const created = await mkdir(folder, { recursive: true });
  if (account !== undefined && created !== undefined) {
    // A strict umask must not shut the account out of what was created just now.
    for (let step = folder; step.startsWith(created); step = dirname(step)) await chmod(step, 0o755);
  }
  return realpath(folder);
}
