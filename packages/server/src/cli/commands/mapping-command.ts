import { Command, InvalidArgumentError } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { type MappingPreviewAnswer, previewMapping } from "../operations/mapping-operations.js";
import { plainText } from "../output/plain-text.js";
import { readDocument } from "./validate-command.js";

const MOST_LETTERS = 200;

interface PreviewOptions {
  readonly integration?: string;
  readonly stream?: string;
  readonly mapping?: string;
  readonly records?: string;
  readonly letters?: number;
  readonly json?: boolean;
}

/** `quiesce mapping`: what mappings make of records. */
export function mappingCommand(cli: Cli): Command {
  return new Command("mapping").description("try how records are mapped").addCommand(previewCommand(cli));
}

function previewCommand(cli: Cli): Command {
  return new Command("preview")
    .description("map sample records and write nothing; ends with 1 when the mapping is refused or a record does not fit")
    .option("-i, --integration <key>", "take the mapping, or dead letters as records, from this integration")
    .option("--stream <name>", "of this stream; may be left out where there is one only")
    .option("-m, --mapping <file>", "the mapping to try, in YAML or JSON; - reads standard input")
    .option("--records <file>", 'records {"key": …, "data": {…}}: a list in YAML or JSON, or one a line; - reads standard input')
    .option("--letters <count>", `without --records: so many of the newest dead letters (1 to ${MOST_LETTERS})`, countOf)
    .option("--json", "print everything as JSON")
    .action(async (options: PreviewOptions) => {
      const { integration, stream, letters } = options;
      if (options.mapping === "-" && options.records === "-")
        throw new CliError("usage", "Standard input can be read for --mapping or for --records, not for both.");
      const input = {
        ...(integration === undefined ? {} : { integration }),
        ...(stream === undefined ? {} : { stream }),
        ...(letters === undefined ? {} : { letters }),
        ...(options.mapping === undefined ? {} : { mapping: await valueOf(cli, options.mapping) }),
        ...(options.records === undefined ? {} : { records: await recordsOf(cli, options.records) }),
      };
      const { previewMapping: preview } = await (await cli.api()).request(previewMapping, { input });
      if (!preview.isValid || preview.records.some((one) => one.outcome === "UNFIT")) cli.exitCode = exitCodes.refused;
      if (options.json === true) return printJson(cli, preview);
      if (preview.isValid && preview.records.length === 0)
        note(cli, "No records: the stream has no dead letters that hold a whole record.");
      print(cli, ...previewLines(cli, preview));
    });
}

function previewLines(cli: Cli, preview: MappingPreviewAnswer): readonly string[] {
  const { styles } = cli.out;
  const said = (label: string, problems: MappingPreviewAnswer["problems"]) =>
    problems.map(({ path, message }) => `${label}  ${styles.bold(plainText(path))}  ${plainText(message)}`);
  const records = preview.records.flatMap((one) => {
    const key = styles.bold(plainText(one.recordKey));
    if (one.outcome === "SKIPPED") return [`${styles.yellow("passed over")}  ${key}`];
    if (one.outcome === "MAPPED")
      return [`${styles.green("mapped")}  ${key} -> ${plainText(one.targetKey ?? "")}  ${plainText(JSON.stringify(one.after))}`];
    return one.errors.map(
      ({ field, found, expected }) =>
        `${styles.red("does not fit")}  ${key}  ${plainText(`${field}: found ${found}, expected ${expected}`)}`,
    );
  });
  return [...said(styles.red("refused"), preview.problems), ...said(styles.yellow("warning"), preview.warnings), ...records];
}

async function valueOf(cli: Cli, file: string): Promise<unknown> {
  const { readForeignText } = await import("../../catalog/foreign-text.js");
  const read = readForeignText(await readDocument(cli, file));
  if (read.ok) return read.value;
  throw new CliError("usage", `${file} cannot be read. ${read.message}`);
}

/** A list, or one JSON object a line. */
async function recordsOf(cli: Cli, file: string): Promise<readonly unknown[]> {
  const text = await readDocument(cli, file);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length > 0 && lines.every((line) => line.trimStart().startsWith("{") && line.trimEnd().endsWith("}"))) {
    return lines.map((line, index) => lineValue(file, line, index));
  }
  const { readForeignText } = await import("../../catalog/foreign-text.js");
  const read = readForeignText(text);
  if (!read.ok) throw new CliError("usage", `${file} cannot be read. ${read.message}`);
  return Array.isArray(read.value) ? read.value : [read.value];
}

function lineValue(file: string, line: string, index: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new CliError("usage", `${file}, line ${index + 1}, is no JSON object.`, { cause: error });
  }
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST_LETTERS)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_LETTERS}.`);
  return count;
}
