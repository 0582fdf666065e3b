import { DomainError, speaksForAll } from "@quiesce/core";
import type { OccurrenceRow, WindowRow } from "./table.js";

/** What was approved are these times. Inside them anybody may plan less; outside, only who could approve it alone. */
export function refuseUnapprovedMove(
  window: WindowRow,
  one: OccurrenceRow,
  input: { readonly actor: string; readonly startsAt: number; readonly endsAt: number },
): void {
  const isInside = input.startsAt >= one.startsAt && input.endsAt <= one.endsAt;
  if (window.approval === null || window.approval.state !== "approved" || isInside || speaksForAll(window.approval, input.actor)) return;
  throw new DomainError(
    "QSC_WINDOW_MOVE_UNAPPROVED",
    `The window "${window.key}" is approved at ${one.localStart} and "${input.actor}" cannot approve another time alone. Ask somebody who can, or change the series to ask again.`,
    { field: "start" },
  );
}
