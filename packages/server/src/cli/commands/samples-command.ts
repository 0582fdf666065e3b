import { Command } from "commander";
import type { Cli } from "../cli.js";
import { samplesExportCommand } from "./samples-export-command.js";
import { samplesImportCommand } from "./samples-import-command.js";
import { samplesRetentionCommand } from "./samples-retention-command.js";

/** `quiesce samples`: what is measured, in and out as CSV, and for how long it is kept. */
export function samplesCommand(cli: Cli): Command {
  return new Command("samples")
    .description("what is measured: in and out as CSV, and for how long it is kept")
    .addCommand(samplesImportCommand(cli))
    .addCommand(samplesExportCommand(cli))
    .addCommand(samplesRetentionCommand(cli));
}
