import { CronExpressionParser } from "cron-parser";
import { DomainError } from "../domain-error.js";

/** A cron expression of five fields, as the local times that it names. Lists are ascending. */
export interface CronExpression {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Index 1 to 31. */
  readonly daysOfMonth: readonly boolean[];
  /** Index 1 to 12. */
  readonly months: readonly boolean[];
  /** Index 0 (Sunday) to 6. */
  readonly daysOfWeek: readonly boolean[];
  /** Vixie: when both day fields are restricted a day matches either, else both. A field that begins with `*` is not restricted, also one with a step. */
  readonly matchesEitherDay: boolean;
  /** The hour field holds a wildcard or a step: such a schedule counts hours as they pass, fixed hours name times of day. */
  readonly everyPass: boolean;
}

const FIELD_NAMES = ["minute", "hour", "day of month", "month", "day of week"] as const;
const FIELD_TEXT = /^[0-9A-Za-z*,/-]+$/;
/** `5/15`: some crons read 5 alone, others from 5 on. */
const STEP_WITHOUT_RANGE = /(?:^|,)(\d+)\/\d+/;
const MAX_CHARACTERS = 256;

function malformed(expression: string, problem: string): DomainError {
  return new DomainError(
    "QSC_SCHEDULE_CRON_MALFORMED",
    `The cron expression "${expression}" cannot be read: ${problem}. Expected five fields: minute, hour, day of month, month, day of week, such as "30 2 * * 1-5".`,
    { field: "expression" },
  );
}

function flags(size: number, values: readonly number[]): readonly boolean[] {
  const list = Array.from({ length: size }, () => false);
  for (const value of values) list[value] = true;
  return list;
}

function numbers(values: readonly unknown[]): readonly number[] {
  return [...new Set(values.filter((value) => typeof value === "number"))].toSorted((a, b) => a - b);
}

/** Parses five cron fields with Vixie's meaning. Throws DomainError QSC_SCHEDULE_CRON_MALFORMED. Seconds, `@daily`, `L`, `W`, `#`, `?` and `H` are refused. */
export function parseCronExpression(expression: string): CronExpression {
  if (expression.length > MAX_CHARACTERS) throw malformed(`${expression.slice(0, 32)}...`, `it has more than ${MAX_CHARACTERS} characters`);
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== FIELD_NAMES.length)
    throw malformed(expression, `it has ${fields.length} ${fields.length === 1 ? "field" : "fields"}`);
  fields.forEach((field, index) => {
    const isWord = index >= 3;
    if (
      !FIELD_TEXT.test(field) ||
      (!isWord && /[A-Za-z]/.test(field)) ||
      /(?:^|[^A-Za-z])(?:L|W|H)|\dL/i.test(field.replaceAll(/[A-Za-z]{3}/g, ""))
    ) {
      throw malformed(expression, `the ${FIELD_NAMES[index]} "${field}" holds something other than numbers, names, * , - and /`);
    }
    const step = STEP_WITHOUT_RANGE.exec(field);
    if (step !== null)
      throw malformed(
        expression,
        `the ${FIELD_NAMES[index]} "${field}" steps from a single number, which crons read differently; write a range such as ${step[1]}-${[59, 23, 31, 12, 6][index]}`,
      );
  });
  const [, hour = "", dayOfMonth = "", , dayOfWeek = ""] = fields;
  try {
    // The library is a parser here. It is given an instant because it would read the clock.
    const parsed = CronExpressionParser.parse(fields.join(" "), { currentDate: new Date(0), tz: "UTC" }).fields;
    return {
      minutes: numbers(parsed.minute.values),
      hours: numbers(parsed.hour.values),
      daysOfMonth: flags(32, numbers(parsed.dayOfMonth.values)),
      months: flags(13, numbers(parsed.month.values)),
      daysOfWeek: flags(
        7,
        numbers(parsed.dayOfWeek.values).map((day) => day % 7),
      ),
      matchesEitherDay: !dayOfMonth.startsWith("*") && !dayOfWeek.startsWith("*"),
      everyPass: /[*/]/.test(hour),
    };
  } catch (error) {
    throw malformed(expression, error instanceof Error ? error.message : String(error));
  }
}

/** Whether the expression names some time on the day of this midnight (fake UTC ms). */
export function cronMatchesDay(cron: CronExpression, dayMs: number): boolean {
  const date = new Date(dayMs);
  if (cron.months[date.getUTCMonth() + 1] !== true) return false;
  const dayOfMonth = cron.daysOfMonth[date.getUTCDate()] === true;
  const dayOfWeek = cron.daysOfWeek[date.getUTCDay()] === true;
  return cron.matchesEitherDay ? dayOfMonth || dayOfWeek : dayOfMonth && dayOfWeek;
}
