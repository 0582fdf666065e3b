import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { type WindowStatusAnswer, windowStatus } from "../operations/drain-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatCountdown, formatLength, formatNearInstant, formatUtcInstant } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { localText } from "../output/list-text.js";
import { renderTable } from "../output/render-table.js";
import { styleOfState } from "../output/styles.js";

/** `quiesce window status`: may the work begin, and if not, what is still in flight. */
export function windowStatusCommand(cli: Cli): Command {
  return new Command("status")
    .description("where the open or next occurrence of a window is, and what is still in flight")
    .argument("<window>", "the window's key")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => {
      const { maintenanceWindow: window } = await (await cli.api()).request(windowStatus, { key });
      if (window === null)
        throw new CliError("refused", `There is no window "${key}". List them with \`quiesce window list\`.`, {
          code: "QSC_WINDOW_NOT_FOUND",
        });
      if (options.json === true) printJson(cli, window);
      else print(cli, ...statusLines(window, cli));
    });
}

function statusLines(window: WindowStatusAnswer, cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const now = cli.clock.wallMs();
  const one = window.currentOrNext;
  const title = styles.bold(plainText(window.title));
  const attention = window.freezeConflicts.map(({ sentence }) => styles.red(plainText(sentence)));
  const next = instantOrNull(window.nextStart ?? null);
  if (one === null && next !== null)
    return [
      `${title}  ${styles[styleOfState("SCHEDULED")]("SCHEDULED")}`,
      `Next at ${formatUtcInstant(next)} (in ${formatCountdown(next - now)})`,
      ...attention,
    ];
  if (one === null) return [`${title}  PAST`, `Nothing of it lies ahead. What it did: quiesce window report ${window.key}`, ...attention];
  return [
    `${title}  ${styles[styleOfState(one.state)](one.state)}`,
    `${localText(one.localStart)} to ${localText(one.localEnd)} ${plainText(one.timeZone)}`,
    drainSentence(window, one, now),
    ...resumeLines(one, now),
    ...attention,
    ...(one.runsInFlight.length === 0 ? [] : ["", ...flightLines(one, cli, now)]),
  ];
}

type Occurrence = NonNullable<WindowStatusAnswer["currentOrNext"]>;

function drainSentence(window: WindowStatusAnswer, one: Occurrence, now: number): string {
  const quiescedAt = instantOrNull(one.quiescedAt);
  const flight = `${one.inFlight} in flight, ${one.heldRuns} waiting`;
  if (quiescedAt !== null) return `Quiesced since ${formatNearInstant(quiescedAt, now)}: nothing is in flight. ${one.heldRuns} waiting.`;
  const deadline = instantOrNull(one.drainDeadlineAt);
  if (deadline === null) return `${flight}; what is in flight is waited for without end.`;
  const then = window.drain.atDeadline === "ABORT" ? "is told to stop" : "is let finish";
  return deadline <= now
    ? `${flight}; the drain deadline was ${formatNearInstant(deadline, now)}: what is in flight ${then}.`
    : `${flight}; what is in flight at ${formatNearInstant(deadline, now)} (in ${formatCountdown(deadline - now)}) ${then}.`;
}

/** What it waits for after its end. */
function resumeLines(one: Occurrence, now: number): readonly string[] {
  if (one.resume === null || one.resume === undefined) return [];
  const ended = formatNearInstant(instantOf(one.endsAt), now);
  return [`Ended at ${ended}: ${one.resume.sentence}. More: quiesce window resume ${one.key.split("@")[0] ?? ""} --watch`];
}

function flightLines(one: Occurrence, cli: Cli, now: number): readonly string[] {
  return renderTable(
    [
      { title: "IN FLIGHT", value: (run) => run.job ?? "(work elsewhere)", flexible: true },
      { title: "INTEGRATION", value: (run) => run.integration.key, flexible: true },
      { title: "SINCE", value: (run) => formatNearInstant(instantOf(run.since), now) },
      { title: "USUALLY", value: (run) => (run.p95Ms === null ? "" : formatLength(run.p95Ms)), align: "right" },
      { title: "EXPECTED END", value: (run) => endText(instantOrNull(run.expectedEndAt), now) },
      { title: "", value: (run) => (run.breakGlass ? "break-glass" : run.abortRequestedAt === null ? "" : "told to stop") },
    ],
    one.runsInFlight,
    { width: cli.out.columns(), styles: cli.out.styles },
  );
}

function endText(at: number | null, now: number): string {
  if (at === null) return "unknown";
  return at > now ? `${formatNearInstant(at, now)} (in ${formatCountdown(at - now)})` : `overdue by ${formatCountdown(now - at)}`;
}
