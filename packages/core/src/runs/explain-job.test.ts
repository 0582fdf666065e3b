import { describe, expect, it } from "vitest";
import { explainJobFacts, type JobFacts } from "./explain-job.js";

const at = (text: string): number => Date.parse(text);
const now = at("2026-03-01T10:30:00Z");
type Hold = JobFacts["holds"][number];
const hold = (more: Partial<Hold> = {}): Hold => ({
  title: "ERP patch",
  owner: "finance",
  reason: "patch",
  since: at("2026-03-01T09:00:00Z"),
  until: at("2026-03-01T10:00:00Z"),
  path: "system: erp",
  ...more,
});
const facts = (holds: readonly Hold[]): JobFacts => ({
  job: "sync",
  integration: "orders",
  enabled: true,
  hasSchedule: true,
  nextDueAt: null,
  running: null,
  waiting: null,
  holds,
  cappedSystem: null,
  expansionStale: false,
  clockStep: null,
  pushed: null,
  lastRun: null,
});
const ended = (more: Partial<NonNullable<Hold["ended"]>> = {}): NonNullable<Hold["ended"]> => ({
  window: "erp-patch",
  at: at("2026-03-01T10:00:00Z"),
  for: "readiness",
  overrun: false,
  waitsFor: [{ endpoint: "erp-api", why: "unavailable: 503." }],
  ...more,
});

describe("a job whose window has reached its end", () => {
  it("waits for the systems that are asked, and is not said to resume at an end that has passed", () => {
    const { sentence, needed } = explainJobFacts(facts([hold({ ended: ended() })]), now);
    expect(sentence).toContain("it ended at 2026-03-01T10:00:00Z and waits for its systems to be ready: erp-api (unavailable: 503).");
    expect(needed).toContain("it is let go when their check passes");
    expect(`${sentence} ${needed}`).not.toContain("resumes by itself");
  });

  it("is overrun: somebody can let it go, by the command that does", () => {
    const { sentence, needed } = explainJobFacts(facts([hold({ ended: ended({ overrun: true }) })]), now);
    expect(sentence).toContain("is overrun and waits for its systems");
    expect(needed).toContain('quiesce window resume erp-patch --skip-readiness --reason "…"');
  });

  it("follows its first runs, or waits again where these failed", () => {
    const canaries = explainJobFacts(facts([hold({ until: null, ended: ended({ for: "canaries", waitsFor: [] }) })]), now);
    expect(canaries.sentence).toContain("its first runs are under way: the rest follows them");
    expect(canaries.needed).toBe("Nothing by hand: it follows when the first runs succeed.");
    const reheld = explainJobFacts(facts([hold({ until: null, ended: ended({ for: "reheld", overrun: true }) })]), now);
    expect(reheld.sentence).toContain("its first runs failed, and the rest is held again until its systems pass a check: erp-api");
    expect(reheld.needed).toContain("--skip-readiness");
  });

  it("waits for somebody where a pause without an end holds it as well", () => {
    const { needed } = explainJobFacts(facts([hold({ ended: ended() }), hold({ title: "Paused by hand", until: null })]), now);
    expect(needed).toBe('Somebody must resume "Paused by hand" (finance).');
  });
});

it("a job that is held by a change inside a freeze without anybody's word says so", () => {
  const { sentence } = explainJobFacts(facts([hold({ undecidedFreeze: { freeze: "close", owner: "finance" } })]), now);
  expect(sentence).toContain('a change that lies in the freeze "close" of finance without anybody\'s decision');
});
