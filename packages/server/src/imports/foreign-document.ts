import { DomainError, type ForeignWindow, formatLocal } from "@quiesce/core";

const SECOND_MS = 1_000;

/** A document that is not what it was said to be. */
export function documentInvalid(message: string): DomainError {
  return new DomainError("QSC_IMPORT_DOCUMENT_INVALID", message, { field: "document" });
}

export function isMembers(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text, or nothing. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/** An instant of another tool, or null: a time without an offset is nobody's to guess. */
function instantOf(value: unknown): number | null {
  if (typeof value !== "string" || !INSTANT.test(value)) return null;
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? null : instant;
}

/** A window between two instants, in UTC and in whole seconds, never shorter than it was. */
export function windowBetween(
  start: { readonly field: string; readonly value: unknown },
  end: { readonly field: string; readonly value: unknown },
  now: number,
): Pick<ForeignWindow, "series" | "over" | "problems"> {
  const problems = [start, end]
    .filter(({ value }) => instantOf(value) === null)
    .map(
      ({ field, value }) =>
        `${field} is ${value === undefined ? "missing" : JSON.stringify(value)}, expected an instant such as 2027-01-03T02:00:00Z.`,
    );
  const startMs = instantOf(start.value) ?? 0;
  const endMs = instantOf(end.value) ?? 0;
  if (problems.length > 0) return { series: [], over: false, problems };
  const series = {
    start: formatLocal(Math.floor(startMs / SECOND_MS) * SECOND_MS),
    end: formatLocal(Math.ceil(endMs / SECOND_MS) * SECOND_MS),
    timeZone: "UTC",
  };
  return endMs <= now ? { series: [], over: true, problems } : { series: [series], over: false, problems };
}

const RECURRENCE = /recur|repeat|rrule|frequency/i;

/** Fields that nobody documents and that speak of repetition: one occurrence of such a window would be less than it is. */
export function undocumentedRecurrence(value: { readonly [name: string]: unknown }, documented: readonly string[]): readonly string[] {
  return Object.keys(value)
    .filter((name) => !documented.includes(name) && RECURRENCE.test(name) && value[name] !== null && value[name] !== false)
    .map((name) => `It repeats by "${name.slice(0, 64)}", which is not documented and is not understood.`);
}
