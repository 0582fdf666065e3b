import { Command, InvalidArgumentError, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import {
  discardLetters,
  type LetterAnswer,
  listDeadLetters,
  replayMany,
  replayOne,
  showDeadLetter,
} from "../operations/dead-letter-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST = 10_000;
const STATUSES = ["open", "review", "replayed", "discarded"] as const;

interface SelectOptions {
  readonly integration?: string;
  readonly stream?: string;
  readonly recordKey?: readonly string[];
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce dead-letters`: records that could not be written. */
export function deadLettersCommand(cli: Cli): Command {
  return new Command("dead-letters")
    .description("records that could not be written: see them, have them delivered once more, give them up")
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(replayCommand(cli))
    .addCommand(discardCommand(cli));
}

interface ListOptions {
  readonly integration?: string;
  readonly stream?: string;
  readonly status: readonly string[];
  readonly limit: number;
  readonly json?: boolean;
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list dead letters, the newest first")
    .option("-i, --integration <key>", "of one integration")
    .option("--stream <name>", "of one stream")
    .addOption(new Option("--status <status...>", "with these statuses").choices(STATUSES).default(["open", "review"]))
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 50)
    .option("--json", "print them as JSON")
    .action(async (options: ListOptions) => {
      const { integration, stream } = options;
      const filter = { ...scopeOf({ integration, stream }), statuses: options.status.map((status) => status.toUpperCase()) };
      const api = await cli.api();
      const letters = await readPages(options.limit, async (page) => (await api.request(listDeadLetters, { ...page, filter })).deadLetters);
      if (options.json === true) return printJson(cli, letters);
      if (letters.length === 0) return note(cli, "No dead letters.");
      print(cli, ...letterLines(letters, cli));
    });
}

function letterLines(letters: readonly LetterAnswer[], cli: Cli): readonly string[] {
  return renderTable(
    [
      { title: "NUMBER", value: (one) => one.key, align: "right" },
      { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.at)) },
      { title: "INTEGRATION", value: (one) => one.integration.key, flexible: true },
      { title: "RECORD", value: (one) => plainText(`${one.stream}/${one.recordKey}`), flexible: true },
      { title: "STATUS", value: (one) => one.status.toLowerCase() },
      { title: "WHY", value: (one) => plainText(`${one.error.kind ?? ""}: ${one.error.message ?? ""}`), flexible: true },
    ],
    letters,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show one dead letter with its record")
    .argument("<number>", "its number")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => {
      const { deadLetter } = await (await cli.api()).request(showDeadLetter, { key });
      if (deadLetter === null) throw new CliError("refused", `There is no dead letter ${key}.`, { code: "QSC_DEAD_LETTER_NOT_FOUND" });
      if (options.json === true) return printJson(cli, deadLetter);
      print(cli, ...letterLines([deadLetter], cli), "", plainText(JSON.stringify(deadLetter.record)));
    });
}

function replayCommand(cli: Cli): Command {
  return new Command("replay")
    .description("have dead letters delivered once more: some by number, or every open one of an integration")
    .argument("[numbers...]", "their numbers")
    .option("-i, --integration <key>", "every open one of this integration")
    .option("--stream <name>", "of one stream of it")
    .option("--record-key <key...>", "of these records")
    .option("--in-doubt", "they are in review, and the target does not have them: somebody has looked")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("-y, --yes", "do not ask before all of an integration are replayed")
    .option("--json", "print what was queued as JSON")
    .action(async (numbers: readonly string[], options: SelectOptions & { readonly inDoubt?: boolean }) => {
      const order = await orderOf(cli, numbers, options, "Replay every open dead letter that fits?");
      if (order === null) return;
      const api = await cli.api();
      const { reason } = options;
      const replays =
        order.keys === undefined
          ? [(await api.request(replayMany, { input: { selection: order.selection, reason } })).replayDeadLetters]
          : [];
      for (const key of order.keys ?? [])
        replays.push((await api.request(replayOne, { input: { key, reason, inDoubt: options.inDoubt === true } })).replayDeadLetter);
      if (options.json === true) return printJson(cli, replays);
      const sum = (read: (one: (typeof replays)[number]) => number) => replays.reduce((total, one) => total + read(one), 0);
      const passed = sum((one) => one.passedOver);
      const rest =
        passed === 0
          ? ""
          : ` ${passed} cannot be replayed: they do not hold the whole record, their stream is gone, or they are being replayed already.`;
      print(cli, `${cli.out.styles.green(`${sum((one) => one.letters)} to be replayed`)} by ${sum((one) => one.runs.length)} runs.${rest}`);
    });
}

function discardCommand(cli: Cli): Command {
  return new Command("discard")
    .description("give dead letters up: some by number, or every open one of an integration")
    .argument("[numbers...]", "their numbers")
    .option("-i, --integration <key>", "every open one of this integration")
    .option("--stream <name>", "of one stream of it")
    .option("--record-key <key...>", "of these records")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("-y, --yes", "do not ask before all of an integration are given up")
    .option("--json", "print how many as JSON")
    .action(async (numbers: readonly string[], options: SelectOptions) => {
      const order = await orderOf(cli, numbers, options, "Give up every open dead letter that fits?");
      if (order === null) return;
      const { discardDeadLetters } = await (await cli.api()).request(discardLetters, { input: { ...order, reason: options.reason } });
      if (options.json === true) printJson(cli, { discarded: discardDeadLetters });
      else print(cli, `${discardDeadLetters} discarded.`);
    });
}

type Order =
  | { readonly keys: readonly string[]; readonly selection?: undefined }
  | { readonly keys?: undefined; readonly selection: { readonly [name: string]: unknown } };

async function orderOf(cli: Cli, numbers: readonly string[], options: SelectOptions, question: string): Promise<Order | null> {
  const selection = scopeOf(options);
  const selects = Object.keys(selection).length > 0;
  if (selects === numbers.length > 0) throw new CliError("usage", "Name dead letters by their numbers, or by --integration; not both.");
  if (!selects) return { keys: numbers };
  if (await confirmed(cli, question, options)) return { selection };
  note(cli, "Nothing was changed.");
  cli.exitCode = exitCodes.refused;
  return null;
}

function scopeOf(
  options: Pick<SelectOptions, "recordKey"> & { readonly integration?: string | undefined; readonly stream?: string | undefined },
) {
  const { integration, stream, recordKey } = options;
  return {
    ...(integration === undefined ? {} : { integration }),
    ...(stream === undefined ? {} : { stream }),
    ...(recordKey === undefined ? {} : { recordKeys: recordKey }),
  };
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST}.`);
  return limit;
}
