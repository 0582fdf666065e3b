import type { Output } from "../cli.js";
import type { WindowPreviewAnswer } from "../operations/preview-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatUtcInstant } from "./format-time.js";
import { count, localText, MOST_ROWS } from "./list-text.js";
import { renderTable } from "./render-table.js";

type Conflict = WindowPreviewAnswer["conflicts"]["listed"][number];

/** Other windows, freezes and pauses that a window meets. */
export function renderConflicts(conflicts: WindowPreviewAnswer["conflicts"], output: Output): readonly string[] {
  const { listed, overlaps, touches } = conflicts;
  if (listed.length === 0) return [];
  const rest = overlaps + touches - Math.min(listed.length, MOST_ROWS);
  return [
    "",
    output.styles.bold(`Meets others in the next 100 days: ${count(overlaps, "overlap")}, touches ${touches}`),
    ...renderTable(
      [
        { title: "AT", value: (one) => localText(one.localStart) },
        { title: "", value: (one) => one.relation.toLowerCase() },
        { title: "WITH", value: nameOf, style: (text, one) => (one.blocks ? output.styles.red(text) : text) },
        { title: "UTC", value: whenOf },
        { title: "BOTH REACH", value: reachOf, flexible: true },
      ],
      listed.slice(0, MOST_ROWS),
      { width: output.columns(), styles: output.styles },
    ),
    ...(rest > 0 ? [output.styles.dim(`and ${rest} more; --json lists up to 200`)] : []),
  ];
}

function nameOf(one: Conflict): string {
  const kind = one.kind === "MANUAL" ? "pause" : one.kind.toLowerCase();
  return `${kind} ${one.with}`;
}

function whenOf(one: Conflict): string {
  const until = instantOrNull(one.until);
  const heldUntil = instantOrNull(one.heldUntil);
  const held = `${formatUtcInstant(instantOf(one.heldFrom))} to ${heldUntil === null ? "no end" : formatUtcInstant(heldUntil)}`;
  return one.relation === "TOUCHES"
    ? `at ${formatUtcInstant(instantOf(one.from))}, held ${held}`
    : `${formatUtcInstant(instantOf(one.from))} to ${until === null ? "no end" : formatUtcInstant(until)}`;
}

/** The integrations with why the other side covers them; else the systems alone. */
function reachOf(one: Conflict): string {
  const [first] = one.paths;
  if (first === undefined) return one.systems.join(", ");
  const more = one.integrations > 1 ? ` and ${one.integrations - 1} more` : "";
  return `${first.integration} (${first.otherPath})${more}`;
}
