import { basename } from "node:path";
import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import {
  type CalendarImportAnswer,
  type CalendarReportAnswer,
  importCalendar,
  listImports,
  removeImport,
  syncImport,
} from "../operations/calendar-operations.js";
import { freezeConflicts } from "../operations/planning-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { parseDurationOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";
import { addScopeOptions, requiredScopeOf, type ScopeOptions } from "../scope-options.js";
import { overrideFreezeOf, overrideFreezeOption, type OverrideFreezeOptions } from "./override-freeze-option.js";
import { readDocument } from "./validate-command.js";

const MOST_IMPORTS = 10_000;

interface ImportOptions extends ScopeOptions, OverrideFreezeOptions {
  readonly kind: string;
  readonly key?: string;
  readonly title?: string;
  readonly every?: string;
  readonly mode: string;
  readonly owner: string;
  readonly reason: string;
  readonly timeZone?: string;
  readonly mapZone?: readonly string[];
  readonly contains?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** `quiesce calendar import`: a vendor's maintenance calendar becomes windows. */
export function calendarImportCommand(cli: Cli): Command {
  const command = new Command("import")
    .description("make windows of the events of a calendar and keep them in step; shows first what would be done")
    .argument("<source>", "https://…, webcal:…, or a file; - reads standard input")
    .option("--key <key>", "its stable name; a known one changes that import (default: made from the source)")
    .option("--title <text>", "its name for people")
    .option("--every <duration>", "how often an address is read (default: 1h)");
  return addScopeOptions(command)
    .addOption(new Option("--kind <kind>", "what its events are").choices(["maintenance", "freeze", "change"]).default("maintenance"))
    .addOption(new Option("--mode <mode>", "enforce holds runs, observe only records").choices(["enforce", "observe"]).default("enforce"))
    .requiredOption("--owner <name>", "the team or person who answers for its windows")
    .requiredOption("-r, --reason <text>", "why they are needed; stays on record")
    .option("--time-zone <zone>", "the IANA zone of whole days, and of times without a zone: Europe/Madrid")
    .option("--map-zone <name=zone>", "what the calendar's own name of a zone means (repeat for more)", collect)
    .option("--contains <text>", "only events whose title contains this")
    .addOption(overrideFreezeOption())
    .option("--dry-run", "only show what would be done")
    .option("-y, --yes", "do not ask before it is done (only a terminal is asked at all)")
    .option("--json", "print the report as JSON")
    .action(async (source: string, options: ImportOptions) => {
      const api = await cli.api();
      const input = await importInputOf(cli, source, options);
      const { importCalendar: ahead } = await api.request(importCalendar, { input: { ...input, dryRun: true } });
      if (options.dryRun === true) {
        if (options.json === true) printJson(cli, { dryRun: true, ...ahead.report });
        else print(cli, ...reportLines(ahead.report, cli), `Would import: ${summaryOf(ahead.report)}.`);
        return;
      }
      if (options.json !== true) print(cli, ...reportLines(ahead.report, cli));
      if (!(await confirmed(cli, `Import: ${summaryOf(ahead.report)}?`, options))) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const { importCalendar: made } = await api.request(importCalendar, { input: { ...input, dryRun: false } });
      if (options.json === true) printJson(cli, { dryRun: false, ...made.report });
      else print(cli, `${cli.out.styles.green("Imported")} as ${input.key}: ${summaryOf(made.report)}.`);
    });
}

async function importInputOf(cli: Cli, source: string, options: ImportOptions) {
  const isUrl = /^(https?|webcals?):/i.test(source);
  if (!isUrl && options.every !== undefined)
    throw new CliError("usage", "--every is for an address that is read again; a file is read once. Import it again under the same key.");
  const key = options.key ?? keyOfSource(source, isUrl);
  const zoneMap = (options.mapZone ?? []).map((text) => {
    const at = text.lastIndexOf("=");
    if (at < 1)
      throw new CliError(
        "usage",
        `--map-zone is "${text}". Expected the calendar's name of the zone and the IANA zone: "Vendor Time=Europe/Madrid".`,
      );
    return { tzid: text.slice(0, at), timeZone: text.slice(at + 1) };
  });
  return {
    key,
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(isUrl ? { url: source } : { document: await readDocument(cli, source) }),
    ...(options.every === undefined ? {} : { everySeconds: Math.round(parseDurationOption(options.every, "--every") / 1_000) }),
    scope: requiredScopeOf(options),
    kind: options.kind.toUpperCase(),
    mode: options.mode.toUpperCase(),
    owner: options.owner,
    reason: options.reason,
    ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
    zoneMap,
    ...overrideFreezeOf(options),
    ...(options.contains === undefined ? {} : { titleContains: options.contains }),
  };
}

/** The host of an address, the name of a file. */
function keyOfSource(source: string, isUrl: boolean): string {
  const address = source.replace(/^webcals?:/i, "https:");
  const name = isUrl && URL.canParse(address) ? new URL(address).hostname : basename(source).replace(/\.[^.]*$/, "");
  const key = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
  if (key === "") throw new CliError("usage", "Give the import a name: --key vendor-maintenance");
  return key;
}

const WORDS = [
  ["added", "added"],
  ["changed", "changed"],
  ["removed", "removed"],
  ["running", "gone, ends as planned"],
] as const;

function reportLines(report: CalendarReportAnswer, cli: Cli): readonly string[] {
  const { styles } = cli.out;
  return [
    ...WORDS.flatMap(([list, word]) => report[list].map((one) => `${styles.bold(word)}  ${one.window}  ${plainText(one.title)}`)),
    ...report.refused.map(
      (one) =>
        `${styles.yellow("not understood")}  ${plainText(one.title)} (${plainText(one.uid)}${one.recurrenceId === null ? "" : `, ${one.recurrenceId}`}): ${plainText(one.message)}`,
    ),
  ];
}

function summaryOf(report: CalendarReportAnswer): string {
  const { addedCount, changedCount, removedCount, refusedCount, unchangedCount, overCount } = report;
  const counts = [`${addedCount} added`, `${changedCount} changed`, `${removedCount} removed`, `${unchangedCount} as before`];
  if (overCount > 0) counts.push(`${overCount} over`);
  if (refusedCount > 0) counts.push(`${refusedCount} not understood`);
  return counts.join(", ");
}

/** `quiesce calendar list`: imported calendars and how they are. */
export function calendarListCommand(cli: Cli): Command {
  return new Command("list")
    .description("list imported calendars, when they were read and what of them was not understood")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const found = await readPages(MOST_IMPORTS, async (page) => (await api.request(listImports, page)).calendarImports);
      if (options.json === true) printJson(cli, found);
      else print(cli, ...importLines(found, cli));
    });
}

function importLines(imports: readonly CalendarImportAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const state = (one: CalendarImportAnswer): string => (one.problem === null ? "in step" : `failing (${one.failures}): ${one.problem}`);
  return renderTable(
    [
      { title: "CALENDAR", value: (one) => one.key },
      { title: "FROM", value: (one) => one.origin ?? "a document" },
      { title: "WINDOWS", value: (one) => String(one.windows), align: "right" },
      { title: "NOT UNDERSTOOD", value: (one) => String(one.report?.refusedCount ?? 0), align: "right" },
      { title: "READ", value: (one) => (one.succeededAt === null ? "never" : formatLocalInstant(instantOf(one.succeededAt))) },
      {
        title: "STATE",
        value: state,
        flexible: true,
        style: (text, one) => (one.problem === null ? styles.green(text) : styles.red(text)),
      },
    ],
    imports,
    { width: cli.out.columns(), styles },
  );
}

/** `quiesce calendar sync`: read it now. */
export function calendarSyncCommand(cli: Cli): Command {
  return new Command("sync")
    .description("read an imported calendar again, now")
    .argument("<key>", "the import's key")
    .option("--json", "print the import as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const { syncCalendarImport: found } = await api.request(syncImport, { input: { key } });
      if (found.problem !== null) cli.exitCode = exitCodes.refused;
      if (options.json === true) printJson(cli, found);
      else if (found.problem !== null) note(cli, `${plainText(found.problem)} The windows stay as they were last known.`);
      else if (found.report !== null) print(cli, ...reportLines(found.report, cli), `${found.key}: ${summaryOf(found.report)}.`);
      if (options.json === true || found.report === null) return;
      const moved = new Set([...found.report.added, ...found.report.changed].map((one) => one.window));
      const conflicts = moved.size === 0 ? [] : (await api.request(freezeConflicts)).freezeConflicts;
      for (const { sentence } of conflicts.filter(({ window }) => moved.has(window.key))) note(cli, plainText(sentence));
    });
}

/** `quiesce calendar remove`: forget it. */
export function calendarRemoveCommand(cli: Cli): Command {
  return new Command("remove")
    .description("forget an imported calendar; its windows are cancelled, those that are open end now")
    .argument("<key>", "the import's key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--keep-windows", "leave its windows, as windows that somebody planned")
    .option("-y, --yes", "do not ask (only a terminal is asked at all)")
    .option("--json", "print what was done as JSON")
    .action(
      async (
        key: string,
        options: { readonly reason: string; readonly keepWindows?: boolean; readonly yes?: boolean; readonly json?: boolean },
      ) => {
        const keepWindows = options.keepWindows === true;
        if (!(await confirmed(cli, `Forget the calendar ${key}${keepWindows ? "" : " and cancel its windows"}?`, options))) {
          note(cli, "Nothing was changed.");
          cli.exitCode = exitCodes.refused;
          return;
        }
        await (await cli.api()).request(removeImport, { input: { key, reason: options.reason, keepWindows } });
        if (options.json === true) printJson(cli, { key, removed: true, keepWindows });
        else print(cli, `The calendar ${key} is forgotten.`);
      },
    );
}
