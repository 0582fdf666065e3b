import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import type { GraphqlClient } from "../graphql-client.js";
import {
  cancelTrial,
  type DifferenceAnswer,
  listTrials,
  showTrial,
  startTrial,
  type TrialAnswer,
  trialProgress,
} from "../operations/integration-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText, truncate } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit, unknownIntegration } from "./integration-lists.js";
import { readDocument } from "./validate-command.js";

const KINDS = ["dry-run", "shadow", "canary"] as const;
const LOOK_EVERY_MS = 1_000;
const LONGEST_VALUE = 120;
/** These are no success of what was tried. */
const BAD_STATES: ReadonlySet<string> = new Set(["ROLLED_BACK", "FAILED", "CANCELLED", "SUPERSEDED"]);

interface TryOptions {
  readonly as: (typeof KINDS)[number];
  readonly ofVersion?: number;
  readonly mapping?: string;
  readonly definition?: string;
  readonly stream?: string;
  readonly records?: number;
  readonly runs?: number;
  readonly percent?: number;
  readonly errorRatio?: number;
  readonly sinceCursor?: boolean;
  readonly wait?: boolean;
  readonly reason: string;
  readonly json?: boolean;
}

const whole = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError("Expected a whole number of at least 1.");
  return number;
};
const ratio = (text: string): number => {
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0 || number > 1) throw new InvalidArgumentError("Expected a share from 0 to 1, such as 0.05.");
  return number;
};

/** `quiesce integration try`: another definition, before it is in force. */
export function tryCommand(cli: Cli): Command {
  return new Command("try")
    .description("try another definition on an integration, or look what the present mappings make of a sample")
    .argument("<integration>", "its key")
    .addOption(
      new Option(
        "--as <kind>",
        "dry-run: on a sample, writing nothing; shadow: beside real runs, writing nothing; canary: on a share of what is written",
      )
        .choices(KINDS)
        .default("dry-run"),
    )
    .option("--of-version <number>", "try this version", whole)
    .option(
      "-d, --definition <file>",
      "try the integration as this workspace, or this entry of one, has it; in YAML or JSON, - reads standard input",
    )
    .option("-m, --mapping <file>", "try this mapping, in YAML or JSON; - reads standard input")
    .option("--stream <name>", "the stream that --mapping is for")
    .option("--records <count>", "end after so many records (default: 100); of a dry run for each stream", whole)
    .option("--runs <count>", "or after so many runs", whole)
    .option("--percent <share>", "of a canary: so many of a hundred record keys (default: 10)", whole)
    .option("--error-ratio <share>", "of a canary: roll back when a larger share of its records fails (default: 0.05)", ratio)
    .option("--since-cursor", "of a dry run: read behind the committed cursor instead of from the beginning")
    .option("--wait", "wait for its end; ends with 1 when it did not succeed")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(async (integration: string, options: TryOptions) => {
      const api = await cli.api();
      const { startTrial: started } = await api.request(startTrial, { input: await inputOf(cli, integration, options) });
      if (started === null) throw new CliError("refused", "The trial was begun, but you may not see it.", { code: "QSC_TRIAL_NOT_FOUND" });
      if (options.wait !== true) {
        if (options.json === true) return printJson(cli, started);
        return print(
          cli,
          `${cli.out.styles.green("Begun")}: ${kindOf(started)} ${started.key}. Look at it with: quiesce integration trial ${started.key}`,
        );
      }
      await untilItsEnd(cli, api, started.key);
      await show(cli, api, started.key, options.json === true);
    });
}

async function inputOf(cli: Cli, integration: string, options: TryOptions): Promise<object> {
  const { ofVersion: version, records, runs, percent, errorRatio, sinceCursor, reason } = options;
  if ((options.mapping === undefined) !== (options.stream === undefined))
    throw new CliError("usage", "--mapping and --stream belong together: which stream is the mapping for?");
  const mappings = options.mapping === undefined ? undefined : { [options.stream ?? ""]: await valueOf(cli, options.mapping) };
  const definition =
    options.definition === undefined ? undefined : entryOf(await valueOf(cli, options.definition), integration, options.definition);
  const given = { version, mappings, definition, records, runs, percent, errorRatio, sinceCursor, reason };
  const kind = options.as.replace("-", "_").toUpperCase();
  return { integration, kind, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** The integration's entry of a workspace; what is none is taken for the entry itself. */
function entryOf(value: unknown, integration: string, file: string): unknown {
  if (typeof value !== "object" || value === null || !("integrations" in value)) return value;
  const entries: readonly unknown[] = Array.isArray(value.integrations) ? value.integrations : [];
  const found = entries.find((one) => typeof one === "object" && one !== null && "key" in one && one.key === integration);
  if (found === undefined)
    throw new CliError("usage", `${file} has no integration "${integration}". Name the integration whose definition is to be tried.`);
  return found;
}

async function valueOf(cli: Cli, file: string): Promise<unknown> {
  const { readForeignText } = await import("../../catalog/foreign-text.js");
  const read = readForeignText(await readDocument(cli, file));
  if (read.ok) return read.value;
  throw new CliError("usage", `${file} cannot be read. ${read.message}`);
}

async function untilItsEnd(cli: Cli, api: GraphqlClient, key: string): Promise<void> {
  while (true) {
    const { integrationTrial: trial } = await api.request(trialProgress, { key });
    if (trial === null || (trial.state !== "RUNNING" && trial.state !== "PROMOTING")) return;
    const state = trial.run?.state;
    // Its run is over, and so is the trial: nothing more will come of it.
    if (state === "FAILED" || state === "DEAD" || state === "CANCELLED" || state === "SKIPPED") {
      note(cli, `Its run is ${state.toLowerCase()}.`);
      cli.exitCode = exitCodes.refused;
      return;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function show(cli: Cli, api: GraphqlClient, key: string, isJson: boolean): Promise<void> {
  const { integrationTrial: trial } = await api.request(showTrial, { key });
  if (trial === null) throw new CliError("refused", `There is no trial ${key}.`, { code: "QSC_TRIAL_NOT_FOUND" });
  if (BAD_STATES.has(trial.state)) cli.exitCode = exitCodes.refused;
  if (isJson) return printJson(cli, trial);
  print(cli, ...trialLines(cli, trial), ...trial.differences.flatMap((one) => differenceLines(cli, one)));
}

function kindOf({ kind }: TrialAnswer): string {
  return kind.toLowerCase().replaceAll("_", "-");
}

function stateOf({ state }: TrialAnswer): string {
  return state.toLowerCase().replaceAll("_", " ");
}

function trialLines(cli: Cli, trial: TrialAnswer): readonly string[] {
  const { styles } = cli.out;
  const counted =
    trial.kind === "CANARY"
      ? `${trial.records} records with the candidate, ${trial.errors} failed; ${trial.runs} runs, ${trial.failedRuns} failed over it`
      : `${trial.records} records, ${trial.same} the same, ${trial.different} different, ${trial.errors} do not fit`;
  return [
    `${styles.bold(`${kindOf(trial)} ${trial.key}`)}  ${stateOf(trial)}  ${formatLocalInstant(instantOf(trial.startedAt))}  ${plainText(trial.reason)}`,
    counted,
    ...(trial.verdict === null ? [] : [plainText(trial.verdict)]),
    ...(trial.run === null ? [] : [styles.dim(`run ${trial.run.key}, ${trial.run.state.toLowerCase()}`)]),
  ];
}

function differenceLines(cli: Cli, difference: DifferenceAnswer): readonly string[] {
  const { styles } = cli.out;
  const text = (value: unknown) =>
    truncate(plainText(value === null || value === undefined ? "(none)" : JSON.stringify(value)), LONGEST_VALUE);
  const outcome =
    difference.now === difference.candidate ? "" : `  ${difference.now.toLowerCase()} -> ${difference.candidate.toLowerCase()}`;
  return [
    `${styles.bold(plainText(`${difference.stream}/${difference.recordKey}`))}${outcome}`,
    ...difference.fields.map(
      ({ path, before, after }) => `    ${plainText(path)}: ${styles.red(text(before))} ${styles.dim("->")} ${styles.green(text(after))}`,
    ),
    ...difference.errors.map(({ field, found, expected }) => `    ${plainText(`${field}: found ${found}, expected ${expected}`)}`),
  ];
}

/** `quiesce integration trials`: what was tried. */
export function trialsCommand(cli: Cli): Command {
  return new Command("trials")
    .description("list what was tried on an integration, the newest first")
    .argument("<integration>", "its key")
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 50)
    .option("--json", "print them as JSON")
    .action(async (key: string, options: { readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const trials = await readPages(options.limit, async (page) => {
        const { integration } = await api.request(listTrials, { key, ...page });
        if (integration === null) throw unknownIntegration(key);
        return integration.trials;
      });
      if (options.json === true) return printJson(cli, trials);
      if (trials.length === 0) return note(cli, "Nothing was tried on it.");
      print(cli, ...trialTable(cli, trials));
    });
}

function trialTable(cli: Cli, trials: readonly TrialAnswer[]): readonly string[] {
  return renderTable(
    [
      { title: "TRIAL", value: (one) => one.key, align: "right" },
      { title: "KIND", value: kindOf },
      { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.startedAt)) },
      { title: "STATE", value: stateOf },
      { title: "RECORDS", value: (one) => String(one.records), align: "right" },
      { title: "DIFFERENT", value: (one) => String(one.different), align: "right" },
      { title: "ERRORS", value: (one) => String(one.errors), align: "right" },
      { title: "WHY", value: (one) => plainText(one.verdict ?? one.reason), flexible: true },
    ],
    trials,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

/** `quiesce integration trial`: one of them with the records that differ. */
export function trialCommand(cli: Cli): Command {
  return new Command("trial")
    .description("show a trial with some of the records that differ; ends with 1 when it did not succeed")
    .argument("<number>", "its number")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => show(cli, await cli.api(), key, options.json === true));
}

/** `quiesce integration cancel-trial`: the end of one before its time. */
export function cancelTrialCommand(cli: Cli): Command {
  return new Command("cancel-trial")
    .description("end a trial; the definition stays as it is")
    .argument("<number>", "its number")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly reason: string; readonly json?: boolean }) => {
      const { cancelTrial: trial } = await (await cli.api()).request(cancelTrial, { input: { key, reason: options.reason } });
      if (options.json === true) printJson(cli, trial);
      else print(cli, `${cli.out.styles.green("Ended")}: trial ${plainText(key)}. The definition is as it was.`);
    });
}
