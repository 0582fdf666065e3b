import type { Output } from "../cli.js";
import { instantOf } from "../operations/shapes.js";
import type { WindowPreviewAnswer } from "../operations/window-operations.js";
import { formatLength, formatUtcInstant } from "./format-time.js";
import { plainText, wrap } from "./plain-text.js";
import { renderTable } from "./render-table.js";

const MOST_MEMBERS = 30;

/** When a window happens, local and UTC, what it covers and what a person should look at first. */
export function renderPreview(
  preview: WindowPreviewAnswer,
  options: { readonly timeZone: string; readonly output: Output },
): readonly string[] {
  const { output } = options;
  const table = { width: output.columns(), styles: output.styles };
  const title = (text: string): string => output.styles.bold(text);
  const lines: string[] = [
    title(
      preview.occurrences.length === 0
        ? "Does not happen in the months ahead that the server looks through."
        : `Happens, in ${plainText(options.timeZone)}`,
    ),
  ];
  if (preview.occurrences.length > 0) {
    lines.push(
      ...renderTable(
        [
          { title: "LOCAL START", value: (one) => localText(one.localStart) },
          { title: "LOCAL END", value: (one) => localText(one.localEnd) },
          { title: "UTC", value: (one) => `${formatUtcInstant(instantOf(one.startsAt))} to ${formatUtcInstant(instantOf(one.endsAt))}` },
          { title: "LASTS", value: (one) => formatLength(instantOf(one.endsAt) - instantOf(one.startsAt)), align: "right" },
          { title: "CLOCK CHANGE", value: (one) => one.notes.join("; "), flexible: true, style: (text) => output.styles.yellow(text) },
        ],
        preview.occurrences,
        table,
      ),
    );
  }
  lines.push("", title(preview.members.length === 0 ? "Covers no integration." : `Covers ${count(preview.members.length, "integration")}`));
  if (preview.members.length > 0) {
    lines.push(
      ...renderTable(
        [
          { title: "INTEGRATION", value: (one) => one.integration.key },
          { title: "NAME", value: (one) => one.integration.name, flexible: true },
          { title: "BECAUSE OF", value: (one) => one.path, flexible: true },
        ],
        preview.members.slice(0, MOST_MEMBERS),
        table,
      ),
    );
    if (preview.members.length > MOST_MEMBERS)
      lines.push(output.styles.dim(`and ${preview.members.length - MOST_MEMBERS} more; --json lists them all`));
  }
  if (preview.heldJobs.length > 0) {
    lines.push(
      "",
      title("The first time would hold"),
      ...renderTable(
        [
          { title: "JOB", value: (one) => one.job, flexible: true },
          { title: "INTEGRATION", value: (one) => one.integration, flexible: true },
          { title: "DUE TIMES", value: (one) => String(one.dueTimes), align: "right" },
          { title: "RUNS AFTER", value: (one) => String(one.runsAfter), align: "right" },
        ],
        preview.heldJobs.slice(0, MOST_MEMBERS),
        table,
      ),
    );
  }
  if (preview.warnings.length > 0) {
    const width = (output.columns() ?? 100) - 2;
    lines.push(
      "",
      ...preview.warnings.flatMap((warning) =>
        wrap(plainText(warning), width).map((line, index) => output.styles.yellow(`${index === 0 ? "! " : "  "}${line}`)),
      ),
    );
  }
  return lines;
}

/** `2026-12-06T02:00` as a table shows it. */
export function localText(local: string): string {
  return local.replace("T", " ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
