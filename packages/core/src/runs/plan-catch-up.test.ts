import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planCatchUp, type ReleasedRun } from "./plan-catch-up.js";
import { catchUpPolicies, mayBecome } from "./run-state.js";

const now = Date.parse("2026-10-25T03:00:00Z");
const minute = 60_000;
const run = (minutesAgo: number, more: Partial<ReleasedRun> = {}): ReleasedRun => ({
  runId: `run-${minutesAgo}`,
  dueAt: now - minutesAgo * minute,
  lastDueAt: now - minutesAgo * minute,
  dueCount: 1,
  attempt: 0,
  ...more,
});

const heldRuns = fc
  .uniqueArray(
    fc.record({
      minutesAgo: fc.integer({ min: 0, max: 5_000 }),
      attempt: fc.constantFrom(0, 0, 0, 1, 2),
      span: fc.integer({ min: 0, max: 3 }),
    }),
    {
      selector: (one) => one.minutesAgo,
      maxLength: 40,
    },
  )
  .map((list) =>
    list.map(({ minutesAgo, attempt, span }) =>
      run(minutesAgo, { attempt, dueCount: span + 1, lastDueAt: Math.min(now, now - minutesAgo * minute + span * 1_000) }),
    ),
  );
const facts = fc.record({
  catchUp: fc.constantFrom(...catchUpPolicies),
  maxAgeMs: fc.option(fc.integer({ min: minute, max: 6_000 * minute })),
  now: fc.constant(now),
  held: heldRuns,
  root: fc.option(fc.constant("root")),
});

describe("planCatchUp", () => {
  const plan = (catchUp: "skip" | "coalesce" | "all", held: readonly ReleasedRun[], more: { maxAgeMs?: number; root?: string } = {}) =>
    planCatchUp({ catchUp, maxAgeMs: more.maxAgeMs ?? null, now, held, root: more.root ?? null }).map((step) => [
      step.runId,
      step.next,
      step.into,
    ]);

  it("skip lets them go, all keeps them in order, coalesce makes one of them", () => {
    const held = [run(10), run(30), run(20)];
    expect(plan("skip", held)).toEqual([
      ["run-30", "skipped", null],
      ["run-20", "skipped", null],
      ["run-10", "skipped", null],
    ]);
    expect(plan("all", held)).toEqual([
      ["run-30", "queued", null],
      ["run-20", "queued", null],
      ["run-10", "queued", null],
    ]);
    expect(plan("coalesce", held)).toEqual([
      ["run-30", "queued", null],
      ["run-20", "coalesced", "run-30"],
      ["run-10", "coalesced", "run-30"],
    ]);
  });

  it("a run that had already begun goes on under every policy", () => {
    for (const catchUp of catchUpPolicies)
      expect(plan(catchUp, [run(30, { attempt: 1 })], { maxAgeMs: minute })).toEqual([["run-30", "queued", null]]);
  });

  it("held runs join the root that the same release has queued already", () => {
    expect(plan("coalesce", [run(10), run(5)], { root: "root" })).toEqual([
      ["run-10", "coalesced", "root"],
      ["run-5", "coalesced", "root"],
    ]);
  });

  it("what is older than the job's maximum age is skipped, and a range counts by its last due time", () => {
    expect(plan("all", [run(30), run(10)], { maxAgeMs: 20 * minute })).toEqual([
      ["run-30", "skipped", null],
      ["run-10", "queued", null],
    ]);
    expect(plan("all", [run(30, { lastDueAt: now - 15 * minute, dueCount: 16 })], { maxAgeMs: 20 * minute })).toEqual([
      ["run-30", "queued", null],
    ]);
    expect(plan("all", [run(20)], { maxAgeMs: 20 * minute })).toEqual([["run-20", "queued", null]]);
  });

  it("every held run gets exactly one step that the table of states allows", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const steps = planCatchUp(given);
        expect(steps.map((step) => step.runId).toSorted()).toEqual(given.held.map((one) => one.runId).toSorted());
        for (const step of steps) expect(mayBecome("held", step.next)).toBe(true);
      }),
    );
  });

  it("a coalesced run points at a run that is queued, is not itself and is due no later", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const steps = planCatchUp(given);
        const queued = new Map(steps.filter((step) => step.next === "queued").map((step) => [step.runId, step.dueAt]));
        for (const step of steps) {
          expect(step.into !== null).toBe(step.next === "coalesced");
          if (step.into === null || step.into === given.root) continue;
          expect(queued.get(step.into)).toBeLessThan(step.dueAt);
        }
      }),
    );
  });

  it("coalesce queues at most one run that had not begun, and none when there is a root", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const steps = planCatchUp({ ...given, catchUp: "coalesce" });
        const begun = new Set(given.held.filter((one) => one.attempt > 0).map((one) => one.runId));
        const queued = steps.filter((step) => step.next === "queued" && !begun.has(step.runId));
        expect(queued.length).toBeLessThanOrEqual(given.root === null ? 1 : 0);
      }),
    );
  });

  it("the steps come in the order of the due times, whatever the order of the held runs", () => {
    fc.assert(
      fc.property(facts, (given) => {
        const dues = planCatchUp(given).map((step) => step.dueAt);
        expect(dues).toEqual(dues.toSorted((a, b) => a - b));
        expect(planCatchUp({ ...given, held: given.held.toReversed() })).toEqual(planCatchUp(given));
      }),
    );
  });
});
