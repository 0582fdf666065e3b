import { z } from "zod";
import { DomainError } from "../domain-error.js";
import { nominalLengthMs, parseDuration, type Duration } from "../time/duration.js";
import { FIRST_YEAR, LAST_LOCAL_MS, LAST_YEAR, parseLocal } from "../time/local-time.js";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { visitLocalTimes, type VisitLocal } from "../time/recurrence-local-times.js";
import { parseRecurrenceRule, type RecurrenceRule } from "../time/recurrence-rule.js";
import { rfcInstant } from "../time/resolve-local.js";
import { requireZone, type ZoneData } from "../time/zone-data.js";
import type { Zone } from "../time/zone.js";

/** How an occurrence on the night of a clock change is read; see `occurrences`. */
export const DST_POLICIES = ["cover", "rfc"] as const;
export type DstPolicy = (typeof DST_POLICIES)[number];

/**
 * A series of windows as it is stored: local times (`YYYY-MM-DDTHH:MM[:SS]`) beside their IANA zone. `end` is the local
 * end of the first occurrence, `duration` (`PT4H`, `P1D`) the alternative; with neither it is a series of starts alone.
 * Without `rrule` it happens once, plus `rdates`. `exdates` are local starts that do not happen, also when in `rdates`.
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
}

/** Of exception and additional dates each; a rule with more of them is several windows. */
export const MAX_EXCEPTION_DATES = 1_000;
const MAX_TEXT = 64;
// Long enough for what `validateWindowSeries` then refuses with a better message.
const MAX_RULE_TEXT = 4_096;

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
});

/** How long an occurrence lasts: to a local end that is so far from the local start, or for a duration, or it has no end. */
export type OccurrenceLength =
  | { readonly kind: "wall-clock"; readonly nominalMs: number }
  | { readonly kind: "duration"; readonly duration: Duration; readonly nominalMs: number }
  | { readonly kind: "none"; readonly nominalMs: 0 };

/** A parsed series. All local times are fake UTC ms. */
export interface CompiledSeries {
  readonly zone: Zone;
  readonly startMs: number;
  readonly length: OccurrenceLength;
  readonly rule: RecurrenceRule | null;
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
  const rule = series.rrule === undefined || series.rrule === null ? null : parseRecurrenceRule(series.rrule);
  const added = (series.rdates ?? []).map((text, index) => requireLocal(text, `rdates.${index}`));
  if (rule === null) added.push(startMs);
  return {
    zone,
    startMs,
    length: compileLength(series, startMs),
    rule,
    untilInstant: compileUntil(rule, zone),
    exdates: new Set((series.exdates ?? []).map((text, index) => requireLocal(text, `exdates.${index}`))),
    rdates: [...new Set(added)].toSorted((a, b) => a - b),
    dstPolicy,
  };
}

/**
 * Visits the local starts (fake UTC ms) of a series from `fromMs` on, ascending and each once: the rule's up to UNTIL
 * (compared as an instant, inclusive) and the RDATEs, without the EXDATEs. Stops when the visitor answers false.
 */
export function visitSeriesStarts(series: CompiledSeries, fromMs: number, visit: VisitLocal): void {
  const { rdates, exdates, untilInstant, zone, rule } = series;
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
  if (rule !== null) {
    // No local time after this one can be an instant up to UNTIL.
    const lastUntilMs = untilInstant + zone.maxOffsetMs;
    visitLocalTimes(rule, series.startMs, fromMs, (localMs) => {
      if (localMs > lastUntilMs) return false;
      if (untilInstant !== Number.POSITIVE_INFINITY && rfcInstant(localMs, zone) > untilInstant) return true;
      visitAddedBefore(localMs);
      if (rdates[nextAdded] === localMs) nextAdded += 1;
      return visitUnlessExcluded(localMs);
    });
  }
  visitAddedBefore(Number.POSITIVE_INFINITY);
}
