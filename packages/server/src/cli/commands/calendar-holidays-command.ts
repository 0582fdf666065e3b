import { readFile, writeFile } from "node:fs/promises";
import { holidayDates, holidayCalendarSchema } from "@quiesce/core";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, printJson } from "../cli.js";

interface HolidayOptions {
  readonly title?: string;
  readonly from?: string;
  readonly years: string;
  readonly output?: string;
  readonly json?: boolean;
}

const MOST_YEARS = 50;

/** `quiesce calendar holidays`: an iCalendar file as the holiday calendar of a workspace. It asks no server: what comes out is applied like any file. */
export function calendarHolidaysCommand(cli: Cli): Command {
  return new Command("holidays")
    .description("print an iCalendar file of holidays as a workspace file with a holiday calendar, for `quiesce apply`; asks no server")
    .argument("<key>", "the holiday calendar's key, which windows name")
    .argument("<file>", "the .ics file: whole-day events, recurring ones too")
    .option("--title <text>", "its name for people (default: the key)")
    .option("--from <year>", "the first year (default: this one)")
    .option("--years <number>", "so many years", "5")
    .option("-o, --output <file>", "write the workspace file here instead of to standard output")
    .option("--json", "print it as JSON")
    .action(async (key: string, file: string, options: HolidayOptions) => {
      const fromYear = wholeNumber("--from", options.from ?? String(new Date(cli.clock.wallMs()).getUTCFullYear()), {
        least: 1800,
        most: 2399,
      });
      const years = wholeNumber("--years", options.years, { least: 1, most: MOST_YEARS });
      const text = await readFile(file, "utf8").catch((error: unknown) => {
        throw new CliError("refused", `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, {
          cause: error,
        });
      });
      const { readCalendar } = await import("../../calendars/ical-text.js");
      const { dates, refused } = holidayDates(readCalendar(text), { fromYear, years });
      for (const one of refused) note(cli, `Left out: ${one.title}. ${one.message}`);
      if (dates.length === 0) throw new CliError("refused", `${file} has no whole-day event from ${fromYear} on, for ${years} years.`);
      const entry = { key, ...(options.title === undefined ? {} : { title: options.title }), dates: dates.map(({ date }) => date) };
      const parsed = holidayCalendarSchema.safeParse(entry);
      if (!parsed.success) throw new CliError("refused", parsed.error.issues[0]?.message ?? "The holiday calendar does not fit.");
      const document = { quiesce: 1, holidayCalendars: [parsed.data] };
      if (options.json === true) printJson(cli, document);
      else if (options.output === undefined) cli.out.write(await yamlOf(document));
      else await writeOut(options.output, await yamlOf(document));
    });
}

async function writeOut(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new CliError("refused", `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  });
}

async function yamlOf(document: object): Promise<string> {
  const { readWorkspaceText, writeWorkspaceText } = await import("../../catalog/workspace-text.js");
  const read = readWorkspaceText(JSON.stringify(document), { fileName: "the holiday calendar", references: false });
  if (!read.ok) throw new CliError("refused", read.problems[0]?.message ?? "The holiday calendar does not fit.");
  return writeWorkspaceText(read.document);
}

function wholeNumber(name: string, text: string, limits: { readonly least: number; readonly most: number }): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= limits.least && value <= limits.most) return value;
  throw new CliError("usage", `${name} ${text} does not fit: a whole number from ${limits.least} to ${limits.most}.`);
}
