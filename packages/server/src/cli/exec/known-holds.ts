import type { HeldReason } from "./gate-client.js";

/** A hold as it was known at a contact; instants in epoch ms of the server's clock, half-open. */
export interface KnownHold extends HeldReason {
  readonly from: number;
  /** null: until somebody lifts it. */
  readonly until: number | null;
}

/** What a contact with the server told about one integration. */
export interface KnownHolds {
  readonly integration: string;
  /** The server's time of the answer. */
  readonly asOf: number;
  readonly holds: readonly KnownHold[];
}

/** {@link KnownHolds} as they lie in the cache, with this machine's time of the contact. */
export interface CachedHolds extends KnownHolds {
  readonly fetchedAt: number;
}

/** Known intervals decide for so long; a window planned after the contact is not in them. */
export const KNOWN_FOR_MS = 24 * 3_600_000;

export type CachedVerdict =
  | { readonly kind: "open" }
  | { readonly kind: "held"; readonly by: readonly HeldReason[]; readonly until: number | null }
  | { readonly kind: "unknown"; readonly why: "never-asked" | "too-old" | "clock-went-back" };

/** Decides from the last contact whether work may start. `now` is this machine's time; the difference to the server's at the contact is taken out. */
export function decideFromCache(cached: CachedHolds | undefined, now: number): CachedVerdict {
  if (cached === undefined) return { kind: "unknown", why: "never-asked" };
  if (now < cached.fetchedAt) return { kind: "unknown", why: "clock-went-back" };
  if (now - cached.fetchedAt >= KNOWN_FOR_MS) return { kind: "unknown", why: "too-old" };
  const serverNow = now + (cached.asOf - cached.fetchedAt);
  const by = cached.holds.filter((hold) => hold.from <= serverNow && (hold.until === null || serverNow < hold.until));
  if (by.length === 0) return { kind: "open" };
  return { kind: "held", by, until: heldUntil(cached, serverNow) };
}

/** When the run of holds over `serverNow` ends, ones that touch or overlap together; on this machine's clock. */
function heldUntil(cached: CachedHolds, serverNow: number): number | null {
  let end = serverNow;
  for (const hold of cached.holds.toSorted((a, b) => a.from - b.from)) {
    if (hold.from > end) break;
    if (hold.until === null) return null;
    end = Math.max(end, hold.until);
  }
  return end - (cached.asOf - cached.fetchedAt);
}
