import { Command } from "commander";
import type { Cli } from "../cli.js";
import { windowAnnouncementsCommand } from "./window-announcements-command.js";
import { windowApproveCommand, windowOverrideFreezeCommand, windowRejectCommand } from "./window-approval-commands.js";
import { windowCreateCommand, windowPreviewCommand } from "./window-plan-commands.js";
import { windowCancelCommand, windowEndCommand, windowExtendCommand } from "./window-change-commands.js";
import { windowEditCommand, windowMoveCommand, windowRestoreCommand, windowSplitCommand } from "./window-replan-commands.js";
import { windowFindCommand } from "./window-find-command.js";
import { windowTuneCommand } from "./window-tune-command.js";
import { windowStatusCommand } from "./window-status-command.js";
import { windowWaitCommand } from "./window-wait-command.js";
import { windowResumeCommand } from "./window-resume-command.js";
import { windowListCommand, windowReportCommand } from "./window-read-commands.js";

/** `quiesce window`: plan, watch and change maintenance windows. */
export function windowCommand(cli: Cli): Command {
  return new Command("window")
    .description("plan, list, change and report maintenance windows")
    .addCommand(windowCreateCommand(cli))
    .addCommand(windowListCommand(cli))
    .addCommand(windowStatusCommand(cli))
    .addCommand(windowWaitCommand(cli))
    .addCommand(windowPreviewCommand(cli))
    .addCommand(windowFindCommand(cli))
    .addCommand(windowApproveCommand(cli))
    .addCommand(windowRejectCommand(cli))
    .addCommand(windowOverrideFreezeCommand(cli))
    .addCommand(windowEditCommand(cli))
    .addCommand(windowMoveCommand(cli))
    .addCommand(windowRestoreCommand(cli))
    .addCommand(windowSplitCommand(cli))
    .addCommand(windowEndCommand(cli))
    .addCommand(windowExtendCommand(cli))
    .addCommand(windowResumeCommand(cli))
    .addCommand(windowCancelCommand(cli))
    .addCommand(windowReportCommand(cli))
    .addCommand(windowTuneCommand(cli))
    .addCommand(windowAnnouncementsCommand(cli));
}
