import { describe, expect, it } from "vitest";
import { resumeProgress } from "./resume-progress.js";

const now = Date.parse("2026-11-01T06:00:00Z");
const facts = {
  released: true,
  reheld: false,
  overrun: false,
  closed: false,
  tryingCanaries: false,
  checksOpen: 0,
  checks: 0,
  held: 0,
  skipped: 0,
  coalesced: 0,
  batches: [],
};
const ramp = { runs: 3_000, firstAt: now - 411 * 46, lastAt: now + 2_588 * 46 };

describe("resumeProgress", () => {
  it.each([
    ["in the middle of a ramp", { ...facts, batches: [ramp] }, "ramp", "412 of 3,000 released, 2 min left"],
    ["while runs are still being swept", { ...facts, held: 7, batches: [ramp] }, "ramp", "412 of 3,007 released"],
    [
      "before the first place",
      { ...facts, batches: [{ runs: 2, firstAt: now + 1_000, lastAt: now + 2_000 }] },
      "ramp",
      "0 of 2 released, 2 s left",
    ],
    ["after the last place", { ...facts, batches: [{ runs: 2, firstAt: now - 9, lastAt: now }] }, "done", "2 released"],
    ["when nothing was held", { ...facts, closed: true }, "done", "0 released"],
    [
      "while its systems are asked",
      { ...facts, released: false, checks: 3, checksOpen: 2, held: 1_200 },
      "readiness",
      "waiting for 2 of 3 checks, 1,200 held",
    ],
    [
      "when they are not ready in time",
      { ...facts, released: false, overrun: true, checks: 1, checksOpen: 1, held: 5 },
      "readiness",
      "waiting for 1 of 1 checks, overrun, 5 held",
    ],
    [
      "while first runs are tried",
      { ...facts, tryingCanaries: true, held: 9, batches: [{ runs: 1, firstAt: now, lastAt: now }] },
      "canaries",
      "first runs under way, 1 of 10 released",
    ],
    [
      "when they failed",
      { ...facts, reheld: true, overrun: true, held: 9, batches: [{ runs: 1, firstAt: now, lastAt: now }] },
      "reheld",
      "first runs failed and 9 are held again, overrun, 1 of 10 released",
    ],
  ] as const)("%s", (_name, known, phase, sentence) => {
    expect(resumeProgress(known, now)).toMatchObject({ phase, sentence });
  });
});
