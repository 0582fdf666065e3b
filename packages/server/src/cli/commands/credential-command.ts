import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import {
  cancelRotation,
  listCredentials,
  listRotations,
  rotateCredential,
  type RotationAnswer,
  stageCredential,
} from "../operations/credential-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { parseDurationOption, parseInstantOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";
import { readDocument } from "./validate-command.js";

const MOST_ENDPOINTS = 50_000;
const USUAL_ROTATIONS = 50;
const LOOK_MS = 1_000;
const ENDED = ["SUCCEEDED", "UNREVOKED", "FAILED"];

/** `quiesce credential`: the secrets of endpoints, and how they are renewed while runs go on. */
export function credentialCommand(cli: Cli): Command {
  return new Command("credential")
    .description("the secrets of endpoints: how old they are, when they end; renew them while runs go on")
    .addCommand(listCommand(cli))
    .addCommand(rotateCommand(cli))
    .addCommand(stageCommand(cli))
    .addCommand(historyCommand(cli))
    .addCommand(cancelCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("endpoints with the age of their secrets, when they end and how they are renewed; never a value")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const endpoints = await readPages(MOST_ENDPOINTS, async (page) => (await api.request(listCredentials, page)).endpoints);
      if (options.json === true) return printJson(cli, endpoints);
      const time = (text: string | null | undefined): string =>
        text === null || text === undefined ? "" : formatLocalInstant(instantOf(text));
      print(
        cli,
        ...renderTable(
          [
            { title: "ENDPOINT", value: ({ key }) => key },
            {
              title: "SECRETS OF",
              value: ({ credential }) =>
                credential === null || credential.version === 0 ? "the workspace" : `rotation ${credential.version}`,
            },
            { title: "IN FORCE SINCE", value: ({ credential }) => time(credential?.since) },
            { title: "END", value: ({ credential }) => time(credential?.expiresAt) },
            { title: "EVERY", value: ({ credential }) => credential?.every ?? "by hand" },
            { title: "", value: ({ credential }) => (credential?.rotating === true ? "rotating" : "") },
          ],
          endpoints,
          { width: cli.out.columns(), styles: cli.out.styles },
        ),
      );
    });
}

interface WaitOptions {
  readonly wait?: string | true;
  readonly reason?: string;
  readonly json?: boolean;
}

function withWait(command: Command): Command {
  return command
    .option("-r, --reason <text>", "why; stays on record")
    .option(
      "--wait [time]",
      "wait until it has ended, at most so long (default: 10m); exit code 1 when it failed or waits for a person, 124 when it is not over",
    )
    .option("--json", "print the rotation as JSON");
}

function rotateCommand(cli: Cli): Command {
  return withWait(
    new Command("rotate").description("renew the secrets of an endpoint: new ones are issued, tested, used, and the old ones ended"),
  )
    .argument("<endpoint>", "the endpoint's key")
    .action(async (endpoint: string, options: WaitOptions) => {
      const input = { endpoint, ...(options.reason === undefined ? {} : { reason: options.reason }) };
      const { rotateCredential: begun } = await (await cli.api()).request(rotateCredential, { input });
      await showAndWait(cli, begun, options);
    });
}

interface StageOptions extends WaitOptions {
  readonly env?: readonly string[];
  readonly file?: readonly string[];
  readonly expires?: string;
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

function stageCommand(cli: Cli): Command {
  return withWait(
    new Command("stage")
      .description("hand in new secrets of an endpoint, made at its system; they are tested before any run works with them")
      .option("--env <name=VARIABLE>", "a secret from an environment variable, such as token=NEW_TOKEN; may be repeated", collect)
      .option("--file <name=path>", "a secret from a file (- reads standard input), such as certificate=new.pem; may be repeated", collect)
      .option("--expires <time>", "when they end, if you know: +90d, or ISO 8601 with an offset; certificates say it themselves"),
  )
    .argument("<endpoint>", "the endpoint's key")
    .action(async (endpoint: string, options: StageOptions) => {
      const secrets = await secretsOf(cli, options);
      const { expires, reason } = options;
      const input = {
        endpoint,
        secrets,
        ...(expires === undefined
          ? {}
          : { expiresAt: new Date(parseInstantOption(expires, "--expires", cli.clock.wallMs())).toISOString() }),
        ...(reason === undefined ? {} : { reason }),
      };
      const { stageCredential: begun } = await (await cli.api()).request(stageCredential, { input });
      await showAndWait(cli, begun, options);
    });
}

/** The values are read here and stand on no command line, which others see. */
async function secretsOf(cli: Cli, options: StageOptions): Promise<readonly { readonly name: string; readonly value: string }[]> {
  const found: { readonly name: string; readonly value: string }[] = [];
  for (const pair of options.env ?? []) {
    const [name, variable] = splitPair(pair, "--env");
    const value = cli.environment.all[variable];
    if (value === undefined || value === "") throw new CliError("usage", `The environment variable ${variable} is not set or empty.`);
    found.push({ name, value });
  }
  for (const pair of options.file ?? []) {
    const [name, path] = splitPair(pair, "--file");
    const text = await readDocument(cli, path);
    // The line break at the end of a file is not part of a password; in a PEM it means nothing.
    const value = text.replace(/\r?\n$/, "");
    if (value === "") throw new CliError("usage", `${path} is empty.`);
    found.push({ name, value });
  }
  if (found.length === 0) throw new CliError("usage", "Give the new secrets with --env name=VARIABLE or --file name=path.");
  return found;
}

function splitPair(pair: string, option: string): readonly [string, string] {
  const at = pair.indexOf("=");
  if (at < 1 || at === pair.length - 1)
    throw new CliError("usage", `${option} takes name=source, as in ${option} token=${option === "--env" ? "NEW_TOKEN" : "token.txt"}.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

async function showAndWait(cli: Cli, begun: RotationAnswer, options: WaitOptions): Promise<void> {
  const last = options.wait === undefined ? begun : await ended(cli, begun, options.wait === true ? "10m" : options.wait);
  if (options.json === true) printJson(cli, last);
  else print(cli, sentenceOf(cli, last));
  if (last.state === "FAILED" || last.state === "UNREVOKED") cli.exitCode = exitCodes.refused;
  else if (options.wait !== undefined && !ENDED.includes(last.state))
    cli.exitCode = last.state === "AWAITING" ? exitCodes.refused : exitCodes.timedOut;
}

async function ended(cli: Cli, begun: RotationAnswer, wait: string): Promise<RotationAnswer> {
  const endMs = cli.clock.monotonicMs() + parseDurationOption(wait, "--wait");
  const api = await cli.api();
  let current = begun;
  while (!ENDED.includes(current.state) && cli.clock.monotonicMs() < endMs) {
    if (current.state === "AWAITING") break;
    await sleep(LOOK_MS);
    const { credentialRotations: page } = await api.request(listRotations, { first: 5, endpoint: begun.endpoint.key });
    const found = page.nodes.find(({ key }) => key === begun.key);
    if (found === undefined) break;
    if (found.state !== current.state) note(cli, `${found.state.toLowerCase()}…`);
    current = found;
  }
  return current;
}

function sentenceOf(cli: Cli, rotation: RotationAnswer): string {
  const { styles } = cli.out;
  const endpoint = plainText(rotation.endpoint.key);
  const problem = rotation.problem === null ? "" : ` ${plainText(rotation.problem)}`;
  switch (rotation.state) {
    case "SUCCEEDED":
      return `${styles.green("Done")}: ${endpoint} works with new secrets.${problem}`;
    case "UNREVOKED":
      return `${styles.yellow("Done, but")} the old secrets of ${endpoint} could not be ended at the system.${problem}`;
    case "FAILED":
      return `${styles.red("Failed")}: ${endpoint} works with the secrets of before.${problem}`;
    case "AWAITING":
      return `${endpoint}: its connector cannot issue secrets. Make new ones at the system and hand them in: quiesce credential stage ${endpoint}`;
    default:
      return `${endpoint}: ${rotation.state.toLowerCase()}.${problem} Follow it with: quiesce credential history ${endpoint}`;
  }
}

function historyCommand(cli: Cli): Command {
  return new Command("history")
    .description("rotations, newest first; kept for 400 days")
    .argument("[endpoint]", "only of this endpoint")
    .option("--open", "only those under way")
    .option("--json", "print them as JSON")
    .action(async (endpoint: string | undefined, options: { readonly open?: boolean; readonly json?: boolean }) => {
      const filter = { ...(endpoint === undefined ? {} : { endpoint }), ...(options.open === true ? { open: true } : {}) };
      const { credentialRotations: page } = await (await cli.api()).request(listRotations, { first: USUAL_ROTATIONS, ...filter });
      if (options.json === true) return printJson(cli, page.nodes);
      print(
        cli,
        ...renderTable(
          [
            { title: "BEGUN", value: (one) => formatLocalInstant(instantOf(one.begunAt)) },
            { title: "ENDPOINT", value: (one) => one.endpoint.key },
            { title: "WHY", value: (one) => one.trigger.toLowerCase() },
            { title: "BY", value: (one) => plainText(one.requestedBy), flexible: true },
            { title: "STATE", value: (one) => one.state.toLowerCase() },
            { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.stateSince)) },
            { title: "SECRETS", value: (one) => one.secretNames.join(", "), flexible: true },
            { title: "", value: (one) => nextOf(one, cli.clock.wallMs()), flexible: true },
          ],
          page.nodes,
          { width: cli.out.columns(), styles: cli.out.styles },
        ),
      );
      if (page.pageInfo.hasNextPage) note(cli, `These are the newest ${USUAL_ROTATIONS}; the query credentialRotations has the others.`);
    });
}

function nextOf(one: RotationAnswer, now: number): string {
  const problem = one.problem === null ? "" : plainText(one.problem);
  const next = instantOrNull(one.nextAt);
  return next === null || next <= now || one.failures === 0 ? problem : `${problem}; next try ${formatLocalInstant(next)}`;
}

function cancelCommand(cli: Cli): Command {
  return new Command("cancel")
    .description("end a rotation that has not switched anything yet; the old secrets stay")
    .argument("<endpoint>", "the endpoint's key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the rotation as JSON")
    .action(async (endpoint: string, options: { readonly reason: string; readonly json?: boolean }) => {
      const { cancelRotation: cancelled } = await (
        await cli.api()
      ).request(cancelRotation, { input: { endpoint, reason: options.reason } });
      if (options.json === true) printJson(cli, cancelled);
      else print(cli, `The rotation of ${plainText(endpoint)} is cancelled; the secrets of before stay in force.`);
    });
}
