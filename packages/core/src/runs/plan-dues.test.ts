import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Due, maxWaitingRuns, misfireGraceMs, planDues, type PlannedRun, type WaitingRun } from "./plan-dues.js";
import { catchUpPolicies } from "./run-state.js";

const now = Date.parse("2026-03-29T01:00:00Z");
const minute = 60_000;
const due = (minutes: number): Due => ({ dueAt: now + minutes * minute, local: `${minutes}` });
const given = (minutes: readonly number[], more: Partial<Parameters<typeof planDues>[0]> = {}) =>
  planDues({ dues: minutes.map(due), now, catchUp: "coalesce", waiting: null, waitingCount: 0, ...more });
const short = (runs: readonly PlannedRun[]) =>
  runs.map((one) => [(one.dueAt - now) / minute, (one.lastDueAt - now) / minute, one.dueCount, one.state]);

const facts = fc.record({
  dues: fc.uniqueArray(fc.integer({ min: -3_000, max: 20 }), { maxLength: 60 }).map((list) => list.toSorted((a, b) => a - b).map(due)),
  now: fc.constant(now),
  catchUp: fc.constantFrom(...catchUpPolicies),
  waiting: fc.option(
    fc.record({
      state: fc.constantFrom("held" as const, "queued" as const),
      attempt: fc.constantFrom(0, 0, 1),
      dueAt: fc.integer({ min: -6_000, max: 20 }).map((minutes) => now + minutes * minute),
    }),
  ),
  waitingCount: fc.constantFrom(0, 1, 5, maxWaitingRuns - 3, maxWaitingRuns - 1, maxWaitingRuns),
});

describe("planDues", () => {
  it("what lies ahead becomes one queued run each, under every policy", () => {
    for (const catchUp of catchUpPolicies) {
      expect(short(given([1, 2, 3], { catchUp }).runs)).toEqual([
        [1, 1, 1, "queued"],
        [2, 2, 1, "queued"],
        [3, 3, 1, "queued"],
      ]);
    }
  });

  it("a gap in which no server was up becomes one run, is skipped, or is kept one by one", () => {
    const missed = [-30, -20, -10, 5];
    expect(short(given(missed).runs)).toEqual([
      [-30, -10, 3, "queued"],
      [5, 5, 1, "queued"],
    ]);
    expect(short(given(missed, { catchUp: "skip" }).runs)).toEqual([
      [-30, -10, 3, "skipped"],
      [5, 5, 1, "queued"],
    ]);
    expect(short(given(missed, { catchUp: "all" }).runs)).toEqual([
      [-30, -30, 1, "queued"],
      [-20, -20, 1, "queued"],
      [-10, -10, 1, "queued"],
      [5, 5, 1, "queued"],
    ]);
  });

  it("skip still runs what is only a moment late", () => {
    const plan = planDues({
      dues: [
        { dueAt: now - misfireGraceMs - 1, local: "a" },
        { dueAt: now - misfireGraceMs, local: "b" },
      ],
      now,
      catchUp: "skip",
      waiting: null,
      waitingCount: 0,
    });
    expect(plan.runs.map((one) => one.state)).toEqual(["skipped", "queued"]);
  });

  it("what is due joins a run that waits anyway: held ones under skip, any under coalesce, none under all", () => {
    const held: WaitingRun = { state: "held", attempt: 0, dueAt: now - 60 * minute };
    const queued: WaitingRun = { ...held, state: "queued" };
    expect(given([-2, -1, 3], { waiting: held })).toMatchObject({
      absorbed: { dueCount: 2, lastDueAt: now - minute },
      runs: [{ dueAt: now + 3 * minute }],
    });
    expect(given([-1], { waiting: queued }).absorbed).not.toBeNull();
    expect(given([-1], { waiting: held, catchUp: "skip" }).absorbed).not.toBeNull();
    expect(given([-1], { waiting: queued, catchUp: "skip" }).absorbed).toBeNull();
    expect(given([-1], { waiting: held, catchUp: "all" }).absorbed).toBeNull();
  });

  it("nothing joins a run that has begun already", () => {
    expect(given([-1], { waiting: { state: "queued", attempt: 1, dueAt: now - minute } }).absorbed).toBeNull();
  });

  it("beyond the limit of waiting runs the rest is one run, also under all", () => {
    const dues = Array.from({ length: 1_500 }, (_, index) => ({ dueAt: now - (1_500 - index) * minute, local: "" }));
    const plan = planDues({ dues, now, catchUp: "all", waiting: null, waitingCount: 0 });
    expect(plan.runs).toHaveLength(maxWaitingRuns);
    expect(plan.runs.at(-1)).toMatchObject({ dueCount: 501, lastDueAt: now - minute, state: "queued" });
    const full = planDues({
      dues,
      now,
      catchUp: "all",
      waiting: { state: "held", attempt: 0, dueAt: now - 2_000 * minute },
      waitingCount: maxWaitingRuns,
    });
    expect(full).toEqual({ absorbed: { dueCount: 1_500, lastDueAt: now - minute }, runs: [] });
  });

  it("every due time is accounted for exactly once", () => {
    fc.assert(
      fc.property(facts, (input) => {
        const plan = planDues(input);
        const accounted = plan.runs.flatMap((run) => {
          const inside = input.dues.filter((one) => one.dueAt >= run.dueAt && one.dueAt <= run.lastDueAt).map((one) => one.dueAt);
          expect(inside).toHaveLength(run.dueCount);
          expect([inside[0], inside.at(-1)]).toEqual([run.dueAt, run.lastDueAt]);
          return inside;
        });
        const absorbed = input.dues.slice(0, plan.absorbed?.dueCount ?? 0).map((one) => one.dueAt);
        expect([...absorbed, ...accounted].toSorted((a, b) => a - b)).toEqual(input.dues.map((one) => one.dueAt));
        if (plan.absorbed !== null) expect(plan.absorbed.lastDueAt).toBe(absorbed.at(-1));
      }),
    );
  });

  it("nothing ahead of now is absorbed, skipped or part of a range", () => {
    fc.assert(
      fc.property(facts, (input) => {
        const plan = planDues(input);
        if (plan.absorbed !== null) expect(plan.absorbed.lastDueAt).toBeLessThanOrEqual(now);
        for (const run of plan.runs.filter((one) => one.lastDueAt > now)) expect(run).toMatchObject({ dueCount: 1, state: "queued" });
      }),
    );
  });

  it("nothing joins a run whose own due time is still to come", () => {
    fc.assert(
      fc.property(facts, (input) => {
        if (input.waiting === null || input.waiting.dueAt <= now) return;
        expect(planDues(input).absorbed).toBeNull();
      }),
    );
  });

  it("only skip skips, and only what was missed by more than the grace", () => {
    fc.assert(
      fc.property(facts, (input) => {
        for (const run of planDues(input).runs.filter((one) => one.state === "skipped")) {
          expect(input.catchUp).toBe("skip");
          expect(run.lastDueAt).toBeLessThan(now - misfireGraceMs);
        }
      }),
    );
  });

  it("the runs come in the order of their due times and do not overlap", () => {
    fc.assert(
      fc.property(facts, (input) => {
        const edges = planDues(input).runs.flatMap((run) => (run.dueCount === 1 ? [run.dueAt] : [run.dueAt, run.lastDueAt]));
        expect(edges).toEqual([...new Set(edges)].toSorted((a, b) => a - b));
      }),
    );
  });

  it("at most the limit of due runs waits, besides the one that takes the rest", () => {
    fc.assert(
      fc.property(facts, (input) => {
        const waiting = planDues(input).runs.filter((run) => run.state === "queued" && run.dueAt <= now).length;
        expect(waiting + input.waitingCount).toBeLessThanOrEqual(
          Math.max(maxWaitingRuns, input.waitingCount + 1 + (input.catchUp === "skip" ? waiting : 0)),
        );
      }),
    );
  });
});
