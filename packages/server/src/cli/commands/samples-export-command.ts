import { open } from "node:fs/promises";
import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note } from "../cli.js";
import { exportSamples } from "../operations/sample-operations.js";
import { type PeriodOptions, periodOf, withPeriod } from "./kpi-options.js";

const PAGE_SIZE = 10_000;
const classes = ["raw", "minute", "hour", "day"] as const;

interface ExportOptions extends PeriodOptions {
  readonly integration: string;
  readonly metric?: string;
  readonly raw?: boolean;
  readonly minute?: boolean;
  readonly hour?: boolean;
  readonly day?: boolean;
  readonly output?: string;
}

/** `quiesce samples export`: samples, or what they come to, as CSV. */
export function samplesExportCommand(cli: Cli): Command {
  const command = new Command("export")
    .description("write samples of an integration as CSV, one by one or summed up; `samples import` reads those one by one again")
    .requiredOption("-i, --integration <key>", "of which integration")
    .option("-m, --metric <name>", "of one metric; of all of them when left out");
  for (const name of classes) {
    const words = name === "raw" ? "samples one by one; this when none of these is said" : `what each ${name} came to`;
    command.addOption(new Option(`--${name}`, words).conflicts(classes.filter((other) => other !== name)));
  }
  command.option("-o, --output <file>", "write to this file instead of standard output");
  return withPeriod(command).action(async (options: ExportOptions) => {
    const output = await openOutput(cli, options.output);
    try {
      const lines = await writePages(cli, options, output.write);
      if (lines === 0) note(cli, "There is nothing of it in this period.");
      else if (options.output !== undefined) note(cli, `${lines} lines are written to ${options.output}.`);
    } finally {
      await output.close();
    }
  });
}

async function writePages(cli: Cli, options: ExportOptions, write: (text: string) => Promise<void>): Promise<number> {
  const api = await cli.api();
  const wanted = classes.find((name) => options[name] === true) ?? "raw";
  const variables = {
    integration: options.integration,
    metric: options.metric ?? null,
    class: wanted === "raw" ? "SAMPLE" : wanted.toUpperCase(),
    ...periodOf(options, cli.clock.wallMs()),
    first: PAGE_SIZE,
  };
  let total = 0;
  for (let after: string | null = null; ;) {
    const { csv, lines, endCursor }: { readonly csv: string; readonly lines: number; readonly endCursor: string | null } = (
      await api.request(exportSamples, { ...variables, after })
    ).samplesCsv;
    await write(csv);
    total += lines;
    if (endCursor === null) return total;
    after = endCursor;
  }
}

async function openOutput(
  cli: Cli,
  file: string | undefined,
): Promise<{ readonly write: (text: string) => Promise<void>; readonly close: () => Promise<void> }> {
  if (file === undefined) return { write: async (text) => cli.out.write(text), close: async () => undefined };
  try {
    const handle = await open(file, "w");
    return { write: async (text) => void (await handle.write(text)), close: () => handle.close() };
  } catch (cause) {
    throw new CliError("refused", `${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}
