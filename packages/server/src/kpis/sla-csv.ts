import type { AvailabilityFigures } from "@quiesce/core";
import { csvLine } from "../csv-text.js";
import { missingMs, type SlaReport } from "./sla-report.js";

const columns = [
  "integration",
  "name",
  "from",
  "to",
  "figure",
  "availability",
  "coverage",
  "period_ms",
  "up_ms",
  "down_ms",
  "unknown_ms",
  "excluded_ms",
  "out_of_schedule_ms",
  "missing_ms",
  "response_samples",
  "response_mean_ms",
  "response_p50_ms",
  "response_p95_ms",
  "response_p99_ms",
] as const;

/** A report as CSV (RFC 4180): two lines an integration, net and gross, and two of all together, whose key is empty. Shares have all their digits. */
export function slaCsv(report: SlaReport): string {
  const [from, to] = [report.period.start, report.period.end].map((at) => new Date(at).toISOString());
  const lines = (one: Pick<SlaReport, "net" | "gross" | "responseTime">, key: string, name: string): string =>
    (["net", "gross"] as const)
      .map((figure) => {
        const { samples, mean, p50, p95, p99 } = one.responseTime;
        return csvLine([key, name, from ?? "", to ?? "", figure, ...cellsOf(one[figure]), samples, mean, p50, p95, p99]);
      })
      .join("");
  return [
    csvLine(columns),
    ...report.integrations.map((one) => lines(one, one.integration.key, one.integration.name)),
    lines(report, "", "all"),
  ].join("");
}

function cellsOf(figures: AvailabilityFigures): readonly (number | null)[] {
  const { availability, coverage, periodMs, upMs, downMs, unknownMs, excludedMs, outOfScheduleMs } = figures;
  return [availability, coverage, periodMs, upMs, downMs, unknownMs, excludedMs, outOfScheduleMs, missingMs(figures)];
}
