import { z } from "zod";

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const satisfies { readonly [unit: string]: number };
const DURATION = /^(\d{1,12})(ms|s|m|h|d)$/;

/** The milliseconds of a duration such as `200ms`, `30s`, `5m`, `2h`, `7d`; undefined for any other text. A day is 24 hours. */
export function parseDurationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const unit = match[2] as keyof typeof UNITS_MS;
  return Number(match[1]) * UNITS_MS[unit];
}

/** The one text of a duration: the largest unit that gives a whole number. `90000` is `90s`, `3600000` is `1h`. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of Object.entries(UNITS_MS)) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return "0s";
}

/** Parses a duration text between two bounds, in steps of `stepMs`, and gives it its one text. */
export function durationSchema(bounds: { readonly minMs: number; readonly maxMs: number; readonly stepMs: number }) {
  const form = `Expected a duration from ${formatDuration(bounds.minMs)} to ${formatDuration(bounds.maxMs)}, such as 30s, 5m or 2h`;
  return z.string({ error: `${form}.` }).transform((text, context) => {
    const ms = parseDurationMs(text.trim());
    if (ms === undefined || ms < bounds.minMs || ms > bounds.maxMs || ms % bounds.stepMs !== 0) {
      const step = ms !== undefined && ms % bounds.stepMs !== 0 ? `, in whole steps of ${formatDuration(bounds.stepMs)}` : "";
      context.addIssue({ code: "custom", message: `${form}${step}.` });
      return z.NEVER;
    }
    return formatDuration(ms);
  });
}
