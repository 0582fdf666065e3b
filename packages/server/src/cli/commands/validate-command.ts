import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { plainText } from "../output/plain-text.js";

interface FileProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** `quiesce validate`: checks workspace files without any server. */
export function validateCommand(cli: Cli): Command {
  return new Command("validate")
    .description("check workspace files offline, without a server or a database; for CI")
    .argument("<file...>", "workspace files in YAML or JSON; - reads standard input")
    .option("--partial", "names may refer to what another file or the server holds")
    .option("--json", "print the problems as JSON")
    .action(async (files: readonly string[], options: { readonly partial?: boolean; readonly json?: boolean }) => {
      const problems: FileProblem[] = [];
      for (const file of files) problems.push(...(await problemsOf(cli, file, options.partial === true)));
      if (problems.length > 0) cli.exitCode = exitCodes.refused;
      if (options.json === true) {
        printJson(cli, problems);
        return;
      }
      if (problems.length === 0) print(cli, `${cli.out.styles.green("valid")}: ${files.join(", ")}`);
      else print(cli, ...problems.map((problem) => problemLine(cli, problem)));
    });
}

async function problemsOf(cli: Cli, file: string, partial: boolean): Promise<readonly FileProblem[]> {
  // The checker brings the whole domain with it; other commands start faster without.
  const { readWorkspaceText } = await import("../../catalog/workspace-text.js");
  const name = file === "-" ? "standard input" : file;
  const read = readWorkspaceText(await readDocument(cli, file), { fileName: name, references: !partial });
  return read.ok ? [] : read.problems.map((problem) => ({ file: name, ...problem }));
}

/** `file:line:column  path  message`, as editors and CI logs link it. */
export function problemLine(cli: Cli, problem: FileProblem): string {
  const { styles } = cli.out;
  const path = problem.path === "" ? "" : `${styles.bold(plainText(problem.path))}  `;
  return `${styles.cyan(`${plainText(problem.file)}:${problem.line}:${problem.column}`)}  ${path}${plainText(problem.message)}`;
}

/** The text of a file, or of standard input for `-`. */
export async function readDocument(cli: Cli, file: string): Promise<string> {
  if (file === "-") return cli.input.readAll();
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const reasons: { readonly [code: string]: string } = {
      ENOENT: "there is no such file",
      EACCES: "this user may not read it",
      EISDIR: "it is a folder",
    };
    throw new CliError("usage", `${file} cannot be read: ${reasons[code] ?? code}.`, { cause: error });
  }
}
