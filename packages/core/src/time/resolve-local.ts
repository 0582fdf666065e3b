import type { Zone } from "./zone.js";

/**
 * What a local time means in a zone. Instants are epoch ms.
 * - `unique`: it happens once.
 * - `overlap`: clocks go back over it, it happens twice.
 * - `gap`: clocks jump over it, it does not happen. `jump` is the instant at which they do, `gapMs` by how much,
 *   `shifted` the local time read with the offset before the gap (RFC 5545, 3.3.5), which is as far behind the jump as the
 *   local time is behind the gap's start.
 */
export type ResolvedLocal =
  | { readonly kind: "unique"; readonly instant: number }
  | { readonly kind: "overlap"; readonly first: number; readonly second: number }
  | { readonly kind: "gap"; readonly jump: number; readonly gapMs: number; readonly shifted: number };

/** The index of the offset in force at the instant. */
export function offsetIndexAt(instant: number, zone: Zone): number {
  const { starts } = zone;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= instant) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Milliseconds by which local time is ahead of UTC at the instant (epoch ms). */
export function offsetAt(instant: number, zone: Zone): number {
  return zone.offsets[offsetIndexAt(instant, zone)] ?? 0;
}

/** The local time (fake UTC ms) at an instant (epoch ms). */
export function localAt(instant: number, zone: Zone): number {
  return instant + offsetAt(instant, zone);
}

/** The one function that turns a local time (fake UTC ms) into instants. */
export function resolveLocal(localMs: number, zone: Zone): ResolvedLocal {
  const { starts, offsets } = zone;
  const last = starts.length - 1;
  // Only the offsets in force between these two instants can be meant: usually one, near a change two.
  const latest = localMs - zone.minOffsetMs;
  let index = offsetIndexAt(localMs - zone.maxOffsetMs, zone);
  let first: number | null = null;
  let second: number | null = null;
  let gapIndex = -1;
  for (; index <= last; index++) {
    const start = starts[index] ?? 0;
    if (start > latest) break;
    const end = index === last ? Number.POSITIVE_INFINITY : (starts[index + 1] ?? 0);
    const offset = offsets[index] ?? 0;
    const instant = localMs - offset;
    if (instant < start) continue;
    if (instant < end) {
      if (first === null) first = instant;
      else second = instant;
    } else if (localMs < end + (offsets[index + 1] ?? 0)) gapIndex = index;
  }
  if (first !== null) return second === null ? { kind: "unique", instant: first } : { kind: "overlap", first, second };
  const before = offsets[gapIndex] ?? 0;
  return { kind: "gap", jump: starts[gapIndex + 1] ?? 0, gapMs: (offsets[gapIndex + 1] ?? 0) - before, shifted: localMs - before };
}

/** The instant as RFC 5545 reads a local time: in a gap with the offset before it, in an overlap the first. */
export function rfcInstant(localMs: number, zone: Zone): number {
  const resolved = resolveLocal(localMs, zone);
  if (resolved.kind === "unique") return resolved.instant;
  return resolved.kind === "overlap" ? resolved.first : resolved.shifted;
}
