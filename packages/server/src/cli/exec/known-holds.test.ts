import { describe, expect, it } from "vitest";
import { type CachedHolds, decideFromCache, KNOWN_FOR_MS, type KnownHold } from "./known-holds.js";

const AT = Date.parse("2026-11-20T12:00:00Z");
const MINUTE = 60_000;
const hold = (from: number, until: number | null, title = "Upgrade"): KnownHold => ({
  from: AT + from,
  until: until === null ? null : AT + until,
  title,
  owner: "erp",
  reason: "patches",
});
const cached = (holds: readonly KnownHold[], skewMs = 0): CachedHolds => ({
  integration: "erp-orders",
  fetchedAt: AT,
  asOf: AT + skewMs,
  holds,
});

describe("deciding without a server", () => {
  it("holds from the first millisecond of a known interval, and no longer than to its end", () => {
    const known = cached([hold(10 * MINUTE, 20 * MINUTE)]);
    expect(decideFromCache(known, AT + 10 * MINUTE - 1)).toEqual({ kind: "open" });
    expect(decideFromCache(known, AT + 10 * MINUTE)).toMatchObject({ kind: "held", until: AT + 20 * MINUTE, by: [{ title: "Upgrade" }] });
    expect(decideFromCache(known, AT + 20 * MINUTE - 1)).toMatchObject({ kind: "held" });
    expect(decideFromCache(known, AT + 20 * MINUTE)).toEqual({ kind: "open" });
  });

  it("knows nothing from 24 hours on, nor before the contact, nor without one", () => {
    expect(decideFromCache(cached([]), AT + KNOWN_FOR_MS - 1)).toEqual({ kind: "open" });
    expect(decideFromCache(cached([]), AT + KNOWN_FOR_MS)).toEqual({ kind: "unknown", why: "too-old" });
    expect(decideFromCache(cached([]), AT - 1)).toEqual({ kind: "unknown", why: "clock-went-back" });
    expect(decideFromCache(undefined, AT)).toEqual({ kind: "unknown", why: "never-asked" });
  });

  it("lets touching and overlapping holds end together, and others apart", () => {
    const known = cached([
      hold(30 * MINUTE, 40 * MINUTE),
      hold(0, 10 * MINUTE),
      hold(10 * MINUTE, 20 * MINUTE),
      hold(5 * MINUTE, 15 * MINUTE),
    ]);
    expect(decideFromCache(known, AT + MINUTE)).toMatchObject({ kind: "held", until: AT + 20 * MINUTE });
  });

  it("stays held without an end when one of them has none", () => {
    expect(decideFromCache(cached([hold(0, 10 * MINUTE), hold(5 * MINUTE, null)]), AT + MINUTE)).toMatchObject({
      kind: "held",
      until: null,
    });
    expect(decideFromCache(cached([hold(0, null)]), AT + KNOWN_FOR_MS - 1)).toMatchObject({ kind: "held", until: null });
  });

  it("takes the difference of the two clocks out", () => {
    const ahead = cached([hold(10 * MINUTE, 20 * MINUTE)], 5 * MINUTE);
    expect(decideFromCache(ahead, AT + 5 * MINUTE)).toMatchObject({ kind: "held", until: AT + 15 * MINUTE });
    expect(decideFromCache(ahead, AT + 5 * MINUTE - 1)).toEqual({ kind: "open" });
  });
});
