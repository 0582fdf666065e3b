import { Command, InvalidArgumentError, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { type ListedRunAnswer, listRuns } from "../operations/run-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLength, formatLocalInstant, terminalZone } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { styleOfState } from "../output/styles.js";
import { runNote } from "../output/run-note.js";
import { parseSinceOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";

const MOST_RUNS = 10_000;
const STATES = ["queued", "running", "succeeded", "failed", "held", "skipped", "coalesced", "cancelled", "lost", "dead"] as const;

interface RunsOptions {
  readonly job?: string;
  readonly integration?: string;
  readonly state?: readonly string[];
  readonly since?: string;
  readonly hold?: string;
  readonly planned?: boolean;
  readonly connectors?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** `quiesce runs`: the ledger, newest first. */
export function runsCommand(cli: Cli): Command {
  return new Command("runs")
    .description("list runs, the newest due time first")
    .option("-j, --job <key>", "of one job")
    .option("-i, --integration <key>", "of one integration")
    .addOption(new Option("--state <state...>", "in these states").choices(STATES))
    .option("--since <time>", "due since: a duration back from now (2h, 1d), or ISO 8601 with an offset")
    .option("--hold <number>", "held by this hold")
    .option("--planned", "also the due times of the next seconds, which are written ahead")
    .option("--connectors", "also with which versions of which connectors")
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 50)
    .option("--json", "print the runs as JSON")
    .action(async (options: RunsOptions) => {
      const runs = await readRuns(cli, options);
      if (options.json === true) {
        printJson(cli, runs);
        return;
      }
      if (runs.length === 0) {
        note(cli, "No runs.");
        return;
      }
      print(cli, ...runLines(runs, cli, options.connectors === true));
      note(cli, cli.err.styles.dim(`Times in ${terminalZone()}.`));
    });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_RUNS)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_RUNS}.`);
  return limit;
}

async function readRuns(cli: Cli, options: RunsOptions): Promise<readonly ListedRunAnswer[]> {
  const filter = {
    ...(options.job === undefined ? {} : { job: options.job }),
    ...(options.integration === undefined ? {} : { integration: options.integration }),
    ...(options.state === undefined ? {} : { states: options.state.map((state) => state.toUpperCase()) }),
    ...(options.since === undefined
      ? {}
      : { dueFrom: new Date(parseSinceOption(options.since, "--since", cli.clock.wallMs())).toISOString() }),
    ...(options.hold === undefined ? {} : { hold: options.hold }),
    ...(options.planned === true ? {} : { dueTo: new Date(cli.clock.wallMs()).toISOString() }),
  };
  const api = await cli.api();
  return readPages(options.limit, async (page) => (await api.request(listRuns, { ...page, filter })).runs);
}

function runLines(runs: readonly ListedRunAnswer[], cli: Cli, showsConnectors: boolean): readonly string[] {
  const { styles } = cli.out;
  return renderTable(
    [
      { title: "DUE", value: (run) => formatLocalInstant(instantOf(run.dueAt)) },
      { title: "JOB", value: (run) => run.job?.key ?? `(${run.trigger.toLowerCase()})`, flexible: true },
      { title: "INTEGRATION", value: (run) => run.integration.key, flexible: true },
      {
        title: "STATE",
        value: (run) => (run.dueCount > 1 ? `${run.state} x${run.dueCount}` : run.state),
        style: (text, run) => styles[styleOfState(run.state)](text),
      },
      { title: "TOOK", value: (run) => (run.durationMs === null ? "" : formatLength(run.durationMs)), align: "right" },
      { title: "TRY", value: (run) => String(run.attempt), align: "right" },
      ...(showsConnectors
        ? [{ title: "CONNECTORS", value: (run: ListedRunAnswer) => run.connectors.map(connectorText).join(" to "), flexible: true }]
        : []),
      { title: "NOTE", value: runNote, flexible: true },
    ],
    runs,
    { width: cli.out.columns(), styles },
  );
}

function connectorText({ name, version }: ListedRunAnswer["connectors"][number]): string {
  return plainText(`${name} ${version}`);
}
