import { Command } from "commander";
import { type Cli, note, print, printJson } from "../cli.js";
import { listWindows, windowReport } from "../operations/window-operations.js";
import { instantOf, instantOrNull, type OccurrenceAnswer, type WindowAnswer } from "../operations/shapes.js";
import { formatCountdown, formatUtcInstant } from "../output/format-time.js";
import { localText } from "../output/list-text.js";
import { renderReport } from "../output/render-report.js";
import { renderTable } from "../output/render-table.js";
import { styleOfState } from "../output/styles.js";
import { readPages } from "../read-pages.js";
import { scopeText } from "../scope-options.js";

const MOST_WINDOWS = 10_000;

/** `quiesce window list`. */
export function windowListCommand(cli: Cli): Command {
  return new Command("list")
    .description("list windows with their open or next occurrence")
    .option("-a, --all", "cancelled ones as well")
    .option("--search <text>", "whose key or title holds this text")
    .option("--json", "print them as JSON")
    .action(async (options: { readonly all?: boolean; readonly search?: string; readonly json?: boolean }) => {
      const api = await cli.api();
      const filter = { includeCancelled: options.all === true, ...(options.search === undefined ? {} : { search: options.search }) };
      const windows = await readPages(
        MOST_WINDOWS,
        async (page) => (await api.request(listWindows, { ...page, filter })).maintenanceWindows,
      );
      if (options.json === true) printJson(cli, windows);
      else if (windows.length === 0) note(cli, "No windows. Plan one with `quiesce window create`.");
      else print(cli, ...windowLines(windows, cli));
    });
}

function windowLines(windows: readonly WindowAnswer[], cli: Cli): readonly string[] {
  const { styles } = cli.out;
  const now = cli.clock.wallMs();
  return renderTable(
    [
      { title: "WINDOW", value: (window) => window.key },
      { title: "TITLE", value: (window) => window.title, flexible: true },
      { title: "KIND", value: (window) => window.kind.toLowerCase() },
      { title: "STATE", value: stateOf, style: (text, window) => styles[styleOfState(stateOf(window))](text) },
      { title: "OPEN OR NEXT", value: spanOfWindow },
      { title: "ZONE", value: (window) => window.series.timeZone, flexible: true },
      { title: "WHEN", value: (window) => whenOf(window, now) },
      { title: "COVERS", value: (window) => scopeText(window.scope), flexible: true },
      { title: "OWNER", value: (window) => window.owner, flexible: true },
    ],
    windows,
    { width: cli.out.columns(), styles },
  );
}

function stateOf(window: WindowAnswer): string {
  if (window.cancelledAt !== null) return "CANCELLED";
  if (window.currentOrNext === null) {
    if (nextStartOf(window) === null) return "PAST";
    return window.approval === null || window.approval.state === "APPROVED" ? "SCHEDULED" : "UNAPPROVED";
  }
  return window.mode === "OBSERVE" ? `${window.currentOrNext.state} (observe)` : window.currentOrNext.state;
}

/** Beyond what is written ahead only the series knows. */
const nextStartOf = (window: WindowAnswer): number | null => instantOrNull(window.nextStart ?? null);

function spanOfWindow(window: WindowAnswer): string {
  if (window.currentOrNext !== null) return spanOf(window.currentOrNext);
  const next = window.cancelledAt === null ? nextStartOf(window) : null;
  return next === null ? "" : `from ${formatUtcInstant(next)}`;
}

/** The local start and end; the end's date only when it differs. */
function spanOf(occurrence: OccurrenceAnswer): string {
  const sameDay = occurrence.localStart.slice(0, 10) === occurrence.localEnd.slice(0, 10);
  return `${localText(occurrence.localStart)} to ${sameDay ? occurrence.localEnd.slice(11) : localText(occurrence.localEnd)}`;
}

function whenOf(window: WindowAnswer, now: number): string {
  const { currentOrNext: occurrence } = window;
  if (occurrence === null) {
    const next = window.cancelledAt === null ? nextStartOf(window) : null;
    return next === null ? "" : `in ${formatCountdown(next - now)}`;
  }
  const startsAt = instantOf(occurrence.startsAt);
  if (startsAt > now) return `in ${formatCountdown(startsAt - now)}`;
  if (occurrence.releasedAt !== null) return "ended";
  // The hold knows of extensions; the occurrence keeps its planned end.
  const left = (instantOrNull(occurrence.hold?.expiresAt ?? null) ?? instantOf(occurrence.endsAt)) - now;
  return left > 0 ? `${formatCountdown(left)} left` : "ending";
}

/** `quiesce window report`. */
export function windowReportCommand(cli: Cli): Command {
  return new Command("report")
    .description("what an occurrence did: due times, what became of them, and how the counts add up")
    .argument("<window>", "the window's key")
    .option("--occurrence <local>", "which occurrence, by its local start (default: the open one, else the last)")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly occurrence?: string; readonly json?: boolean }) => {
      const localStart = options.occurrence?.replace(" ", "T");
      const { windowReport: answer } = await (
        await cli.api()
      ).request(windowReport, { window: key, ...(localStart === undefined ? {} : { localStart }) });
      if (options.json === true) printJson(cli, answer.report);
      else print(cli, ...renderReport(answer.report, cli.out));
    });
}
