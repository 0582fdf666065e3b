import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OccurrenceFacts, occurrenceState, occurrenceStates } from "./occurrence-state.js";

const startsAt = Date.parse("2026-11-01T06:00:00Z");
const endsAt = startsAt + 4 * 3_600_000;
const planned: OccurrenceFacts = {
  startsAt,
  endsAt,
  quiescedAt: null,
  verifyingAt: null,
  overrunAt: null,
  releasedAt: null,
  reheldAt: null,
  closedAt: null,
  cancelledAt: null,
  approved: true,
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
    [
      "past its end it is verifying while its systems are asked",
      { ...planned, quiescedAt: startsAt, verifyingAt: endsAt },
      endsAt,
      "verifying",
    ],
    ["it is overrun when they are not ready in time", { ...planned, verifyingAt: endsAt, overrunAt: endsAt + 1 }, endsAt + 1, "overrun"],
    [
      "released after that it resumes",
      { ...planned, verifyingAt: endsAt, overrunAt: endsAt + 1, releasedAt: endsAt + 2 },
      endsAt + 2,
      "resuming",
    ],
    [
      "held again after its release it is verifying again",
      { ...planned, releasedAt: endsAt, reheldAt: endsAt + 5 },
      endsAt + 5,
      "verifying",
    ],
    [
      "held again for too long it is overrun",
      { ...planned, releasedAt: endsAt, reheldAt: endsAt + 5, overrunAt: endsAt + 9 },
      endsAt + 9,
      "overrun",
    ],
    ["one that only observes is never verifying", { ...planned, verifyingAt: endsAt, mode: "observe" }, endsAt, "observing"],
    ["that nobody approved is unapproved before its start and after", { ...planned, approved: false }, startsAt + 1, "unapproved"],
    [
      "that nobody approved and that only observes is unapproved",
      { ...planned, approved: false, mode: "observe" },
      startsAt - 1,
      "unapproved",
    ],
    ["that nobody approved is closed when it is over", { ...planned, approved: false, closedAt: endsAt }, endsAt, "closed"],
    ["closed it is over", { ...planned, releasedAt: endsAt, closedAt: endsAt + 1 }, endsAt + 1, "closed"],
    ["cancelled it never happens", { ...planned, cancelledAt: startsAt - 1 }, startsAt + 1, "cancelled"],
    ["one that nobody was there for is closed without a release", { ...planned, closedAt: endsAt }, endsAt, "closed"],
  ] as const)("%s", (_name, facts, now, state) => {
    expect(occurrenceState(facts, now)).toBe(state);
  });

  it("as facts are added and time passes the state never goes back", () => {
    const order = ["scheduled", "draining", "quiesced", "verifying", "overrun", "resuming", "closed"];
    const times = fc
      .tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000))
      .map(([a, b, c, d, e, f]) => ({
        quiesced: a,
        ended: a + b,
        overrun: a + b + c,
        released: a + b + c + d,
        closed: a + b + c + d + e,
        later: f,
      }));
    fc.assert(
      fc.property(times, ({ quiesced, ended, overrun, released, closed, later }) => {
        let last = 0;
        for (let at = startsAt - 2; at <= startsAt + closed + later; at += 97) {
          const known = (ms: number) => (startsAt + ms <= at ? startsAt + ms : null);
          const state = occurrenceState(
            {
              ...planned,
              quiescedAt: known(quiesced),
              verifyingAt: known(ended),
              overrunAt: known(overrun),
              releasedAt: known(released),
              closedAt: known(closed),
            },
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
