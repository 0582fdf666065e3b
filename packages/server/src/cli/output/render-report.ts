import type { Output } from "../cli.js";
import type { ReportAnswer } from "../operations/window-operations.js";
import { formatLength, formatLocalInstant } from "./format-time.js";
import { plainText } from "./plain-text.js";
import { localText } from "./list-text.js";
import { renderTable } from "./render-table.js";
import { styleOfState } from "./styles.js";

/** The report of one occurrence: its times, its counts with their sum, and the same by integration. */
export function renderReport(report: ReportAnswer, output: Output): readonly string[] {
  const { styles } = output;
  const table = { width: output.columns(), styles };
  const states = Object.entries(report.byState).filter(([, count]) => count > 0);
  const sum = states.reduce((total, [, count]) => total + count, 0);
  return [
    `${styles.bold(plainText(report.title))}  ${styles[styleOfState(report.state.toUpperCase())](report.state)}`,
    `${localText(report.localStart)} to ${localText(report.localEnd)} ${plainText(report.timeZone)}, ${report.kind}`,
    "",
    ...renderTable(
      [
        { title: "", value: ([name]) => name, style: styles.dim },
        { title: "", value: ([, value]) => value },
      ],
      timesOf(report),
      { ...table, header: false },
    ),
    "",
    ...renderTable(
      [
        { title: "DUE TIMES INSIDE", value: ([state]) => state, style: (text, [state]) => styles[styleOfState(state.toUpperCase())](text) },
        { title: "COUNT", value: ([, count]) => String(count), align: "right" },
      ],
      states,
      table,
    ),
    `${sum === report.due ? styles.green("adds up") : styles.red("does not add up")}: ${states.length === 0 ? "0" : states.map(([, count]) => count).join(" + ")} = ${sum}, ${report.due} due`,
    "",
    `held ${report.held}, ${zero("failed", report.failed, output)}, ${zero("started inside", report.startedInside, output)}`,
    ...drainLines(report, output),
    ...pushedLines(report),
    ...reconciledLines(report),
    ...(report.integrations.length === 0
      ? []
      : [
          "",
          ...renderTable(
            [
              { title: "INTEGRATION", value: (one) => one.key },
              { title: "BECAUSE OF", value: (one) => one.path, flexible: true },
              { title: "DUE", value: (one) => String(one.due), align: "right" },
              { title: "HELD", value: (one) => String(one.held), align: "right" },
              { title: "COALESCED", value: (one) => String(one.coalesced), align: "right" },
              { title: "FAILED", value: (one) => String(one.failed), align: "right" },
            ],
            report.integrations,
            table,
          ),
        ]),
  ];
}

function drainLines(report: ReportAnswer, output: Output): readonly string[] {
  const { postponed, aborted, drainOverdueAt } = report;
  const late = drainOverdueAt === null ? "" : `, drain deadline passed at ${formatLocalInstant(drainOverdueAt)}`;
  const drained = report.drainMs === null ? "not drained yet" : `drained in ${formatLength(report.drainMs)}`;
  return [
    `${drained}${late}; kept back before ${postponed}, told to stop ${aborted}`,
    ...report.breakGlass.map((one) =>
      output.styles.yellow(
        `break-glass: ${plainText(one.job)} by ${plainText(one.by)} at ${formatLocalInstant(one.orderedAt)}, ${one.state}: ${plainText(one.reason)}`,
      ),
    ),
  ];
}

/** Nothing where nothing is compared. */
function reconciledLines({ reconciled }: ReportAnswer): readonly string[] {
  if (reconciled === null) return [];
  const { integrations, done, failed, accuracy, onlySource, onlyTarget, different } = reconciled;
  const percent = accuracy === null ? "" : `, accuracy ${(Math.floor(accuracy * 100_000) / 1_000).toFixed(3)} %`;
  return [
    `compared: ${done} of ${integrations} integrations, ${failed} failed${percent}, ${onlySource} only at the source, ${onlyTarget} only at the target, ${different} different`,
  ];
}

/** Nothing where nothing is pushed. */
function pushedLines({ pushed }: ReportAnswer): readonly string[] {
  return pushed.waited === 0
    ? []
    : [`pushed records: ${pushed.waited} waited, ${pushed.released} released, ${pushed.waiting} still waiting`];
}

function timesOf(report: ReportAnswer): readonly (readonly [string, string])[] {
  const after = (at: number | null): string =>
    at === null ? "not yet" : `${formatLocalInstant(at)}  (${formatLength(at - report.startsAt)} after the start)`;
  return [
    ["started", formatLocalInstant(report.startsAt)],
    ["quiesced", after(report.quiescedAt)],
    ["released", after(report.releasedAt)],
    ["closed", after(report.closedAt)],
  ];
}

/** A count that should be zero. */
function zero(name: string, count: number, output: Output): string {
  const text = `${name} ${count}`;
  return count === 0 ? output.styles.green(text) : output.styles.red(text);
}
