import { describe, expect, it } from "vitest";
import { describeEnding, type EndingFacts } from "./describe-ending.js";
import { runStates } from "./run-state.js";

const due = Date.parse("2026-03-29T00:30:00Z");
const facts: EndingFacts = {
  state: "succeeded",
  reason: null,
  dueAt: due,
  attempt: 1,
  heldBy: [],
  heldSince: null,
  releasedAt: null,
  readyAt: due,
  startedAt: due + 1_000,
  finishedAt: due + 61_000,
  error: null,
  rootDueAt: null,
};
const held = { heldBy: ["ERP patch"], heldSince: due, releasedAt: due + 3_600_000 };

describe("why a due time ended as it did", () => {
  it.each<[string, Partial<EndingFacts>, string]>([
    ["a run", {}, "Ran from 2026-03-29T00:30:01Z for 1m."],
    ["a repeated run", { attempt: 3 }, "Ran from 2026-03-29T00:30:01Z for 1m, at attempt 3."],
    [
      "a run after a window",
      { ...held, startedAt: due + 3_600_000, finishedAt: due + 3_600_250 },
      'Held by "ERP patch" from 2026-03-29T00:30:00Z to 2026-03-29T01:30:00Z. Ran from 2026-03-29T01:30:00Z for 250ms.',
    ],
    ["a held one", { ...held, state: "held", releasedAt: null }, 'Is held by "ERP patch" since 2026-03-29T00:30:00Z.'],
    [
      "one that another run stands for",
      { ...held, state: "coalesced", rootDueAt: due - 1_800_000 },
      'Held by "ERP patch" from 2026-03-29T00:30:00Z to 2026-03-29T01:30:00Z. The run that was due at 2026-03-29T00:00:00Z stands for it.',
    ],
    ["a missed one", { state: "skipped", reason: "missed" }, "Nobody could start it in time, and its job lets missed due times go."],
    ["one that was held and let go", { state: "skipped", reason: "catch-up-skip" }, "Its job lets due times go that were held."],
    ["one that got too old", { state: "skipped", reason: "catch-up-max-age" }, "When it was let go it was older than its job allows."],
    [
      "a refused one",
      { state: "failed", error: "404 Not found." },
      "Failed at 2026-03-29T00:31:01Z with an error that is not tried again: 404 Not found.",
    ],
    [
      "a dead one",
      { state: "dead", attempt: 3, error: "timeout" },
      "Failed 3 times, which is all that its job allows, at last at 2026-03-29T00:31:01Z: timeout.",
    ],
    ["a cancelled one", { state: "cancelled", reason: "by mistake" }, "Was cancelled before it started: by mistake."],
    ["one of a deleted job", { state: "cancelled", reason: "deleted" }, "Its job was deleted before it started."],
    [
      "one that waits for its retry",
      { state: "queued", reason: "retry", error: "timeout" },
      "Attempt 1 failed: timeout; the next one may start at 2026-03-29T00:30:00Z.",
    ],
    [
      "one whose system gives no answer",
      { state: "queued", reason: "endpoint-away" },
      "A system that it needs gave no answer several times in a row; it waits until that was asked again, and may start at 2026-03-29T00:30:00Z.",
    ],
    [
      "one whose system asked for fewer requests",
      { state: "queued", reason: "endpoint-rate-limited" },
      "A system that it needs asked for fewer requests; it may start at 2026-03-29T00:30:00Z.",
    ],
  ])("is said of %s", (_name, given, words) => {
    expect(describeEnding({ ...facts, ...given }, false)).toBe(words);
  });

  it("names the run that a joined due time stands in, but not where each ended for itself", () => {
    expect(describeEnding(facts, true)).toBe(
      "Stands in the run that was due at 2026-03-29T00:30:00Z. Ran from 2026-03-29T00:30:01Z for 1m.",
    );
    expect(describeEnding({ ...facts, state: "skipped", reason: "missed" }, true)).toBe(
      describeEnding({ ...facts, state: "skipped", reason: "missed" }, false),
    );
  });

  it("is a sentence in every state, also when nothing more is known", () => {
    for (const state of runStates) {
      const bare = { ...facts, state, startedAt: null, finishedAt: null };
      expect(describeEnding(bare, false), state).toMatch(/^[A-Z].*\.$/);
    }
  });
});
