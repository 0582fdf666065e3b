import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { BackupSecret } from "../backup/backup-key.js";
import type { MasterKey } from "../credentials/master-key.js";
import { CliError } from "./cli-error.js";
import { type Cli, note } from "./cli.js";

/** How the key of a backup is given. */
export interface KeyOptions {
  readonly passphraseFile?: string;
  readonly keyFile?: string;
}

/** The options that name the key of a backup. */
export function addKeyOptions(command: Command): Command {
  return command
    .option("--passphrase-file <file>", "the passphrase is the first line of this file (or QUIESCE_BACKUP_PASSPHRASE)")
    .option("--key-file <file>", "32 bytes in base64 instead of a passphrase; make them with: openssl rand -base64 32");
}

/** The key that the options or the environment name. */
export async function secretOf(cli: Cli, options: KeyOptions): Promise<BackupSecret> {
  const { keyFile, passphraseFile } = options;
  if (keyFile !== undefined && passphraseFile !== undefined)
    throw new CliError("usage", "--key-file or --passphrase-file: a backup has one key.");
  if (keyFile !== undefined) {
    const { parseMasterKey } = await import("../credentials/master-key.js");
    return { from: "key-file", key: parseMasterKey(await contentOf(keyFile)).key };
  }
  const passphrase = passphraseFile === undefined ? cli.environment.backupPassphrase : (await contentOf(passphraseFile)).split(/\r?\n/)[0];
  if (passphrase === undefined || passphrase === "")
    throw new CliError("usage", "A backup is always sealed. Give --passphrase-file, --key-file or QUIESCE_BACKUP_PASSPHRASE.");
  return { from: "passphrase", passphrase };
}

async function contentOf(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new CliError("usage", `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  });
}

/** The database that the environment means, running. */
export interface DatabasePlace {
  readonly url: string;
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** DATABASE_URL, or the embedded PostgreSQL of this machine's data folder: that of a running server, or started for this command. */
export async function openPlace(cli: Cli): Promise<DatabasePlace> {
  const dataDir = await dataFolder(cli);
  const url = cli.environment.databaseUrl;
  if (url !== undefined) return { url, dataDir, stop: async () => undefined };
  const { startEmbeddedPostgres } = await import("../db/embedded/start-embedded-postgres.js");
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, "postgres"), durable: true, log: (line) => note(cli, line) });
  return { url: postgres.url, dataDir, stop: () => postgres.stop() };
}

/** The first folder that a server has used; without any, where a server of this user would begin. */
async function dataFolder(cli: Cli): Promise<string> {
  const folders = cli.environment.dataFolders;
  for (const folder of folders) if ((await exists(join(folder, "postgres"))) || (await exists(masterKeyFile(folder)))) return folder;
  return folders.find((folder) => !folder.startsWith("/var/")) ?? folders[0] ?? ".quiesce";
}

/** Where a server keeps its master key. */
export const masterKeyFile = (dataDir: string): string => join(dataDir, "master-key");

/** The key file of this machine's server. Throws where the keys are in the environment, or there is no file. */
export async function openKeyFile(cli: Cli): Promise<string> {
  if (cli.environment.masterKey !== undefined)
    throw new CliError(
      "usage",
      "The master key is in QUIESCE_MASTER_KEY, not in a file. Change it there: the new key in QUIESCE_MASTER_KEY, the old one in QUIESCE_OTHER_MASTER_KEYS.",
    );
  const keyFile = masterKeyFile(await dataFolder(cli));
  if (!(await exists(keyFile))) throw new CliError("usage", `There is no ${keyFile}. Set QUIESCE_DATA_DIR to the server's data folder.`);
  return keyFile;
}

/** The master key of this machine's server; null when there is none. Never makes one. */
export async function presentMasterKey(cli: Cli, dataDir: string): Promise<MasterKey | null> {
  const { loadMasterKey } = await import("../credentials/master-key.js");
  const value = cli.environment.masterKey;
  const keyFile = masterKeyFile(dataDir);
  if (value === undefined && !(await exists(keyFile))) return null;
  return loadMasterKey({ keyFile, value });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
