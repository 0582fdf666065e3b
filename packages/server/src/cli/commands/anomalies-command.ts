import { Command, Option } from "commander";
import { alertSeverities, kpis } from "@quiesce/core";
import { type Cli, note, print, printJson } from "../cli.js";
import {
  type AnomalyAnswer,
  type AnomalyRuleAnswer,
  deleteAnomalyRule,
  listAnomalies,
  listAnomalyRules,
  saveAnomalyRule,
} from "../operations/objective-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit } from "./integration-lists.js";
import { type PeriodOptions, periodOf, type ScopeOptions, scopeOptions, scopeText, withPeriod } from "./kpi-options.js";
import { enumOf, numberOf, scopeWords, words } from "./objectives-command.js";

/** `quiesce anomalies`: what was not as usual. */
export function anomaliesCommand(cli: Cli): Command {
  return new Command("anomalies")
    .description("figures that were not as usual, and which of them raise alerts")
    .addCommand(listCommand(cli))
    .addCommand(rulesCommand(cli))
    .addCommand(saveCommand(cli))
    .addCommand(deleteCommand(cli));
}

function listCommand(cli: Cli): Command {
  const command = new Command("list")
    .description("list anomalies, the newest first")
    .addOption(new Option("--kpi <kpi>", "of this figure").choices(kpis))
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 50)
    .option("--json", "print them as JSON");
  return withPeriod(scopeOptions(command)).action(
    async (options: PeriodOptions & ScopeOptions & { readonly kpi?: string; readonly limit: number; readonly json?: boolean }) => {
      const { kpi, limit, json } = options;
      const scope = scopeText(options);
      const filter = {
        ...periodOf(options, cli.clock.wallMs()),
        ...(Object.keys(scope).length === 0 ? {} : { scope }),
        ...(kpi === undefined ? {} : { kpi: enumOf(kpi) }),
      };
      const api = await cli.api();
      const found = await readPages(limit, async (page) => (await api.request(listAnomalies, { ...page, filter })).anomalies);
      if (json === true) return printJson(cli, found);
      if (found.length === 0) return note(cli, "Nothing was unusual in this period.");
      const lines = renderTable(
        [
          { title: "AT", value: (one: AnomalyAnswer) => formatLocalInstant(instantOf(one.at)) },
          { title: "INTEGRATION", value: (one) => one.integration.key },
          { title: "FIGURE", value: (one) => words(one.kpi) },
          { title: "SCORE", value: (one) => one.score.toFixed(1), align: "right" },
          { title: "WHAT", value: (one) => plainText(one.explanation), flexible: true },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
    },
  );
}

function rulesCommand(cli: Cli): Command {
  return new Command("rules")
    .description("list which anomalies raise alerts")
    .option("--json", "print them as JSON")
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { anomalyRules: found } = await (await cli.api()).request(listAnomalyRules, {});
      if (json === true) return printJson(cli, found);
      if (found.length === 0) return note(cli, "No anomaly raises an alert. Ask for it: quiesce anomalies save-rule.");
      const lines = renderTable(
        [
          { title: "KEY", value: (one: AnomalyRuleAnswer) => one.key },
          { title: "OF", value: (one) => scopeWords(one.scope) },
          { title: "FIGURE", value: (one) => (one.kpi === null ? "all" : words(one.kpi)) },
          { title: "SCORE FROM", value: (one) => String(one.leastScore), align: "right" },
          { title: "SEVERITY", value: (one) => words(one.severity) },
          { title: "TITLE", value: (one) => plainText(one.title), flexible: true },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
    });
}

interface SaveOptions extends ScopeOptions {
  readonly title: string;
  readonly kpi?: string;
  readonly severity: string;
  readonly score?: number;
  readonly reason: string;
  readonly json?: boolean;
}

function saveCommand(cli: Cli): Command {
  const command = new Command("save-rule")
    .description("let anomalies raise alerts")
    .argument("<key>", "the rule's key")
    .requiredOption("--title <text>", "its name for people")
    .addOption(new Option("--kpi <kpi>", "of this figure; of all when left out").choices(kpis))
    .addOption(new Option("--severity <severity>", "how bad the alert is").choices(alertSeverities).default("warning"))
    .option("--score <score>", "only anomalies of this score or more; every one when left out", numberOf)
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON");
  return scopeOptions(command).action(async (key: string, options: SaveOptions) => {
    const { title, kpi, severity, score, reason } = options;
    const input = {
      key,
      title,
      reason,
      severity: enumOf(severity),
      scope: scopeText(options),
      ...(kpi === undefined ? {} : { kpi: enumOf(kpi) }),
      ...(score === undefined ? {} : { leastScore: score }),
    };
    const { saveAnomalyRule: saved } = await (await cli.api()).request(saveAnomalyRule, { input });
    if (options.json === true) return printJson(cli, { key: saved });
    print(cli, `Rule ${saved} is in force from the next anomaly on.`);
  });
}

function deleteCommand(cli: Cli): Command {
  return new Command("delete-rule")
    .description("take a rule away")
    .argument("<key>", "the rule's key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(async (key: string, { reason, json }: { readonly reason: string; readonly json?: boolean }) => {
      const { deleteAnomalyRule: gone } = await (await cli.api()).request(deleteAnomalyRule, { input: { key, reason } });
      if (json === true) return printJson(cli, { key: gone });
      print(cli, `Rule ${gone} is gone.`);
    });
}
