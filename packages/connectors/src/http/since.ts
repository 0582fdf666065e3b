import { ConnectorError, type Json } from "@quiesce/sdk";
import type { HttpSince } from "./http-config.js";

/** An instant as the system writes it. It is kept as it came: a parsed one would lose microseconds. */
export type Instant = string | number;

/** The later of the newest instant so far and that of one more record. */
export function laterOf(since: HttpSince, newest: Instant | null, found: Json | undefined, key: string): Instant {
  if ((typeof found !== "string" && typeof found !== "number") || Number.isNaN(epochMs(since, found))) {
    const shown = found === undefined ? "nothing" : JSON.stringify(found).slice(0, 80);
    throw new ConnectorError("contract", `Record ${key} has ${shown} in ${since.field}, expected an instant as ${since.format}.`, {
      field: since.field,
    });
  }
  if (newest === null) return found;
  const difference = epochMs(since, found) - epochMs(since, newest);
  // Within one millisecond the text decides: equal offsets and lengths sort as the instants do.
  return difference > 0 || (difference === 0 && String(found) > String(newest)) ? found : newest;
}

/** The instant, or now if it lies in the future. */
export function notAfter(since: HttpSince, instant: Instant, now: Date): Instant {
  return epochMs(since, instant) > now.getTime() ? written(since, now.getTime()) : instant;
}

/** The value of the since parameter: the instant less the overlap. */
export function sinceParameter(since: HttpSince, instant: Instant): string {
  if (since.overlapSeconds === 0) return String(instant);
  return String(written(since, epochMs(since, instant) - since.overlapSeconds * 1000));
}

function epochMs(since: HttpSince, instant: Instant): number {
  if (since.format === "iso") return typeof instant === "string" ? Date.parse(instant) : Number.NaN;
  const number = Number(instant);
  return since.format === "epoch-seconds" ? number * 1000 : number;
}

function written(since: HttpSince, ms: number): Instant {
  if (since.format === "iso") return new Date(ms).toISOString();
  return since.format === "epoch-seconds" ? Math.floor(ms / 1000) : Math.floor(ms);
}
