import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ActiveHold } from "../now/summary.js";
import { layOut } from "./lay-out.js";
import { type Arrow, neighbourhood } from "./neighbourhood.js";
import { stateOfSystem, type TopologySystem } from "./system-state.js";

const system = (change: Partial<TopologySystem> = {}): TopologySystem => ({
  id: "s1",
  key: "erp",
  name: "ERP",
  kind: "erp",
  ownerTeam: null,
  criticality: "MEDIUM",
  tags: ["core"],
  dependencies: [],
  endpoints: [],
  integrationCounts: { all: 3, held: 0, failing: 0 },
  ...change,
});
const scope = { all: false, systems: ["erp"], integrations: [], tags: [] };
type Occurrence = NonNullable<ActiveHold["occurrence"]>;
const occurrence = (state: Occurrence["state"]): Occurrence => ({
  id: "o1",
  key: "patch@1",
  state,
  startsAt: "2027-03-10T02:00:00Z",
  endsAt: "2027-03-10T06:00:00Z",
  timeZone: "UTC",
  quiescedAt: null,
  overrunAt: null,
  inFlight: 0,
  heldRuns: 0,
  drainDeadlineAt: null,
  runsInFlight: [],
  resume: null,
  window: { id: "w1", key: "patch", title: "Patch", owner: "erika", kind: "MAINTENANCE", scope },
});
const hold = (state: Occurrence["state"] | null, change: Partial<ActiveHold> = {}): ActiveHold => ({
  id: "h1",
  key: "1",
  kind: state === null ? "MANUAL" : "WINDOW",
  title: "Patch",
  owner: "erika",
  reason: "patch",
  mode: "ENFORCE",
  beginsAt: "2027-03-10T02:00:00Z",
  expiresAt: null,
  memberCount: 1,
  scope: { all: false, systems: ["erp"], tags: [] },
  occurrence: state === null ? null : occurrence(state),
  ...change,
});
const away: TopologySystem["endpoints"] = [{ id: "e1", key: "api", traffic: { breaker: "OPEN", reason: "no route" } }];
const counts = (held: number, failing: number) => ({ integrationCounts: { all: 3, held, failing } });

describe("the state of a system", () => {
  it.each([
    ["nothing happens", system(), [], "fine"],
    ["nothing runs over it", system({ integrationCounts: { all: 0, held: 0, failing: 0 } }), [], "unused"],
    ["it does not answer", system({ endpoints: away }), [], "away"],
    ["it is away in its own window, as planned", system({ endpoints: away }), [hold("QUIESCED")], "quiesced"],
    ["one window drains and another is quiet: work may not begin", system(), [hold("QUIESCED"), hold("DRAINING")], "draining"],
    ["its window is overrun", system({ ...counts(3, 0) }), [hold("QUIESCED"), hold("OVERRUN")], "overrun"],
    ["it is paused by hand", system(), [hold(null)], "held"],
    ["a window names its tag", system(), [hold("QUIESCED", { scope: { all: false, systems: [], tags: ["core"] } })], "quiesced"],
    ["a window names everything", system(), [hold("QUIESCED", { scope: { all: true, systems: [], tags: [] } })], "quiesced"],
    ["a window is over another system", system(), [hold("QUIESCED", { scope: { all: false, systems: ["shop"], tags: [] } })], "fine"],
    ["a window only observes", system(), [hold("QUIESCED", { mode: "OBSERVE" })], "fine"],
    ["all of its integrations are held by others' windows", system(counts(3, 0)), [], "held"],
    ["some of them are", system(counts(1, 0)), [], "partly"],
    ["some fail and some are held", system(counts(1, 1)), [], "failing"],
  ] as const)("when %s", (_when, of, activeHolds, word) => {
    expect(stateOfSystem(of, { activeHolds, resuming: [] }).word).toBe(word);
  });

  it("is resuming while its window lets go", () => {
    expect(stateOfSystem(system(), { activeHolds: [], resuming: [occurrence("RESUMING")] })).toMatchObject({
      word: "resuming",
      tone: "resuming",
    });
  });
});

describe("the neighbourhood", () => {
  const keys = ["a", "b", "c", "d", "e"];
  const arrow = (from: string, to: string): Arrow => ({ from, to, isSoft: false });
  const arrows = [arrow("a", "b"), arrow("b", "c"), arrow("c", "d")];
  it("is everything that fits", () => {
    expect([...neighbourhood(keys, arrows, { around: null, most: 5 })]).toEqual(keys);
  });
  it("is what is nearest, against the arrows too", () => {
    expect([...neighbourhood(keys, arrows, { around: "c", most: 3 })].toSorted()).toEqual(["b", "c", "d"]);
  });
  it("never has more than asked for, and always the one in the middle", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 80 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(30),
        (pairs, most, around) => {
          const names = Array.from({ length: 31 }, (_, index) => `s${index}`);
          const drawn = neighbourhood(
            names,
            pairs.map(([from, to]) => arrow(`s${from}`, `s${to}`)),
            { around: `s${around}`, most },
          );
          expect(drawn.size).toBeLessThanOrEqual(most);
          expect(drawn.has(`s${around}`)).toBe(true);
        },
      ),
    );
  });
});

describe("the layout", () => {
  const size = { width: 100, height: 50 };
  it("puts what is needed to the right of what needs it, and no box onto another", () => {
    const keys = ["a", "b", "c", "alone", "too"];
    const places = layOut({
      keys,
      arrows: [
        { from: "a", to: "b" },
        { from: "b", to: "c" },
      ],
      direction: "LR",
      size,
    });
    expect(Object.keys(places).toSorted()).toEqual(keys.toSorted());
    expect(places["a"]?.x).toBeLessThan(places["b"]?.x ?? 0);
    expect(places["b"]?.x).toBeLessThan(places["c"]?.x ?? 0);
    for (const one of keys)
      for (const other of keys.filter((key) => key > one)) {
        const [p, q] = [places[one] ?? { x: 0, y: 0 }, places[other] ?? { x: 0, y: 0 }];
        expect([one, other, Math.abs(p.x - q.x) >= size.width || Math.abs(p.y - q.y) >= size.height]).toEqual([one, other, true]);
      }
  });
  it("has a place for systems without any arrow, and for a circle of arrows", () => {
    expect(Object.keys(layOut({ keys: ["a", "b", "c"], arrows: [], direction: "TB", size }))).toHaveLength(3);
    const circle = layOut({
      keys: ["a", "b"],
      arrows: [
        { from: "a", to: "b" },
        { from: "b", to: "a" },
      ],
      direction: "LR",
      size,
    });
    expect(circle["a"]).not.toEqual(circle["b"]);
  });
});
