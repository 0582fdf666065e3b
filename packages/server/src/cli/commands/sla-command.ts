import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { type AvailabilityAnswer, readSlaCsv, readSlaReport } from "../operations/kpi-operations.js";
import { renderTable } from "../output/render-table.js";
import { agreementOf, type AgreementOptions, withAgreement } from "./agreement-options.js";
import { figureText, type PeriodOptions, periodOf, type ScopeOptions, scopeOptions, scopeText, withPeriod } from "./kpi-options.js";

interface ReportOptions extends PeriodOptions, ScopeOptions, AgreementOptions {
  readonly objective?: string;
  readonly csv?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}

/** `quiesce sla`: what was promised, and what came of it. */
export function slaCommand(cli: Cli): Command {
  return new Command("sla").description("service levels").addCommand(reportCommand(cli));
}

function reportCommand(cli: Cli): Command {
  const command = new Command("report")
    .description("report availability, net of agreed maintenance and gross, and where every millisecond went")
    .option("--objective <key>", "as was agreed about this objective, and of its integrations when none are named")
    .option("--csv", "print it as CSV")
    .option("-o, --output <file>", "write the CSV to a file")
    .option("--json", "print it as JSON");
  return withPeriod(scopeOptions(withAgreement(command))).action(async (options: ReportOptions) => {
    const api = await cli.api();
    const variables = { ...periodOf(options, cli.clock.wallMs()), ...askedOf(options) };
    if (options.csv === true || options.output !== undefined) {
      const { csv } = (await api.request(readSlaCsv, variables)).slaReport;
      if (options.output === undefined) return print(cli, csv.trimEnd());
      await writeFile(options.output, csv).catch((cause: unknown) => {
        throw new CliError("refused", `${options.output} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}.`, {
          cause,
        });
      });
      return note(cli, `The report is written to ${options.output}.`);
    }
    const { slaReport: report } = await api.request(readSlaReport, variables);
    if (options.json === true) return printJson(cli, report);
    const rows = [
      { name: "all together", ...report },
      ...report.integrations.map(({ integration, ...one }) => ({ name: integration.key, ...one })),
    ];
    const hours = (of: keyof AvailabilityAnswer) => (row: (typeof rows)[number]) => hoursText(row.net[of]);
    const lines = renderTable(
      [
        { title: "", value: ({ name }) => name, flexible: true },
        { title: "NET", value: ({ net }) => figureText(net.availability, "share"), align: "right" },
        { title: "GROSS", value: ({ gross }) => figureText(gross.availability, "share"), align: "right" },
        { title: "KNOWN", value: ({ net }) => figureText(net.coverage, "share"), align: "right" },
        { title: "DOWN", value: hours("downMs"), align: "right" },
        { title: "UNKNOWN", value: hours("unknownMs"), align: "right" },
        { title: "EXCLUDED", value: hours("excludedMs"), align: "right" },
        { title: "P95", value: ({ responseTime }) => figureText(responseTime.p95, "ms"), align: "right" },
      ],
      rows,
      { width: cli.out.columns(), styles: cli.out.styles },
    );
    print(cli, `${report.from} to ${report.to}`, ...lines);
  });
}

/** An objective brings its own scope and agreement; what is said beside it goes first. */
function askedOf(options: ReportOptions): object {
  const { objective } = options;
  if (objective === undefined) return { scope: scopeText(options), agreement: agreementOf(options) };
  const scope = scopeText(options);
  const saysAgreement = Object.values(agreementOf(options)).some((value) => value !== undefined);
  return {
    objective,
    ...(Object.keys(scope).length === 0 ? {} : { scope }),
    ...(saysAgreement ? { agreement: agreementOf(options) } : {}),
  };
}

/** Of the net figures, in hours. */
function hoursText(lengthMs: number | null): string {
  return lengthMs === null || lengthMs === 0 ? "0 h" : `${(lengthMs / 3_600_000).toFixed(2)} h`;
}
