import { writeFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note } from "../cli.js";
import { readWorkspace } from "../operations/server-operations.js";

interface ExportOptions {
  readonly output?: string;
  readonly format?: "yaml" | "json";
}

/** `quiesce export`: the catalogue as the file that would make it. */
export function exportCommand(cli: Cli): Command {
  return new Command("export")
    .description("print the catalogue and the windows as a workspace file; applying it changes nothing")
    .option("-o, --output <file>", "write to this file instead of standard output")
    .addOption(new Option("--format <format>", "of the text (default: json for a file named .json, else yaml)").choices(["yaml", "json"]))
    .action(async (options: ExportOptions) => {
      const { workspace } = await (await cli.api()).request(readWorkspace);
      const format = options.format ?? (options.output?.endsWith(".json") === true ? "json" : "yaml");
      const text = format === "json" ? `${JSON.stringify(JSON.parse(workspace.document), null, 2)}\n` : await yamlOf(workspace.document);
      if (options.output === undefined) {
        cli.out.write(text);
        return;
      }
      await writeFile(options.output, text).catch((error: unknown) => {
        throw new CliError(
          "refused",
          `${options.output ?? ""} cannot be written: ${error instanceof Error ? error.message : String(error)}.`,
          { cause: error },
        );
      });
      note(cli, `Written to ${options.output}.`);
    });
}

async function yamlOf(json: string): Promise<string> {
  const { readWorkspaceText, writeWorkspaceText } = await import("../../catalog/workspace-text.js");
  const read = readWorkspaceText(json, { fileName: "the server's workspace", references: false });
  if (!read.ok)
    throw new CliError(
      "internal",
      `The server's workspace is not understood here: ${read.problems[0]?.message ?? ""} Compare the versions with \`quiesce doctor\`.`,
    );
  return writeWorkspaceText(read.document);
}
