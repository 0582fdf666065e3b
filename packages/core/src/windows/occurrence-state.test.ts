import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OccurrenceFacts, occurrenceState, occurrenceStates } from "./occurrence-state.js";

const startsAt = Date.parse("2026-11-01T06:00:00Z");
const endsAt = startsAt + 4 * 3_600_000;
const planned: OccurrenceFacts = {
  startsAt,
  endsAt,
  quiescedAt: null,
  releasedAt: null,
  closedAt: null,
  cancelledAt: null,
  mode: "enforce",
};

describe("occurrenceState", () => {
  it.each([
    ["one millisecond before its start it is scheduled", planned, startsAt - 1, "scheduled"],
    ["at its start it drains", planned, startsAt, "draining"],
    ["with nothing in flight it is quiesced", { ...planned, quiescedAt: startsAt + 5_000 }, startsAt + 5_000, "quiesced"],
    ["past its end it still holds until it is released", { ...planned, quiescedAt: startsAt }, endsAt + 1, "quiesced"],
    [
      "one that only observes never says that nothing is in flight",
      { ...planned, quiescedAt: startsAt, mode: "observe" },
      startsAt + 1,
      "observing",
    ],
    ["one that only observes has not begun before its start", { ...planned, mode: "observe" }, startsAt - 1, "scheduled"],
    ["one that only observes resumes when it is released", { ...planned, releasedAt: endsAt, mode: "observe" }, endsAt, "resuming"],
    ["released it resumes", { ...planned, quiescedAt: startsAt, releasedAt: endsAt }, endsAt, "resuming"],
    ["released early it resumes before its planned end", { ...planned, releasedAt: startsAt + 1 }, startsAt + 2, "resuming"],
    ["closed it is over", { ...planned, releasedAt: endsAt, closedAt: endsAt + 1 }, endsAt + 1, "closed"],
    ["cancelled it never happens", { ...planned, cancelledAt: startsAt - 1 }, startsAt + 1, "cancelled"],
    ["one that nobody was there for is closed without a release", { ...planned, closedAt: endsAt }, endsAt, "closed"],
  ] as const)("%s", (_name, facts, now, state) => {
    expect(occurrenceState(facts, now)).toBe(state);
  });

  it("as facts are added and time passes the state never goes back", () => {
    const order = ["scheduled", "draining", "quiesced", "resuming", "closed"];
    const times = fc
      .tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000))
      .map(([a, b, c, d]) => ({ quiesced: a, released: a + b, closed: a + b + c, later: d }));
    fc.assert(
      fc.property(times, ({ quiesced, released, closed, later }) => {
        let last = 0;
        for (let at = startsAt - 2; at <= startsAt + closed + later; at += 97) {
          const known = (ms: number) => (startsAt + ms <= at ? startsAt + ms : null);
          const state = occurrenceState(
            { ...planned, quiescedAt: known(quiesced), releasedAt: known(released), closedAt: known(closed) },
            at,
          );
          expect(occurrenceStates).toContain(state);
          expect(order.indexOf(state)).toBeGreaterThanOrEqual(last);
          last = order.indexOf(state);
        }
      }),
    );
  });
});
