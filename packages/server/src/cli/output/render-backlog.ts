import type { Output } from "../cli.js";
import type { ForecastAnswer, WindowPreviewAnswer } from "../operations/preview-operations.js";
import { instantOf } from "../operations/shapes.js";
import { formatLength, formatUtcInstant } from "./format-time.js";
import { count, localText, MOST_ROWS } from "./list-text.js";
import { renderTable } from "./render-table.js";

type Drain = ForecastAnswer["drain"];

/** Loads that differ less from the typical week are not worth a line. */
const BUSY_RATIO = 1.5;

/** What the first occurrence holds, what is in flight when it begins, and how long the backlog takes after it. */
export function renderBacklog(preview: WindowPreviewAnswer, output: Output): readonly string[] {
  const table = { width: output.columns(), styles: output.styles };
  const section = (title: string, rows: readonly string[]): readonly string[] =>
    rows.length === 0 ? [] : ["", output.styles.bold(title), ...rows];
  const list = <Row>(columns: Parameters<typeof renderTable<Row>>[0], rows: readonly Row[]): readonly string[] => {
    if (rows.length === 0) return [];
    const more = rows.length - MOST_ROWS;
    const rest = more > 0 ? [output.styles.dim(`and ${more} more; --json lists them all`)] : [];
    return [...renderTable(columns, rows.slice(0, MOST_ROWS), table), ...rest];
  };
  return [
    ...section(
      "The first time would hold",
      list(
        [
          { title: "JOB", value: (one) => one.job, flexible: true },
          { title: "INTEGRATION", value: (one) => one.integration, flexible: true },
          { title: "DUE TIMES", value: (one) => String(one.dueTimes), align: "right" },
          { title: "RUNS AFTER", value: (one) => String(one.runsAfter), align: "right" },
          { title: "SKIPPED", value: (one) => String(one.skipped), align: "right" },
        ],
        preview.heldJobs,
      ),
    ),
    ...(preview.forecast === null || preview.heldJobs.length === 0
      ? []
      : section("After its release", forecastLines(preview.forecast, output))),
    ...section(
      "Keeps back before its start, because they would not finish",
      list(
        [
          { title: "JOB", value: (one) => one.job, flexible: true },
          { title: "INTEGRATION", value: (one) => one.integration, flexible: true },
          { title: "TAKES UP TO", value: (one) => `${formatLength(one.p95Ms)} (${one.samples} runs)`, align: "right" },
          { title: "FROM", value: (one) => `${formatLength(one.keptBackMs)} before${one.mayRunOn ? ", may run on" : ""}` },
        ],
        preview.keptBackJobs,
      ),
    ),
    ...section(
      "May still be in flight at its start",
      list(
        [
          { title: "JOB", value: (one) => one.job, flexible: true },
          { title: "DUE", value: (one) => formatUtcInstant(instantOf(one.dueAt)) },
          { title: "ENDS BY", value: (one) => formatUtcInstant(Math.ceil(instantOf(one.expectedEndAt) / 1_000) * 1_000) },
        ],
        preview.inFlight,
      ),
    ),
    ...section(
      "Busier than a typical week",
      list(
        [
          { title: "LOCAL START", value: (one) => localText(one.localStart) },
          { title: "RUNS", value: (one) => String(one.runs), align: "right" },
          { title: "TYPICAL", value: (one) => String(Math.round(one.typicalRuns)), align: "right" },
          { title: "RECORDS", value: (one) => recordsText(one.records), align: "right" },
          { title: "TYPICAL", value: (one) => recordsText(one.typicalRecords), align: "right" },
        ],
        preview.load.filter((one) => one.runs > one.typicalRuns * BUSY_RATIO),
      ),
    ),
  ];
}

function forecastLines(forecast: ForecastAnswer, output: Output): readonly string[] {
  const { drain, unknownJobs } = forecast;
  const records = forecast.records === null ? "an unknown number of records" : `about ${forecast.records} records`;
  const skipped = forecast.skipped === 0 ? "" : `; ${count(forecast.skipped, "due time")} skipped`;
  const unknown =
    unknownJobs.length === 0
      ? []
      : [
          output.styles.yellow(
            `unknown, as no run was measured yet: ${unknownJobs.slice(0, 5).join(", ")}${unknownJobs.length > 5 ? ` and ${unknownJobs.length - 5} more` : ""}`,
          ),
        ];
  return [
    `${count(drain.dueTimes, "due time")} missed -> ${count(drain.runs, "run")}, ${records}${skipped}`,
    `busy for ${drainText(drain)}${forecast.truncated ? " (more runs wait than were simulated)" : ""}`,
    `due times start late by ${formatLength(forecast.longestDelayMs)} at most, ${formatLength(forecast.delayMs)} all together (gross)`,
    ...unknown,
    ...renderTable(
      [
        { title: "SYSTEM", value: (one) => one.system, flexible: true },
        { title: "RUNS", value: (one) => String(one.drain.runs), align: "right" },
        { title: "BUSY FOR", value: (one) => drainText(one.drain) },
      ],
      forecast.systems.slice(0, MOST_ROWS),
      { width: output.columns(), styles: output.styles },
    ),
  ];
}

function drainText({ atLeastMs, expectedMs, atWorstMs }: Drain): string {
  if ((expectedMs === null || atWorstMs === null) && atLeastMs === 0) return "unknown";
  if (expectedMs === null || atWorstMs === null) return `at least ${formatLength(atLeastMs)}, how long in all is unknown`;
  return `about ${formatLength(expectedMs)}, at worst ${formatLength(atWorstMs)}`;
}

function recordsText(records: number | null): string {
  return records === null ? "unknown" : String(Math.round(records));
}
