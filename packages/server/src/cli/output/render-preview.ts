import type { Output } from "../cli.js";
import { instantOf } from "../operations/shapes.js";
import type { WindowPreviewAnswer } from "../operations/preview-operations.js";
import { refusalHint } from "../refusal-hints.js";
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
  const lines: string[] = [...refusalLines(preview, output)];
  if (preview.occurrences.length === 0 && lines.length === 0)
    lines.push(output.styles.yellow("Is over: it does not happen from now on, and would hold nothing. Is the date right?"));
  if (preview.occurrences.length > 0) {
    lines.push(
      ...(lines.length === 0 ? [] : [""]),
      title(`Happens, in ${plainText(options.timeZone)}`),
      ...renderTable(
        [
          { title: "LOCAL START", value: (one) => movedTo(one.notes) ?? localText(one.localStart) },
          { title: "LOCAL END", value: (one) => localText(one.localEnd) },
          { title: "UTC", value: (one) => `${formatUtcInstant(instantOf(one.startsAt))} to ${formatUtcInstant(instantOf(one.endsAt))}` },
          { title: "LASTS", value: (one) => formatLength(instantOf(one.endsAt) - instantOf(one.startsAt)), align: "right" },
          { title: "CLOCK CHANGE", value: notesOf, flexible: true, style: (text) => output.styles.yellow(text) },
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
  // What it is refused for stands at the top.
  const warnings = preview.warnings.filter((warning) => !preview.refusals.some((one) => warning === `${one.field}: ${one.message}`));
  if (warnings.length > 0) {
    const width = (output.columns() ?? 100) - 2;
    lines.push(
      "",
      ...warnings.flatMap((warning) =>
        wrap(plainText(warning), width).map((line, index) => output.styles.yellow(`${index === 0 ? "! " : "  "}${line}`)),
      ),
    );
  }
  return lines;
}

/** Why it cannot be saved, and the nearest form that can: the first thing to know. */
function refusalLines({ refusals }: WindowPreviewAnswer, { styles, columns }: Output): readonly string[] {
  if (refusals.length === 0) return [];
  const lines = refusals.flatMap(({ code, field, message, nearest }) => {
    const instead = nearest === null || message.includes(nearest) ? "" : ` The nearest that works: ${nearest}`;
    return wrap(plainText(`${field}: ${message}${instead}${refusalHint(code)}`), (columns() ?? 100) - 2).map((line) => `  ${line}`);
  });
  return [styles.red("Cannot be saved:"), ...lines];
}

const MOVED = /^moved to (.+)$/;

/** When an occurrence that was moved really begins; its name stays the start that the series gave it. */
function movedTo(notes: readonly string[]): string | undefined {
  return notes.flatMap((note) => MOVED.exec(note)?.[1] ?? []).at(-1);
}

const notesOf = ({ localStart, notes }: WindowPreviewAnswer["occurrences"][number]): string =>
  notes.map((note) => (MOVED.test(note) ? `moved from ${localText(localStart)}, which names it` : note)).join("; ");
