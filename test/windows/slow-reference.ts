/**
 * A direct reading of RFC 5545 and of the semantics of windows, as slow as it is plain: day by day, with the zone rules
 * of Intl. It shares nothing with the engine but the questions.
 */

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
/** Clocks change on whole quarters of an hour in the years that the tests use. */
const SLOT = 15 * MINUTE;

export interface PlainRule {
  readonly frequency: "YEARLY" | "MONTHLY" | "WEEKLY" | "DAILY" | "HOURLY";
  readonly interval: number;
  readonly weekStart: number;
  readonly count?: number | undefined;
  readonly untilInstant?: number | undefined;
  readonly months?: readonly number[] | undefined;
  readonly monthDays?: readonly number[] | undefined;
  readonly days?: readonly { readonly weekday: number; readonly nth: number | null }[] | undefined;
  readonly hours?: readonly number[] | undefined;
  readonly minutes?: readonly number[] | undefined;
  readonly positions?: readonly number[] | undefined;
}

export interface PlainSeries {
  readonly startMs: number;
  readonly lengthMs: number;
  readonly zone: string;
  readonly rule: PlainRule | null;
  readonly excluded: readonly number[];
  readonly added: readonly number[];
  readonly policy: "cover" | "rfc";
}

export const WEEKDAY_NAMES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;

/** The rule as text. */
export function writeRule(rule: PlainRule): string {
  const parts = [`FREQ=${rule.frequency}`, `INTERVAL=${rule.interval}`, `WKST=${WEEKDAY_NAMES[rule.weekStart]}`];
  if (rule.count !== undefined) parts.push(`COUNT=${rule.count}`);
  if (rule.untilInstant !== undefined) parts.push(`UNTIL=${new Date(rule.untilInstant).toISOString().replaceAll(/[-:]|\.000/g, "")}`);
  if (rule.months !== undefined) parts.push(`BYMONTH=${rule.months.join(",")}`);
  if (rule.monthDays !== undefined) parts.push(`BYMONTHDAY=${rule.monthDays.join(",")}`);
  if (rule.days !== undefined) parts.push(`BYDAY=${rule.days.map((day) => `${day.nth ?? ""}${WEEKDAY_NAMES[day.weekday]}`).join(",")}`);
  if (rule.hours !== undefined) parts.push(`BYHOUR=${rule.hours.join(",")}`);
  if (rule.minutes !== undefined) parts.push(`BYMINUTE=${rule.minutes.join(",")}`);
  if (rule.positions !== undefined) parts.push(`BYSETPOS=${rule.positions.join(",")}`);
  return parts.join(";");
}

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

function intlOffset(instant: number, zone: string): number {
  const slot = Math.floor(instant / SLOT) * SLOT;
  const key = `${zone}/${slot}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    formats.set(zone, format);
  }
  const fields = Object.fromEntries(format.formatToParts(slot).map((part) => [part.type, Number(part.value)]));
  const offset = Date.UTC(fields.year ?? 0, (fields.month ?? 1) - 1, fields.day, fields.hour, fields.minute, fields.second) - slot;
  offsets.set(key, offset);
  return offset;
}

/** The instants of a local time, and the jump over it when there is none. */
export function instantsOf(
  local: number,
  zone: string,
): { readonly instants: readonly number[]; readonly jump: number; readonly offsetBefore: number; readonly gap: number } {
  const seen = new Set<number>();
  for (let at = local - 36 * HOUR; at <= local + 36 * HOUR; at += HOUR) seen.add(intlOffset(at, zone));
  const instants = [...seen].map((offset) => local - offset).filter((instant) => instant + intlOffset(instant, zone) === local);
  if (instants.length > 0) return { instants: instants.toSorted((a, b) => a - b), jump: 0, offsetBefore: 0, gap: 0 };
  for (let at = Math.floor((local - 36 * HOUR) / SLOT) * SLOT; ; at += SLOT) {
    const before = intlOffset(at - SLOT, zone);
    const after = intlOffset(at, zone);
    if (at + before <= local && local < at + after) return { instants: [], jump: at, offsetBefore: before, gap: after - before };
  }
}

function rfc(local: number, zone: string): number {
  const { instants, offsetBefore } = instantsOf(local, zone);
  return instants[0] ?? local - offsetBefore;
}

const monthLength = (year: number, month: number): number => new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
const weekdayOf = (local: number): number => (new Date(local).getUTCDay() + 6) % 7;

/** A number that days of the same period share and that counts periods. */
function periodOf(local: number, rule: PlainRule): number {
  const date = new Date(local);
  if (rule.frequency === "YEARLY") return date.getUTCFullYear();
  if (rule.frequency === "MONTHLY") return date.getUTCFullYear() * 12 + date.getUTCMonth();
  if (rule.frequency === "WEEKLY") return Math.floor((Math.floor(local / DAY) + 3 - rule.weekStart) / 7);
  return Math.floor(local / (rule.frequency === "DAILY" ? DAY : HOUR));
}

function matchesDay(day: number, rule: PlainRule, startMs: number): boolean {
  const date = new Date(day);
  const start = new Date(startMs);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  const dayOfMonth = date.getUTCDate();
  const length = monthLength(year, month);
  if (rule.months !== undefined && !rule.months.includes(month + 1)) return false;
  if (rule.monthDays !== undefined && !rule.monthDays.includes(dayOfMonth) && !rule.monthDays.includes(dayOfMonth - length - 1))
    return false;
  if (rule.days !== undefined) {
    const inYear = rule.frequency === "YEARLY" && rule.months === undefined;
    const index = inYear ? (day - Date.UTC(year, 0, 1)) / DAY : dayOfMonth - 1;
    const total = inYear ? (Date.UTC(year + 1, 0, 1) - Date.UTC(year, 0, 1)) / DAY : length;
    const nth = Math.floor(index / 7) + 1;
    const fromEnd = -(Math.floor((total - 1 - index) / 7) + 1);
    if (
      !rule.days.some(
        (wanted) => wanted.weekday === weekdayOf(day) && (wanted.nth === null || wanted.nth === nth || wanted.nth === fromEnd),
      )
    )
      return false;
  }
  if (rule.days === undefined && rule.monthDays === undefined) {
    if (rule.frequency === "WEEKLY" && weekdayOf(day) !== weekdayOf(startMs)) return false;
    if ((rule.frequency === "YEARLY" || rule.frequency === "MONTHLY") && dayOfMonth !== start.getUTCDate()) return false;
    if (rule.frequency === "YEARLY" && rule.months === undefined && month !== start.getUTCMonth()) return false;
  }
  return true;
}

/** The local times of a rule up to `lastMs`, whole periods at a time. */
function ruleTimes(rule: PlainRule, startMs: number, zone: string, lastMs: number): readonly number[] {
  const start = new Date(startMs);
  const startPeriod = periodOf(startMs, rule);
  const byPeriod = new Map<number, number[]>();
  const firstDay = Math.floor(startMs / DAY) * DAY - 370 * DAY;
  const hours = rule.hours ?? (rule.frequency === "HOURLY" ? Array.from({ length: 24 }, (_, hour) => hour) : [start.getUTCHours()]);
  const minutes = rule.minutes ?? [start.getUTCMinutes()];
  for (let day = firstDay; day <= lastMs + 370 * DAY; day += DAY) {
    if (!matchesDay(day, rule, startMs)) continue;
    for (const hour of hours) {
      for (const minute of minutes) {
        const local = day + hour * HOUR + minute * MINUTE;
        const period = periodOf(local, rule);
        if (period < startPeriod || (period - startPeriod) % rule.interval !== 0) continue;
        const times = byPeriod.get(period) ?? [];
        times.push(local);
        byPeriod.set(period, times);
      }
    }
  }
  let found: number[] = [];
  for (const times of [...byPeriod.entries()].toSorted((a, b) => a[0] - b[0]).map(([, list]) => list.toSorted((a, b) => a - b))) {
    const chosen =
      rule.positions === undefined
        ? times
        : times.filter((_, index) => rule.positions?.includes(index + 1) || rule.positions?.includes(index - times.length));
    found.push(...chosen.filter((local) => local >= startMs));
  }
  if (rule.count !== undefined) found = found.slice(0, rule.count);
  const { untilInstant } = rule;
  if (untilInstant !== undefined) found = found.filter((local) => rfc(local, zone) <= untilInstant);
  return found.filter((local) => local <= lastMs);
}

export function localStarts(series: PlainSeries, lastMs: number): readonly number[] {
  const fromRule = series.rule === null ? [series.startMs] : ruleTimes(series.rule, series.startMs, series.zone, lastMs);
  const all = new Set([...fromRule, ...series.added]);
  for (const excluded of series.excluded) all.delete(excluded);
  return [...all].filter((local) => local <= lastMs).toSorted((a, b) => a - b);
}

/** The two readings and their hull, in the words of the documentation. */
export function instantsOfOccurrence(
  local: number,
  series: PlainSeries,
): { readonly local: number; readonly start: number; readonly end: number } {
  const { zone, lengthMs } = series;
  const rfcStart = rfc(local, zone);
  if (lengthMs === 0) return { local, start: rfcStart, end: rfcStart };
  let rfcEnd = rfc(local + lengthMs, zone);
  if (rfcEnd <= rfcStart) rfcEnd = rfcStart + lengthMs;
  if (series.policy === "rfc") return { local, start: rfcStart, end: rfcEnd };
  const start = instantsOf(local, zone);
  const end = instantsOf(local + lengthMs, zone);
  const wallStart = start.instants[0] ?? start.jump;
  let wallEnd = end.instants.at(-1) ?? end.jump + (local + lengthMs - (end.jump + end.offsetBefore));
  if (wallEnd <= wallStart) wallEnd = wallStart + lengthMs;
  return { local, start: Math.min(rfcStart, wallStart), end: Math.max(rfcEnd, wallEnd) };
}
