import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { type ExplanationAnswer, explainJob } from "../operations/run-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatCountdown, formatNearInstant, formatUtcInstant } from "../output/format-time.js";
import { plainText, wrap } from "../output/plain-text.js";
import { renderReasons } from "../output/render-reasons.js";
import { renderTable } from "../output/render-table.js";
import { styleOfState } from "../output/styles.js";

const PROSE_WIDTH = 100;

/** `quiesce explain`: why a job runs or does not run now. */
export function explainCommand(cli: Cli): Command {
  return new Command("explain")
    .description("say why a job runs or does not run now, and what happens next")
    .argument("<job>", "the job's key")
    .option("--json", "print everything that is known as JSON")
    .action(async (job: string, options: { readonly json?: boolean }) => {
      const { explain } = await (await cli.api()).request(explainJob, { job });
      if (options.json === true) printJson(cli, explain);
      else print(cli, ...explanationLines(explain, cli));
    });
}

function explanationLines(explain: ExplanationAnswer, cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const now = instantOf(explain.asOf);
  const width = Math.min(cli.out.columns() ?? PROSE_WIDTH, PROSE_WIDTH);
  const next = explain.nextDueAt === null ? "never by itself" : nextText(instantOf(explain.nextDueAt), now);
  const facts = [
    ["Job", `${explain.job.key} (${explain.job.name})${explain.job.enabled ? "" : ", switched off"}`],
    ["Integration", explain.job.integration.key],
    ["State", explain.state],
    ["Next due", next],
  ] as const;
  return [
    ...wrap(plainText(explain.summary), width).map((line) => styles.bold(line)),
    ...(explain.needed === null ? [] : wrap(plainText(explain.needed), width)),
    "",
    ...renderTable(
      [
        { title: "", value: ([name]) => name, style: styles.dim },
        {
          title: "",
          value: ([, value]) => value,
          flexible: true,
          style: (text, [name]) => (name === "State" ? styles[styleOfState(explain.state)](text) : text),
        },
      ],
      facts,
      { width: cli.out.columns(), styles, header: false },
    ),
    ...(explain.by.length === 0 ? [] : ["", ...renderReasons(explain.by, { now, output: cli.out })]),
  ];
}

function nextText(at: number, now: number): string {
  const left = at <= now ? "now" : `in ${formatCountdown(at - now)}`;
  return `${formatNearInstant(at, now)} (${left}; ${formatUtcInstant(at)})`;
}
