import { parseInstantText } from "@quiesce/core";
import { CliError } from "./cli-error.js";

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const satisfies { readonly [unit: string]: number };
const PART = /(\d{1,7})([dhms])/gy;
const ISO_DURATION = /^P(?=[\dT])(?:\d{1,7}[DW])*(?:T(?:\d{1,7}[HMS])+)?$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const WITHOUT_OFFSET = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?$/;

interface DurationParts {
  readonly ms: number;
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

function durationParts(text: string): DurationParts | undefined {
  const count = { d: 0, h: 0, m: 0, s: 0 };
  let ms = 0;
  let end = 0;
  for (const match of text.matchAll(PART)) {
    const unit = match[2] as keyof typeof UNITS_MS;
    count[unit] += Number(match[1]);
    ms += Number(match[1]) * UNITS_MS[unit];
    end = match.index + match[0].length;
  }
  if (end === 0 || end !== text.length) return undefined;
  return { ms, days: count.d, hours: count.h, minutes: count.m, seconds: count.s };
}

/** The milliseconds of `90s`, `30m`, `1h30m`, `2d`. Throws a usage error that names the option. */
export function parseDurationOption(text: string, option: string): number {
  const parts = durationParts(text.trim());
  if (parts === undefined || parts.ms === 0)
    throw new CliError("usage", `${option} is "${text}". Expected a duration such as 90s, 30m, 1h30m or 2d.`);
  return parts.ms;
}

/** The whole minutes of `15m`, `1h30m`, or of a bare number; 0 is allowed. Throws a usage error that names the option. */
export function minutesOf(text: string, option: string): number {
  const trimmed = text.trim();
  const minutes = /^\d{1,7}$/.test(trimmed) ? Number(trimmed) : (durationParts(trimmed)?.ms ?? Number.NaN) / UNITS_MS.m;
  if (!Number.isInteger(minutes)) throw new CliError("usage", `${option} is "${text}". Expected whole minutes such as 15m, 1h30m or 0.`);
  return minutes;
}

/** The ISO 8601 duration of `4h`, `1d12h` or of itself, as a window's series wants it. Days stay days: they are nominal there. */
export function isoDurationOf(text: string, option: string): string {
  const upper = text.trim().toUpperCase();
  if (ISO_DURATION.test(upper)) return upper;
  const parts = durationParts(text.trim());
  if (parts === undefined || parts.ms === 0)
    throw new CliError("usage", `${option} is "${text}". Expected a duration such as 4h, 90m, 1d or PT4H.`);
  const time = `${parts.hours > 0 ? `${parts.hours}H` : ""}${parts.minutes > 0 ? `${parts.minutes}M` : ""}${parts.seconds > 0 ? `${parts.seconds}S` : ""}`;
  return `P${parts.days > 0 ? `${parts.days}D` : ""}${time === "" ? "" : `T${time}`}`;
}

/** An instant from a duration back from now, `2h`, or from ISO 8601 with an offset. Throws a usage error that names the option. */
export function parseSinceOption(text: string, option: string, now: number): number {
  return /^\d{4}-/.test(text) ? parseInstantOption(text, option, now) : now - parseDurationOption(text, option);
}

/** An instant from `+2h` (from now) or ISO 8601 with an offset. A time without one is refused: whose clock would it be? */
export function parseInstantOption(text: string, option: string, now: number): number {
  const trimmed = text.trim();
  if (trimmed.startsWith("+")) return now + parseDurationOption(trimmed.slice(1), option);
  const instant = WITH_OFFSET.test(trimmed) ? parseInstantText(trimmed) : Number.NaN;
  if (!Number.isNaN(instant)) return instant;
  const local = WITHOUT_OFFSET.test(trimmed) ? Date.parse(trimmed.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(local)) {
    throw new CliError(
      "usage",
      `${option} is "${text}", without an offset. In this terminal's zone it is ${withOffset(trimmed.replace(" ", "T"), local)}; or say how long from now, as +2h.`,
    );
  }
  throw new CliError("usage", `${option} is "${text}". Expected +2h (from now) or an instant with its offset, as 2026-11-20T18:00:00Z.`);
}

function withOffset(text: string, instant: number): string {
  const minutes = -new Date(instant).getTimezoneOffset();
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${text}${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
