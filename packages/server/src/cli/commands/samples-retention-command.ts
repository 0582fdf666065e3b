import { Command, InvalidArgumentError } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { readSampleRetention, type SampleRetentionAnswer, setSampleRetention } from "../operations/sample-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { renderTable } from "../output/render-table.js";

/** `quiesce samples retention`: for how long what is measured is kept. */
export function samplesRetentionCommand(cli: Cli): Command {
  return new Command("retention")
    .description("for how long samples and their sums are kept, by metric")
    .addCommand(showCommand(cli))
    .addCommand(setCommand(cli));
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show the days in force: of every metric, and of those with days of their own; * marks what somebody said")
    .option("--json", "print them as JSON")
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { sampleRetention: found } = await (await cli.api()).request(readSampleRetention);
      if (json === true) return printJson(cli, found);
      print(cli, ...tableOf(cli, found));
    });
}

interface SetOptions {
  readonly samples?: number;
  readonly minutes?: number;
  readonly hours?: number;
  readonly days?: number;
  readonly asUsual?: boolean;
  readonly reason: string;
  readonly json?: boolean;
}

function setCommand(cli: Cli): Command {
  return new Command("set")
    .description(
      "say for how long a metric is kept, in the place of what was said of it; what is older goes an hour later at the earliest, for good",
    )
    .argument("[metric]", "as response; every metric without days of its own when left out")
    .option("--samples <days>", "samples one by one", daysOption)
    .option("--minutes <days>", "what each minute came to", daysOption)
    .option("--hours <days>", "what each hour came to", daysOption)
    .option("--days <days>", "what each day came to", daysOption)
    .option("--as-usual", "say nothing of it any more")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(async (metric: string | undefined, options: SetOptions) => {
      const { samples = null, minutes = null, hours = null, days = null, asUsual, reason } = options;
      const saysDays = [samples, minutes, hours, days].some((one) => one !== null);
      if (saysDays === (asUsual === true))
        throw new CliError("usage", "Say --samples, --minutes, --hours or --days, or else --as-usual to take back what was said.");
      const input = { metric: metric ?? null, sampleDays: samples, minuteDays: minutes, hourDays: hours, dayDays: days, reason };
      const { setSampleRetention: saved } = await (await cli.api()).request(setSampleRetention, { input });
      if (options.json === true) return printJson(cli, saved);
      print(cli, ...tableOf(cli, [saved]));
    });
}

function tableOf(cli: Cli, rows: readonly SampleRetentionAnswer[]): readonly string[] {
  const days = (of: keyof SampleRetentionAnswer["said"]) => (row: SampleRetentionAnswer) => {
    const kept = row.inForce[of];
    return `${kept === null ? "for good" : `${kept} d`}${row.said[of] === null ? "" : " *"}`;
  };
  return renderTable(
    [
      { title: "METRIC", value: ({ metric }) => metric ?? "every other" },
      { title: "SAMPLES", value: days("sample"), align: "right" },
      { title: "MINUTES", value: days("minute"), align: "right" },
      { title: "HOURS", value: days("hour"), align: "right" },
      { title: "DAYS", value: days("day"), align: "right" },
      {
        title: "SAMPLES SINCE",
        value: ({ samplesFrom }) => (samplesFrom === null ? "the first" : formatLocalInstant(instantOf(samplesFrom))),
      },
    ],
    rows,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

function daysOption(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected whole days, as 30.");
}
