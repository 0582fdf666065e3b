import type { Output } from "../cli.js";
import type { ZoneDataAnswer, ZoneDataDiffAnswer } from "../operations/zone-operations.js";
import { formatLength, formatUtcInstant } from "./format-time.js";
import { localText, MOST_ROWS } from "./list-text.js";
import { plainText } from "./plain-text.js";
import { renderTable } from "./render-table.js";

type Moved = Pick<ZoneDataDiffAnswer, "occurrencesMoved" | "occurrences" | "jobsMoved" | "jobs">;

/** What other zone data would move. */
export function renderZoneDataDiff(diff: ZoneDataDiffAnswer, output: Output): readonly string[] {
  const { styles } = output;
  const lines = [`${diff.before} is in force; compared with ${diff.version} (${plainText(diff.source)}).`];
  if (diff.missing.length > 0)
    lines.push(styles.red(`It lacks zones in use and would be left out: ${diff.missing.map(plainText).join(", ")}.`));
  lines.push(
    diff.zones.length === 0 ? "The rules of every zone in use are the same from now on." : `Rules differ in ${diff.zones.join(", ")}.`,
  );
  lines.push(...renderMoved(diff, output, "next 90 days"));
  if (diff.kept.length > 0) {
    lines.push(
      "",
      styles.bold("Keeps its instants, because it has begun and is not released"),
      ...renderTable(
        [
          { title: "WINDOW", value: (one) => one.window },
          { title: "LOCAL START", value: (one) => localText(one.localStart) },
          { title: "ZONE", value: (one) => one.timeZone },
          { title: "UTC", value: (one) => `${utc(one.startsAt)} to ${utc(one.endsAt)}` },
        ],
        diff.kept.slice(0, MOST_ROWS),
        { width: output.columns(), styles },
      ),
      ...moreOf(diff.kept.length, output),
    );
  }
  if (diff.truncated) lines.push("", styles.yellow("Not every schedule was compared: the counts are bounds from below."));
  const next = diff.isNewer
    ? `Nothing was changed. ${diff.version} comes into force when a server that has it is started.`
    : `Nothing was changed. ${diff.version} is not newer than ${diff.before}: it would not come into force.`;
  return [...lines, "", styles.dim(next)];
}

/** What is in force, and what the last change moved. */
export function renderZoneData(data: ZoneDataAnswer, output: Output): readonly string[] {
  const { lastChange } = data;
  const now = `${output.styles.bold(data.version)} is in force (${plainText(data.source)}).`;
  if (lastChange === null) return [now, "It has not changed since the first start."];
  return [
    now,
    `Since ${formatUtcInstant(Date.parse(lastChange.at))}, in place of ${lastChange.before}.`,
    ...renderMoved(lastChange, output, "the 90 days after it"),
  ];
}

function renderMoved(moved: Moved, output: Output, period: string): readonly string[] {
  const table = { width: output.columns(), styles: output.styles };
  const { occurrences, jobs, occurrencesMoved, jobsMoved } = moved;
  const lines = ["", output.styles.bold(`Occurrences that move, ${period}: ${occurrencesMoved}`)];
  if (occurrences.length > 0) {
    lines.push(
      ...renderTable(
        [
          { title: "WINDOW", value: (one) => one.window },
          { title: "LOCAL START", value: (one) => localText(one.localStart) },
          { title: "ZONE", value: (one) => one.timeZone },
          { title: "UTC BEFORE", value: (one) => `${utc(one.startsBefore)} to ${utc(one.endsBefore)}` },
          { title: "UTC AFTER", value: (one) => `${utc(one.startsAfter)} to ${utc(one.endsAfter)}` },
          { title: "BY", value: (one) => shiftText(one.startsBefore, one.startsAfter), align: "right" },
        ],
        occurrences.slice(0, MOST_ROWS),
        table,
      ),
      ...moreOf(occurrencesMoved, output),
    );
  }
  lines.push("", output.styles.bold(`Jobs with due times that move, ${period}: ${jobsMoved}`));
  if (jobs.length > 0) {
    lines.push(
      ...renderTable(
        [
          { title: "JOB", value: (one) => one.job },
          { title: "FIRST", value: (one) => (one.local === null ? "" : localText(one.local)) },
          { title: "ZONE", value: (one) => one.timeZone ?? "" },
          { title: "UTC BEFORE", value: (one) => (one.before === null ? "not due" : utc(one.before)) },
          { title: "UTC AFTER", value: (one) => (one.after === null ? "not due" : utc(one.after)) },
          { title: "DUE TIMES", value: (one) => (one.dueTimes === null ? "" : String(one.dueTimes)), align: "right" },
        ],
        jobs.slice(0, MOST_ROWS),
        table,
      ),
      ...moreOf(jobsMoved, output),
    );
  }
  return lines;
}

const utc = (text: string): string => formatUtcInstant(Date.parse(text));

function shiftText(before: string, after: string): string {
  const ms = Date.parse(after) - Date.parse(before);
  return ms === 0 ? "its end" : `${ms < 0 ? "-" : "+"}${formatLength(Math.abs(ms))}`;
}

function moreOf(total: number, output: Output): readonly string[] {
  return total > MOST_ROWS ? [output.styles.dim(`and ${total - MOST_ROWS} more; --json lists up to 1,000`)] : [];
}
