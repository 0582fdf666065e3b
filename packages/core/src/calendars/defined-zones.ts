import { DAY_MS, parseLocal } from "../time/local-time.js";
import { visitLocalTimes } from "../time/recurrence-local-times.js";
import { parseRecurrenceRule } from "../time/recurrence-rule.js";
import { DomainError } from "../domain-error.js";
import { type Zone, zoneFromTransitions, type ZoneTransition } from "../time/zone.js";
import { componentsOf, type JCalComponent, propertiesOf, textOf, textsOf } from "./jcal.js";

/** A zone as a calendar's own VTIMEZONE defines it. */
export interface DefinedZone {
  readonly zone: Zone;
  /** The IANA zone that its maker says it stands for, if he does. */
  readonly location: string | null;
}

/** Rules of a definition are unrolled from so long before the range: the offset at its start is that of the change before. */
const LEAD_MS = 3 * 366 * DAY_MS;
const MAX_ONSETS = 10_000;

/** The zones that a calendar defines, by TZID, as they are in [from, to) (epoch ms). A definition that cannot be read is left out. */
export function definedZones(
  calendar: JCalComponent,
  range: { readonly from: number; readonly to: number },
): ReadonlyMap<string, DefinedZone> {
  const zones = new Map<string, DefinedZone>();
  for (const definition of componentsOf(calendar, "vtimezone")) {
    const tzid = textOf(definition, "tzid");
    const zone = tzid === null ? null : zoneOf(definition, tzid, range);
    if (tzid !== null && zone !== null) zones.set(tzid, { zone, location: textOf(definition, "x-lic-location") });
  }
  return zones;
}

function zoneOf(definition: JCalComponent, name: string, range: { readonly from: number; readonly to: number }): Zone | null {
  const found: (ZoneTransition & { readonly before: number })[] = [];
  for (const observance of [...componentsOf(definition, "standard"), ...componentsOf(definition, "daylight")]) {
    const start = localOf(textOf(observance, "dtstart"));
    const before = offsetOf(textOf(observance, "tzoffsetfrom"));
    const offsetMs = offsetOf(textOf(observance, "tzoffsetto"));
    if (start === null || before === null || offsetMs === null) return null;
    const onsets = onsetsOf(observance, { start, before, ...range });
    if (onsets === null || found.length + onsets.length > MAX_ONSETS) return null;
    found.push(...onsets.map((localMs) => ({ at: localMs - before, offsetMs, before })));
  }
  const transitions = found.toSorted((a, b) => a.at - b.at);
  const [first] = transitions;
  return first === undefined ? null : zoneFromTransitions({ name, firstOffsetMs: first.before, transitions });
}

/** The local times at which the observance begins, up to the end of the range; null when one of its rules cannot be read. */
function onsetsOf(
  observance: JCalComponent,
  { start, before, from, to }: { readonly start: number; readonly before: number; readonly from: number; readonly to: number },
): readonly number[] | null {
  const onsets = [start];
  for (const text of propertiesOf(observance, "rdate").flatMap(textsOf)) {
    const localMs = localOf(text);
    if (localMs === null) return null;
    onsets.push(localMs);
  }
  for (const text of propertiesOf(observance, "rrule").flatMap(textsOf)) {
    try {
      const rule = parseRecurrenceRule(text);
      const { until } = rule;
      visitLocalTimes(rule, start, Math.max(start, from - LEAD_MS), (localMs) => {
        const isOver = until !== null && (until.kind === "instant" ? localMs - before > until.instant : localMs > until.localMs);
        if (isOver || localMs - before >= to) return false;
        onsets.push(localMs);
        return onsets.length <= MAX_ONSETS;
      });
    } catch (error) {
      if (error instanceof DomainError) return null;
      throw error;
    }
  }
  return onsets;
}

function localOf(text: string | null): number | null {
  return text === null ? null : parseLocal(text.replace(/Z$/, ""));
}

function offsetOf(text: string | null): number | null {
  const match = /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text ?? "");
  if (match === null) return null;
  const [, sign, hours, minutes, seconds = "0"] = match;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  return sign === "-" ? 0 - ms : ms;
}
