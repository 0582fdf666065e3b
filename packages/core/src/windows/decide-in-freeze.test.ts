import { describe, expect, it } from "vitest";
import { decideInFreeze, type FreezeAsker, meetingOf, movedElsewhere, newlyMet } from "./decide-in-freeze.js";
import type { MetFreeze } from "./freezes.js";
import { undecidedFreezeSentence } from "./undecided-freeze.js";

const hour = 3_600_000;
const planned = { localStart: "2026-04-10T22:00", localEnd: "2026-04-10T23:00", start: 22 * hour, end: 23 * hour };
const freeze = { freeze: "close", title: "Books close", owner: "finance", localStart: "2026-04-10T00:00", start: 0, end: 24 * hour };
const met: MetFreeze = { planned, freeze, from: 22 * hour, until: 23 * hour };
const person = (more: Partial<Extract<FreezeAsker, { kind: "person" }>> = {}): FreezeAsker => ({
  kind: "person",
  role: "operator",
  mayOverride: false,
  reason: "",
  ...more,
});
const decide = (asker: FreezeAsker) =>
  decideInFreeze({ window: "upgrade", met: [met], nearest: "2026-04-11T22:00", isLonger: false, asker });

describe("decideInFreeze", () => {
  it.each([
    ["without a reason", person({ mayOverride: true }), "QSC_WINDOW_IN_FREEZE"],
    ["with a reason of blanks", person({ mayOverride: true, reason: "  " }), "QSC_WINDOW_IN_FREEZE"],
    ["with a reason and without the right", person({ reason: "security fix" }), "QSC_ACCESS_DENIED"],
  ])("refuses a person %s", (_, asker, code) => {
    expect(decide(asker)).toMatchObject({ kind: "refused", error: { code } });
  });

  it("lets a person with a reason and the right override, and keeps what nobody asked for", () => {
    expect(decide(person({ mayOverride: true, reason: " security fix " }))).toEqual({ kind: "overridden", reason: "security fix" });
    expect(decide({ kind: "nobody", cause: "zone-data" })).toEqual({ kind: "kept", cause: "zone-data" });
  });
});

describe("what counts as moved", () => {
  it("is what did not happen at these instants before, whatever its name", () => {
    const renamed = { ...planned, localStart: "2026-04-10T21:00" };
    expect(movedElsewhere([planned], [renamed])).toEqual([]);
    const longer = { ...planned, end: 24 * hour };
    expect(movedElsewhere([planned], [planned, longer])).toEqual([longer]);
  });

  it("is no meeting that is known already, also where its instants changed", () => {
    const known = [meetingOf(met)];
    expect(newlyMet(known, [{ ...met, from: 23 * hour }])).toEqual([]);
    const other = { ...met, freeze: { ...freeze, localStart: "2026-05-10T00:00" } };
    expect(newlyMet(known, [met, other])).toEqual([other]);
    expect(newlyMet([], [met])).toEqual([met]);
  });
});

describe("what is said of freezes", () => {
  it("names the change, the freeze, the time, the cause and what to do, where nobody has decided", () => {
    const one = { window: "upgrade", localStart: planned.localStart, freeze: "close", freezeTitle: "Books close", freezeOwner: "finance" };
    expect(undecidedFreezeSentence({ ...one, from: 22 * hour, until: 23 * hour, cause: "zone-data" })).toBe(
      'The change "upgrade" at 2026-04-10T22:00 lies in the freeze "close" (Books close) of finance from 1970-01-01T22:00:00.000Z until 1970-01-01T23:00:00.000Z, and nobody has decided on that (newer time zone data moved it or the freeze). Move or cancel it, or let it stand: quiesce window override-freeze upgrade --reason "…"',
    );
  });
});
