import { CliError } from "./cli-error.js";

/** One record of a CSV file. */
export interface CsvRecord {
  /** The line on which it begins, from 1 on. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** More characters than this in one record are no samples: most likely a quote that nobody closed. */
const mostCharacters = 10_000;

/**
 * The records of a CSV file (RFC 4180), as many at a time as have been read: cells between commas, in quotes where they hold commas, quotes or line ends. Blank lines
 * are left out. Throws CliError, which names the line.
 */
export async function* csvRecords(
  pieces: AsyncIterable<string> | Iterable<string>,
  file: string,
): AsyncGenerator<readonly CsvRecord[], void, void> {
  let rest = "";
  let line = 1;
  for await (const piece of pieces) {
    rest += piece;
    const records: CsvRecord[] = [];
    let at = 0;
    for (;;) {
      const record = recordAt(rest, at, { file, line });
      if (record === null) break;
      if (!isBlank(record.cells)) records.push({ line, cells: record.cells });
      line += record.lines;
      at = record.end;
    }
    rest = rest.slice(at);
    if (rest.length > mostCharacters) throw tooLong(file, line);
    if (records.length > 0) yield records;
  }
  if (rest === "") return;
  // The last line may do without its end.
  const last = recordAt(`${rest}\n`, 0, { file, line });
  if (last === null || last.end <= rest.length) throw new CliError("usage", `${file}:${line}: a quote is opened here and never closed.`);
  if (!isBlank(last.cells)) yield [{ line, cells: last.cells }];
}

interface Found {
  readonly cells: readonly string[];
  /** Behind its line end. */
  readonly end: number;
  /** How many line ends it has. */
  readonly lines: number;
}

/** The record that begins at a place; null: its end is not there yet. */
function recordAt(text: string, begin: number, where: { readonly file: string; readonly line: number }): Found | null {
  const newline = text.indexOf("\n", begin);
  if (newline === -1) return null;
  if (newline - begin > mostCharacters) throw tooLong(where.file, where.line);
  const row = text.slice(begin, newline);
  if (!row.includes('"')) return { cells: withoutReturn(row).split(","), end: newline + 1, lines: 1 };
  const cells: string[] = [];
  let lines = 1;
  for (let at = begin; ;) {
    const cell = text[at] === '"' ? quotedCell(text, at, where) : plainCell(text, at);
    if (cell === null) return null;
    cells.push(cell.text);
    lines += cell.lines;
    const next = text[cell.end];
    if (next === undefined) return null;
    if (next === "\n") return { cells, end: cell.end + 1, lines };
    if (next === "\r" && text[cell.end + 1] === undefined) return null;
    if (next === "\r" && text[cell.end + 1] === "\n") return { cells, end: cell.end + 2, lines };
    if (next !== ",")
      throw new CliError(
        "usage",
        `${where.file}:${where.line}: a cell goes on behind its closing quote. Write a quote within a cell twice.`,
      );
    at = cell.end + 1;
  }
}

interface Cell {
  readonly text: string;
  readonly end: number;
  readonly lines: number;
}

/** Up to the closing quote; two quotes are one. */
function quotedCell(text: string, begin: number, { file, line }: { readonly file: string; readonly line: number }): Cell | null {
  for (let at = begin + 1; ;) {
    const quote = text.indexOf('"', at);
    if ((quote === -1 ? text.length : quote) - begin > mostCharacters) throw tooLong(file, line);
    // Whether it closes is known by what follows.
    if (quote === -1 || quote + 1 === text.length) return null;
    if (text[quote + 1] === '"') {
      at = quote + 2;
      continue;
    }
    const raw = text.slice(begin + 1, quote);
    return { text: raw.replaceAll('""', '"'), end: quote + 1, lines: raw.split("\n").length - 1 };
  }
}

function plainCell(text: string, begin: number): Cell | null {
  const found = /[,\n]/g;
  found.lastIndex = begin;
  const end = found.exec(text)?.index;
  if (end === undefined) return null;
  const isLast = text[end] === "\n" && text[end - 1] === "\r" && end > begin;
  return { text: text.slice(begin, isLast ? end - 1 : end), end: isLast ? end - 1 : end, lines: 0 };
}

const withoutReturn = (text: string): string => (text.endsWith("\r") ? text.slice(0, -1) : text);
const isBlank = (cells: readonly string[]): boolean => cells.length === 1 && (cells[0] ?? "").trim() === "";

function tooLong(file: string, line: number): CliError {
  return new CliError("usage", `${file}:${line}: this record has more than ${mostCharacters} characters. Is a quote not closed?`);
}
