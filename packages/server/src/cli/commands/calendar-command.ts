import { Command } from "commander";
import type { Cli } from "../cli.js";
import { calendarFeedCommand } from "./calendar-feed-command.js";
import { calendarHolidaysCommand } from "./calendar-holidays-command.js";
import { calendarImportCommand, calendarListCommand, calendarRemoveCommand, calendarSyncCommand } from "./calendar-import-commands.js";

/** `quiesce calendar`: windows in calendar programs, and calendars of others as windows. */
export function calendarCommand(cli: Cli): Command {
  return new Command("calendar")
    .description("subscribe calendar programs to windows, and import calendars of others as windows")
    .addCommand(calendarFeedCommand(cli))
    .addCommand(calendarImportCommand(cli))
    .addCommand(calendarListCommand(cli))
    .addCommand(calendarSyncCommand(cli))
    .addCommand(calendarRemoveCommand(cli))
    .addCommand(calendarHolidaysCommand(cli));
}
