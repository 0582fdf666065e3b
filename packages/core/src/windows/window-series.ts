import { z } from "zod";
import { DomainError } from "../domain-error.js";
import { nominalLengthMs, parseDuration, type Duration } from "../time/duration.js";
import type { BusinessCalendar } from "../time/business-calendar.js";
import { DAY_MS, FIRST_YEAR, LAST_LOCAL_MS, LAST_YEAR, parseLocal, within } from "../time/local-time.js";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import type { VisitLocal } from "../time/recurrence-local-times.js";
import { parseRecurrenceRule, type RecurrenceRule } from "../time/recurrence-rule.js";
import { rfcInstant } from "../time/resolve-local.js";
import { requireZone, type ZoneData } from "../time/zone-data.js";
import type { Zone } from "../time/zone.js";
import {
  BUSINESS_PERIODS,
  businessDayEnd,
  type BusinessDayRule,
  compileBusinessDays,
  compileCalendar,
  type CompiledBusinessDays,
  HOLIDAY_SHIFTS,
  type HolidayShift,
  longestNominalMs,
  MAX_HOLIDAYS,
  MAX_ORDINALS,
} from "./business-days.js";
import { visitRuleStarts } from "./rule-starts.js";

/** How an occurrence on the night of a clock change is read; see `occurrences`. */
export const DST_POLICIES = ["cover", "rfc"] as const;
export type DstPolicy = (typeof DST_POLICIES)[number];

/**
 * A series of windows as it is stored: local times (`YYYY-MM-DDTHH:MM[:SS]`) beside their IANA zone. `end` is the local
 * end of the first occurrence, `duration` (`PT4H`, `P1D`) the alternative; with neither it is a series of starts alone.
 * Without `rrule` and `businessDays` it happens once, plus `rdates`. `exdates` are local starts that do not happen, also when in `rdates`.
 * Business days are all but the `weekend` and the `holidays`; a `calendar` is the name of a list of holidays, which `withHolidays` looks up.
 */
export interface WindowSeries {
  readonly start: string;
  readonly end?: string | undefined;
  readonly duration?: string | undefined;
  readonly timeZone: string;
  readonly rrule?: string | null | undefined;
  readonly exdates?: readonly string[] | undefined;
  readonly rdates?: readonly string[] | undefined;
  /** Default `cover`. */
  readonly dstPolicy?: DstPolicy | undefined;
  /** Instead of an `rrule`: counted business days of a period. */
  readonly businessDays?: BusinessDayRule | undefined;
  /** Beside an `rrule`: what becomes of its dates that are no business days. */
  readonly onHoliday?: HolidayShift | undefined;
  readonly weekend?: readonly string[] | undefined;
  /** Local dates, YYYY-MM-DD. */
  readonly holidays?: readonly string[] | undefined;
  /** The key of a holiday calendar. */
  readonly calendar?: string | undefined;
}

/** Of exception and additional dates each; a rule with more of them is several windows. */
export const MAX_EXCEPTION_DATES = 1_000;
const MAX_TEXT = 64;
// Long enough for what `validateWindowSeries` then refuses with a better message.
const MAX_RULE_TEXT = 4_096;

export const businessDaysSchema: z.ZodType<BusinessDayRule> = z.strictObject({
  of: z.enum(BUSINESS_PERIODS),
  ordinals: z.array(z.int()).max(MAX_ORDINALS),
  until: z.string().max(MAX_TEXT).optional(),
  ends: z.strictObject({ days: z.enum(["business", "calendar"]), ordinal: z.int(), period: z.enum(["same", "next"]) }).optional(),
});

/** The shape of a series at the edge. What the texts mean is checked by `compileSeries` and `validateWindowSeries`. */
export const windowSeriesSchema: z.ZodType<WindowSeries> = z.strictObject({
  start: z.string().max(MAX_TEXT),
  end: z.string().max(MAX_TEXT).optional(),
  duration: z.string().max(MAX_TEXT).optional(),
  timeZone: z.string().max(MAX_TEXT),
  rrule: z.string().max(MAX_RULE_TEXT).nullable().optional(),
  exdates: z.array(z.string().max(MAX_TEXT)).max(MAX_EXCEPTION_DATES).optional(),
  rdates: z.array(z.string().max(MAX_TEXT)).max(MAX_EXCEPTION_DATES).optional(),
  dstPolicy: z.enum(DST_POLICIES).optional(),
  businessDays: businessDaysSchema.optional(),
  onHoliday: z.enum(HOLIDAY_SHIFTS).optional(),
  weekend: z.array(z.string().max(MAX_TEXT)).max(7).optional(),
  holidays: z.array(z.string().max(MAX_TEXT)).max(MAX_HOLIDAYS).optional(),
  calendar: z.string().max(MAX_TEXT).optional(),
});

/** How long an occurrence lasts: to a local end that is so far from the local start, or for a duration, or it has no end. */
export type OccurrenceLength =
  | { readonly kind: "wall-clock"; readonly nominalMs: number }
  /** To a day that the calendar names; `nominalMs` is the most. */
  | { readonly kind: "to-day"; readonly endOf: (localMs: number) => number; readonly nominalMs: number }
  | { readonly kind: "duration"; readonly duration: Duration; readonly nominalMs: number }
  | { readonly kind: "none"; readonly nominalMs: 0 };

/** A parsed series. All local times are fake UTC ms. */
export interface CompiledSeries {
  readonly zone: Zone;
  readonly startMs: number;
  readonly length: OccurrenceLength;
  readonly rule: RecurrenceRule | null;
  readonly businessDays: CompiledBusinessDays | null;
  /** What becomes of the rule's dates that are no business days; null: nothing. */
  readonly shift: { readonly policy: HolidayShift; readonly calendar: BusinessCalendar } | null;
  /** No local start lies before it. */
  readonly earliestMs: number;
  /** UNTIL as an instant. */
  readonly untilInstant: number;
  readonly exdates: ReadonlySet<number>;
  /** Sorted, without repetition; with the start itself when there is no rule. */
  readonly rdates: readonly number[];
  readonly dstPolicy: DstPolicy;
}

function requireLocal(text: string, field: string): number {
  const localMs = parseLocal(text);
  if (localMs === null) {
    throw new DomainError(
      "QSC_WINDOW_LOCAL_TIME_MALFORMED",
      `"${text}" is not a local time. Expected YYYY-MM-DDTHH:MM or YYYY-MM-DDTHH:MM:SS, without a zone.`,
      { field },
    );
  }
  if (localMs < Date.UTC(FIRST_YEAR, 0, 1) || localMs > LAST_LOCAL_MS) {
    throw new DomainError(
      "QSC_WINDOW_LOCAL_TIME_OUT_OF_RANGE",
      `"${text}" is outside the years ${FIRST_YEAR} to ${LAST_YEAR} that recurrences are evaluated for.`,
      { field },
    );
  }
  return localMs;
}

function compileLength(series: WindowSeries, startMs: number): OccurrenceLength {
  if (series.end !== undefined && series.duration !== undefined) {
    throw new DomainError("QSC_WINDOW_END_AND_DURATION", "A window has an end or a duration, not both. Leave one out.", {
      field: "duration",
    });
  }
  if (series.end !== undefined) {
    const nominalMs = requireLocal(series.end, "end") - startMs;
    if (nominalMs <= 0)
      throw new DomainError(
        "QSC_WINDOW_EMPTY",
        `The end ${series.end} is not after the start ${series.start}. A window that crosses midnight ends on the next day.`,
        { field: "end" },
      );
    return { kind: "wall-clock", nominalMs };
  }
  if (series.duration === undefined) return { kind: "none", nominalMs: 0 };
  const duration = parseDuration(series.duration);
  if (duration === null) {
    throw new DomainError(
      "QSC_WINDOW_DURATION_MALFORMED",
      `"${series.duration}" is not a duration. Expected PT4H, PT90M, P1D, P1DT12H or P1W.`,
      { field: "duration" },
    );
  }
  const nominalMs = nominalLengthMs(duration);
  if (nominalMs === 0)
    throw new DomainError("QSC_WINDOW_EMPTY", "A window that lasts no time holds nothing. Give it a duration of at least a second.", {
      field: "duration",
    });
  return { kind: "duration", duration, nominalMs };
}

function compileUntil(rule: RecurrenceRule | null, zone: Zone): number {
  if (rule === null || rule.until === null) return Number.POSITIVE_INFINITY;
  return rule.until.kind === "instant" ? rule.until.instant : rfcInstant(rule.until.localMs, zone);
}

/** How long the occurrence at this local start lasts on the clock. */
export function nominalLengthOf(length: OccurrenceLength, localMs: number): number {
  return length.kind === "to-day" ? length.endOf(localMs) - localMs : length.nominalMs;
}

/** The length of a series whose end the calendar names. The end given is that of the first occurrence; its time of day is every end's. */
function compileDayLength(series: WindowSeries, businessDays: CompiledBusinessDays): OccurrenceLength | null {
  const { ends } = businessDays;
  if (ends === null) return null;
  if (series.end === undefined) {
    throw new DomainError(
      "QSC_WINDOW_BUSINESS_DAYS_MALFORMED",
      "An end by the calendar takes its time of day from the end of the first occurrence. Give that end.",
      {
        field: "end",
      },
    );
  }
  const timeOfDayMs = within(requireLocal(series.end, "end"), DAY_MS);
  const endOf = (localMs: number) => businessDayEnd(businessDays, ends, { localMs, timeOfDayMs });
  return { kind: "to-day", endOf, nominalMs: longestNominalMs(businessDays) };
}

function refuseRuleParts(series: WindowSeries): void {
  const hasRule = series.rrule !== undefined && series.rrule !== null;
  const refuse = (field: string, message: string) => new DomainError("QSC_WINDOW_BUSINESS_DAYS_MALFORMED", message, { field });
  if (series.businessDays !== undefined && hasRule)
    throw refuse("businessDays", "A window recurs by an rrule or by business days, not both. Leave one out.");
  if (series.onHoliday !== undefined && !hasRule)
    throw refuse("onHoliday", "Only the dates of an rrule are moved off holidays. Add one, or leave onHoliday out.");
  if (series.onHoliday !== undefined && !HOLIDAY_SHIFTS.includes(series.onHoliday))
    throw refuse("onHoliday", `"${series.onHoliday}" is nothing to do on a holiday. It is ${HOLIDAY_SHIFTS.join(", ")}.`);
  if (series.calendar !== undefined) {
    throw new DomainError("QSC_WINDOW_CALENDAR_UNKNOWN", `The holidays of the calendar "${series.calendar}" are not known here.`, {
      field: "calendar",
    });
  }
}

/**
 * The series with the holidays of its calendar in the calendar's place: what is evaluated needs nothing else. Throws QSC_WINDOW_CALENDAR_UNKNOWN
 * when it names a calendar that is not among those given.
 */
export function withHolidays(series: WindowSeries, calendars: ReadonlyMap<string, readonly string[]>): WindowSeries {
  const { calendar, ...rest } = series;
  if (calendar === undefined) return series;
  const dates = calendars.get(calendar);
  if (dates === undefined) {
    const known = calendars.size === 0 ? "There is none yet." : `Known: ${[...calendars.keys()].toSorted().slice(0, 20).join(", ")}.`;
    throw new DomainError("QSC_WINDOW_CALENDAR_UNKNOWN", `There is no holiday calendar "${calendar}". ${known}`, { field: "calendar" });
  }
  return { ...rest, holidays: [...(rest.holidays ?? []), ...dates] };
}

/** Parses a series. Throws DomainError QSC_WINDOW_... or QSC_TIME_ZONE_UNKNOWN with the field at fault. */
export function compileSeries(series: WindowSeries, zones: ZoneData = packagedZoneData()): CompiledSeries {
  const zone = requireZone(zones, series.timeZone);
  const startMs = requireLocal(series.start, "start");
  const dstPolicy = series.dstPolicy ?? "cover";
  if (!DST_POLICIES.includes(dstPolicy)) {
    throw new DomainError(
      "QSC_WINDOW_DST_POLICY_UNKNOWN",
      `"${dstPolicy}" is no policy for clock changes. They are ${DST_POLICIES.join(" and ")}.`,
      { field: "dstPolicy" },
    );
  }
  refuseRuleParts(series);
  const rule = series.rrule === undefined || series.rrule === null ? null : parseRecurrenceRule(series.rrule);
  const calendar = compileCalendar(series);
  const businessDays = series.businessDays === undefined ? null : compileBusinessDays(series.businessDays, calendar);
  const shift = series.onHoliday === undefined ? null : { policy: series.onHoliday, calendar };
  const added = (series.rdates ?? []).map((text, index) => requireLocal(text, `rdates.${index}`));
  if (rule === null && businessDays === null) added.push(startMs);
  const firstMs = shift?.policy === "previous" ? startMs - calendar.longestClosedMs : startMs;
  const wallClock = compileLength(series, startMs);
  return {
    zone,
    startMs,
    length: (businessDays === null ? null : compileDayLength(series, businessDays)) ?? wallClock,
    rule,
    businessDays,
    shift,
    earliestMs: Math.min(firstMs, ...added),
    untilInstant: compileUntil(rule, zone),
    exdates: new Set((series.exdates ?? []).map((text, index) => requireLocal(text, `exdates.${index}`))),
    rdates: [...new Set(added)].toSorted((a, b) => a - b),
    dstPolicy,
  };
}

/**
 * Visits the local starts (fake UTC ms) of a series from `fromMs` on, ascending and each once: those of its rule and the RDATEs, without the
 * EXDATEs. Stops when the visitor answers false.
 */
export function visitSeriesStarts(series: CompiledSeries, fromMs: number, visit: VisitLocal): void {
  const { rdates, exdates } = series;
  let going = true;
  let nextAdded = rdates.findIndex((localMs) => localMs >= fromMs);
  if (nextAdded < 0) nextAdded = rdates.length;
  const visitUnlessExcluded = (localMs: number): boolean => {
    if (going && !exdates.has(localMs)) going = visit(localMs);
    return going;
  };
  const visitAddedBefore = (limitMs: number): void => {
    for (let added = rdates[nextAdded]; added !== undefined && added < limitMs; added = rdates[nextAdded]) {
      nextAdded += 1;
      if (!visitUnlessExcluded(added)) return;
    }
  };
  visitRuleStarts(series, fromMs, (localMs) => {
    visitAddedBefore(localMs);
    if (rdates[nextAdded] === localMs) nextAdded += 1;
    return visitUnlessExcluded(localMs);
  });
  visitAddedBefore(Number.POSITIVE_INFINITY);
}
