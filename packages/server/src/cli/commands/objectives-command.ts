import { Command, InvalidArgumentError, Option } from "commander";
import { kpis, objectiveIndicators } from "@quiesce/core";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import {
  deleteObjective,
  listObjectives,
  type ObjectiveAnswer,
  saveObjective,
  type ScopeAnswer,
  showObjective,
} from "../operations/objective-operations.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { agreementOf, type AgreementOptions, withAgreement } from "./agreement-options.js";
import { listLimit } from "./integration-lists.js";
import { figureText, type ScopeOptions, scopeOptions, scopeText } from "./kpi-options.js";

interface SaveOptions extends ScopeOptions, AgreementOptions {
  readonly title: string;
  readonly indicator: string;
  readonly kpi?: string;
  readonly limit?: number;
  readonly target: number;
  readonly days: number;
  readonly alerts: boolean;
  readonly reason: string;
  readonly json?: boolean;
}

/** `quiesce objectives`: what is promised of services. */
export function objectivesCommand(cli: Cli): Command {
  return new Command("objectives")
    .description("what is promised of services, and how much of it may still go wrong")
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(saveCommand(cli))
    .addCommand(deleteCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list objectives and how they stand")
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 100)
    .option("--json", "print them as JSON")
    .action(async ({ limit, json }: { readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const found = await readPages(limit, async (page) => (await api.request(listObjectives, page)).objectives);
      if (json === true) return printJson(cli, found);
      if (found.length === 0) return note(cli, "Nothing is promised yet. Make an objective: quiesce objectives save.");
      const lines = renderTable(
        [
          { title: "KEY", value: (one: ObjectiveAnswer) => one.key },
          { title: "STATE", value: (one) => words(one.state) },
          { title: "TARGET", value: (one) => figureText(one.target, "share"), align: "right" },
          { title: "DAYS", value: (one) => String(one.periodDays), align: "right" },
          { title: "OF", value: (one) => scopeWords(one.scope) },
          { title: "TITLE", value: (one) => plainText(one.problem ?? one.title), flexible: true },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
    });
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show its error budget, day by day, and how fast it is spent")
    .argument("<key>", "its key")
    .option("--json", "print it as JSON")
    .action(async (key: string, { json }: { readonly json?: boolean }) => {
      const { objective } = await (await cli.api()).request(showObjective, { key });
      if (objective === null)
        throw new CliError("refused", `There is no objective "${key}". List them: quiesce objectives list.`, {
          code: "QSC_OBJECTIVE_NOT_FOUND",
        });
      if (json === true) return printJson(cli, objective);
      const { budget, unit, days, burns } = objective.standing;
      const amount = (value: number): string => (unit === "ms" ? `${(value / 60_000).toFixed(1)} min` : value.toFixed(0));
      print(
        cli,
        `${plainText(objective.title)}: ${words(objective.state)}`,
        `achieved ${figureText(budget.achieved, "share")} of ${figureText(objective.target, "share")} promised`,
        `budget ${amount(budget.total)}, spent ${amount(budget.spent)}, left ${amount(budget.remaining)} (${figureText(budget.remainingShare, "share")})`,
      );
      const style = { width: cli.out.columns(), styles: cli.out.styles };
      const burnLines = renderTable(
        [
          { title: "RULE", value: (one: (typeof burns)[number]) => one.rule },
          { title: "WORTH A", value: (one) => words(one.action) },
          { title: "LONG", value: (one) => rateText(one.longRate), align: "right" },
          { title: "SHORT", value: (one) => rateText(one.shortRate), align: "right" },
          { title: "BAD", value: (one) => one.badEvents.toFixed(0), align: "right" },
          { title: "BURNS", value: (one) => (one.isBurning ? (one.hasAlert ? "yes, told" : "yes") : "no") },
        ],
        burns,
        style,
      );
      const dayLines = renderTable(
        [
          { title: "FROM", value: (one: (typeof days)[number]) => one.from },
          { title: "SPENT", value: (one) => amount(one.spent), align: "right" },
          { title: "LEFT", value: (one) => figureText(one.remainingShare, "share"), align: "right" },
        ],
        days,
        style,
      );
      print(cli, "", ...burnLines, "", ...dayLines);
    });
}

function saveCommand(cli: Cli): Command {
  const command = new Command("save")
    .description("make an objective, or put other terms in the place of its own")
    .argument("<key>", "its key")
    .requiredOption("--title <text>", "its name for people")
    .addOption(new Option("--indicator <indicator>", "what it counts").choices(objectiveIndicators).default("availability"))
    .addOption(new Option("--kpi <kpi>", "of latency and share: which figure").choices(kpis))
    .option("--limit <value>", "of latency: the longest good value, in the figure's unit", numberOf)
    .requiredOption("--target <share>", "what is promised, as 99.9%", shareOf)
    .option("--days <count>", "over the last so many days (1 to 31)", numberOf, 28)
    .option("--no-alerts", "spending too fast raises no alert")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON");
  return withAgreement(scopeOptions(command)).action(async (key: string, options: SaveOptions) => {
    const { title, indicator, kpi, limit, target, days, alerts, reason } = options;
    const input = {
      key,
      title,
      target,
      alerts,
      reason,
      periodDays: days,
      indicator: indicator.toUpperCase(),
      scope: scopeText(options),
      agreement: agreementOf(options),
      ...(kpi === undefined ? {} : { kpi: enumOf(kpi) }),
      ...(limit === undefined ? {} : { limit }),
    };
    const { saveObjective: saved } = await (await cli.api()).request(saveObjective, { input });
    if (options.json === true) return printJson(cli, saved);
    print(
      cli,
      `Objective ${saved.key} promises ${figureText(saved.target, "share")} over ${saved.periodDays} days of ${scopeWords(saved.scope)}.`,
    );
  });
}

function deleteCommand(cli: Cli): Command {
  return new Command("delete")
    .description("take an objective away; its alerts end")
    .argument("<key>", "its key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(async (key: string, { reason, json }: { readonly reason: string; readonly json?: boolean }) => {
      const { deleteObjective: gone } = await (await cli.api()).request(deleteObjective, { input: { key, reason } });
      if (json === true) return printJson(cli, { key: gone });
      print(cli, `Objective ${gone} is gone.`);
    });
}

export const words = (name: string): string => name.toLowerCase().replaceAll("_", " ");
export const enumOf = (name: string): string => name.toUpperCase().replaceAll("-", "_");
const rateText = (rate: number | null): string => (rate === null ? "-" : `${rate.toFixed(2)}x`);

/** A scope in words. */
export function scopeWords({ integration, system, team, tag }: ScopeAnswer): string {
  if (integration !== null) return integration;
  if (system !== null) return `system ${system}`;
  if (team !== null) return `team ${team}`;
  return tag === null ? "all" : `tag ${tag}`;
}

export function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number.");
}

function shareOf(text: string): number {
  const value = text.endsWith("%") ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Expected a share as 99.9% or 0.999.");
}
