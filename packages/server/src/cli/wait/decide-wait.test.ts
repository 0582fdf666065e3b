import { expect, it } from "vitest";
import { occurrenceStates } from "@quiesce/core";
import { decideWait, waitGoals } from "./decide-wait.js";

const began = { startedAt: "2026-03-02T10:00:00Z", releasedAt: null };
const released = { ...began, releasedAt: "2026-03-02T11:00:00Z" };
const never = { startedAt: null, releasedAt: null };

it.each([
  ["UNAPPROVED", never, "waiting waiting waiting waiting"],
  ["SCHEDULED", never, "waiting waiting waiting waiting"],
  ["OBSERVING", began, "reached no-longer waiting waiting"],
  ["DRAINING", began, "reached waiting waiting waiting"],
  ["QUIESCED", began, "reached reached waiting waiting"],
  ["VERIFYING", began, "reached no-longer waiting waiting"],
  ["OVERRUN", began, "reached no-longer waiting waiting"],
  ["RESUMING", released, "reached no-longer reached waiting"],
  ["CLOSED", released, "reached no-longer reached reached"],
  ["CLOSED", never, "no-longer no-longer no-longer reached"],
  ["CANCELLED", never, "cancelled cancelled cancelled cancelled"],
  ["A_STATE_OF_TOMORROW", began, "waiting waiting waiting waiting"],
])("waiting for begun, quiesced, released, closed in %s %j: %s", (state, facts, verdicts) => {
  expect(waitGoals.map((goal) => decideWait(goal, { state, ...facts }).kind).join(" ")).toBe(verdicts);
});

it("an occurrence that its series has no more was cancelled", () => {
  expect(decideWait("closed", null)).toEqual({ kind: "cancelled" });
});

it("every state that there is has an answer of its own", () => {
  const states = occurrenceStates.map((state) => state.toUpperCase());
  for (const state of states) {
    const verdicts = waitGoals.map((goal) => decideWait(goal, { state, ...began }).kind);
    if (!["UNAPPROVED", "SCHEDULED"].includes(state)) expect(verdicts).not.toEqual(["waiting", "waiting", "waiting", "waiting"]);
  }
});
