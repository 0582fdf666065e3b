import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { listIncidents, listProblems, type ProblemAnswer, showProblem, updateProblem } from "../operations/incident-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { incidentTable } from "./incidents-command.js";
import { listLimit } from "./integration-lists.js";

/** `quiesce problems`: incidents that come again and again. */
export function problemsCommand(cli: Cli): Command {
  return new Command("problems")
    .description("incidents that come again and again")
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli))
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
          { title: "STATE", value: (one) => words(one.state) },
          { title: "ROOT", value: (one) => plainText(one.root) },
          { title: "WHAT", value: (one) => plainText(one.cause ?? one.title), flexible: true },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
    });
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show a problem with its incidents, the newest first")
    .argument("<number>", "its number")
    .option("-n, --limit <count>", "at most so many incidents (1 to 1000)", listLimit, 50)
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const { problem } = await api.request(showProblem, { key });
      if (problem === null)
        throw new CliError("refused", `There is no problem ${key}. List them: quiesce problems list --all.`, {
          code: "QSC_PROBLEM_NOT_FOUND",
        });
      const filter = { problem: problem.key };
      const incidents = await readPages(options.limit, async (page) => (await api.request(listIncidents, { ...page, filter })).incidents);
      if (options.json === true) return printJson(cli, { ...problem, incidents });
      print(cli, ...linesOf(cli, problem), ...(incidents.length === 0 ? ["  no incident is linked to it"] : incidentTable(cli, incidents)));
    });
}

function linesOf(cli: Cli, problem: ProblemAnswer): readonly string[] {
  const { key, state, title, root, system, openedAt, closedAt, cause, workaround } = problem;
  const facts = [
    `root ${plainText(root)}`,
    ...(system === null ? [] : [`system ${system.key}`]),
    `since ${formatLocalInstant(instantOf(openedAt))}`,
    ...(closedAt === null ? [] : [`closed ${formatLocalInstant(instantOf(closedAt))}`]),
  ];
  return [
    `${cli.out.styles.bold(`problem ${key}`)}  ${words(state)}  ${plainText(title)}`,
    `  ${facts.join(", ")}`,
    ...(cause === null ? [] : [`  cause: ${plainText(cause)}`]),
    ...(workaround === null ? [] : [`  what helps: ${plainText(workaround)}`]),
  ];
}

function words(text: string): string {
  return text.toLowerCase().replaceAll("_", " ");
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
        print(cli, `Problem ${updated.key} is ${words(updated.state)}.`);
      },
    );
}
