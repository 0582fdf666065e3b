import { DAY_MS, formatLocal, LAST_LOCAL_MS, LAST_YEAR, MINUTE_MS, within } from "../time/local-time.js";
import { visitLocalTimes } from "../time/recurrence-local-times.js";
import { parseRecurrenceRule } from "../time/recurrence-rule.js";
import { localAt } from "../time/resolve-local.js";
import type { Zone } from "../time/zone.js";
import type { WindowSeries } from "../windows/window-series.js";
import { dayRules } from "./mute-timing-days.js";
import type { MuteRange, MuteTiming } from "./mute-timing.js";

const DAY_MINUTES = 1_440;
const ANY_YEAR: MuteRange = { begin: 1, end: LAST_YEAR };

/** What a mute timing is as windows; `over`: it names only years that have gone. */
export interface MuteTimingSeries {
  readonly series: readonly WindowSeries[];
  readonly over: boolean;
}

/** The times of day, merged; a night that had to be written as two of them is one again when every day is alike. */
function timesOf({ times, weekdays, daysOfMonth, months, years }: MuteTiming): readonly MuteRange[] {
  const merged: MuteRange[] = [];
  for (const range of (times ?? [{ begin: 0, end: DAY_MINUTES }]).toSorted((a, b) => a.begin - b.begin)) {
    const last = merged.at(-1);
    if (last !== undefined && range.begin <= last.end)
      merged[merged.length - 1] = { begin: last.begin, end: Math.max(last.end, range.end) };
    else merged.push(range);
  }
  const [first, last] = [merged[0], merged.at(-1)];
  const isEveryDay = weekdays === null && daysOfMonth === null && months === null && years === null;
  if (!isEveryDay || first === undefined || last === undefined || first === last || first.begin !== 0 || last.end !== DAY_MINUTES)
    return merged;
  return [...merged.slice(1, -1), { begin: last.begin, end: DAY_MINUTES + first.end }];
}

function firstTime(rule: string, fromMs: number, untilMs: number): number | null {
  let first: number | null = null;
  visitLocalTimes(parseRecurrenceRule(rule), fromMs, fromMs, (localMs) => {
    first = localMs <= untilMs ? localMs : null;
    return false;
  });
  return first;
}

/**
 * A mute timing as series of windows from today (in its own zone) on. Without clock changes they hold exactly the minutes that it mutes. On a night of a
 * clock change they hold those and up to the hour around the change, by the policy `cover`: a mute timing asks the wall clock minute by minute, and so
 * lets go in the middle of an hour that is told twice.
 */
export function muteTimingSeries(timing: MuteTiming, facts: { readonly now: number; readonly zone: Zone }): MuteTimingSeries {
  const nowMs = localAt(facts.now, facts.zone);
  const todayMs = nowMs - within(nowMs, DAY_MS);
  const years = (timing.years ?? [ANY_YEAR]).map(({ begin, end }) => ({
    beginMs: begin <= LAST_YEAR ? new Date(todayMs).setUTCFullYear(Math.max(begin, 1), 0, 1) : Number.POSITIVE_INFINITY,
    endMs: end >= LAST_YEAR ? LAST_LOCAL_MS : Date.UTC(end + 1, 0, 1) - 1_000,
  }));
  const ahead = years.filter(({ endMs, beginMs }) => endMs >= todayMs && beginMs <= LAST_LOCAL_MS);
  const series = timesOf(timing).flatMap((time) =>
    dayRules(timing, { wholeDays: time.begin === 0 && time.end === DAY_MINUTES }).flatMap(({ rule, days }) =>
      ahead.flatMap(({ beginMs, endMs }): readonly WindowSeries[] => {
        // What began on an earlier day may reach into today.
        const daysBack = days - 1 + (time.end > DAY_MINUTES ? 1 : 0);
        const fromMs = Math.max(todayMs - daysBack * DAY_MS, beginMs) + time.begin * MINUTE_MS;
        const startMs = firstTime(rule, fromMs, endMs);
        if (startMs === null) return [];
        const until = endMs === LAST_LOCAL_MS ? "" : `;UNTIL=${formatLocal(endMs).replaceAll(/[-:]/g, "")}`;
        const endsMs = startMs + (time.end - time.begin) * MINUTE_MS + (days - 1) * DAY_MS;
        return [{ start: formatLocal(startMs), end: formatLocal(endsMs), timeZone: timing.timeZone, rrule: `${rule}${until}` }];
      }),
    ),
  );
  return { series, over: ahead.length === 0 };
}
