import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DomainError } from "@quiesce/core";
import type { PostgresBinaries } from "./find-binaries.js";
import { isProcessAlive } from "./postmaster-file.js";
import { runProgram } from "./run-program.js";
import type { ServerAccount } from "./server-account.js";

/** A database cluster on disk: its folder and the password of its only role. */
export interface Cluster {
  readonly dir: string;
  readonly password: string;
}

export const CLUSTER_ROLE = "quiesce";

const PASSWORD_FILE = "quiesce.password";

const hasCode = (error: unknown, code: string): boolean => error instanceof Error && "code" in error && error.code === code;

/** The newest major version that has data in `folder`, or undefined. */
export async function findClusterMajor(folder: string): Promise<number | undefined> {
  const majors = (await readdir(folder)).map((name) => Number(/^pg(\d+)$/.exec(name)?.[1] ?? Number.NaN));
  const known = majors.filter((major) => Number.isInteger(major));
  return known.length === 0 ? undefined : Math.max(...known);
}

const readPassword = async (dir: string): Promise<string | undefined> => {
  try {
    return (await readFile(join(dir, PASSWORD_FILE), "utf8")).trim();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    if (!hasCode(error, "EACCES")) throw error;
    throw new DomainError(
      "QSC_DB_NOT_OURS",
      `The database in ${dir} belongs to another user of this machine. Start Quiesce as the user who created it, or choose another folder with QUIESCE_DATA_DIR.`,
    );
  }
};

/** A killed start leaves its unfinished folders, which carry the id of the process that made them. */
const removeUnfinished = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const owner = /\.new-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isProcessAlive(Number(owner))) await rm(join(folder, name), { recursive: true, force: true });
  }
};

const localeArguments = (major: number): string[] => {
  const locale = process.platform === "linux" ? "C.UTF-8" : "C";
  // The builtin provider (17 and newer) sorts the same on every system; before it, the C library's C.UTF-8 does.
  return major >= 17 ? [`--locale=${locale}`, "--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : [`--locale=${locale}`];
};

const initialise = async (
  unfinished: string,
  request: { binaries: PostgresBinaries; account: ServerAccount | undefined; durable: boolean },
): Promise<void> => {
  const { binaries, account } = request;
  const password = randomBytes(24).toString("base64url");
  const passwordFile = `${unfinished}.password`;
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account !== undefined) {
      await chown(unfinished, account.uid, account.gid);
      await chown(passwordFile, account.uid, account.gid);
    }
    const answer = await runProgram(
      join(binaries.bin, "initdb"),
      [
        `--pgdata=${unfinished}`,
        `--username=${CLUSTER_ROLE}`,
        "--auth=scram-sha-256",
        `--pwfile=${passwordFile}`,
        "--encoding=UTF8",
        ...localeArguments(binaries.major),
        ...(request.durable ? [] : ["--no-sync"]),
      ],
      { account, cwd: unfinished },
    );
    if (/could not look up effective user ID/.test(answer.output)) {
      throw new DomainError(
        "QSC_DB_NO_ACCOUNT",
        "PostgreSQL refuses to run under a user id that has no name on this system (often `docker run --user` with a free number). " +
          "Run Quiesce as a user listed in /etc/passwd, or set DATABASE_URL to a PostgreSQL 15 or newer.",
      );
    }
    if (answer.status !== 0) throw new Error(`initdb of PostgreSQL ${binaries.version} failed in ${unfinished}:\n${answer.output}`);
    await writeFile(join(unfinished, PASSWORD_FILE), `${password}\n`, { mode: 0o600 });
    await chmod(join(unfinished, PASSWORD_FILE), 0o600);
  } finally {
    await rm(passwordFile, { force: true });
  }
};

/**
 * The cluster of this major version in `folder`, created when it is not there. It is made in a temporary folder and
 * renamed, so a killed start never leaves half a cluster behind under the real name.
 */
export async function ensureCluster(
  folder: string,
  request: { binaries: PostgresBinaries; account: ServerAccount | undefined; durable: boolean; log: (line: string) => void },
): Promise<Cluster> {
  const dir = join(folder, `pg${request.binaries.major}`);
  const known = await readPassword(dir);
  if (known !== undefined) return { dir, password: known };
  await removeUnfinished(folder);
  request.log(`Creating a PostgreSQL ${request.binaries.version} database in ${dir}`);
  const unfinished = `${dir}.new-${process.pid}-${randomBytes(4).toString("hex")}`;
  try {
    await initialise(unfinished, request);
    await rename(unfinished, dir);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process that started at the same moment may have been first: then its cluster is the one to use.
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
  }
  const password = await readPassword(dir);
  if (password === undefined)
    throw new Error(`${dir} exists but has no ${PASSWORD_FILE}: it is not a database that Quiesce created. Move it away and start again.`);
  return { dir, password };
}
