import { Command } from "commander";
import type { Cli } from "../cli.js";
import { windowCreateCommand, windowPreviewCommand } from "./window-plan-commands.js";
import { windowCancelCommand, windowEndCommand, windowExtendCommand } from "./window-change-commands.js";
import { windowListCommand, windowReportCommand } from "./window-read-commands.js";

/** `quiesce window`: plan, watch and change maintenance windows. */
export function windowCommand(cli: Cli): Command {
  return new Command("window")
    .description("plan, list, change and report maintenance windows")
    .addCommand(windowCreateCommand(cli))
    .addCommand(windowListCommand(cli))
    .addCommand(windowPreviewCommand(cli))
    .addCommand(windowEndCommand(cli))
    .addCommand(windowExtendCommand(cli))
    .addCommand(windowCancelCommand(cli))
    .addCommand(windowReportCommand(cli));
}
