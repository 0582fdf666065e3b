import type { Output } from "../cli.js";
import { instantOf } from "../operations/shapes.js";
import type { WindowPreviewAnswer } from "../operations/preview-operations.js";
import { formatLength, formatUtcInstant } from "./format-time.js";
import { count, localText, MOST_ROWS } from "./list-text.js";
import { plainText, wrap } from "./plain-text.js";
import { renderAvailability } from "./render-availability.js";
import { renderConflicts } from "./render-conflicts.js";
import { renderBacklog } from "./render-backlog.js";
import { renderTable } from "./render-table.js";

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
        preview.members.slice(0, MOST_ROWS),
        table,
      ),
    );
    if (preview.members.length > MOST_ROWS)
      lines.push(output.styles.dim(`and ${preview.members.length - MOST_ROWS} more; --json lists them all`));
  }
  lines.push(
    ...renderBacklog(preview, output),
    ...renderAvailability(preview.availability, output),
    ...renderConflicts(preview.conflicts, output),
  );
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
