const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

const two = (value: number): string => String(value).padStart(2, "0");

/** An instant in the zone of this terminal, for tables: `2026-11-20 18:00:05`. */
export function formatLocalInstant(instant: number): string {
  const at = new Date(instant);
  return `${dateText(at)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** An instant in the zone of this terminal, as short as today's date allows: `18:00:05` today, `Sat 2026-11-21 02:00` on another day. */
export function formatNearInstant(instant: number, now: number): string {
  const at = new Date(instant);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return dateText(at) === dateText(new Date(now))
    ? `${time}:${two(at.getSeconds())}`
    : `${DAYS[at.getDay()] ?? ""} ${dateText(at)} ${time}`;
}

/** An instant in UTC: `2026-11-20 17:00Z`, with its seconds where it has some. */
export function formatUtcInstant(instant: number): string {
  const text = new Date(instant).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, instant % MINUTE_MS === 0 ? 16 : 19)}Z`;
}

/** A length of time in its two largest units: `850ms`, `4.2s`, `28m 05s`, `3h 20m`, `2d 4h`. */
export function formatLength(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10 * SECOND_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  return formatCountdown(ms);
}

/** Time left, in whole seconds: `4s`, `28m 05s`, `3h 20m`, `2d 4h`. */
export function formatCountdown(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.floor(ms / SECOND_MS))}s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m ${two(Math.floor((ms % MINUTE_MS) / SECOND_MS))}s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)}h ${two(Math.floor((ms % HOUR_MS) / MINUTE_MS))}m`;
  return `${Math.floor(ms / DAY_MS)}d ${Math.floor((ms % DAY_MS) / HOUR_MS)}h`;
}

/** When something ends, for people: local time and what is left; without an end, who decides. */
export function formatUntil(until: number | null, now: number): string {
  if (until === null) return "until somebody resumes it";
  if (until <= now) return `until ${formatNearInstant(until, now)} (now due)`;
  return `until ${formatNearInstant(until, now)} (in ${formatCountdown(until - now)})`;
}

/** The zone that local times are shown in. */
export function terminalZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function dateText(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
