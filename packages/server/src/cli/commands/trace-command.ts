import { Command, InvalidArgumentError } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { type TraceHopAnswer, traceRecord } from "../operations/trace-operations.js";
import { formatLocalInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { renderTable } from "../output/render-table.js";

const MOST_HOPS = 500;

interface TraceOptions {
  readonly integration?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** `quiesce trace`: one record through every hop. */
export function traceCommand(cli: Cli): Command {
  return new Command("trace")
    .description("follow one record through every hop, hold and dead letter; ends with 1 when nothing is known of it")
    .argument("<record>", "its key in a source or at a target, or what a target calls it")
    .option("-i, --integration <key>", "only on its way through this integration")
    .option("-n, --limit <count>", `at most so many hops, the newest (1 to ${MOST_HOPS})`, limitOf, 100)
    .option("--json", "print them as JSON")
    .action(async (recordKey: string, options: TraceOptions) => {
      const { integration, limit } = options;
      const { trace } = await (
        await cli.api()
      ).request(traceRecord, { recordKey, limit, ...(integration === undefined ? {} : { integration }) });
      if (options.json === true) return printJson(cli, trace);
      const knownFrom = instantOrNull(trace.knownFrom);
      const since = knownFrom === null ? "" : ` What runs did is known since ${formatLocalInstant(knownFrom)}.`;
      if (trace.hops.length === 0)
        throw new CliError("refused", `Nothing is known of "${plainText(recordKey)}".${since}`, { code: "QSC_TRACE_UNKNOWN" });
      print(cli, ...hopLines(cli, trace.hops));
      if (trace.isCut) note(cli, "There was more; this is the newest.");
    });
}

function hopLines(cli: Cli, hops: readonly TraceHopAnswer[]): readonly string[] {
  return renderTable(
    [
      { title: "AT", value: (one) => formatLocalInstant(instantOf(one.at)) },
      { title: "INTEGRATION", value: (one) => one.integration.key, flexible: true },
      { title: "RECORD", value: (one) => plainText(`${one.stream}/${one.recordKey}`), flexible: true },
      { title: "WHAT", value: (one) => one.step.toLowerCase().replaceAll("_", " ") },
      { title: "DETAILS", value: detailsOf, flexible: true },
      { title: "RUN", value: (one) => one.run?.key ?? "" },
    ],
    hops,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

/** The connector that read or wrote it, in the version that it had. */
function connectorOf(hop: TraceHopAnswer): string | null {
  const side =
    hop.step === "READ" ? "SOURCE" : hop.step === "WRITTEN" || hop.step === "UNCHANGED" || hop.step === "DELETED" ? "TARGET" : null;
  const used = hop.run?.connectors.find((one) => one.side === side);
  return used === undefined ? null : `${used.name} ${used.version}`;
}

function detailsOf(hop: TraceHopAnswer): string {
  const named = [
    ["as", hop.targetKey],
    ["id", hop.remoteId],
    ["version", hop.version],
    ["with", connectorOf(hop)],
    ["letter", hop.deadLetter?.key ?? null],
    ["by", hop.holds.length === 0 ? null : hop.holds.map((one) => one.title).join(", ")],
  ] as const;
  const parts = named.flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  return plainText([...parts, ...(hop.message === null ? [] : [hop.message])].join("; "));
}

function limitOf(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_HOPS)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_HOPS}.`);
  return limit;
}
