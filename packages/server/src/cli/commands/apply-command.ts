import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { applyWorkspace, type WorkspaceChangeAnswer } from "../operations/server-operations.js";
import { changesSummary, renderChanges } from "../output/render-changes.js";
import { problemLine, readDocument } from "./validate-command.js";

interface ApplyOptions {
  readonly file: string;
  readonly prune?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce apply`: a workspace file becomes the catalogue. */
export function applyCommand(cli: Cli): Command {
  return new Command("apply")
    .description("make the catalogue and the windows be as a workspace file says; shows the difference first")
    .requiredOption("-f, --file <file>", "the workspace in YAML or JSON; - reads standard input")
    .option("--prune", "delete what the file does not name")
    .option("--dry-run", "only show the difference")
    .option("-y, --yes", "do not ask before it is applied (only a terminal is asked at all)")
    .option("--json", "print the difference as JSON")
    .action(async (options: ApplyOptions) => {
      const document = await readDocument(cli, options.file);
      await checkOffline(cli, document, options);
      const api = await cli.api();
      const input = { document, prune: options.prune === true };
      const diff = (await api.request(applyWorkspace, { input: { ...input, dryRun: true } })).applyWorkspace;
      if (diff.changes.length === 0 || options.dryRun === true) {
        show(cli, diff.changes, options, options.dryRun === true);
        return;
      }
      if (options.json !== true) print(cli, ...renderChanges(diff.changes, cli.out), "");
      if (!(await confirmed(cli, `Apply: ${changesSummary(diff.changes)}?`, options))) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const applied = (await api.request(applyWorkspace, { input: { ...input, dryRun: false } })).applyWorkspace;
      if (options.json === true) printJson(cli, applied);
      else print(cli, `${cli.out.styles.green("Applied")}: ${changesSummary(applied.changes)}.`);
    });
}

/** Finds what is wrong with the text before any server is asked. Names may be known to the server alone, unless the rest is pruned. */
async function checkOffline(cli: Cli, document: string, options: ApplyOptions): Promise<void> {
  const { readWorkspaceText } = await import("../../catalog/workspace-text.js");
  const file = options.file === "-" ? "standard input" : options.file;
  const read = readWorkspaceText(document, { fileName: file, references: options.prune === true });
  if (read.ok) return;
  note(cli, ...read.problems.map((problem) => problemLine(cli, { file, ...problem })));
  throw new CliError("refused", `${file} has ${read.problems.length} problem${read.problems.length === 1 ? "" : "s"}; nothing was changed.`, { code: "QSC_WORKSPACE_INVALID" });
}

function show(cli: Cli, changes: readonly WorkspaceChangeAnswer[], options: ApplyOptions, dryRun: boolean): void {
  if (options.json === true) {
    printJson(cli, { dryRun, changes });
    return;
  }
  if (changes.length === 0) {
    print(cli, "Nothing to change: the server is as the file says.");
    return;
  }
  print(cli, ...renderChanges(changes, cli.out), "", `Would apply: ${changesSummary(changes)}.`);
}
