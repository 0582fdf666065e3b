import { describe, expect, it } from "vitest";
import { type Band, bandsOf, type DrawnRun, drawnRange, lanesOf, scaleOf, shapesOf } from "./timeline-shapes.js";

const HOUR_MS = 3_600_000;
const from = Date.parse("2027-03-10T00:00:00Z");
const range = { from, to: from + 10 * HOUR_MS };
const at = (hours: number) => new Date(from + hours * HOUR_MS).toISOString();
const run = (change: Partial<DrawnRun> = {}): DrawnRun => ({
  id: "r1",
  key: "r1",
  state: "SUCCEEDED",
  trigger: "SCHEDULE",
  dueAt: at(2),
  lastDueAt: at(2),
  dueCount: 1,
  startedAt: at(2),
  finishedAt: at(3),
  durationMs: HOUR_MS,
  heldSince: null,
  job: { id: "j1", key: "sync" },
  coalescedInto: null,
  ...change,
});
const shapes = (change: Partial<DrawnRun>, now = 9, starts: { readonly [key: string]: number } = {}) =>
  shapesOf(run(change), { range, now: from + now * HOUR_MS, startOf: (key) => starts[key] ?? null }).map(
    ({ kind, left, width }) => `${kind} ${Math.round(left)}+${Math.round(width)}`,
  );

describe("the marks of a run", () => {
  it("that ran are one bar from its start to its end", () => {
    expect(shapes({})).toEqual(["ran 20+10"]);
  });
  it.each(["FAILED", "DEAD", "LOST"] as const)("that ended as %s are outlined", (state) => {
    expect(shapes({ state })).toEqual(["failed 20+10"]);
  });
  it("that is running reach to now", () => {
    expect(shapes({ state: "RUNNING", finishedAt: null }, 7)).toEqual(["running 20+50"]);
  });
  it("that was held have a tick where it was due and a line to where it ran", () => {
    expect(shapes({ heldSince: at(2), startedAt: at(6), finishedAt: at(7) })).toEqual(["wait 20+40", "tick 20+0", "ran 60+10"]);
  });
  it("that is held have a line to now, and no bar", () => {
    expect(shapes({ state: "HELD", heldSince: at(2), startedAt: null, finishedAt: null })).toEqual(["wait 20+70", "tick 20+0"]);
  });
  it("that stand for several due times are bracketed", () => {
    const held = { heldSince: at(2), lastDueAt: at(5), dueCount: 4, startedAt: at(6), finishedAt: at(7) };
    expect(shapes(held)).toEqual(["wait 20+40", "tick 20+0", "tick 50+0", "bracket 20+30", "ran 60+10"]);
  });
  it("for which another one stood lead to that, and have no bar of their own", () => {
    const coalesced = { state: "COALESCED", startedAt: null, finishedAt: null, coalescedInto: { id: "r2", key: "r2" } } as const;
    expect(shapes(coalesced, 9, { r2: from + 6 * HOUR_MS })).toEqual(["wait 20+40", "tick 20+0"]);
  });
  it("are cut at the edges, and absent outside", () => {
    expect(shapes({ dueAt: at(-2), startedAt: at(-2), finishedAt: at(1) })).toEqual(["ran 0+10"]);
    expect(shapes({ dueAt: at(-4), startedAt: at(-4), finishedAt: at(-3) })).toEqual([]);
  });
  it("that wait for their turn are dashed, and skipped ones have a mark", () => {
    expect(shapes({ state: "QUEUED", startedAt: null, finishedAt: null })).toEqual(["queued 20+0"]);
    expect(shapes({ state: "SKIPPED", startedAt: null, finishedAt: null })).toEqual(["skipped 20+0"]);
  });
});

it("there is a lane for each job, also without runs, and one for runs of none", () => {
  const lanes = lanesOf([run({ key: "b", dueAt: at(4) }), run({ key: "a" }), run({ key: "g", job: null })], ["sync", "idle"]);
  expect(lanes.map(({ job, runs }) => [job, runs.map(({ key }) => key)])).toEqual([
    ["sync", ["a", "b"]],
    ["idle", []],
    [null, ["g"]],
  ]);
});

it("bands are what a hold covers of the range: until it was lifted, or its end, or for ever", () => {
  const band = (key: string, change: Partial<Band>): Band => ({
    id: key,
    key,
    kind: "WINDOW",
    title: key,
    beginsAt: at(1),
    expiresAt: at(4),
    releasedAt: null,
    ...change,
  });
  const drawn = bandsOf(
    [
      band("whole", {}),
      band("lifted", { releasedAt: at(2) }),
      band("open", { expiresAt: null }),
      band("past", { beginsAt: at(-3), expiresAt: at(-1) }),
    ],
    range,
  );
  expect(drawn.map(({ band: { key }, left, width }) => [key, Math.round(left), Math.round(width)])).toEqual([
    ["whole", 10, 30],
    ["lifted", 10, 10],
    ["open", 10, 90],
  ]);
});

it("when there were more runs than could be had, the drawing begins with the oldest of them", () => {
  expect(drawnRange(range, [run()], false)).toEqual(range);
  expect(drawnRange(range, [run({ dueAt: at(4) }), run()], true)).toEqual({ from: from + 2 * HOUR_MS, to: range.to });
});

it.each([
  [10 * 60_000, 8],
  [67 * 60_000, 8],
  [7 * 24 * HOUR_MS, 8],
])("a scale over %d ms has some marks and at most %d", (length, most) => {
  const marks = scaleOf({ from, to: from + length });
  expect(marks.length).toBeGreaterThan(2);
  expect(marks.length).toBeLessThanOrEqual(most + 1);
});
