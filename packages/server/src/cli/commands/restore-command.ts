import { mkdir, writeFile } from "node:fs/promises";
import { Command } from "commander";
import type { Manifest } from "../../backup/backup-records.js";
import { addKeyOptions, type KeyOptions, masterKeyFile, openPlace, presentMasterKey, secretOf } from "../backup-place.js";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";

interface RestoreOptions extends KeyOptions {
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce restore`: a backup into an empty database. */
export function restoreCommand(cli: Cli): Command {
  return addKeyOptions(
    new Command("restore")
      .description("put a backup into DATABASE_URL, or into this machine's embedded database; no server may run on it")
      .argument("<file>", "the backup"),
  )
    .option("--replace", "throw away what the database holds; without it only an empty one is filled")
    .option("-y, --yes", "do not ask before replacing")
    .option("--json", "print what was restored as JSON")
    .action(async (file: string, options: RestoreOptions) => {
      const secret = await secretOf(cli, options);
      const replace = options.replace === true;
      if (replace && !(await confirmed(cli, "Throw away everything that the database holds?", options)))
        throw new CliError("refused", "Nothing was changed.");
      const place = await openPlace(cli);
      try {
        const { restoreBackup } = await import("../../backup/restore-backup.js");
        const done = await restoreBackup({ databaseUrl: place.url, file, secret, replace, log: (line) => note(cli, line) });
        const key = await keepMasterKey(cli, done.manifest, place.dataDir);
        const { rows, holdId: hold } = done;
        const backupOf = new Date(done.manifest.createdAt).toISOString();
        if (options.json === true) {
          printJson(cli, { file, backupOf, rows, hold, masterKey: key.state });
          return;
        }
        print(cli, `${rows} rows are restored as of ${backupOf}, each table equal to its digest. ${key.says}`);
        print(cli, "Everything is held until you have looked at what ran since the backup. Start a server, look, and let it go:");
        print(cli, `  quiesce status`, `  quiesce resume ${hold} --reason "looked at what ran since the backup"`);
      } finally {
        await place.stop();
      }
    });
}

/** The key that the secrets of the backup are sealed with: is it here, or in the backup? */
async function keepMasterKey(
  cli: Cli,
  manifest: Manifest,
  dataDir: string,
): Promise<{ readonly state: "present" | "written" | "unknown" | "missing" | "other"; readonly says: string }> {
  const { masterKeyId, masterKey } = manifest;
  const present = await presentMasterKey(cli, dataDir);
  if (masterKeyId === null) return { state: "unknown", says: "The backup does not say which master key its secrets need." };
  if (present?.id === masterKeyId) return { state: "present", says: "The master key is here." };
  const file = masterKeyFile(dataDir);
  if (present !== null) {
    const says = `WARNING: the master key here (${present.id}) is not the one of the backup (${masterKeyId}); secrets of endpoints cannot be opened. Put the right one into ${file} or QUIESCE_MASTER_KEY.`;
    return { state: "other", says };
  }
  if (masterKey === undefined) {
    const says = `WARNING: the master key ${masterKeyId} is not here. Put it into ${file} (mode 600) or QUIESCE_MASTER_KEY before a server starts, or give every secret again with \`quiesce apply\`.`;
    return { state: "missing", says };
  }
  await mkdir(dataDir, { recursive: true });
  await writeFile(file, `${masterKey}\n`, { mode: 0o600, flag: "wx" });
  return { state: "written", says: `The master key of the backup is in ${file} now.` };
}
