import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import {
  listReconciliations,
  reconcileIntegration,
  type ReconciliationAnswer,
  reconciliationSamples,
  resyncDifferences,
  type SampleAnswer,
  showReconciliation,
} from "../operations/reconciliation-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText, truncate } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";
import { readPages } from "../read-pages.js";
import { listLimit } from "./integration-lists.js";

const LOOK_EVERY_MS = 1_000;
const LONGEST_VALUE = 120;

interface RunOptions {
  readonly reason?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** `quiesce reconcile`: whether both sides of an integration hold the same, and mending what does not. */
export function reconcileCommand(cli: Cli): Command {
  return new Command("reconcile")
    .description("compare what both sides of an integration hold, and mend what differs")
    .addCommand(runCommand(cli), { isDefault: true })
    .addCommand(listCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(resyncCommand(cli));
}

function runCommand(cli: Cli): Command {
  return new Command("run")
    .description("compare both sides of an integration; what holds its runs holds this too")
    .argument("<integration>", "its key")
    .option("-r, --reason <text>", "why; stays on record")
    .option("--wait", "wait for its end; ends with 1 when something differs")
    .option("--json", "print it as JSON")
    .action(async (integration: string, options: RunOptions) => {
      const api = await cli.api();
      const input = { integration, ...(options.reason === undefined ? {} : { reason: options.reason }) };
      let { reconcileIntegration: found } = await api.request(reconcileIntegration, { input });
      if (options.wait !== true) {
        if (options.json === true) return printJson(cli, found);
        return print(
          cli,
          `${cli.out.styles.green("Queued")}: reconciliation ${found.key}. Look at it with: quiesce reconcile show ${found.key}`,
        );
      }
      while (found.state === "WAITING" || found.state === "RUNNING") {
        await sleep(LOOK_EVERY_MS);
        found = await reconciliationOf(cli, found.key);
      }
      if (found.state === "FAILED" || found.streams.some(differs)) cli.exitCode = exitCodes.refused;
      if (options.json === true) return printJson(cli, found);
      print(cli, ...linesOf(cli, found));
    });
}

function listCommand(cli: Cli): Command {
  return new Command("list")
    .description("list comparisons, the newest first")
    .option("-i, --integration <key>", "of one integration")
    .option("-n, --limit <count>", "at most so many (1 to 1000)", listLimit, 50)
    .option("--json", "print them as JSON")
    .action(async (options: { readonly integration?: string; readonly limit: number; readonly json?: boolean }) => {
      const api = await cli.api();
      const filter = options.integration === undefined ? {} : { integration: options.integration };
      const found = await readPages(
        options.limit,
        async (page) => (await api.request(listReconciliations, { ...page, filter })).reconciliations,
      );
      if (options.json === true) return printJson(cli, found);
      if (found.length === 0) return note(cli, "Nothing was compared.");
      const sum = (one: ReconciliationAnswer, of: "equal" | "onlySource" | "onlyTarget" | "different") =>
        String(one.streams.reduce((total, stream) => total + stream[of], 0));
      const lines = renderTable(
        [
          { title: "NUMBER", value: (one) => one.key, align: "right" },
          { title: "SINCE", value: (one) => formatLocalInstant(instantOf(one.createdAt)) },
          { title: "INTEGRATION", value: (one) => one.integration.key, flexible: true },
          { title: "STATE", value: (one) => one.state.toLowerCase() },
          { title: "ACCURACY", value: (one) => percentOf(one.accuracy), align: "right" },
          { title: "EQUAL", value: (one) => sum(one, "equal"), align: "right" },
          { title: "ONLY SOURCE", value: (one) => sum(one, "onlySource"), align: "right" },
          { title: "ONLY TARGET", value: (one) => sum(one, "onlyTarget"), align: "right" },
          { title: "DIFFERENT", value: (one) => sum(one, "different"), align: "right" },
        ],
        found,
        { width: cli.out.columns(), styles: cli.out.styles },
      );
      print(cli, ...lines);
    });
}

function showCommand(cli: Cli): Command {
  return new Command("show")
    .description("show a comparison: how far it is, or what it found")
    .argument("<number>", "its number")
    .option("--samples", "with some of the records that differ, and their values")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly samples?: boolean; readonly json?: boolean }) => {
      const found = await reconciliationOf(cli, key);
      const samples =
        options.samples === true ? ((await (await cli.api()).request(reconciliationSamples, { key })).reconciliation?.streams ?? []) : [];
      if (options.json === true) return printJson(cli, options.samples === true ? { ...found, samples } : found);
      print(
        cli,
        ...linesOf(cli, found),
        ...samples.flatMap((one) => one.samples.flatMap((sample) => sampleLines(cli, one.stream, sample))),
      );
    });
}

function resyncCommand(cli: Cli): Command {
  return new Command("resync")
    .description("copy the records that a comparison found different once more, and no others")
    .argument("<number>", "the comparison's number")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--confirm-deletions", "what the source no longer has may be deleted at the target, however much it is")
    .option("-y, --yes", "do not ask before deletions are confirmed")
    .option("--json", "print what was queued as JSON")
    .action(
      async (
        key: string,
        options: { readonly reason: string; readonly confirmDeletions?: boolean; readonly yes?: boolean; readonly json?: boolean },
      ) => {
        const confirmDeletions = options.confirmDeletions === true;
        if (confirmDeletions && !(await confirmed(cli, "Let it delete whatever only the target has?", options))) {
          note(cli, "Nothing was started.");
          cli.exitCode = exitCodes.refused;
          return;
        }
        const input = { reconciliation: key, reason: options.reason, confirmDeletions };
        const { resyncDifferences: order } = await (await cli.api()).request(resyncDifferences, { input });
        if (options.json === true) return printJson(cli, order);
        print(cli, `${cli.out.styles.green("Queued")}: ${order.differences} differences, by run ${order.run?.key ?? ""}.`);
      },
    );
}

async function reconciliationOf(cli: Cli, key: string): Promise<ReconciliationAnswer> {
  const { reconciliation } = await (await cli.api()).request(showReconciliation, { key });
  if (reconciliation === null)
    throw new CliError("refused", `There is no reconciliation ${key}.`, { code: "QSC_RECONCILIATION_NOT_FOUND" });
  return reconciliation;
}

type StreamAnswer = ReconciliationAnswer["streams"][number];

function differs(stream: StreamAnswer): boolean {
  if (stream.method === "COUNTS") return stream.sourceRecords !== stream.targetRecords;
  return stream.onlySource + stream.onlyTarget + stream.different > 0;
}

function linesOf(cli: Cli, found: ReconciliationAnswer): readonly string[] {
  const { styles } = cli.out;
  return [
    `${styles.bold(`reconciliation ${found.key}`)}  ${plainText(found.integration.key)}  ${found.state.toLowerCase()}  ${formatLocalInstant(instantOf(found.createdAt))}  accuracy ${percentOf(found.accuracy)}`,
    ...found.streams.map((stream) => {
      const name = `${plainText(stream.stream)} (${(stream.method ?? "").toLowerCase()})`;
      const records = `${stream.sourceRecords} and ${stream.targetRecords} records`;
      if (stream.phase !== "DONE") return `  ${name}: ${stream.phase.toLowerCase().replaceAll("_", " ")}, ${records} so far`;
      if (stream.method === "COUNTS") return `  ${name}: ${records}`;
      const changing = stream.changing === 0 ? "" : `, ${stream.changing} were changing`;
      const text = `${records}: ${stream.equal} equal, ${stream.onlySource} only at the source, ${stream.onlyTarget} only at the target, ${stream.different} different${changing}`;
      return `  ${name}: ${differs(stream) ? styles.red(text) : styles.green(text)}`;
    }),
    ...(found.run === null ? [] : [styles.dim(`run ${found.run.key}, ${found.run.state.toLowerCase()}`)]),
  ];
}

function sampleLines(cli: Cli, stream: string, { recordKey, kind, source, target, fields }: SampleAnswer): readonly string[] {
  const { styles } = cli.out;
  const text = (side: unknown, name: string) => truncate(plainText(JSON.stringify(valueOf(side, name))), LONGEST_VALUE);
  return [
    `${styles.bold(plainText(`${stream}/${recordKey}`))}  ${kind.toLowerCase().replaceAll("_", " ")}`,
    ...fields.map(
      (name) =>
        `    ${plainText(name)}: ${styles.green(text(source, name))} ${styles.dim("at the source,")} ${styles.red(text(target, name))} ${styles.dim("at the target")}`,
    ),
  ];
}

function valueOf(side: unknown, name: string): unknown {
  return typeof side === "object" && side !== null ? ((side as { readonly [name: string]: unknown })[name] ?? null) : null;
}

/** Never rounded up to all of them. */
function percentOf(ratio: number | null): string {
  return ratio === null ? "-" : `${(Math.floor(ratio * 100_000) / 1_000).toFixed(3)} %`;
}
