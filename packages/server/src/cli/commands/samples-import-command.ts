import { createReadStream } from "node:fs";
import { DomainError, readSample } from "@quiesce/core";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { csvRecords, type CsvRecord } from "../csv-records.js";
import { exitCodes } from "../exit-codes.js";
import { sendSamples, type SampleWay, untoldRefusals } from "../operations/send-samples.js";
import { plainText } from "../output/plain-text.js";

/** Samples of one request: as many as the server writes at once. */
const SAMPLES_OF_REQUEST = 10_000;
/** Neither late nor ahead, also where this machine's clock is some minutes wrong. */
const RECENT_MS = 600_000;
/** Refused lines that are told one by one. */
const MOST_TOLD = 1_000;
/** Where no terminal shows the progress it is told after so many requests. */
const REQUESTS_OF_NOTE = 10;
const required = ["integration", "metric", "at", "value"] as const;
const known: readonly string[] = [...required, "ok", "key"];

interface ImportOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface Refusal {
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

/** A line that is a sample. */
interface Line {
  readonly line: number;
  readonly sample: { readonly integration: string; readonly metric: string; readonly at: string };
}

interface Totals {
  lines: number;
  accepted: number;
  duplicates: number;
  marked: number;
  refused: number;
  readonly refusals: Refusal[];
}

/** `quiesce samples import`: samples of a CSV file, which may be imported again at any time. */
export function samplesImportCommand(cli: Cli): Command {
  return new Command("import")
    .description(
      "hand the samples of a CSV file in; one that broke off is simply run again: no sample counts twice. Ends with 1 when lines were refused",
    )
    .argument(
      "<file>",
      "CSV with the columns integration, metric, at (ISO 8601 with its offset), value and, if wanted, ok and key; - reads standard input",
    )
    .option("--dry-run", "only ask whether the server would take them; nothing is written")
    .option("--json", "print what became of them as JSON")
    .action(async (file: string, options: ImportOptions) => {
      const totals: Totals = { lines: 0, accepted: 0, duplicates: 0, marked: 0, refused: 0, refusals: [] };
      const isTrial = options.dryRun === true;
      await importFile(cli, { file, isTrial, totals }).catch((error: unknown) => {
        const isIn = totals.accepted + totals.duplicates;
        if (!isTrial && isIn > 0) note(cli, `${isIn} samples are in. Run the command again to go on: no sample counts twice.`);
        throw error;
      });
      if (totals.refused > 0) cli.exitCode = exitCodes.refused;
      if (options.json === true) return printJson(cli, { file, dryRun: isTrial, ...totals });
      for (const { line, code, message } of totals.refusals) note(cli, `${file}:${line}: ${code}: ${plainText(message)}`);
      if (totals.refused > totals.refusals.length) note(cli, `${totals.refused - totals.refusals.length} more lines were refused.`);
      print(cli, summary(cli, totals, options));
    });
}

function summary(cli: Cli, { lines, accepted, duplicates, refused }: Totals, { dryRun }: ImportOptions): string {
  const { styles } = cli.out;
  const no = refused === 0 ? "none refused" : styles.red(`${refused} refused`);
  if (dryRun === true) return `${styles.green(`${accepted} would be accepted`)}, ${no}, of ${lines} lines. Nothing was written.`;
  return `${styles.green(`Accepted ${accepted}`)}, ${duplicates} known already, ${no}, of ${lines} lines.`;
}

async function importFile(cli: Cli, of: { readonly file: string; readonly isTrial: boolean; readonly totals: Totals }): Promise<void> {
  const { file, isTrial, totals } = of;
  const onBusy = (seconds: number): void => note(cli, `The server is busy; going on in ${seconds} s.`);
  const way: SampleWay = { connection: await cli.connection(), isTrial, onBusy };
  let columns: readonly string[] | null = null;
  let batch: Line[] = [];
  let requests = 0;
  // A trial makes no metric: each request begins with a line of every metric of those before it, so that the server counts the file's as an import would.
  const ahead = new Map<string, Line>();
  const flush = async (): Promise<void> => {
    const full = batch;
    batch = [];
    const taken = await sendBatch(way, { batch: full, ahead: [...ahead.values()] }, totals);
    if (isTrial) for (const one of taken) ahead.set(JSON.stringify([one.sample.integration, one.sample.metric]), recent(cli, one));
    requests += 1;
    showProgress(cli, totals, requests);
  };
  for await (const records of csvRecords(piecesOf(cli, file), file))
    for (const record of records) {
      if (columns === null) {
        columns = columnsOf(record, file);
        continue;
      }
      totals.lines += 1;
      const read = readLine(record, columns);
      if ("code" in read) refuse(totals, [read]);
      else batch.push(read);
      if (batch.length === SAMPLES_OF_REQUEST) await flush();
    }
  if (columns === null) throw new CliError("usage", `${file} is empty. Its first line names the columns: ${known.join(",")}.`);
  if (batch.length > 0) await flush();
  if (cli.err.isTerminal && requests > 0) cli.err.write("\n");
  totals.refusals.sort((a, b) => a.line - b.line);
}

/** The line as if it were measured a while ago: neither late nor ahead, so that it is not counted as marked. */
function recent(cli: Cli, { line, sample }: Line): Line {
  return { line, sample: { ...sample, at: new Date(cli.clock.wallMs() - RECENT_MS).toISOString() } };
}

/** Sends lines, and those that are only sent ahead of them again. Answers the lines of which no refusal was told. */
async function sendBatch(
  way: SampleWay,
  { batch, ahead }: { readonly batch: readonly Line[]; readonly ahead: readonly Line[] },
  totals: Totals,
): Promise<readonly Line[]> {
  const lines = [...ahead, ...batch];
  const samples = lines.map(({ sample }) => sample);
  const answer = await sendSamples(way, samples);
  const isAhead = ({ line }: { readonly line: number }): boolean => line <= ahead.length;
  const refusedAhead = answer.refusals.filter(isAhead).length;
  const room = Math.max(0, MOST_TOLD - totals.refusals.length - answer.refusals.length);
  const more = answer.refused > answer.refusals.length ? await untoldRefusals(way, { samples, answer, most: room }) : [];
  totals.accepted += answer.accepted - (ahead.length - refusedAhead);
  totals.duplicates += answer.duplicates;
  totals.marked += answer.marked;
  const told = [...answer.refusals, ...more].filter((one) => !isAhead(one));
  refuse(
    totals,
    told.map(({ line, code, message }) => ({ line: lines[line - 1]?.line ?? 0, code, message })),
  );
  totals.refused += answer.refused - refusedAhead - told.length;
  const refused = new Set(told.map(({ line }) => line));
  return batch.filter((_line, at) => !refused.has(ahead.length + at + 1));
}

function refuse(totals: Totals, refusals: readonly Refusal[]): void {
  totals.refused += refusals.length;
  totals.refusals.push(...refusals.slice(0, Math.max(0, MOST_TOLD - totals.refusals.length)));
}

function showProgress(cli: Cli, { lines, accepted, duplicates, refused }: Totals, requests: number): void {
  const words = `${lines} lines: ${accepted} accepted, ${duplicates} known already, ${refused} refused`;
  if (cli.err.isTerminal) cli.err.write(`\r${words}`);
  else if (requests % REQUESTS_OF_NOTE === 0) note(cli, words);
}

/** Which column is where. Throws CliError for a header that is none, or names what is not known. */
function columnsOf({ line, cells }: CsvRecord, file: string): readonly string[] {
  const names = cells.map((cell) => cell.trim().toLowerCase());
  const where = `${file}:${line}`;
  if (names.includes("class") && names.includes("p95"))
    throw new CliError("usage", `${where}: these are sums. Sums cannot be imported; export samples one by one.`);
  const missing = required.filter((name) => !names.includes(name));
  const separator = names.length === 1 && /[;\t]/.test(names[0] ?? "") ? " Its cells are separated by something else than commas." : "";
  if (missing.length > 0)
    throw new CliError(
      "usage",
      `${where}: the first line has no column ${missing.join(", ")}.${separator} Expected ${known.join(",")}, in any order; ok and key may be left out.`,
    );
  const foreign = names.filter((name) => !known.includes(name));
  if (foreign.length > 0)
    throw new CliError(
      "usage",
      `${where}: unknown columns ${foreign.map((name) => plainText(name)).join(", ")}. Expected ${known.join(",")}.`,
    );
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) throw new CliError("usage", `${where}: the column ${twice} is there twice.`);
  return names;
}

/** An apostrophe before what a spreadsheet would run says that it is text. */
const GUARDED = /^'+[=+\-@\t\r]/;
const NUMBER = /^\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const truths: { readonly [text: string]: boolean } = { "": true, true: true, "1": true, false: false, "0": false };

function readLine({ line, cells }: CsvRecord, columns: readonly string[]): Line | Refusal {
  const invalid = (message: string): Refusal => ({ line, code: "QSC_SAMPLE_INVALID", message });
  if (cells.length !== columns.length) return invalid(`The line has ${cells.length} cells, the first line ${columns.length}.`);
  const cell = (name: string): string => cells[columns.indexOf(name)] ?? "";
  const [value, ok, key] = [cell("value").trim(), cell("ok").trim().toLowerCase(), cell("key")];
  const isOk = Object.hasOwn(truths, ok) ? truths[ok] : undefined;
  if (isOk === undefined) return invalid(`ok is true or false, found ${JSON.stringify(ok.slice(0, 60))}.`);
  try {
    const sample = {
      integration: cell("integration").trim(),
      metric: cell("metric").trim(),
      at: cell("at").trim(),
      value: NUMBER.test(value) ? Number(value) : value,
      ok: isOk,
      key: GUARDED.test(key) ? key.slice(1) : key,
    };
    readSample(sample);
    return { line, sample };
  } catch (error) {
    if (error instanceof DomainError) return { line, code: error.code, message: error.message };
    throw error;
  }
}

async function* piecesOf(cli: Cli, file: string): AsyncGenerator<string, void, void> {
  if (file === "-") return yield (await cli.input.readAll()).replace(/^\u{FEFF}/u, "");
  // The mark at a file's beginning is left out by the decoder.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const piece of createReadStream(file)) yield decoder.decode(piece as Buffer, { stream: true });
    yield decoder.decode();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reasons: { readonly [code: string]: string } = {
      ENOENT: "there is no such file",
      EACCES: "this user may not read it",
      EISDIR: "it is a folder",
      ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8. Save it as UTF-8",
    };
    const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
    if (reason === undefined) throw error;
    throw new CliError("usage", `${file} cannot be read: ${reason}.`, { cause: error });
  }
}
