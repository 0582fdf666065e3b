import { Command, InvalidArgumentError, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { type FiguresAnswer, listKpiPoints, showKpi } from "../operations/kpi-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { renderTable } from "../output/render-table.js";
import { incidentTimesCommand, securityCommand } from "./kpi-care-commands.js";
import { figureText, type PeriodOptions, periodOf, type ScopeOptions, scopeOptions, scopeText, withPeriod } from "./kpi-options.js";

const names = [
  "response-time",
  "check-time",
  "run-time",
  "throughput",
  "attempt-error-rate",
  "job-error-rate",
  "retry-rate",
  "delivery-success",
  "end-to-end-latency",
  "end-to-end-latency-unheld",
  "queue-depth",
  "sync-accuracy",
] as const;
const MOST_RANKED = 200;

interface ShowOptions extends PeriodOptions, ScopeOptions {
  readonly limit: number;
  readonly json?: boolean;
}

/** `quiesce kpi`: what integrations do, in figures. */
export function kpiCommand(cli: Cli): Command {
  return new Command("kpi")
    .description("figures of integrations: times, rates and shares")
    .addCommand(showCommand(cli))
    .addCommand(seriesCommand(cli))
    .addCommand(incidentTimesCommand(cli))
    .addCommand(securityCommand(cli));
}

function showCommand(cli: Cli): Command {
  const command = new Command("show")
    .description("show a figure of a period beside the period before, and the integrations, the worst first")
    .argument("<kpi>", names.join(", "), nameOf)
    .option("-n, --limit <count>", `so many integrations at most (1 to ${MOST_RANKED})`, limitOf, 10)
    .option("--json", "print it as JSON");
  return withPeriod(scopeOptions(command)).action(async (kpi: string, options: ShowOptions) => {
    const api = await cli.api();
    const { kpi: found } = await api.request(showKpi, {
      kpi,
      ...periodOf(options, cli.clock.wallMs()),
      scope: scopeText(options),
      first: options.limit,
    });
    if (options.json === true) return printJson(cli, found);
    if (found.current.samples === 0) return note(cli, `There are no samples of ${found.integrations} integrations in this period.`);
    const { unit } = found;
    const rows = [
      { name: "this period", figures: found.current },
      { name: "the one before", figures: found.previous },
      ...found.ranking.map(({ integration, figures }) => ({ name: integration.key, figures })),
    ];
    print(cli, ...figureTable(cli, { title: "", unit, rows }));
  });
}

function seriesCommand(cli: Cli): Command {
  const command = new Command("series")
    .description("show a figure step by step")
    .argument("<kpi>", names.join(", "), nameOf)
    .addOption(new Option("--step <step>", "how long a step is").choices(["minute", "hour", "day"]).default("hour"))
    .option("--json", "print it as JSON");
  return withPeriod(scopeOptions(command)).action(
    async (kpi: string, options: PeriodOptions & ScopeOptions & { readonly step: string; readonly json?: boolean }) => {
      const api = await cli.api();
      const variables = { kpi, ...periodOf(options, cli.clock.wallMs()), scope: scopeText(options), step: options.step.toUpperCase() };
      const { kpi: found } = await api.request(listKpiPoints, variables);
      if (options.json === true) return printJson(cli, found);
      if (found.points.length === 0) return note(cli, "There are no samples in this period.");
      const rows = found.points.map(({ at, figures }) => ({ name: formatLocalInstant(instantOf(at)), figures }));
      print(cli, ...figureTable(cli, { title: "SINCE", unit: found.unit, rows }));
    },
  );
}

function figureTable(
  cli: Cli,
  table: {
    readonly title: string;
    readonly unit: string;
    readonly rows: readonly { readonly name: string; readonly figures: FiguresAnswer }[];
  },
): readonly string[] {
  const { title, unit } = table;
  const isShare = unit === "share";
  return renderTable(
    [
      { title, value: ({ name }) => name, flexible: true },
      { title: "VALUE", value: ({ figures }) => figureText(figures.value, unit), align: "right" },
      ...(isShare
        ? [{ title: "95 % WITHIN", value: ({ figures }: (typeof table.rows)[number]) => withinText(figures), align: "right" as const }]
        : [
            { title: "MEAN", value: ({ figures }: (typeof table.rows)[number]) => figureText(figures.mean, unit), align: "right" as const },
            { title: "P50", value: ({ figures }: (typeof table.rows)[number]) => figureText(figures.p50, unit), align: "right" as const },
            { title: "P99", value: ({ figures }: (typeof table.rows)[number]) => figureText(figures.p99, unit), align: "right" as const },
          ]),
      { title: "SAMPLES", value: ({ figures }) => String(figures.samples), align: "right" },
    ],
    table.rows,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

const withinText = ({ share }: FiguresAnswer): string =>
  share === null || share.low === null ? "" : `${figureText(share.low, "share")} to ${figureText(share.high, "share")}`;

function nameOf(text: string): string {
  const name = names.find((one) => one === text);
  if (name === undefined) throw new InvalidArgumentError(`Expected one of ${names.join(", ")}.`);
  return name.toUpperCase().replaceAll("-", "_");
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_RANKED) return limit;
  throw new InvalidArgumentError(`Expected 1 to ${MOST_RANKED}.`);
}
