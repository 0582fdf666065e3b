import { useMemo } from "react";
import { FormattedMessage, useIntl } from "react-intl";
import { useLiveQuery } from "../app/live.js";
import { useTimes } from "../app/times.js";
import { Button } from "../components/button.js";
import type { Preview } from "./preview.js";
import { SlotsDocument, type SlotsQueryVariables } from "./slots.generated.js";
import type { WindowInput } from "./window-form.js";

/** Local times, as 2026-12-10T01:00. */
export interface Slot {
  readonly start: string;
  readonly end: string;
}

const MINUTE_MS = 60_000;
/** The search takes lengths by five minutes. */
const STEP_MINUTES = 5;
/** The longest that the search takes; what lasts longer has no quiet time. */
const MAX_MINUTES = 7 * 24 * 60;
const WITHIN_DAYS = 30;

/** Where a window meets others: the quietest time at which it would meet none, and the way to take it. */
export function FreeSlot({
  input,
  preview,
  onTake,
}: {
  readonly input: WindowInput;
  readonly preview: Preview;
  readonly onTake: ((slot: Slot) => void) | null;
}) {
  const intl = useIntl();
  const times = useTimes();
  const search = useSearch(input, preview);
  const { data } = useLiveQuery(SlotsDocument, { search: search ?? unasked }, { isPaused: search === null });
  const slot = search === null ? undefined : data?.maintenanceSlots.slots[0];
  if (slot === undefined) return null;
  const zone = input.series.timeZone;
  const day = intl.formatDate(slot.startsAt, { timeZone: zone, day: "numeric", month: "long" });
  return (
    <p>
      <FormattedMessage id="windows.conflict.slot" values={{ day, start: times.clock(slot.startsAt, zone) }} />{" "}
      {onTake === null ? null : (
        <Button onPress={() => onTake({ start: slot.localStart.slice(0, 16), end: slot.localEnd.slice(0, 16) })}>
          <FormattedMessage id="windows.conflict.take" />
        </Button>
      )}
    </p>
  );
}

type Search = SlotsQueryVariables["search"];
/** Stands for the variables of a question that is not asked. */
const unasked: Search = { scope: {}, timeZone: "UTC", durationMinutes: STEP_MINUTES };

/** Null where nothing is met, or where it lasts too long to be placed. */
function useSearch(input: WindowInput, preview: Preview): Search | null {
  const [first] = preview.occurrences;
  const lengthMs = first === undefined ? 0 : Date.parse(first.endsAt) - Date.parse(first.startsAt);
  const minutes = Math.ceil(lengthMs / MINUTE_MS / STEP_MINUTES) * STEP_MINUTES;
  const isWanted = preview.conflicts.listed.length > 0 && minutes > 0 && minutes <= MAX_MINUTES;
  const scope = JSON.stringify(input.scope);
  return useMemo(
    () =>
      isWanted
        ? {
            scope: JSON.parse(scope) as Search["scope"],
            timeZone: input.series.timeZone,
            durationMinutes: minutes,
            withinDays: WITHIN_DAYS,
            limit: 1,
          }
        : null,
    [isWanted, scope, input.series.timeZone, minutes],
  );
}
