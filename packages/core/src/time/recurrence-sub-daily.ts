import { DAY_MS, HOUR_MS, LAST_LOCAL_MS, MINUTE_MS, SECOND_MS, within } from "./local-time.js";
import { choosePositions, dayFilter, startOfDay } from "./recurrence-days.js";
import type { RecurrenceRule } from "./recurrence-rule.js";

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));

/** The offsets from the start of a period (hour, minute or second) at which the rule falls in it: BYMINUTE and BYSECOND expand a longer period. */
function timesInPeriod(rule: RecurrenceRule, unitMs: number, firstMs: number): readonly number[] {
  const minutes = unitMs === HOUR_MS ? (rule.byMinute ?? [Math.floor(within(firstMs, HOUR_MS) / MINUTE_MS)]) : [0];
  const seconds = unitMs >= MINUTE_MS ? (rule.bySecond ?? [Math.floor(within(firstMs, MINUTE_MS) / SECOND_MS)]) : [0];
  const times = minutes.flatMap((minute) => seconds.map((second) => minute * MINUTE_MS + second * SECOND_MS));
  return choosePositions(times, rule.bySetPosition);
}

/** Whether a period that starts at this time of day passes the parts that limit it. */
function passesLimits(rule: RecurrenceRule, unitMs: number, timeOfDayMs: number): boolean {
  const hour = Math.floor(timeOfDayMs / HOUR_MS);
  const minute = Math.floor((timeOfDayMs % HOUR_MS) / MINUTE_MS);
  const second = Math.floor((timeOfDayMs % MINUTE_MS) / SECOND_MS);
  return (
    (rule.byHour?.includes(hour) ?? true) &&
    (unitMs >= HOUR_MS || (rule.byMinute?.includes(minute) ?? true)) &&
    (unitMs >= MINUTE_MS || (rule.bySecond?.includes(second) ?? true))
  );
}

const UNIT_MS = { HOURLY: HOUR_MS, MINUTELY: MINUTE_MS, SECONDLY: SECOND_MS } as const;

/**
 * HOURLY, MINUTELY and SECONDLY rules: whole intervals on the wall clock from the period of DTSTART, day by day. The
 * arithmetic is ours because the library's walk never ends when its steps never meet BYHOUR.
 */
export function visitSubDailyTimes(input: {
  readonly rule: RecurrenceRule;
  readonly frequency: keyof typeof UNIT_MS;
  readonly firstMs: number;
  readonly fromMs: number;
  readonly visit: (localMs: number) => boolean;
}): void {
  const { rule, firstMs, visit } = input;
  const unitMs = UNIT_MS[input.frequency];
  const stepMs = rule.interval * unitMs;
  const originMs = firstMs - within(firstMs, unitMs);
  const inPeriod = timesInPeriod(rule, unitMs, firstMs);
  // Steps meet the times of day that differ from the first by a multiple of this, and no others, however long they go on.
  const meetsEveryMs = greatestCommonDivisor(stepMs, DAY_MS);
  let meetsSome = false;
  for (let time = within(originMs, meetsEveryMs); time < DAY_MS && !meetsSome; time += meetsEveryMs)
    meetsSome = passesLimits(rule, unitMs, time);
  if (!meetsSome || inPeriod.length === 0) return;

  const matches = dayFilter(rule);
  for (let day = startOfDay(Math.max(firstMs, input.fromMs)); day <= LAST_LOCAL_MS; day += DAY_MS) {
    if (!matches(day)) continue;
    const steps = Math.max(0, Math.ceil((day - originMs) / stepMs));
    for (let period = originMs + steps * stepMs; period < day + DAY_MS; period += stepMs) {
      if (!passesLimits(rule, unitMs, period - day)) continue;
      for (const time of inPeriod) {
        if (period + time >= firstMs && !visit(period + time)) return;
      }
    }
  }
}
