import { Command } from "commander";
import { addKeyOptions, type KeyOptions, openPlace, presentMasterKey, secretOf } from "../backup-place.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { formatLength } from "../output/format-time.js";

interface CreateOptions extends KeyOptions {
  readonly output?: string;
  readonly withMasterKey?: boolean;
  readonly json?: boolean;
}

interface VerifyOptions extends KeyOptions {
  readonly json?: boolean;
}

/** `quiesce backup`: everything that the database knows, in one sealed file. */
export function backupCommand(cli: Cli): Command {
  return new Command("backup")
    .description("write everything the database knows, as of one moment, into one sealed file; servers may go on")
    .addCommand(createCommand(cli), { isDefault: true })
    .addCommand(verifyCommand(cli));
}

function createCommand(cli: Cli): Command {
  return addKeyOptions(
    new Command("create")
      .description("make a backup of DATABASE_URL, or of this machine's embedded database (`quiesce backup` alone is this)")
      .option("-o, --output <file>", "the file to make; it must not exist (default: quiesce-<time>.backup here)")
      .option("--with-master-key", "put the master key into it: whoever opens the file then has the secrets of all endpoints"),
  )
    .option("--json", "print what was written as JSON")
    .action(async (options: CreateOptions) => {
      const began = cli.clock.monotonicMs();
      const secret = await secretOf(cli, options);
      const file = options.output ?? `quiesce-${new Date(cli.clock.wallMs()).toISOString().replaceAll(":", "-").slice(0, 19)}Z.backup`;
      const place = await openPlace(cli);
      try {
        const { writeBackup } = await import("../../backup/write-backup.js");
        const masterKey = await presentMasterKey(cli, place.dataDir);
        const onTable = ({ table, rows }: { readonly table: string; readonly rows: number }): void => {
          if (rows > 0) note(cli, `${table}: ${rows} rows`);
        };
        const done = await writeBackup({
          databaseUrl: place.url,
          file,
          secret,
          masterKey,
          withMasterKey: options.withMasterKey === true,
          onTable,
        });
        const rows = done.tables.reduce((sum, table) => sum + table.rows, 0);
        const masterKeyIsIn = options.withMasterKey === true;
        if (options.json === true)
          printJson(cli, { file, bytes: done.bytes, rows, createdAt: new Date(done.createdAt).toISOString(), masterKeyIsIn });
        else {
          print(cli, `${file}: ${rows} rows in ${done.bytes} bytes, in ${formatLength(cli.clock.monotonicMs() - began)}.`);
          if (!masterKeyIsIn) print(cli, "The master key is not in it. Keep it elsewhere: without it the secrets of endpoints are noise.");
        }
      } finally {
        await place.stop();
      }
    });
}

function verifyCommand(cli: Cli): Command {
  return addKeyOptions(new Command("verify").description("read a backup to its end and compare every table with its digest"))
    .argument("<file>", "the backup")
    .option("--json", "print what it holds as JSON")
    .action(async (file: string, options: VerifyOptions) => {
      const secret = await secretOf(cli, options);
      const { verifyBackup } = await import("../../backup/verify-backup.js");
      const { manifest, summary } = await verifyBackup(file, secret);
      const rows = summary.tables.reduce((sum, table) => sum + table.rows, 0);
      const createdAt = new Date(manifest.createdAt).toISOString();
      const masterKeyIsIn = manifest.masterKey !== undefined;
      if (options.json === true)
        printJson(cli, { file, createdAt, product: manifest.product, rows, tables: summary.tables, masterKeyIsIn });
      else {
        const key = masterKeyIsIn ? "with" : "without";
        print(cli, `${file} is whole: ${rows} rows of ${summary.tables.length} tables as of ${createdAt}, ${key} the master key.`);
      }
    });
}
