import type { Output } from "../cli.js";
import type { WindowPreviewAnswer } from "../operations/preview-operations.js";
import { formatLength } from "./format-time.js";
import { renderTable } from "./render-table.js";

const mostRows = 10;

/** What a window leaves of its months: planned downtime alone. */
export function renderAvailability(months: WindowPreviewAnswer["availability"], output: Output): readonly string[] {
  return months.flatMap((month) => {
    const rest = month.systems + month.integrations - Math.min(month.listed.length, mostRows);
    return [
      "",
      output.styles.bold(
        `Planned availability in ${month.month} (${month.timeZone}, ${formatLength(month.lengthMs)}), whatever else may fail`,
      ),
      ...renderTable(
        [
          { title: "", value: (one) => one.kind.toLowerCase() },
          { title: "KEY", value: (one) => one.key },
          { title: "THIS ADDS", value: (one) => formatLength(one.addedMs), align: "right" },
          { title: "DOWN IN ALL", value: (one) => formatLength(one.countedMs + one.excludedMs), align: "right" },
          { title: "GROSS", value: (one) => `${percent(one.grossBefore)} -> ${percent(one.gross)}`, align: "right" },
          { title: "NET", value: (one) => (one.net === null ? "all excluded" : percent(one.net)), align: "right" },
        ],
        month.listed.slice(0, mostRows),
        { width: output.columns(), styles: output.styles },
      ),
      ...(rest > 0 ? [output.styles.dim(`and ${rest} more; --json lists up to 100`)] : []),
    ];
  });
}

/** Cut, never rounded up: 99.9999 is not 100. */
const percent = (ratio: number): string => `${(Math.floor(ratio * 1_000_000 + 1e-6) / 10_000).toFixed(4)} %`;
