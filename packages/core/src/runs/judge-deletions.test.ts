import { describe, expect, it } from "vitest";
import { judgeDeletions } from "./judge-deletions.js";

const limit = { percent: 20, records: 50 };

describe("deletions that a comparison found", () => {
  it.each([
    { known: 1_000, missing: 200, kind: "delete" },
    { known: 1_000, missing: 201, kind: "ask" },
    { known: 250, missing: 50, kind: "delete" },
    { known: 250, missing: 51, kind: "ask" },
    { known: 50, missing: 50, kind: "delete" },
    { known: 51, missing: 51, kind: "ask" },
    { known: 1_000_000, missing: 200_000, kind: "delete" },
    { known: 0, missing: 0, kind: "delete" },
  ])("$missing of $known: $kind", ({ known, missing, kind }) => {
    expect(judgeDeletions({ known, missing, limit, confirmed: false }).kind).toBe(kind);
    expect(judgeDeletions({ known, missing, limit, confirmed: true }).kind).toBe("delete");
  });

  it("are none without a question where the limit is zero, and all of them where it is 100 percent", () => {
    expect(judgeDeletions({ known: 10, missing: 1, limit: { percent: 0, records: 0 }, confirmed: false })).toEqual({
      kind: "ask",
      percent: 10,
    });
    expect(judgeDeletions({ known: 1_000, missing: 1_000, limit: { percent: 100, records: 0 }, confirmed: false }).kind).toBe("delete");
  });
});
