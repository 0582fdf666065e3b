/** What a clock change does to an occurrence. Times are as the clock shows them, 02:00. */
export interface ClockChange {
  /** `short` skips the hours between, `long` has them twice; as long as planned it starts later (`skipped`) or at the first of two times (`repeated`). */
  readonly kind: "short" | "long" | "skipped" | "repeated";
  readonly lengthMs: number;
  /** What the clock shows just before. */
  readonly from: string;
  /** What it shows from then on. */
  readonly to: string;
  /** When it was to start, and when it does. */
  readonly planned: string;
  readonly start: string;
}

interface Happening {
  readonly startsAt: string;
  readonly endsAt: string;
  /** As planned on the wall clock: 2026-12-06T02:00. */
  readonly localStart: string;
  readonly localEnd: string;
}

const MINUTE_MS = 60_000;
/** A change near the start moves it, so it is looked for a little around. */
const AROUND_MS = 3 * 3_600_000;

/** How an occurrence differs from its plan because clocks change; null when it does not. */
export function clockChangeOf({ startsAt, endsAt, localStart, localEnd }: Happening, zone: string): ClockChange | null {
  const lengthMs = Date.parse(endsAt) - Date.parse(startsAt);
  const plannedMs = Date.parse(`${localEnd}Z`) - Date.parse(`${localStart}Z`);
  const at = changeBetween(Date.parse(startsAt) - AROUND_MS, Date.parse(endsAt) + AROUND_MS, zone);
  if (at === null) return null;
  const [before, after] = [offsetMs(at - 1, zone), offsetMs(at, zone)];
  const localMs = Date.parse(`${localStart}Z`);
  const kind = kindOf({ lengthMs, plannedMs, localMs, fromMs: at + before, toMs: at + after });
  if (kind === null) return null;
  const start = localAt(Date.parse(startsAt), zone).slice(11);
  return { kind, lengthMs, from: clockText(at + before), to: clockText(at + after), planned: localStart.slice(11, 16), start };
}

function kindOf(of: {
  readonly lengthMs: number;
  readonly plannedMs: number;
  /** The planned start, and what the clock shows before and after the change, as if they were UTC. */
  readonly localMs: number;
  readonly fromMs: number;
  readonly toMs: number;
}): ClockChange["kind"] | null {
  const { lengthMs, plannedMs, localMs, fromMs, toMs } = of;
  if (lengthMs !== plannedMs) return lengthMs < plannedMs ? "short" : "long";
  if (fromMs <= localMs && localMs < toMs) return "skipped";
  return toMs <= localMs && localMs < fromMs ? "repeated" : null;
}

/** The instant of the only change of offset between two; null when both have the same. */
function changeBetween(from: number, to: number, zone: string): number | null {
  const before = offsetMs(from, zone);
  if (before === offsetMs(to, zone)) return null;
  let [low, high] = [Math.floor(from / MINUTE_MS), Math.ceil(to / MINUTE_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle * MINUTE_MS, zone) === before) low = middle;
    else high = middle;
  }
  return high * MINUTE_MS;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Of the zone's wall clock against UTC. */
export function offsetMs(at: number, zone: string): number {
  const known =
    formats.get(zone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  formats.set(zone, known);
  const parts = new Map(known.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const shown = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return shown - Math.floor(at / 1_000) * 1_000;
}

function clockText(localMs: number): string {
  return new Date(localMs).toISOString().slice(11, 16);
}

/** The wall clock of a zone at an instant: 2026-12-06T02:00. */
export function localAt(at: number, zone: string): string {
  return new Date(at + offsetMs(at, zone)).toISOString().slice(0, 16);
}

const DAY_MS = 86_400_000;

/**
 * The instant of a local time, as 2026-12-06T02:00, in a zone: the first of two where clocks go back, and where they go forward as if they had not yet;
 * null for what is no local time.
 */
export function instantOf(local: string, zone: string): string | null {
  const asUtc = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(local) ? Date.parse(`${local}Z`) : Number.NaN;
  if (Number.isNaN(asUtc)) return null;
  const before = asUtc - offsetMs(asUtc - DAY_MS, zone);
  const after = asUtc - offsetMs(asUtc + DAY_MS, zone);
  const at = [before, after].toSorted((a, b) => a - b).find((one) => one + offsetMs(one, zone) === asUtc) ?? before;
  return new Date(at).toISOString();
}
