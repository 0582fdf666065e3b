import { describe, expect, it } from "vitest";
import { type PreviewedPlan, previewNotices } from "./preview-notices.js";

const plain: PreviewedPlan = {
  approvals: [],
  unknownOwner: null,
  unknown: [],
  overriddenFreezes: [],
  isRefusedByFreeze: false,
  blocked: [],
  hasMoreJobs: false,
  coveredCount: 3,
  affected: [],
};
const said = (of: Partial<PreviewedPlan>) => previewNotices({ ...plain, ...of }).map(({ message }) => message);

describe("what there is to look at before a window is saved", () => {
  it("is nothing where nothing is wrong", () => {
    expect(previewNotices(plain)).toEqual([]);
  });

  it("has the names that its words are made of", () => {
    expect(
      previewNotices({
        ...plain,
        approvals: [{ policy: "erp-board", by: ["erika", "jon"] }],
        unknownOwner: { owner: "platfrom", known: ["finance", "platform"] },
        unknown: ["system erq"],
        affected: [{ integration: "stock", path: "warehouse > erp" }],
      }),
    ).toEqual([
      {
        kind: "needs-approval",
        subject: "erp-board",
        names: ["erika", "jon"],
        message: "It will hold nothing until it is approved: the policy erp-board wants the word of erika or jon.",
      },
      {
        kind: "owner-unknown",
        subject: "platfrom",
        names: ["finance", "platform"],
        message: "The owner platfrom is no team of the catalogue. Known: finance, platform.",
      },
      { kind: "scope-unknown", subject: "system erq", names: [], message: "The scope names system erq, which is not in the catalogue." },
      {
        kind: "softly-affected",
        subject: "stock",
        names: ["warehouse > erp"],
        message: "stock keeps running and may feel it: warehouse > erp.",
      },
    ]);
    expect(said({ hasMoreJobs: true, coveredCount: 0 })).toEqual([
      "It covers more than 1,000 jobs; only these are counted here.",
      "It would cover no integration.",
    ]);
  });

  it("is one line a freeze, and nothing where the refusal says it already", () => {
    const blocked = ["close", "close", "audit"];
    expect(said({ blocked })).toEqual(["It meets close, and a freeze blocks changes.", "It meets audit, and a freeze blocks changes."]);
    expect(said({ blocked, isRefusedByFreeze: true })).toEqual([]);
    const overriddenFreezes = [{ freeze: "close", title: "Books close", owner: "finance" }];
    expect(said({ overriddenFreezes, blocked })).toEqual(["The freeze close (Books close) is overridden: finance is told."]);
  });
});
