import { DAY_MS, within } from "../time/local-time.js";
import { WEEKDAYS } from "../time/recurrence-rule.js";
import { offsetIndexAt } from "../time/resolve-local.js";
import type { Zone } from "../time/zone.js";
import { type JCalComponent, jcalTime, type JCalProperty, textProperty } from "./jcal.js";

/** A change of the offset, as calendars write it: the local time at which it happens by the offset before. */
interface Onset {
  readonly localMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Fewer onsets of one kind are listed: a rule would promise more than they show. */
const LEAST_ONSETS_OF_RULE = 3;
/** Readers that know no earlier onset take the first one's offset for all that was before. */
const EPOCH_LOCAL_MS = 0;

/**
 * The VTIMEZONE of a zone, right for every instant in [from, to) (epoch ms). What changes by the same rule every year, up to the end, is one
 * observance with an RRULE; every other change is one of its own: of a list of RDATEs some programs read the first alone, some forget the start.
 */
export function timeZoneComponent(zone: Zone, range: { readonly from: number; readonly to: number }): JCalComponent {
  const first = offsetIndexAt(range.from, zone);
  const last = offsetIndexAt(range.to - 1, zone);
  const onsets: Onset[] = [];
  for (let index = Math.max(first, 1); index <= last; index++) {
    const fromMs = zone.offsets[index - 1] ?? 0;
    onsets.push({ localMs: (zone.starts[index] ?? 0) + fromMs, fromMs, toMs: zone.offsets[index] ?? 0 });
  }
  const [earliest] = onsets;
  const initialMs = zone.offsets[first] ?? 0;
  // The offset at the start of the range, also when it has stood since for ever.
  if (earliest === undefined || first === 0) onsets.unshift({ localMs: EPOCH_LOCAL_MS, fromMs: initialMs, toMs: initialMs });
  return ["vtimezone", [textProperty("tzid", zone.name)], observancesOf(onsets, range.to)];
}

function observancesOf(onsets: readonly Onset[], until: number): readonly JCalComponent[] {
  const kinds = new Map<string, Onset[]>();
  for (const onset of onsets) {
    const kind = `${onset.fromMs}/${onset.toMs}`;
    const list = kinds.get(kind);
    if (list === undefined) kinds.set(kind, [onset]);
    else list.push(onset);
  }
  return [...kinds.values()]
    .flatMap((list) => {
      const tail = regularTail(list, until);
      const listed = list.slice(0, tail?.from ?? list.length);
      return [...listed.map((onset) => observance(onset, null)), ...(tail === null ? [] : [observance(tail.first, tail.rule)])];
    })
    .toSorted((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
}

function observance(onset: Onset, rule: string | null): JCalComponent {
  const properties: readonly JCalProperty[] = [
    ["dtstart", {}, "date-time", jcalTime(onset.localMs)],
    ["tzoffsetfrom", {}, "utc-offset", offsetText(onset.fromMs)],
    ["tzoffsetto", {}, "utc-offset", offsetText(onset.toMs)],
  ];
  return [
    onset.toMs > onset.fromMs ? "daylight" : "standard",
    rule === null ? properties : [...properties, ["rrule", {}, "recur", rule]],
    [],
  ];
}

const startOf = ([, properties]: JCalComponent): string => String(properties[0]?.[3] ?? "");

/** The longest end of the list that one yearly rule makes, when the rule says nothing else before `until`; null when there is none. */
function regularTail(
  onsets: readonly Onset[],
  until: number,
): { readonly from: number; readonly first: Onset; readonly rule: string } | null {
  for (let from = 0; from <= onsets.length - LEAST_ONSETS_OF_RULE; from++) {
    const first = onsets[from];
    const yearly = yearlyOf(onsets.slice(from));
    if (first === undefined || yearly === null) continue;
    const next = onsetOfYear(yearly, yearly.lastYear + 1) - first.fromMs;
    return next < until
      ? null
      : { from, first, rule: `FREQ=YEARLY;BYMONTH=${yearly.month};BYDAY=${yearly.nth}${WEEKDAYS[yearly.weekday] ?? ""}` };
  }
  return null;
}

interface Yearly {
  readonly month: number;
  /** -1: the last of the month. */
  readonly nth: number;
  /** Monday is 0. */
  readonly weekday: number;
  readonly timeMs: number;
  readonly lastYear: number;
}

/** The same month, time of day and nth (or last) weekday in each of consecutive years; null when they have no such thing in common. */
function yearlyOf(onsets: readonly Onset[]): Yearly | null {
  const facts = onsets.map(({ localMs }) => {
    const date = new Date(localMs);
    const isLast = new Date(localMs + 7 * DAY_MS).getUTCMonth() !== date.getUTCMonth();
    const weekday = (date.getUTCDay() + 6) % 7;
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      nth: Math.ceil(date.getUTCDate() / 7),
      isLast,
      weekday,
      timeMs: within(localMs, DAY_MS),
    };
  });
  const [first] = facts;
  if (first === undefined) return null;
  const { year, month, weekday, timeMs } = first;
  const isSame = facts.every(
    (fact, index) => fact.year === year + index && fact.month === month && fact.weekday === weekday && fact.timeMs === timeMs,
  );
  const nth = facts.every((fact) => fact.isLast) ? -1 : facts.every((fact) => fact.nth === first.nth) ? first.nth : 0;
  return isSame && nth !== 0 ? { month, nth, weekday, timeMs, lastYear: year + facts.length - 1 } : null;
}

/** When the rule happens in a year, as fake UTC. */
function onsetOfYear({ month, nth, weekday, timeMs }: Yearly, year: number): number {
  const edge = nth < 0 ? Date.UTC(year, month, 0) : Date.UTC(year, month - 1, 1 + (nth - 1) * 7);
  const edgeWeekday = (new Date(edge).getUTCDay() + 6) % 7;
  const days = nth < 0 ? -((edgeWeekday - weekday + 7) % 7) : (weekday - edgeWeekday + 7) % 7;
  return edge + days * DAY_MS + timeMs;
}

function offsetText(offsetMs: number): string {
  const seconds = Math.abs(offsetMs) / 1_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  const text = `${offsetMs < 0 ? "-" : "+"}${two(seconds / 3_600)}:${two((seconds / 60) % 60)}`;
  return seconds % 60 === 0 ? text : `${text}:${two(seconds % 60)}`;
}
