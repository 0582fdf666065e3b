import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { applyWorkspace, type WorkspaceChangeAnswer, type WorkspaceFreezeAnswer } from "../operations/server-operations.js";
import { changesSummary, renderChanges } from "../output/render-changes.js";
import { plainText } from "../output/plain-text.js";
import { overrideFreezeOf, overrideFreezeOption } from "./override-freeze-option.js";
import { problemLine, readDocument } from "./validate-command.js";

interface ApplyOptions {
  readonly file: string;
  readonly prune?: boolean;
  readonly reason?: string;
  readonly overrideFreeze?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce apply`: a workspace file becomes the catalogue. */
export function applyCommand(cli: Cli): Command {
  return new Command("apply")
    .description("make the catalogue and the windows be as a workspace file says; shows the difference first")
    .requiredOption(
      "-f, --file <file>",
      "the workspace in YAML or JSON; - reads standard input. Secrets named by env or file are read here",
    )
    .option("--prune", "delete what the file does not name")
    .option("--dry-run", "only show the difference")
    .option("-r, --reason <text>", "why; stays on record")
    .addOption(overrideFreezeOption())
    .option("-y, --yes", "do not ask before it is applied (only a terminal is asked at all)")
    .option("--json", "print the difference as JSON")
    .action(async (options: ApplyOptions) => {
      const document = await readWorkspace(cli, options);
      const api = await cli.api();
      const input = {
        document,
        prune: options.prune === true,
        ...(options.reason === undefined ? {} : { reason: options.reason }),
        ...overrideFreezeOf(options),
      };
      const diff = (await api.request(applyWorkspace, { input: { ...input, dryRun: true } })).applyWorkspace;
      if (diff.changes.length === 0 || options.dryRun === true) {
        show(cli, diff, options);
        return;
      }
      if (options.json !== true) print(cli, ...renderChanges(diff.changes, cli.out), "");
      tellFreezes(cli, diff.freezes, options);
      if (!(await confirmed(cli, `Apply: ${changesSummary(diff.changes, "ahead")}?`, options))) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const applied = (await api.request(applyWorkspace, { input: { ...input, dryRun: false } })).applyWorkspace;
      if (options.json === true) printJson(cli, applied);
      else print(cli, `${cli.out.styles.green("Applied")}: ${changesSummary(applied.changes, "done")}.`);
    });
}

/**
 * The document as JSON for the server, with the values of its secrets. What is wrong with it is found before any server is asked; names may be
 * known to the server alone, unless the rest is pruned.
 */
async function readWorkspace(cli: Cli, options: ApplyOptions): Promise<string> {
  const [{ readWorkspaceText }, { resolveSecrets }] = await Promise.all([
    import("../../catalog/workspace-text.js"),
    import("../../catalog/resolve-secrets.js"),
  ]);
  const file = options.file === "-" ? "standard input" : options.file;
  const read = readWorkspaceText(await readDocument(cli, options.file), { fileName: file, references: options.prune === true });
  if (!read.ok)
    throw invalid(
      cli,
      file,
      read.problems.map((problem) => problemLine(cli, { file, ...problem })),
    );
  const folder = options.file === "-" ? "." : dirname(options.file);
  const resolved = await resolveSecrets(read.document, {
    env: (name) => cli.environment.all[name],
    file: (path) => readFile(resolve(folder, path), "utf8").catch(() => undefined),
  });
  if (!resolved.ok)
    throw invalid(
      cli,
      file,
      resolved.problems.map(
        (problem) => `${plainText(file)}  ${cli.out.styles.bold(plainText(problem.path))}  ${plainText(problem.message)}`,
      ),
    );
  return JSON.stringify(resolved.document);
}

function invalid(cli: Cli, file: string, lines: readonly string[]): CliError {
  note(cli, ...lines);
  return new CliError("refused", `${file} has ${lines.length} problem${lines.length === 1 ? "" : "s"}; nothing was changed.`, {
    code: "QSC_WORKSPACE_INVALID",
  });
}

interface Diff {
  readonly changes: readonly WorkspaceChangeAnswer[];
  readonly freezes: readonly WorkspaceFreezeAnswer[];
}

function show(cli: Cli, { changes, freezes }: Diff, options: ApplyOptions): void {
  if (isRefused(freezes, options)) cli.exitCode = exitCodes.refused;
  if (options.json === true) {
    printJson(cli, { dryRun: options.dryRun === true, changes, freezes });
    return;
  }
  if (changes.length === 0) {
    print(cli, "Nothing to change: the server is as the file says.");
    return;
  }
  print(cli, ...renderChanges(changes, cli.out), "");
  tellFreezes(cli, freezes, options);
  print(cli, `${isRefused(freezes, options) ? "Would be refused" : "Would apply"}: ${changesSummary(changes, "ahead")}.`);
}

const isRefused = (freezes: Diff["freezes"], { overrideFreeze }: ApplyOptions): boolean =>
  freezes.length > 0 && overrideFreeze === undefined;

/** Which changes of the file fall into freezes: refused, or overridden and told to the owners of the freezes. */
function tellFreezes(cli: Cli, freezes: Diff["freezes"], options: ApplyOptions): void {
  if (freezes.length === 0) return;
  const refused = isRefused(freezes, options);
  note(
    cli,
    ...freezes.map(({ window, freezes: of, message }) =>
      plainText(refused ? message : `The change ${window} falls into ${of.join(", ")}, which is overridden: its owner is told.`),
    ),
  );
}
