import { Command, InvalidArgumentError, Option } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { instantOf } from "../operations/shapes.js";
import { decideOneConflict, listSyncConflicts, type SyncConflictAnswer } from "../operations/sync-conflict-operations.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";

const MOST = 10_000;
const STATES = ["open", "decided", "settled"] as const;

/** `quiesce sync-conflicts`: fields that flow both ways, about which the sides do not agree. */
export function syncConflictsCommand(cli: Cli): Command {
  return new Command("sync-conflicts")
    .description("fields that flow both ways and about which both sides do not agree: see them, decide them")
    .addCommand(listCommand(cli))
    .addCommand(decideCommand(cli));
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list conflicts, the newest first")
    .option("-i, --integration <key>", "of one integration")
    .option("--stream <name>", "of one stream")
    .option("--record-key <key>", "of one record")
    .addOption(new Option("--state <state...>", "in these states; settled ones show what gave way").choices(STATES).default(["open"]))
    .option("-n, --limit <count>", "at most so many (1 to 10000)", limitOf, 50)
    .option("--json", "print them as JSON")
    .action(
      async (options: {
        readonly integration?: string;
        readonly stream?: string;
        readonly recordKey?: string;
        readonly state: readonly string[];
        readonly limit: number;
        readonly json?: boolean;
      }) => {
        const { integration, stream, recordKey } = options;
        const filter = { integration, stream, recordKey, states: options.state.map((state) => state.toUpperCase()) };
        const api = await cli.api();
        const found = await readPages(
          options.limit,
          async (page) => (await api.request(listSyncConflicts, { ...page, filter })).syncConflicts,
        );
        if (options.json === true) return printJson(cli, found);
        if (found.length === 0) return note(cli, "No conflicts.");
        print(cli, ...conflictLines(found, cli));
      },
    );
}

function decideCommand(cli: Cli): Command {
  return new Command("decide")
    .description("decide open conflicts: the next run writes the winner's value to the other side")
    .argument("<numbers...>", "their numbers")
    .addOption(new Option("--winner <side>", "whose value stands").choices(["source", "target"]).makeOptionMandatory())
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print them as JSON")
    .action(async (numbers: readonly string[], options: { readonly winner: string; readonly reason: string; readonly json?: boolean }) => {
      const api = await cli.api();
      const decided: SyncConflictAnswer[] = [];
      for (const key of numbers) {
        const input = { key, winner: options.winner.toUpperCase(), reason: options.reason };
        decided.push((await api.request(decideOneConflict, { input })).decideSyncConflict);
      }
      if (options.json === true) return printJson(cli, decided);
      print(
        cli,
        `${decided.length} decided. The next run of ${[...new Set(decided.map((one) => one.integration.key))].join(", ")} carries it out.`,
      );
    });
}

function conflictLines(conflicts: readonly SyncConflictAnswer[], cli: Cli): readonly string[] {
  const shown = (value: unknown): string => plainText(JSON.stringify(value) ?? "");
  return renderTable(
    [
      { title: "NUMBER", value: (one) => one.key, align: "right" },
      { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.at)) },
      { title: "INTEGRATION", value: (one) => one.integration.key, flexible: true },
      { title: "RECORD", value: (one) => plainText(`${one.stream}/${one.recordKey}`), flexible: true },
      { title: "FIELD", value: (one) => plainText(one.field ?? "(all)") },
      { title: "WHY", value: (one) => one.kind.toLowerCase() },
      { title: "SOURCE", value: (one) => shown(one.source), flexible: true },
      { title: "TARGET", value: (one) => shown(one.target), flexible: true },
      { title: "STATE", value: (one) => (one.winner === null ? one.state : `${one.state}: ${one.winner}`).toLowerCase() },
    ],
    conflicts,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST}.`);
  return limit;
}
