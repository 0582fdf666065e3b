const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$/u;
const LOCAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/u;

/** True for ISO 8601 with an offset. */
export function isInstant(text: string): boolean {
  return ISO.test(text) && Number.isFinite(Date.parse(text));
}

/** The instant, in epoch milliseconds, of ISO 8601 with an offset, or of a local time in an IANA zone. undefined: it is neither. */
export function instantOf(text: string, timeZone: string | undefined): number | undefined {
  if (isInstant(text)) return Date.parse(text);
  if (timeZone === undefined || !LOCAL.test(text)) return undefined;
  const asUtc = Date.parse(`${text}Z`);
  try {
    // The offset at the time itself may differ from the one at the same digits in UTC.
    const near = asUtc - offsetMs(asUtc, timeZone);
    return asUtc - offsetMs(near, timeZone);
  } catch {
    return undefined;
  }
}

function offsetMs(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  const local = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return local - Math.floor(at / 1_000) * 1_000;
}
