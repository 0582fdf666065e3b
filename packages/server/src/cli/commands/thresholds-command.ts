import { Command, Option } from "commander";
import { alertSeverities, kpis } from "@quiesce/core";
import { type Cli, note, print, printJson } from "../cli.js";
import { deleteThreshold, listThresholds, saveThreshold, type ThresholdAnswer } from "../operations/objective-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit } from "./integration-lists.js";
import { type ScopeOptions, scopeOptions, scopeText } from "./kpi-options.js";
import { enumOf, numberOf, scopeWords, words } from "./objectives-command.js";

/** `quiesce thresholds`: values that figures must not go beyond. */
export function thresholdsCommand(cli: Cli): Command {
  return new Command("thresholds")
    .description("values that figures must not go beyond")
    .addCommand(listCommand(cli))
    .addCommand(saveCommand(cli))
    .addCommand(deleteCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list thresholds, and where they are broken")
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 100)
    .option("--json", "print them as JSON")
    .action(async ({ limit, json }: { readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const found = await readPages(limit, async (page) => (await api.request(listThresholds, page)).thresholds);
      if (json === true) return printJson(cli, found);
      if (found.length === 0) return note(cli, "There is no threshold. Make one: quiesce thresholds save.");
      const lines = renderTable(
        [
          { title: "KEY", value: (one: ThresholdAnswer) => one.key },
          { title: "BROKEN AT", value: (one) => String(one.broken.length), align: "right" },
          { title: "BAD WHEN", value: (one) => `${words(one.kpi)} ${words(one.comparison)} ${one.value} ${one.unit}` },
          { title: "OF", value: (one) => scopeWords(one.scope) },
          { title: "TITLE", value: (one) => plainText(one.problem ?? one.title), flexible: true },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
      for (const { key, broken } of found)
        for (const { integration, since } of broken)
          print(cli, `${key} is broken at ${integration.key} since ${formatLocalInstant(instantOf(since))}`);
    });
}

interface SaveOptions extends ScopeOptions {
  readonly title: string;
  readonly kpi: string;
  readonly above?: number;
  readonly below?: number;
  readonly clear?: number;
  readonly step: string;
  readonly rule: string;
  readonly severity: string;
  readonly reason: string;
  readonly json?: boolean;
}

function saveCommand(cli: Cli): Command {
  const command = new Command("save")
    .description("make a threshold, or put other terms in the place of its own")
    .argument("<key>", "its key")
    .requiredOption("--title <text>", "its name for people")
    .addOption(new Option("--kpi <kpi>", "which figure").choices(kpis).makeOptionMandatory())
    .addOption(
      new Option("--above <value>", "bad above this, in the figure's unit; shares are 0 to 1").argParser(numberOf).conflicts("below"),
    )
    .addOption(new Option("--below <value>", "bad below this").argParser(numberOf))
    .option("--clear <value>", "over only when it is back behind this; the value itself when left out", numberOf)
    .addOption(new Option("--step <step>", "how long a point is").choices(["minute", "hour"]).default("minute"))
    .addOption(
      new Option("--rule <rule>", "how many points change its state").choices(["three-in-a-row", "two-of-three"]).default("three-in-a-row"),
    )
    .addOption(new Option("--severity <severity>", "how bad its alerts are").choices(alertSeverities).default("major"))
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON");
  return scopeOptions(command).action(async (key: string, options: SaveOptions, self: Command) => {
    const { title, kpi, above, below, clear, step, rule, severity, reason } = options;
    const value = above ?? below;
    if (value === undefined) return self.error("error: say --above <value> or --below <value>");
    const input = {
      key,
      title,
      value,
      reason,
      kpi: enumOf(kpi),
      comparison: above === undefined ? "BELOW" : "ABOVE",
      step: enumOf(step),
      rule: enumOf(rule),
      severity: enumOf(severity),
      scope: scopeText(options),
      ...(clear === undefined ? {} : { clearValue: clear }),
    };
    const { saveThreshold: saved } = await (await cli.api()).request(saveThreshold, { input });
    if (options.json === true) return printJson(cli, saved);
    print(
      cli,
      `Threshold ${saved.key}: ${words(saved.kpi)} ${words(saved.comparison)} ${saved.value} ${saved.unit} of ${scopeWords(saved.scope)} raises an alert.`,
    );
  });
}

function deleteCommand(cli: Cli): Command {
  return new Command("delete")
    .description("take a threshold away; its alerts end")
    .argument("<key>", "its key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(async (key: string, { reason, json }: { readonly reason: string; readonly json?: boolean }) => {
      const { deleteThreshold: gone } = await (await cli.api()).request(deleteThreshold, { input: { key, reason } });
      if (json === true) return printJson(cli, { key: gone });
      print(cli, `Threshold ${gone} is gone.`);
    });
}
