import { Command } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { readIncidentTimes, readSecurityScore, type TimesAnswer } from "../operations/kpi-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { figureText, type PeriodOptions, periodOf, type ScopeOptions, scopeOptions, scopeText, withPeriod } from "./kpi-options.js";

/** `quiesce kpi incidents`: MTTA and MTTR. */
export function incidentTimesCommand(cli: Cli): Command {
  const command = new Command("incidents")
    .description("show how soon incidents were taken and over (MTTA, MTTR)")
    .option("--system <key>", "with their root at a system")
    .option("--team <key>", "of a team")
    .option("--json", "print it as JSON");
  return withPeriod(command).action(
    async (options: PeriodOptions & { readonly system?: string; readonly team?: string; readonly json?: boolean }) => {
      const { system, team, json } = options;
      const variables = { ...periodOf(options, cli.clock.wallMs()), ...(system && { system }), ...(team && { team }) };
      const { incidentTimes: found } = await (await cli.api()).request(readIncidentTimes, variables);
      if (json === true) return printJson(cli, found);
      if (found.incidents === 0) return note(cli, "No incident was opened in this period.");
      const rows = [
        { name: "acknowledge", times: found.acknowledge },
        { name: "resolve", times: found.resolve },
      ];
      const minutes = (of: (times: TimesAnswer) => number | null) => (row: (typeof rows)[number]) => minutesText(of(row.times));
      const lines = renderTable(
        [
          { title: "TIME TO", value: (row: (typeof rows)[number]) => row.name },
          { title: "MEAN", value: minutes(({ meanMs }) => meanMs), align: "right" },
          { title: "MEDIAN", value: minutes(({ medianMs }) => medianMs), align: "right" },
          { title: "P90", value: minutes(({ p90Ms }) => p90Ms), align: "right" },
          { title: "COUNT", value: ({ times }) => String(times.count), align: "right" },
          { title: "STILL OPEN", value: ({ times }) => String(times.censored), align: "right" },
          { title: "LONGEST", value: minutes(({ longestOpenMs }) => longestOpenMs), align: "right" },
        ],
        rows,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
      for (const { key, title, openedAt } of found.open)
        print(cli, `open since ${formatLocalInstant(instantOf(openedAt))}: ${key} ${plainText(title)}`);
    },
  );
}

/** `quiesce kpi security`: the security score. */
export function securityCommand(cli: Cli): Command {
  const command = new Command("security")
    .description("show how well access to systems is kept, 0 to 100")
    .option("--json", "print it as JSON");
  return scopeOptions(command).action(async (options: ScopeOptions & { readonly json?: boolean }) => {
    const { securityScore: found } = await (await cli.api()).request(readSecurityScore, { scope: scopeText(options) });
    if (options.json === true) return printJson(cli, found);
    if (found.score === null) return note(cli, "There is no endpoint on these routes.");
    const lines = renderTable(
      [
        { title: "PART", value: (one: (typeof found.parts)[number]) => words(one.part) },
        { title: "WEIGHT", value: ({ weight }) => String(weight), align: "right" },
        { title: "VALUE", value: ({ value }) => figureText(value, "share"), align: "right" },
        { title: "NOT WELL", value: ({ bad, judged }) => `${bad} of ${judged}`, align: "right" },
      ],
      found.parts,
      { width: cli.out.columns(), styles: cli.out.styles },
    );
    print(cli, `score ${found.score.toFixed(1)} of 100, ${found.endpoints} endpoints`, ...lines);
    for (const { reason, most } of found.caps) print(cli, `held at ${most}: ${words(reason)}`);
  });
}

const words = (name: string): string => name.toLowerCase().replaceAll("_", " ");

function minutesText(lengthMs: number | null): string {
  return lengthMs === null ? "-" : `${(lengthMs / 60_000).toFixed(1)} min`;
}
