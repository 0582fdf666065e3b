import { describe, expect, it } from "vitest";
import { isTerminal, mayBecome, type RunState, runStates, runTransitions } from "./run-state.js";

const terminal: readonly RunState[] = ["succeeded", "failed", "dead", "lost", "skipped", "coalesced", "cancelled"];

describe("the states of a run", () => {
  it("only queued, running and held have a way out", () => {
    expect(runStates.filter((state) => !isTerminal(state)).toSorted()).toEqual(["held", "queued", "running"]);
    expect(runStates.filter(isTerminal).toSorted()).toEqual(terminal.toSorted());
  });

  it("a terminal state becomes nothing, not even itself", () => {
    for (const from of terminal) for (const to of runStates) expect(mayBecome(from, to), `${from} -> ${to}`).toBe(false);
  });

  it("every step leads to a state of the table", () => {
    for (const from of runStates) for (const to of runTransitions[from]) expect(runStates).toContain(to);
  });

  it("every state but queued is reached from queued", () => {
    const reached = new Set<RunState>(["queued"]);
    for (const from of reached) for (const to of runTransitions[from]) reached.add(to);
    expect([...reached].toSorted()).toEqual(runStates.toSorted());
  });

  it("a terminal state can be reached from every open one, so no account stays open for ever", () => {
    for (const from of ["queued", "held", "running"] as const) expect(runTransitions[from].some((to) => isTerminal(to))).toBe(true);
  });

  it("a held run never starts without being queued again: the claim decides anew", () => {
    expect(mayBecome("held", "running")).toBe(false);
    expect(mayBecome("held", "queued")).toBe(true);
  });

  it("only a run that runs succeeds or fails", () => {
    for (const state of ["succeeded", "failed", "dead", "lost"] as const) {
      expect(runStates.filter((from) => mayBecome(from, state))).toEqual(["running"]);
    }
  });
});
