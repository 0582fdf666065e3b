import rrule from "rrule";
import { RRuleTemporal } from "rrule-temporal";
import { formatLocal, localAt, occurrences, offsetAt, resolveLocal, rfcInstant, type Zone } from "@quiesce/core";
import { instantsOfOccurrence, writeRule, type PlainRule } from "./slow-reference.js";

// The package is CommonJS: the named imports pass the compiler and crash plain Node.
const { RRule } = rrule;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** One recurrence put to us and to another library. Local times are fake UTC; `from` and `to` bound local times. */
export interface Question {
  readonly startMs: number;
  readonly zone: Zone;
  readonly timeZone: string;
  readonly rule: PlainRule;
  readonly from: number;
  readonly to: number;
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, index) => value === b[index]);
const ENDLESS = { count: undefined, untilInstant: undefined };
const changed = (a: PlainRule, b: PlainRule): boolean => writeRule(a) !== writeRule(b);

/** Our local times. */
export function ourLocals({ startMs, timeZone, rule, from, to }: Question): readonly number[] {
  const series = { start: formatLocal(startMs), duration: "PT1M", timeZone, rrule: writeRule(rule) };
  const locals = occurrences(series, { from: from - 2 * DAY, to: to + 2 * DAY }).map(({ localStart }) => Date.parse(`${localStart}Z`));
  return locals.filter((local) => local >= from && local < to).toSorted((a, b) => a - b);
}

/** Our instants: those of the local times in range, each once. */
export function ourInstants(question: Question): readonly number[] {
  const { startMs, timeZone, zone, rule, from, to } = question;
  const series = { start: formatLocal(startMs), timeZone, rrule: writeRule(rule) };
  return occurrences(series, { from: rfcInstant(from, zone), to: rfcInstant(to, zone) }).map(({ start }) => start);
}

/** rrule.js, floating (fake UTC) or with its own time zone (instants). */
export function rruleTimes({ startMs, timeZone, rule, from, to }: Question, reading: "floating" | "tzid"): readonly number[] {
  const options = { ...RRule.parseString(writeRule(rule)), dtstart: new Date(startMs), ...(reading === "tzid" ? { tzid: timeZone } : {}) };
  const times: number[] = [];
  new RRule(options, true).all((date) => {
    if (date.getTime() >= to + 2 * DAY) return false;
    times.push(date.getTime());
    return true;
  });
  return reading === "tzid" ? times : times.filter((local) => local >= from && local < to);
}

/** rrule-temporal: instants. */
export function rruleTemporalTimes({ startMs, timeZone, zone, rule, from, to }: Question): readonly number[] {
  const start = new Date(startMs).toISOString().replaceAll(/[-:]|\.000Z/g, "");
  const library = new RRuleTemporal({ rruleString: `DTSTART;TZID=${timeZone}:${start}\nRRULE:${writeRule(rule)}` });
  return library
    .between(new Date(rfcInstant(from, zone)), new Date(rfcInstant(to, zone) - 1), true)
    .map(({ epochMilliseconds }) => epochMilliseconds);
}

/** The same rule with its times of day in ascending order. */
function withSortedTimes(rule: PlainRule): PlainRule {
  return { ...rule, hours: rule.hours?.toSorted((a, b) => a - b), minutes: rule.minutes?.toSorted((a, b) => a - b) };
}

/** The same rule with each plain weekday beside a numbered one written as all of its numbers. */
function withAllNumbers(rule: PlainRule): PlainRule {
  if (rule.days?.some(({ nth }) => nth !== null) !== true) return rule;
  const numbers = rule.frequency === "YEARLY" && rule.months === undefined ? 53 : 5;
  const days = rule.days.flatMap((day) =>
    day.nth === null ? Array.from({ length: numbers }, (_, index) => ({ ...day, nth: index + 1 })) : [day],
  );
  return { ...rule, days };
}

/** What the library does with BYSETPOS, seen without COUNT and UNTIL; the name of the class, or null. */
function explainPositions(question: Question, asked: PlainRule): string | null {
  if (asked.positions === undefined) return null;
  const endless = { ...question, rule: { ...question.rule, ...ENDLESS } };
  const theirs = rruleTimes({ ...question, rule: { ...asked, ...ENDLESS } }, "floating");
  const ours = ourLocals(endless);
  const once = [...new Set(theirs)];
  if (theirs.length > once.length && same(once, ours)) return "one time twice";
  const weekday = (new Date(question.startMs).getUTCDay() + 6) % 7;
  const midnight = Math.floor(question.startMs / DAY) * DAY;
  const secondWeek = midnight + (7 - ((weekday - asked.weekStart + 7) % 7)) * DAY;
  const after = (times: readonly number[]): readonly number[] => times.filter((local) => local >= secondWeek);
  if (asked.frequency === "WEEKLY" && same(after(once), after(ours))) return "the first week begins with the start";
  // What it adds are times of the rule, and nothing that is ours is missing; with the last for the last but one we agree.
  const all = new Set(ourLocals({ ...endless, rule: { ...endless.rule, positions: undefined } }));
  const last = { ...ENDLESS, positions: [-1] };
  const agreesOnLast = same(
    rruleTimes({ ...question, rule: { ...asked, ...last } }, "floating"),
    ourLocals({ ...endless, rule: { ...endless.rule, ...last } }),
  );
  const isBefore = asked.positions.includes(-2) && agreesOnLast && once.every((local) => all.has(local));
  return isBefore && ours.every((local) => theirs.includes(local)) ? "a position before the first" : null;
}

/**
 * The classes that make floating rrule.js answer otherwise than we do; null when they do not explain it. A class is a
 * rewriting that leaves the meaning alone and makes the library agree, or an exact account of what it does.
 */
export function explainFloating(question: Question): readonly string[] | null {
  const ours = ourLocals(question);
  const { untilInstant = Number.POSITIVE_INFINITY } = question.rule;
  const isUpToUntil = (local: number): boolean => rfcInstant(local, question.zone) <= untilInstant;
  const classes: string[] = [];
  let asked = question.rule;
  let theirs = rruleTimes(question, "floating");
  const repairs: readonly (readonly [string, (rule: PlainRule) => PlainRule])[] = [
    ["UNTIL as a local time", (rule) => ({ ...rule, untilInstant: undefined })],
    ["times in the order written", withSortedTimes],
    ["plain and numbered weekdays at once", withAllNumbers],
  ];
  for (const [name, repair] of repairs) {
    if (same(theirs, ours)) return classes;
    const repaired = repair(asked);
    if (!changed(asked, repaired)) continue;
    const answer = rruleTimes({ ...question, rule: repaired }, "floating").filter(isUpToUntil);
    if (!same(answer, theirs)) classes.push(name);
    asked = repaired;
    theirs = answer;
  }
  if (same(theirs, ours)) return classes;
  const positions = explainPositions(question, asked);
  return positions === null ? null : [...classes, positions];
}

/** What rrule.js makes of a floating time in a zone: it takes the offset in force when UTC, not the zone, shows that time. */
export const rruleInstant = (local: number, zone: Zone): number => local - offsetAt(local, zone);

/** Our answer without the starts that clocks jump over, which COUNT then does not count. */
function withoutGaps(question: Question, startMs: number): readonly number[] {
  const { zone, rule, from, to } = question;
  const { count } = rule;
  const shown = ourLocals({ ...question, startMs, rule: { ...rule, count: undefined } }).filter(
    (local) => resolveLocal(local, zone).kind !== "gap",
  );
  const counted = count === undefined ? shown : shown.slice(0, count);
  return counted.map((local) => rfcInstant(local, zone)).filter((start) => start >= rfcInstant(from, zone) && start < rfcInstant(to, zone));
}

/** Whole intervals of elapsed hours from the start, on the days that the rule allows. */
function elapsedHours({ startMs, zone, rule, from, to }: Question): readonly number[] {
  const start = rfcInstant(startMs, zone);
  const found: number[] = [];
  // Without BYMINUTE the start itself steps; its minute need not stay where clocks change by half an hour.
  const minutes = rule.minutes?.toSorted((a, b) => a - b) ?? [0];
  const hourStart = rule.minutes === undefined ? start : start - new Date(startMs).getUTCMinutes() * 60_000;
  for (let hour = hourStart; hour < rfcInstant(to, zone); hour += rule.interval * HOUR) {
    const local = new Date(localAt(hour, zone));
    const length = new Date(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 0)).getUTCDate();
    const date = local.getUTCDate();
    if (rule.months?.includes(local.getUTCMonth() + 1) === false) continue;
    if (rule.days?.some(({ weekday }) => weekday === (local.getUTCDay() + 6) % 7) === false) continue;
    if (rule.monthDays?.some((day) => day === date || day === date - length - 1) === false) continue;
    const times = minutes.map((minute) => hour + minute * 60_000);
    const chosen = times.filter(
      (_, index) => rule.positions === undefined || rule.positions.some((at) => at === index + 1 || at === index - times.length),
    );
    found.push(...chosen.filter((time) => time >= start && time < rfcInstant(to, zone) && time <= (rule.untilInstant ?? time)));
  }
  return found.slice(0, rule.count).filter((time) => time >= rfcInstant(from, zone));
}

/** Whether our instants are those of our local times by a reading that shares nothing with ours; two days at the end of the range aside. */
function isReadAsDocumented(question: Question): boolean {
  const { startMs, timeZone } = question;
  const single = { startMs, lengthMs: 0, zone: timeZone, rule: null, excluded: [], added: [], policy: "rfc" } as const;
  const read = ourLocals(question).map((local) => instantsOfOccurrence(local, single).start);
  const inside = (instant: number): boolean => instant < rfcInstant(question.to, question.zone) - 2 * DAY;
  return same([...new Set(read)].toSorted((a, b) => a - b).filter(inside), ourInstants(question).filter(inside));
}

/** The class that makes rrule-temporal answer otherwise than we do; null when none explains it. Each is an exact account of what it does. */
export function explainTemporal(question: Question, theirs: readonly number[]): string | null {
  const { zone, startMs, rule } = question;
  if (same(theirs, ourInstants(question)) || !isReadAsDocumented(question)) return null;
  if (same(theirs, withoutGaps(question, startMs))) return "starts in a gap are left out";
  const moved = localAt(rfcInstant(startMs, zone), zone);
  if (moved !== startMs && same(theirs, withoutGaps(question, moved))) return "a start in a gap moves the series";
  // Positions are then those of what is left.
  const unchosen = { ...question, rule: { ...rule, positions: undefined } };
  const hasGap = ourLocals(unchosen).some((local) => resolveLocal(local, zone).kind === "gap");
  const whole = rule.positions !== undefined && hasGap ? rruleTemporalTimes(unchosen) : null;
  if (whole !== null && [startMs, moved].some((first) => same(whole, withoutGaps(unchosen, first)))) return "starts in a gap are left out";
  if (rule.frequency === "HOURLY" && same(theirs, elapsedHours(question))) return "hours as they pass";
  if (rule.frequency === "YEARLY" && rule.days?.some(({ nth }) => nth !== null) === true) {
    const numbered = { ...rule, days: rule.days.filter(({ nth }) => nth !== null), monthDays: undefined };
    if ([startMs, moved].some((first) => same(theirs, withoutGaps({ ...question, rule: numbered }, first))))
      return "only the numbered weekdays of a year";
  }
  if (question.timeZone !== "Africa/Casablanca") return null;
  // In 2019 it is UTC+1 with five weeks of UTC+0. Nothing is missing before the end of the range or UNTIL.
  const locals = ourLocals({ ...question, to: question.to + DAY, rule: { ...rule, untilInstant: undefined } });
  const isHourOff = theirs.every((instant, index) => [instant, instant + HOUR].includes(locals[index] ?? Number.NaN));
  const missing = locals[theirs.length] ?? Number.POSITIVE_INFINITY;
  const isWhole = missing > Math.min(rule.untilInstant ?? Number.POSITIVE_INFINITY, rfcInstant(question.to, zone) - 1);
  return isHourOff && isWhole ? "a short change of clocks is not seen" : null;
}
