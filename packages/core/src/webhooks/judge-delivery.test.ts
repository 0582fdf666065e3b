import { describe, expect, it } from "vitest";
import { hasRoom, judgeSentAt, nextTry, webhookLimits } from "./judge-delivery.js";

const now = Date.UTC(2027, 2, 28, 1, 0, 0);

describe("the time a delivery says it was sent", () => {
  it.each([
    ["none", null, "fresh"],
    ["now", now, "fresh"],
    ["five minutes ago", now - 300_000, "fresh"],
    ["a millisecond more", now - 300_001, "stale"],
    ["five minutes ahead", now + 300_000, "fresh"],
    ["a millisecond more ahead", now + 300_001, "early"],
  ])("%s is judged", (_what, sentAt, kind) => {
    expect(judgeSentAt(sentAt, now).kind).toBe(kind);
  });

  it("says by how much it is off", () => {
    expect(judgeSentAt(now - 400_000, now)).toEqual({ kind: "stale", byMs: 100_000 });
    expect(judgeSentAt(now + 400_000, now)).toEqual({ kind: "early", byMs: 100_000 });
  });
});

describe("room for one more delivery", () => {
  it("ends with the number and with the bytes", () => {
    const { waitingDeliveries, waitingBytes } = webhookLimits;
    expect(hasRoom({ deliveries: waitingDeliveries - 1, bytes: 0 }, 1)).toBe(true);
    expect(hasRoom({ deliveries: waitingDeliveries, bytes: 0 }, 1)).toBe(false);
    expect(hasRoom({ deliveries: 0, bytes: waitingBytes - 10 }, 10)).toBe(true);
    expect(hasRoom({ deliveries: 0, bytes: waitingBytes - 10 }, 11)).toBe(false);
  });
});

describe("the next try of a delivery", () => {
  it("comes after 1, 2, 4 seconds, and never later than five minutes", () => {
    expect([0, 1, 2].map((tries) => nextTry(tries, now) - now)).toEqual([1_000, 2_000, 4_000]);
    for (const tries of [9, 20, 31, 64, 5_000]) expect(nextTry(tries, now) - now).toBe(300_000);
  });
});
