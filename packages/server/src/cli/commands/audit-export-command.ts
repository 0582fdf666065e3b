import { Command, Option } from "commander";
import { open } from "node:fs/promises";
import { csvLine } from "../../csv-text.js";
import { CliError } from "../cli-error.js";
import { type Cli, note } from "../cli.js";
import { type AuditExportAnswer, exportAudit, readAuditHead } from "../operations/audit-operations.js";
import { parseDurationOption, parseInstantOption } from "../parse-time.js";

const PAGE_SIZE = 500;

interface ExportOptions {
  readonly from?: string;
  readonly to?: string;
  readonly format: "jsonl" | "csv";
  readonly output?: string;
}

type Line = { readonly [name: string]: unknown };

/** `quiesce audit export`: the trail as a file that can be checked without the server, or read in a spreadsheet. */
export function auditExportCommand(cli: Cli): Command {
  return new Command("export")
    .description("write the audit trail of a period, in the order of its chain; JSONL has all that `audit verify -f` needs")
    .option("--from <time>", "done since: a duration back from now (30d), or ISO 8601 with an offset")
    .option("--to <time>", "done before: a duration back from now, or ISO 8601 with an offset")
    .addOption(new Option("--format <format>", "jsonl, to be checked; csv, to be read").choices(["jsonl", "csv"]).default("jsonl"))
    .option("-o, --output <file>", "write to this file instead of standard output")
    .action(async (options: ExportOptions) => {
      const out = await openOutput(cli, options.output);
      try {
        const count = await writeTrail(cli, options, out.write);
        if (options.output !== undefined) note(cli, `${count} entries are written to ${options.output}.`);
      } finally {
        await out.close();
      }
    });
}

async function writeTrail(cli: Cli, options: ExportOptions, write: (text: string) => Promise<void>): Promise<number> {
  const api = await cli.api();
  const now = cli.clock.wallMs();
  const range = { from: instantText(options.from, "--from", now), to: instantText(options.to, "--to", now) };
  let count = 0;
  let place: { readonly position: number; readonly hash: string } | null = null;
  for (let isEnd = false; !isEnd;) {
    const piece: AuditExportAnswer = (await api.request(exportAudit, { ...range, after: place?.position ?? null, first: PAGE_SIZE }))
      .auditExport;
    if (place === null) {
      place = piece.startsAfter;
      await write(options.format === "csv" ? csvLine(columns) : `${JSON.stringify({ quiesceAudit: 1, ...range, startsAfter: place })}\n`);
    }
    const lines = piece.entries.map((entry) => (options.format === "csv" ? csvOf(entry) : `${JSON.stringify(entry)}\n`));
    await write(lines.join(""));
    const last = piece.entries.at(-1);
    if (last !== undefined) place = { position: Number(last["position"]), hash: String(last["hash"]) };
    count += piece.entries.length;
    ({ isEnd } = piece);
  }
  if (options.format === "jsonl") {
    const { auditHead } = await api.request(readAuditHead);
    await write(`${JSON.stringify({ end: place, head: auditHead })}\n`);
  }
  return count;
}

const columns = ["position", "id", "at", "actor", "action", "subjectKind", "subjectKey", "reason", "before", "after", "sealedAt", "hash"];

function csvOf(entry: Line): string {
  return csvLine(
    columns.map((name) => {
      const value = entry[name] ?? null;
      return value === null || typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
    }),
  );
}

function instantText(text: string | undefined, option: string, now: number): string | null {
  if (text === undefined) return null;
  const instant = /^\d{4}-/.test(text) ? parseInstantOption(text, option, now) : now - parseDurationOption(text, option);
  return new Date(instant).toISOString();
}

async function openOutput(
  cli: Cli,
  file: string | undefined,
): Promise<{ readonly write: (text: string) => Promise<void>; readonly close: () => Promise<void> }> {
  if (file === undefined) return { write: async (text) => cli.out.write(text), close: async () => undefined };
  try {
    // Names of people stand in it.
    const handle = await open(file, "w", 0o600);
    return { write: async (text) => void (await handle.write(text)), close: () => handle.close() };
  } catch (error) {
    throw new CliError("refused", `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  }
}
