import { Command, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { listProblems, type ProblemAnswer, updateProblem } from "../operations/incident-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit } from "./integration-lists.js";

/** `quiesce problems`: incidents that come again and again. */
export function problemsCommand(cli: Cli): Command {
  return new Command("problems")
    .description("incidents that come again and again")
    .addCommand(listCommand(cli))
    .addCommand(updateCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list problems, the newest first")
    .option("-a, --all", "also those that are closed")
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 50)
    .option("--json", "print them as JSON")
    .action(async (options: { readonly all?: boolean; readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const states = options.all === true ? null : ["OPEN", "KNOWN_ERROR"];
      const found = await readPages(options.limit, async (page) => (await api.request(listProblems, { ...page, states })).problems);
      if (options.json === true) return printJson(cli, found);
      if (found.length === 0) return note(cli, "Nothing came back again and again.");
      const lines = renderTable(
        [
          { title: "NUMBER", value: (one: ProblemAnswer) => one.key, align: "right" },
          { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.openedAt)) },
          { title: "STATE", value: (one) => one.state.toLowerCase().replaceAll("_", " ") },
          { title: "ROOT", value: (one) => plainText(one.root) },
          { title: "WHAT", value: (one) => plainText(one.cause ?? one.title), flexible: true },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
    });
}

function updateCommand(cli: Cli): Command {
  return new Command("update")
    .description("write down its cause, what helps, or that it is mended")
    .argument("<number>", "its number")
    .addOption(new Option("--state <state>", "where it is").choices(["open", "known-error", "closed"]))
    .option("--cause <text>", "what its cause is")
    .option("--workaround <text>", "what helps until it is mended")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(
      async (
        key: string,
        options: {
          readonly state?: string;
          readonly cause?: string;
          readonly workaround?: string;
          readonly reason: string;
          readonly json?: boolean;
        },
      ) => {
        const { state, cause, workaround, reason, json } = options;
        const input = {
          key,
          reason,
          ...(state === undefined ? {} : { state: state.toUpperCase().replaceAll("-", "_") }),
          ...(cause === undefined ? {} : { cause }),
          ...(workaround === undefined ? {} : { workaround }),
        };
        const { updateProblem: updated } = await (await cli.api()).request(updateProblem, { input });
        if (json === true) return printJson(cli, updated);
        print(cli, `Problem ${updated.key} is ${updated.state.toLowerCase().replaceAll("_", " ")}.`);
      },
    );
}
