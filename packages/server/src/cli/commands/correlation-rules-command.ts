import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import {
  type CorrelationPreviewAnswer,
  type CorrelationRuleAnswer,
  deleteCorrelationRule,
  listCorrelationRules,
  previewCorrelationRules,
  saveCorrelationRules,
} from "../operations/correlation-rule-operations.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { parseInstantOption, parseSinceOption } from "../parse-time.js";
import { readDocument } from "./validate-command.js";

/** Of the largest incidents of a preview so many are printed; --json has more. */
const LARGEST = 10;

interface JsonOption {
  readonly json?: boolean;
}

/** `quiesce correlation-rules`: which alerts are kept together, or quiet. */
export function correlationRulesCommand(cli: Cli): Command {
  return new Command("correlation-rules")
    .description("which alerts come to one incident, and which are kept quiet: rules as data")
    .addCommand(listCommand(cli))
    .addCommand(previewCommand(cli))
    .addCommand(saveCommand(cli))
    .addCommand(deleteCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("the rules in force, in their order; what none matches follows the usual one")
    .option("--json", "print them as JSON, as `save` takes them")
    .action(async (options: JsonOption) => {
      const { correlationRules: rules } = await (await cli.api()).request(listCorrelationRules);
      if (options.json === true) return printJson(cli, rules);
      printRules(cli, rules);
    });
}

function printRules(cli: Cli, rules: readonly CorrelationRuleAnswer[]): void {
  if (rules.length === 0) return note(cli, "No rules: all alerts follow the usual one.");
  const lines = renderTable(
    [
      { title: "RULE", value: (rule: CorrelationRuleAnswer) => plainText(rule.id) },
      { title: "ACTION", value: (rule) => rule.action.toLowerCase() },
      { title: "WINDOW", value: (rule) => `${rule.windowSeconds} s`, align: "right" },
      { title: "HOLD", value: (rule) => `${rule.holdSeconds} s`, align: "right" },
      { title: "GROUP BY", value: (rule) => plainText(rule.groupBy.join(", ")) },
      { title: "MATCHES", value: (rule) => matchWords(rule), flexible: true },
    ],
    rules,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
  print(cli, ...lines);
}

function matchWords({ match }: CorrelationRuleAnswer): string {
  const parts = Object.entries(match).map(([name, wanted]) => `${name} ${JSON.stringify(wanted)}`);
  return parts.length === 0 ? "everything" : plainText(parts.join(", "));
}

function previewCommand(cli: Cli): Command {
  return new Command("preview")
    .description("try rules on recorded alerts beside those in force; changes nothing, ends with 1 when a critical alert would be hidden")
    .argument("<file>", "the rules, a list in YAML or JSON; - reads standard input")
    .option("--since <time>", "alerts heard since: a duration back from now (7d, 12h), or ISO 8601 with an offset", "7d")
    .option("--until <time>", "and before this: ISO 8601 with an offset; now when left out")
    .option("--json", "print everything as JSON")
    .action(async (file: string, options: { readonly since: string; readonly until?: string } & JsonOption) => {
      const now = cli.clock.wallMs();
      const from = parseSinceOption(options.since, "--since", now);
      const to = options.until === undefined ? now : parseInstantOption(options.until, "--until", now);
      const period = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      const variables = { rules: await rulesOf(cli, file), ...period };
      const { previewCorrelationRules: preview } = await (await cli.api()).request(previewCorrelationRules, variables);
      if (preview.hiddenCriticals.length > 0) cli.exitCode = exitCodes.refused;
      if (options.json === true) return printJson(cli, preview);
      print(cli, ...previewLines(cli, preview));
    });
}

function previewLines(cli: Cli, { summary, proposed, current, hiddenCriticals }: CorrelationPreviewAnswer): readonly string[] {
  const sides = [
    { name: "these rules", ...proposed },
    { name: "as it is", ...current },
  ];
  return [
    plainText(summary),
    ...renderTable(
      [
        { title: "", value: (side: (typeof sides)[number]) => side.name },
        { title: "INCIDENTS", value: (side) => String(side.incidents), align: "right" },
        { title: "SUPPRESSED", value: (side) => String(side.suppressed), align: "right" },
        { title: "UNTOLD", value: (side) => String(side.untold), align: "right" },
      ],
      sides,
      { width: cli.out.columns(), styles: cli.out.styles },
    ),
    ...proposed.largest
      .slice(0, LARGEST)
      .map(({ rootNode, severity, alerts }) => `  ${plainText(rootNode)}  ${severity}  ${alerts === 1 ? "1 alert" : `${alerts} alerts`}`),
    ...hiddenCriticals.map((alert) => cli.out.styles.red(`hides the critical alert ${plainText(alert)}`)),
  ];
}

function saveCommand(cli: Cli): Command {
  return new Command("save")
    .description("put rules into force in place of all others; try them first: preview")
    .argument("<file>", "the rules, a list in YAML or JSON; - reads standard input")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the rules in force as JSON")
    .action(async (file: string, options: { readonly reason: string } & JsonOption) => {
      const input = { rules: await rulesOf(cli, file), reason: options.reason };
      const { saveCorrelationRules: rules } = await (await cli.api()).request(saveCorrelationRules, { input });
      if (options.json === true) return printJson(cli, rules);
      printRules(cli, rules);
    });
}

function deleteCommand(cli: Cli): Command {
  return new Command("delete")
    .description("take one rule out of force; the others stay in their order")
    .argument("<rule>", "its id")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the rules that stay as JSON")
    .action(async (key: string, options: { readonly reason: string } & JsonOption) => {
      const input = { key, reason: options.reason };
      const { deleteCorrelationRule: rules } = await (await cli.api()).request(deleteCorrelationRule, { input });
      if (options.json === true) return printJson(cli, rules);
      printRules(cli, rules);
    });
}

async function rulesOf(cli: Cli, file: string): Promise<unknown> {
  const { readForeignText } = await import("../../catalog/foreign-text.js");
  const read = readForeignText(await readDocument(cli, file));
  if (read.ok) return read.value;
  throw new CliError("usage", `${file} cannot be read. ${read.message}`);
}
