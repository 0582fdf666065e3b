import { writeFile } from "node:fs/promises";
import type { ScopeMap, WindowImport } from "@quiesce/core";
import type { ImportSource } from "../../imports/import-document.js";
import { Argument, Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { applyWorkspace } from "../operations/server-operations.js";
import { changesSummary, renderChanges } from "../output/render-changes.js";
import { renderImport } from "../output/render-import.js";
import { readDocument } from "./validate-command.js";

interface ImportOptions {
  readonly map: readonly string[];
  readonly mapFile?: string;
  readonly owner: string;
  readonly reason?: string;
  readonly output?: string;
  readonly apply?: boolean;
  readonly yes?: boolean;
  readonly allowPartial?: boolean;
  readonly confirmLong?: boolean;
  readonly json?: boolean;
}

// The same as core's importSources; importing core only for that costs 0.15 s a command.
const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const sources: readonly ImportSource[] = ["alertmanager", "grafana", "list", "opsgenie", "pagerduty"];

/** `quiesce import`: windows of another tool become windows of a workspace. */
export function importCommand(cli: Cli): Command {
  return new Command("import")
    .description("make windows of another tool's windows; prints a workspace file, and says by name what could not be taken over")
    .addArgument(
      new Argument("<source>", "the tool that the file comes from; list: one that you wrote yourself from a screen").choices([...sources]),
    )
    .argument("<file>", "its export or the answer of its API, in JSON or YAML; - reads standard input")
    .option(
      "--map <name=target>",
      "what a name of the file is here: system:key, integration:key, tag:name or all; * is any other",
      collect,
      [],
    )
    .option("--map-file <file>", "the same as YAML or JSON: each name with its target or a list of them")
    .requiredOption("--owner <name>", "who answers for the windows")
    .option("-r, --reason <text>", "why (default: where each came from)")
    .option("-o, --output <file>", "write the workspace file here instead of to standard output")
    .option("--apply", "apply the windows to the server; nothing else there is changed")
    .option("-y, --yes", "do not ask before they are applied (only a terminal is asked at all)")
    .option("--allow-partial", "what is left out is no failure")
    .option("--confirm-long", "windows that hold for over 31 days are meant")
    .option("--json", "print the windows and what became of the rest as JSON")
    .action(async (source: ImportSource, file: string, options: ImportOptions) => {
      const imported = await importFile(cli, source, file, options);
      const isPartial = imported.leftOut.length > 0 && options.allowPartial !== true;
      note(cli, ...renderImport(imported, cli.err));
      const document = { quiesce: 1, windows: imported.windows };
      if (options.json === true) printJson(cli, { ...imported, document });
      if (options.output !== undefined) await writeOut(cli, options.output, await workspaceText(document));
      else if (options.json !== true && options.apply !== true) cli.out.write(await workspaceText(document));
      if (isPartial) throw partial(file, imported, options);
      if (options.apply === true) await applyWindows(cli, JSON.stringify(document), options);
    });
}

function partial(file: string, imported: WindowImport, options: ImportOptions): CliError {
  const applied = options.apply === true ? " Nothing was applied." : "";
  const message = `Not everything of ${file} is taken over (${imported.leftOut.length} left out, see above).${applied} Mend it, or say --allow-partial.`;
  return new CliError("refused", message, { code: "QSC_IMPORT_PARTIAL" });
}

async function importFile(cli: Cli, source: ImportSource, file: string, options: ImportOptions): Promise<WindowImport> {
  const { packagedZoneData } = await import("@quiesce/core");
  const { importDocument } = await import("../../imports/import-document.js");
  const map = await scopeMap(cli, options);
  const order = { source, map, owner: options.owner, reason: options.reason, confirmLong: options.confirmLong === true };
  return importDocument(await foreignValue(cli, file), order, { now: cli.clock.wallMs(), zones: packagedZoneData() });
}

async function foreignValue(cli: Cli, file: string): Promise<unknown> {
  const { readForeignText } = await import("../../catalog/foreign-text.js");
  const read = readForeignText(await readDocument(cli, file));
  if (read.ok) return read.value;
  throw new CliError("refused", `${file} cannot be imported. ${read.message}`, { code: "QSC_IMPORT_DOCUMENT_INVALID" });
}

/** The file's names, and over them those of the command line. */
async function scopeMap(cli: Cli, options: ImportOptions): Promise<ScopeMap> {
  const { readScopeMap } = await import("@quiesce/core");
  const given = new Map<string, string[]>();
  for (const text of options.map) {
    // A name may hold an equals sign of its own.
    const [, name = "", target = ""] = /^(.+)=((?:system|integration|tag):.+|all)$/.exec(text) ?? [];
    if (name === "") throw new CliError("usage", `--map ${text} does not fit. Expected such as "Old ERP=system:erp".`);
    given.set(name, [...(given.get(name) ?? []), target]);
  }
  const ofFile = options.mapFile === undefined ? new Map<string, never>() : readScopeMap(await foreignValue(cli, options.mapFile));
  return new Map([...ofFile, ...readScopeMap(Object.fromEntries(given))]);
}

async function workspaceText(document: object): Promise<string> {
  const { readWorkspaceText, writeWorkspaceText } = await import("../../catalog/workspace-text.js");
  const read = readWorkspaceText(JSON.stringify(document), { fileName: "the import", references: false });
  if (!read.ok) throw new CliError("internal", `The windows do not fit a workspace: ${read.problems[0]?.message ?? ""}`);
  return writeWorkspaceText(read.document);
}

async function writeOut(cli: Cli, file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new CliError("refused", `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  });
  note(cli, `Written to ${file}.`);
}

async function applyWindows(cli: Cli, document: string, options: ImportOptions): Promise<void> {
  const api = await cli.api();
  const input = { document, prune: false, ...(options.reason === undefined ? {} : { reason: options.reason }) };
  const { changes } = (await api.request(applyWorkspace, { input: { ...input, dryRun: true } })).applyWorkspace;
  if (changes.length === 0) {
    note(cli, "Nothing to change: the server has these windows.");
    return;
  }
  if (options.json !== true) print(cli, ...renderChanges(changes, cli.out), "");
  if (!(await confirmed(cli, `Apply: ${changesSummary(changes, "ahead")}?`, options))) {
    note(cli, "Nothing was changed.");
    cli.exitCode = exitCodes.refused;
    return;
  }
  const applied = (await api.request(applyWorkspace, { input: { ...input, dryRun: false } })).applyWorkspace;
  note(cli, `${cli.err.styles.green("Applied")}: ${changesSummary(applied.changes, "done")}.`);
}
