import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";

/** `quiesce migrate`: brings a database to this version's schema before its servers start. */
export function migrateCommand(cli: Cli): Command {
  return new Command("migrate")
    .description("bring the database of DATABASE_URL to this version's schema (a server does it at its start, too)")
    .option("--json", "print what was applied as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const url = cli.environment.databaseUrl;
      if (url === undefined)
        throw new CliError(
          "usage",
          "Which database? Set DATABASE_URL=postgres://user:password@host:port/database. The embedded one is migrated by `quiesce start`.",
        );
      const { migrate } = await import("../../db/migrate.js");
      const { applied } = await migrate(url, { log: (line) => note(cli, line) });
      if (options.json === true) printJson(cli, { applied });
      else
        print(
          cli,
          applied.length === 0 ? "The database is up to date." : `${applied.length} migration${applied.length === 1 ? "" : "s"} applied.`,
        );
    });
}
