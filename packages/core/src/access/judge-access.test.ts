import { describe, expect, it } from "vitest";
import { countAccess, judgeArrival, silentDays, unusualCounts } from "./judge-access.js";

const DAY_MS = 86_400_000;
const now = 1_800_000_000_000;
const office = { network: "198.51.100.0/24", lastSeenAt: now - DAY_MS };

describe("a principal that arrives", () => {
  it("lives where it is seen first", () => {
    expect(judgeArrival({ network: office.network, known: [] }, now)).toEqual([]);
  });

  it("is nothing new where it was before, and is where it was not", () => {
    expect(judgeArrival({ network: office.network, known: [office] }, now)).toEqual([]);
    expect(judgeArrival({ network: "203.0.113.0/24", known: [office] }, now)).toEqual([
      { kind: "access.new-network", network: "203.0.113.0/24", knownNetworks: 1 },
    ]);
  });

  it("was silent when it was seen nowhere for thirty days, to the millisecond", () => {
    const seen = (lastSeenAt: number) => judgeArrival({ network: office.network, known: [{ ...office, lastSeenAt }] }, now);
    expect(seen(now - silentDays * DAY_MS + 1)).toEqual([]);
    expect(seen(now - silentDays * DAY_MS)).toEqual([{ kind: "access.after-silence", silentDays: 30 }]);
    const elsewhere = { network: "203.0.113.0/24", lastSeenAt: now - DAY_MS };
    expect(judgeArrival({ network: office.network, known: [{ ...office, lastSeenAt: now - 90 * DAY_MS }, elsewhere] }, now)).toEqual([]);
  });
});

describe("a count of refusals", () => {
  const { most, withinSeconds } = unusualCounts["access.denials"];

  it("is told once when it becomes unusual, and not again before its time is over", () => {
    let tally;
    const found = [];
    for (let index = 0; index < most * 3; index += 1) {
      const step = countAccess("access.denials", tally, { count: 1, nowMs: index });
      tally = step.tally;
      if (step.found !== null) found.push({ index, ...step.found });
    }
    expect(found).toEqual([{ index: most - 1, kind: "access.denials", count: most, withinSeconds }]);
  });

  it("begins anew after its time", () => {
    const almost = { sinceMs: 0, count: most - 1 };
    expect(countAccess("access.denials", almost, { count: 1, nowMs: withinSeconds * 1_000 - 1 }).found).not.toBeNull();
    expect(countAccess("access.denials", almost, { count: 1, nowMs: withinSeconds * 1_000 })).toEqual({
      tally: { sinceMs: withinSeconds * 1_000, count: 1 },
      found: null,
    });
  });
});
