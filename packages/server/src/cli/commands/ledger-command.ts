import { Command, InvalidArgumentError, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { type ConservationAnswer, type LedgerEntryAnswer, listLedger, readConservation } from "../operations/run-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant, terminalZone } from "../output/format-time.js";
import { renderTable } from "../output/render-table.js";
import { styleOfState } from "../output/styles.js";
import { parseDurationOption, parseInstantOption } from "../parse-time.js";
import { readPages } from "../read-pages.js";

const MOST_ENTRIES = 10_000;
const STATES = ["queued", "running", "succeeded", "failed", "held", "skipped", "coalesced", "cancelled", "lost", "dead"] as const;

interface LedgerOptions {
  readonly job?: string;
  readonly integration?: string;
  readonly state?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** `quiesce ledger`: every due time with what became of it and why. */
export function ledgerCommand(cli: Cli): Command {
  return new Command("ledger")
    .description("list every due time with what became of it and why, newest run first, and whether all are accounted for")
    .option("-j, --job <key>", "of one job")
    .option("-i, --integration <key>", "of one integration")
    .addOption(new Option("--state <state...>", "in these states").choices(STATES))
    .option("--since <time>", "due since: a duration back from now (2h, 1d), or ISO 8601 with an offset")
    .option("--until <time>", "due before: a duration back from now, or ISO 8601 with an offset")
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 50)
    .option("--json", "print the due times and the check as JSON")
    .action(async (options: LedgerOptions) => {
      const entries = await readEntries(cli, options);
      const { conservation } = await (await cli.api()).request(readConservation);
      if (options.json === true) {
        printJson(cli, { entries, conservation });
        return;
      }
      if (entries.length === 0) note(cli, "No due times.");
      else print(cli, ...entryLines(entries, cli));
      note(cli, checkText(conservation), cli.err.styles.dim(`Times in ${terminalZone()}.`));
    });
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ENTRIES)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_ENTRIES}.`);
  return limit;
}

async function readEntries(cli: Cli, options: LedgerOptions): Promise<readonly LedgerEntryAnswer[]> {
  const { job, integration, state, since, until } = options;
  const now = cli.clock.wallMs();
  const filter = {
    ...(job === undefined ? {} : { job }),
    ...(integration === undefined ? {} : { integration }),
    ...(state === undefined ? {} : { states: state.map((one) => one.toUpperCase()) }),
    ...(since === undefined ? {} : { dueFrom: new Date(instantBack(since, "--since", now)).toISOString() }),
    ...(until === undefined ? {} : { dueTo: new Date(instantBack(until, "--until", now)).toISOString() }),
  };
  const api = await cli.api();
  return readPages(options.limit, async (page) => (await api.request(listLedger, { ...page, filter })).ledger);
}

function instantBack(text: string, option: string, now: number): number {
  return /^\d{4}-/.test(text) ? parseInstantOption(text, option, now) : now - parseDurationOption(text, option);
}

function checkText({ from, to, expected, accounted, difference }: ConservationAnswer): string {
  const period = `${formatLocalInstant(instantOf(from))} to ${formatLocalInstant(instantOf(to))}`;
  return difference === 0
    ? `All ${expected} due times from ${period} are accounted for.`
    : `Due times from ${period}: ${expected} expected, ${accounted} accounted for, ${difference} differ. This is a fault of Quiesce: quiesce doctor names them.`;
}

function entryLines(entries: readonly LedgerEntryAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  return renderTable(
    [
      { title: "DUE", value: (entry) => formatLocalInstant(instantOf(entry.dueAt)) },
      { title: "JOB", value: (entry) => entry.job.key, flexible: true },
      { title: "STATE", value: (entry) => entry.state, style: (text, entry) => styles[styleOfState(entry.state)](text) },
      { title: "HELD BY", value: (entry) => entry.heldBy.map((hold) => hold.title).join(", "), flexible: true },
      { title: "WHY", value: (entry) => entry.why, flexible: true },
    ],
    entries,
    { width: cli.out.columns(), styles },
  );
}
