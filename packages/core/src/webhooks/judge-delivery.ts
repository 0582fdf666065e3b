/** How much a system may send to one endpoint, and how long it is known. */
export const webhookLimits = {
  bytesOfBody: 1_048_576,
  /** Of the headers that are kept, names and values. */
  bytesOfHeaders: 16_384,
  charactersOfDeliveryId: 200,
  /** Of one endpoint, not yet worked through. */
  waitingDeliveries: 10_000,
  waitingBytes: 256 * 1_048_576,
  /** A signed time of sending may be so far from the server's. */
  toleranceMs: 300_000,
  /** So long a delivery is known by its id: the same again is no new one. */
  rememberedHours: 72,
  /** Deliveries that could not be worked through are kept so long for somebody to look at. */
  keptDeadDays: 30,
} as const;

/** Whether a signed time of sending is near enough: an old request that is played back is refused. */
export type Freshness = { readonly kind: "fresh" } | { readonly kind: "stale" | "early"; readonly byMs: number };

/** Judges when a delivery says it was sent. Without such a time the delivery's id alone tells repetitions. */
export function judgeSentAt(sentAt: number | null, now: number): Freshness {
  if (sentAt === null) return { kind: "fresh" };
  const age = now - sentAt;
  if (age > webhookLimits.toleranceMs) return { kind: "stale", byMs: age - webhookLimits.toleranceMs };
  if (age < -webhookLimits.toleranceMs) return { kind: "early", byMs: -age - webhookLimits.toleranceMs };
  return { kind: "fresh" };
}

/** Whether one more delivery has room beside what waits. */
export function hasRoom(waiting: { readonly deliveries: number; readonly bytes: number }, bytes: number): boolean {
  return waiting.deliveries < webhookLimits.waitingDeliveries && waiting.bytes + bytes <= webhookLimits.waitingBytes;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 300_000;

/** When a delivery that found no room at its place is tried again: after 1, 2, 4 ... seconds, at most five minutes. It is never given up for that. */
export function nextTry(tries: number, now: number): number {
  return now + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 20));
}
