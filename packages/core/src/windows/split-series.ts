import { DomainError } from "../domain-error.js";
import { DAY_MS, formatLocal, parseLocal } from "../time/local-time.js";
import type { RecurrenceRule } from "../time/recurrence-rule.js";
import { withRulePart } from "../time/recurrence-refusals.js";
import { visitLocalTimes } from "../time/recurrence-local-times.js";
import { rfcInstant } from "../time/resolve-local.js";
import type { ZoneData } from "../time/zone-data.js";
import { movedOffHoliday, visitNominalStarts, visitRuleStarts } from "./rule-starts.js";
import { type CompiledSeries, compileSeries, visitSeriesStarts, type WindowSeries } from "./window-series.js";

/** A series taken apart: what lies before a local start, and it with what follows. */
export interface SplitSeries {
  readonly first: WindowSeries;
  readonly second: WindowSeries;
}

/** Two starts further apart than this keep their order as instants, whatever the clocks do. */
const CLOCKS_MOVE_AT_MOST_MS = 2 * DAY_MS;

/** What one half recurs by. */
type Recurrence = Pick<WindowSeries, "start" | "rrule" | "businessDays" | "rdates">;
interface Halves {
  /** null: nothing of the rule. */
  readonly first: Pick<WindowSeries, "start" | "rrule" | "businessDays"> | null;
  readonly second: Pick<WindowSeries, "start" | "rrule" | "businessDays"> | null;
}

function refuse(message: string): DomainError {
  return new DomainError("QSC_WINDOW_SPLIT_IMPOSSIBLE", message, { field: "localStart" });
}

function firstStart(series: CompiledSeries): number | null {
  let first: number | null = null;
  visitSeriesStarts(series, series.earliestMs, (localMs) => {
    first = localMs;
    return false;
  });
  return first;
}

function isStart(series: CompiledSeries, atMs: number): boolean {
  let found = false;
  visitSeriesStarts(series, atMs, (localMs) => {
    found = localMs === atMs;
    return false;
  });
  return found;
}

/** The first start of business days from `atMs` on, and whether there is one before it. */
function splitBusinessDays(series: WindowSeries, compiled: CompiledSeries, atMs: number): Halves {
  const { businessDays } = series;
  let last: number | null = null;
  let next: number | null = null;
  visitRuleStarts(compiled, compiled.startMs, (localMs) => {
    if (localMs < atMs) last = localMs;
    else next = localMs;
    return next === null;
  });
  if (businessDays === undefined) return { first: null, second: null };
  return {
    first: last === null ? null : { start: series.start, businessDays: { ...businessDays, until: formatLocal(last) } },
    second: next === null ? null : { start: formatLocal(next), businessDays },
  };
}

/** The dates of the rule around the split: how many happen before it, the latest instant of these, and the first date of the rest. */
function countDates(compiled: CompiledSeries & { readonly rule: RecurrenceRule }, atMs: number) {
  let latest = Number.NEGATIVE_INFINITY;
  let count = 0;
  let next: number | null = null;
  let isMixed = false;
  visitNominalStarts(compiled, compiled.startMs, (nominalMs) => {
    const localMs = movedOffHoliday(compiled, nominalMs);
    if (next !== null) {
      if (localMs !== null && localMs < atMs) isMixed = true;
      return nominalMs < next + (compiled.shift?.calendar.longestClosedMs ?? 0);
    }
    if ((localMs ?? nominalMs) >= atMs) next = nominalMs;
    else {
      count += 1;
      latest = Math.max(latest, rfcInstant(nominalMs, compiled.zone));
    }
    return true;
  });
  if (isMixed) throw refuse("Dates that are moved off holidays pass each other here. Split at the first start of that day.");
  return { latest, count, next };
}

/** UNTIL for what lies before, where it parts the instants cleanly; a clock change may put later local times at the same instant, then null. */
function untilBefore(compiled: CompiledSeries & { readonly rule: RecurrenceRule }, latest: number, nextMs: number): string | null {
  const { zone, rule } = compiled;
  if (rule.count !== null || latest === Number.NEGATIVE_INFINITY) return null;
  let earliest = Number.POSITIVE_INFINITY;
  visitLocalTimes(rule, compiled.startMs, nextMs, (localMs) => {
    earliest = Math.min(earliest, rfcInstant(localMs, zone));
    return localMs < nextMs + CLOCKS_MOVE_AT_MOST_MS;
  });
  if (latest >= earliest) return null;
  return `${new Date(latest).toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;
}

function splitRule(series: WindowSeries, compiled: CompiledSeries & { readonly rule: RecurrenceRule }, atMs: number): Halves {
  const text = series.rrule ?? "";
  const { latest, count, next } = countDates(compiled, atMs);
  const until = next === null ? null : untilBefore(compiled, latest, next);
  const ended =
    until === null ? withRulePart(withRulePart(text, "UNTIL", null), "COUNT", String(count)) : withRulePart(text, "UNTIL", until);
  const left = compiled.rule.count === null ? text : withRulePart(text, "COUNT", String(compiled.rule.count - count));
  return {
    first: count === 0 ? null : { start: series.start, rrule: ended },
    second: next === null ? null : { start: formatLocal(next), rrule: left },
  };
}

/** One half as a series. A half without dates of the rule happens at its additional dates alone. */
function half(
  series: WindowSeries,
  recurrence: Halves["first"],
  lists: { readonly rdates: readonly string[]; readonly exdates: readonly string[] },
): WindowSeries {
  const { start: _start, end: _end, rrule: _rrule, businessDays: _days, onHoliday, rdates: _rdates, exdates: _exdates, ...rest } = series;
  const [firstDate, ...furtherDates] = lists.rdates;
  const recurs: Recurrence | null =
    recurrence === null
      ? firstDate === undefined
        ? null
        : { start: firstDate, rdates: furtherDates }
      : { ...recurrence, rdates: lists.rdates };
  if (recurs === null) throw refuse("There is nothing on one side of the split.");
  const { start, rdates = [], ...rule } = recurs;
  return {
    ...rest,
    start,
    ...endFrom(series, start),
    ...rule,
    ...(onHoliday !== undefined && rule.rrule !== undefined ? { onHoliday } : {}),
    ...(rdates.length === 0 ? {} : { rdates }),
    ...(lists.exdates.length === 0 ? {} : { exdates: lists.exdates }),
  };
}

/** The end moves with the start: the length on the clock, or the time of day of an end by the calendar, stays. */
function endFrom(series: WindowSeries, start: string): Pick<WindowSeries, "end"> {
  const from = parseLocal(series.start);
  const to = parseLocal(start);
  const end = series.end === undefined ? null : parseLocal(series.end);
  return from === null || to === null || end === null ? {} : { end: formatLocal(to + end - from) };
}

/**
 * Takes a series apart at one of its local starts: `first` holds every occurrence before it, `second` it and what follows. Their occurrences are
 * together those of the series. Throws QSC_WINDOW_SPLIT_IMPOSSIBLE when the local start is none of the series', or its first.
 */
export function splitSeries(series: WindowSeries, localStart: string, zones?: ZoneData): SplitSeries {
  const compiled = compileSeries(series, zones);
  const atMs = parseLocal(localStart);
  if (atMs === null || !isStart(compiled, atMs))
    throw refuse(`The window has no occurrence that starts at ${localStart}. Take the local start of one that is listed.`);
  if (firstStart(compiled) === atMs) throw refuse(`${localStart} is the first occurrence of the window: change the whole window instead.`);
  const { rule } = compiled;
  const halves: Halves =
    series.businessDays !== undefined
      ? splitBusinessDays(series, compiled, atMs)
      : rule !== null
        ? splitRule(series, { ...compiled, rule }, atMs)
        : { first: null, second: null };
  // Without a rule the start is an additional date like the others.
  const added = rule === null && series.businessDays === undefined ? [series.start, ...(series.rdates ?? [])] : (series.rdates ?? []);
  const isBefore = (text: string): boolean => (parseLocal(text) ?? 0) < atMs;
  const sorted = (texts: readonly string[]) => [...new Set(texts)].toSorted((a, b) => (parseLocal(a) ?? 0) - (parseLocal(b) ?? 0));
  const dates = sorted(added);
  const excluded = sorted(series.exdates ?? []);
  return {
    first: half(series, halves.first, { rdates: dates.filter(isBefore), exdates: excluded.filter(isBefore) }),
    second: half(series, halves.second, {
      rdates: dates.filter((text) => !isBefore(text)),
      exdates: excluded.filter((text) => !isBefore(text)),
    }),
  };
}
