import type { Output } from "../cli.js";
import { type GateHoldAnswer, instantOf, instantOrNull } from "../operations/shapes.js";
import { formatNearInstant, formatUntil } from "./format-time.js";
import { renderTable } from "./render-table.js";

/** A table of what holds: what, why, by whom, since and until when. */
export function renderReasons(
  by: readonly GateHoldAnswer[],
  options: { readonly now: number; readonly output: Output },
): readonly string[] {
  const { now, output } = options;
  return renderTable(
    [
      { title: "HELD BY", value: (hold) => hold.title, flexible: true },
      { title: "REASON", value: (hold) => hold.reason, flexible: true },
      { title: "OWNER", value: (hold) => hold.owner, flexible: true },
      { title: "SINCE", value: (hold) => formatNearInstant(instantOf(hold.since), now) },
      { title: "UNTIL", value: (hold) => formatUntil(instantOrNull(hold.until), now).replace(/^until /, "") },
    ],
    by,
    { width: output.columns(), styles: output.styles },
  );
}
