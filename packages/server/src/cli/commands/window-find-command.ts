import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { findSlots } from "../operations/slot-operations.js";
import { terminalZone } from "../output/format-time.js";
import { renderSlots } from "../output/render-slots.js";
import { minutesOf } from "../parse-time.js";
import { addScopeOptions, requiredScopeOf, type ScopeOptions } from "../scope-options.js";

interface FindOptions extends ScopeOptions {
  readonly duration: string;
  readonly within?: string;
  readonly between?: string;
  readonly days?: string;
  readonly zone?: string;
  readonly step?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

/** `quiesce window find`: the quietest time for a window. */
export function windowFindCommand(cli: Cli): Command {
  return addScopeOptions(
    new Command("find").description("find the quietest times for a window: little planned, no freeze, no other window on the same systems"),
  )
    .requiredOption("--duration <duration>", "how long it would last: 4h, 90m")
    .option("--within <days>", "how many days ahead to look (default: 30)")
    .option("--between <hours>", "local hours that all of it must lie between: 22:00-06:00")
    .option("--days <days>", "local days on which it may start: sat,sun")
    .option("--zone <zone>", "IANA zone of hours and days (default: this terminal's)")
    .option("--step <duration>", "how far apart possible starts are (default: 30m)")
    .option("--limit <n>", "how many slots to show (default: 5)")
    .option("--json", "print them as JSON")
    .action(async (options: FindOptions) => {
      const timeZone = options.zone ?? terminalZone();
      const search = {
        scope: requiredScopeOf(options),
        durationMinutes: minutesOf(options.duration, "--duration"),
        timeZone,
        ...(options.within === undefined ? {} : { withinDays: wholeOf(options.within.replace(/d$/, ""), "--within") }),
        ...(options.between === undefined ? {} : { between: options.between }),
        // Mon and mo are the same day.
        ...(options.days === undefined ? {} : { days: options.days.split(",").map((day) => day.trim().slice(0, 2).toUpperCase()) }),
        ...(options.step === undefined ? {} : { stepMinutes: minutesOf(options.step, "--step") }),
        ...(options.limit === undefined ? {} : { limit: wholeOf(options.limit, "--limit") }),
      };
      const { maintenanceSlots: found } = await (await cli.api()).request(findSlots, { search });
      if (options.json === true) printJson(cli, found);
      else print(cli, ...renderSlots(found, { timeZone, output: cli.out }));
    });
}

function wholeOf(text: string, option: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new CliError("usage", `${option} wants a whole number, found "${text}".`);
  return Number(text);
}
