import { DAY_MS, parseLocal } from "../time/local-time.js";
import { resolveLocal } from "../time/resolve-local.js";
import type { ZoneData } from "../time/zone-data.js";
import type { Zone } from "../time/zone.js";
import { type OccurrenceInstants, occurrenceInstants, occurrenceInstantsBetween } from "../windows/occurrences.js";
import { type CompiledSeries, compileSeries, visitSeriesStarts, type WindowSeries } from "../windows/window-series.js";
import { instantProperty, type JCalComponent, type JCalParameters, jcalTime, type JCalProperty, textProperty } from "./jcal.js";
import { readableRule } from "./readable-rule.js";

/** What somebody changed about one occurrence, by its local start; instants in epoch ms. */
export interface OccurrenceChange {
  readonly localStart: string;
  readonly cancelled: boolean;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly at: number;
}

/** A window as a calendar shows it. */
export interface CalendarWindow {
  /** Names it in calendars for ever: two windows never share it, in any deployment. */
  readonly uid: string;
  readonly title: string;
  readonly kind: string;
  /** `observed` and `pending` (nobody has approved it yet) hold nothing. */
  readonly holding: "held" | "observed" | "pending";
  readonly series: WindowSeries;
  readonly owner: string;
  readonly reason: string;
  /** What it covers, in words. */
  readonly covers: readonly string[];
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly changes: readonly OccurrenceChange[];
}

export interface UsedZone {
  readonly zone: Zone;
  readonly from: number;
  readonly to: number;
}

export interface WindowEvents {
  readonly events: readonly JCalComponent[];
  /** The zone that the events' local times are in, between which instants they start; null when all are in UTC. */
  readonly zone: UsedZone | null;
  /** Every occurrence that starts before this instant is in. */
  readonly completeUntil: number;
}

/** Of one window, where no rule says them: every three hours for three months, every night for three years. */
export const MAX_EVENTS_OF_WINDOW = 1_100;

/** One occurrence as it will happen. */
interface Planned extends OccurrenceInstants {
  /** Its ends are what every calendar program makes of its local times. */
  readonly isPlain: boolean;
}

/**
 * The VEVENTs of a window: one with an RRULE where calendar programs read it as we do, and for each occurrence in [from, to) whose ends somebody
 * moved, or that programs read in different ways because clocks change on it, one with a RECURRENCE-ID and its instants in UTC. A window whose rule
 * they would not agree on is written occurrence by occurrence. Throws DomainError for a malformed series.
 */
export function windowEvents(window: CalendarWindow, range: { readonly from: number; readonly to: number }, zones: ZoneData): WindowEvents {
  const series = compileSeries(window.series, zones);
  const changes = new Map(window.changes.map((change) => [parseLocal(change.localStart) ?? Number.NaN, change]));
  const rule = followsItsRuleAlone(window.series) ? readableRule(series) : null;
  const first = plannedOf(series, occurrenceInstants(series, series.startMs), undefined);
  const context = { window, series, changes };
  return rule === null || !first.isPlain ? singleEvents(context, range) : recurringEvents(context, range, rule);
}

interface Context {
  readonly window: CalendarWindow;
  readonly series: CompiledSeries;
  readonly changes: ReadonlyMap<number, OccurrenceChange>;
}

const PARTS_OF_RFC = new Set(["start", "end", "duration", "timeZone", "rrule", "exdates", "rdates", "dstPolicy"]);

/** Whatever else a series knows (business days, a calendar of holidays) is beyond an RRULE. */
function followsItsRuleAlone(series: WindowSeries): boolean {
  return Object.entries(series).every(([part, value]) => value === undefined || value === null || PARTS_OF_RFC.has(part));
}

/** By RFC 5545 a DTEND gives every occurrence the exact length of the first, by the programs that people use it is a wall-clock end; some skip a
 * local time that does not happen. An occurrence is plain when all of these mean the same. */
function plannedOf(series: CompiledSeries, one: OccurrenceInstants, change: OccurrenceChange | undefined): Planned {
  const start = change?.startsAt ?? one.start;
  const end = change?.endsAt ?? one.end;
  const localStart = resolveLocal(one.localMs, series.zone);
  const localEnd = resolveLocal(one.localMs + series.length.nominalMs, series.zone);
  const isPlain =
    localStart.kind === "unique" &&
    localEnd.kind === "unique" &&
    localStart.instant === start &&
    localEnd.instant === end &&
    end - start === series.length.nominalMs;
  return { localMs: one.localMs, start, end: Math.max(end, start), isPlain };
}

function singleEvents({ window, series, changes }: Context, range: { readonly from: number; readonly to: number }): WindowEvents {
  // A plan that somebody wrote date by date is shown whole, however far ahead it lies.
  const isListed = series.rule === null && followsItsRuleAlone(window.series);
  const to = isListed ? Math.max(range.to, (series.rdates.at(-1) ?? 0) + 2 * DAY_MS) : range.to;
  const all = occurrenceInstantsBetween(series, { from: range.from - series.length.nominalMs, to });
  const found = all
    .filter(({ localMs }) => changes.get(localMs)?.cancelled !== true)
    .map((one) => plannedOf(series, one, changes.get(one.localMs)))
    .filter((one) => one.end > range.from);
  const kept = found.slice(0, MAX_EVENTS_OF_WINDOW);
  const [first] = kept;
  const isOne = series.rule === null && series.rdates.length === 1;
  const events = kept.map((one): JCalComponent => {
    const uid = isOne ? window.uid : window.uid.replace("@", `-${basic(one.localMs)}@`);
    return ["vevent", [textProperty("uid", uid), ...times(series, one), ...about(window, changes.get(one.localMs))], []];
  });
  return {
    events,
    zone: first === undefined || isUtc(series.zone) ? null : { zone: series.zone, from: first.start, to },
    completeUntil: found[kept.length]?.start ?? range.to,
  };
}

function recurringEvents(
  { window, series, changes }: Context,
  range: { readonly from: number; readonly to: number },
  rule: string,
): WindowEvents {
  const { zone, startMs, exdates, rdates } = series;
  const cancelled = [...changes.values()].filter((change) => change.cancelled).map((change) => parseLocal(change.localStart) ?? startMs);
  const excluded = [...new Set([...exdates, ...cancelled])].toSorted((a, b) => a - b);
  const overrides: JCalComponent[] = [];
  // An occurrence that began before the range, or that somebody moved into it, is looked at as well.
  visitSeriesStarts(series, Math.min(range.from + zone.minOffsetMs - series.length.nominalMs, ...changes.keys()), (localMs) => {
    if (localMs >= range.to + zone.maxOffsetMs) return false;
    const change = changes.get(localMs);
    const one = plannedOf(series, occurrenceInstants(series, localMs), change);
    if (!one.isPlain && change?.cancelled !== true) {
      overrides.push([
        "vevent",
        [textProperty("uid", window.uid), localProperty("recurrence-id", zone, localMs), ...times(series, one), ...about(window, change)],
        [],
      ]);
    }
    return true;
  });
  const dates = (name: string, list: readonly number[]): readonly JCalProperty[] =>
    list.length === 0 ? [] : [[name, zoneParameter(zone), "date-time", ...list.map((localMs) => localText(zone, localMs))]];
  const first = plannedOf(series, occurrenceInstants(series, startMs), undefined);
  const recurrence: readonly JCalProperty[] = [["rrule", {}, "recur", rule], ...dates("rdate", rdates), ...dates("exdate", excluded)];
  const master: JCalComponent = [
    "vevent",
    [textProperty("uid", window.uid), ...times(series, first), ...recurrence, ...about(window, undefined)],
    [],
  ];
  return {
    events: [master, ...overrides],
    zone: isUtc(zone) ? null : { zone, from: Math.min(first.start, range.from), to: range.to },
    completeUntil: range.to,
  };
}

/** DTSTART and DTEND: local times beside their zone where they mean one thing, else instants in UTC. */
function times(series: CompiledSeries, one: Planned): readonly JCalProperty[] {
  if (!one.isPlain) return [instantProperty("dtstart", one.start), instantProperty("dtend", one.end)];
  return [localProperty("dtstart", series.zone, one.localMs), localProperty("dtend", series.zone, one.localMs + series.length.nominalMs)];
}

const HOLDING_WORDS = {
  held: [],
  observed: ["Nothing is held: it is only observed."],
  pending: ["Nothing is held yet: it waits for its approval."],
} as const;

function about(window: CalendarWindow, change: OccurrenceChange | undefined): readonly JCalProperty[] {
  const changedAt = Math.max(window.updatedAt, change?.at ?? 0);
  const holds = window.holding === "held";
  const lines = [`Owner: ${window.owner}`, `Reason: ${window.reason}`, ...window.covers, ...HOLDING_WORDS[window.holding]];
  return [
    instantProperty("dtstamp", changedAt),
    instantProperty("created", window.createdAt),
    instantProperty("last-modified", changedAt),
    ["sequence", {}, "integer", window.version],
    textProperty("summary", window.title),
    textProperty("description", lines.join("\n")),
    textProperty("categories", window.kind.toUpperCase()),
    textProperty("status", holds ? "CONFIRMED" : "TENTATIVE"),
    textProperty("transp", holds ? "OPAQUE" : "TRANSPARENT"),
  ];
}

const basic = (ms: number): string => jcalTime(ms).replaceAll(/[-:]/g, "");

/** A zone without any change at the offset 0 is written in UTC and needs no definition. */
function isUtc(zone: Zone): boolean {
  return zone.minOffsetMs === 0 && zone.maxOffsetMs === 0;
}

const localText = (zone: Zone, localMs: number): string => `${jcalTime(localMs)}${isUtc(zone) ? "Z" : ""}`;

const zoneParameter = (zone: Zone): JCalParameters => (isUtc(zone) ? {} : { tzid: zone.name });

function localProperty(name: string, zone: Zone, localMs: number): JCalProperty {
  return [name, zoneParameter(zone), "date-time", localText(zone, localMs)];
}
