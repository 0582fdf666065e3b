import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterRefusal, afterSupersession, decideAfterStep, rotationPatience, type StepResult } from "./decide-rotation-step.js";
import { isEnded, isSwitched, mayTurn, type RotationState, rotationStates } from "./rotation-state.js";

const done: StepResult = { kind: "done" };
const failed = (kind: "auth" | "permission" | "unavailable" | "timeout" | "bug" | "rate_limited"): StepResult => ({
  kind: "failed",
  error: { kind, message: "x" },
});
const result = fc.oneof(
  fc.constant(done),
  fc.constantFrom("auth", "permission", "unavailable", "timeout", "bug", "rate_limited").map((kind) => failed(kind as "auth")),
);

/** Plays results against the decisions and answers the states in order. */
function play(from: RotationState, results: readonly StepResult[]): readonly RotationState[] {
  const states: RotationState[] = [from];
  let state = from;
  let failures = 0;
  for (const one of results) {
    if (isEnded(state)) break;
    // Waiting for runs asks nobody, so it cannot fail.
    const verdict = decideAfterStep(state === "draining" || state === "returning" ? done : one, {
      state,
      failures,
      hasNew: state !== "issuing",
    });
    if (verdict.kind === "again") {
      failures += 1;
      continue;
    }
    expect(mayTurn(state, verdict.to), `${state} -> ${verdict.to}`).toBe(true);
    state = verdict.to;
    failures = 0;
    states.push(state);
  }
  return states;
}

describe("a rotation", () => {
  it("that goes well passes issue, test, switch, check, drain, revoke in this order", () => {
    expect(
      play(
        "issuing",
        Array.from({ length: 6 }, () => done),
      ),
    ).toEqual(["issuing", "testing", "checking", "draining", "revoking", "succeeded"]);
  });

  it("never ends the old secrets before the new ones were tested, switched and checked, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(result, { maxLength: 60 }), (results) => {
        const states = play("issuing", results);
        const revoking = states.indexOf("revoking");
        if (revoking >= 0) expect(states.slice(0, revoking)).toEqual(["issuing", "testing", "checking", "draining"]);
        // Who fails works with the old ones: nothing has ended them.
        if (states.includes("failed")) expect(states).not.toContain("revoking");
      }),
    );
  });

  it("ends, however often the system does not answer", () => {
    const nothing = Array.from({ length: 1_000 }, () => failed("unavailable"));
    expect(play("issuing", nothing).at(-1)).toBe("failed");
    expect(play("testing", nothing)).toEqual(["testing", "discarding", "failed"]);
    expect(play("checking", nothing)).toEqual(["checking", "returning", "discarding", "failed"]);
    expect(play("revoking", nothing)).toEqual(["revoking", "unrevoked"]);
  });

  it("is not tried again where the system has refused, and with growing pauses where it has not answered", () => {
    expect(decideAfterStep(failed("auth"), { state: "testing", failures: 0, hasNew: true })).toMatchObject({
      kind: "turn",
      to: "discarding",
    });
    expect(decideAfterStep(failed("auth"), { state: "testing", failures: 0, hasNew: false })).toMatchObject({ kind: "turn", to: "failed" });
    const pauses = [0, 1, 2, 9].map((failures) => decideAfterStep(failed("timeout"), { state: "testing", failures, hasNew: true }));
    expect(pauses.map((one) => (one.kind === "again" ? one.afterMs : 0))).toEqual([5_000, 10_000, 20_000, rotationPatience.maxRetryMs]);
  });

  it("goes by the table wherever a refusal or other secrets of the workspace meet it", () => {
    for (const state of rotationStates)
      for (const hasNew of [true, false]) {
        const to = afterSupersession({ state, hasNew });
        if (to === null) expect(isEnded(state) || state === "returning" || state === "discarding").toBe(true);
        else expect(mayTurn(state, to), `${state} -> ${to}`).toBe(true);
        if (to !== null && isSwitched(state)) expect(to).toBe("returning");
        if (["issuing", "testing", "checking", "revoking", "discarding"].includes(state))
          expect(mayTurn(state, afterRefusal({ state, hasNew: hasNew && state !== "issuing" }))).toBe(true);
      }
  });
});
