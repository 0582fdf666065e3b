/** What is known of the resume after one occurrence; counts are runs, instants epoch milliseconds. */
export interface ResumeFactsOfOccurrence {
  readonly released: boolean;
  readonly reheld: boolean;
  readonly overrun: boolean;
  readonly closed: boolean;
  /** First runs are being tried. */
  readonly tryingCanaries: boolean;
  /** Checks that have not passed, of how many. */
  readonly checksOpen: number;
  readonly checks: number;
  /** Runs that are still held by it. */
  readonly held: number;
  readonly skipped: number;
  readonly coalesced: number;
  /** What the sweep let go, part by part: so many runs, evenly from the first start to the last. */
  readonly batches: readonly { readonly runs: number; readonly firstAt: number; readonly lastAt: number }[];
}

export const resumePhases = ["readiness", "canaries", "reheld", "ramp", "done"] as const;
export type ResumePhase = (typeof resumePhases)[number];

export interface ResumeProgress {
  readonly phase: ResumePhase;
  /** Runs that may start or have started, of how many that start in all. */
  readonly released: number;
  readonly total: number;
  /** When the last place of the ramp is; null when nobody can know yet. */
  readonly endsAt: number | null;
  /** One sentence for people: "412 of 3,000 released, 2 min left". */
  readonly sentence: string;
}

/** How far a resume is. */
export function resumeProgress(facts: ResumeFactsOfOccurrence, now: number): ResumeProgress {
  const letGo = facts.batches.reduce((sum, batch) => sum + startedOf(batch, now), 0);
  const planned = facts.batches.reduce((sum, batch) => sum + batch.runs, 0);
  const total = planned + facts.held;
  const last = facts.batches.reduce((latest, batch) => Math.max(latest, batch.lastAt), 0);
  const phase = phaseOf(facts, last > now);
  const endsAt = phase === "ramp" && facts.held === 0 ? last : null;
  return { phase, released: letGo, total, endsAt, sentence: sentenceOf(facts, { phase, released: letGo, total, endsAt, now }) };
}

function phaseOf(facts: ResumeFactsOfOccurrence, ramping: boolean): ResumePhase {
  if (facts.reheld) return "reheld";
  if (!facts.released) return "readiness";
  if (facts.tryingCanaries) return "canaries";
  return facts.closed || (!ramping && facts.held === 0) ? "done" : "ramp";
}

/** Of a batch, the runs whose place is not after now. */
function startedOf(batch: ResumeFactsOfOccurrence["batches"][number], now: number): number {
  if (now < batch.firstAt) return 0;
  if (now >= batch.lastAt) return batch.runs;
  return 1 + Math.floor(((batch.runs - 1) * (now - batch.firstAt)) / (batch.lastAt - batch.firstAt));
}

function sentenceOf(
  facts: ResumeFactsOfOccurrence,
  of: {
    readonly phase: ResumePhase;
    readonly released: number;
    readonly total: number;
    readonly endsAt: number | null;
    readonly now: number;
  },
): string {
  const count = `${grouped(of.released)} of ${grouped(of.total)} released`;
  const late = facts.overrun ? ", overrun" : "";
  switch (of.phase) {
    case "readiness":
      return `waiting for ${facts.checksOpen} of ${facts.checks} checks${late}, ${grouped(facts.held)} held`;
    case "canaries":
      return `first runs under way, ${count}`;
    case "reheld":
      return `first runs failed and ${grouped(facts.held)} ${facts.held === 1 ? "is" : "are"} held again${late}, ${count}`;
    case "ramp":
      return of.endsAt === null ? count : `${count}, ${leftText(of.endsAt - of.now)} left`;
    case "done":
      return `${grouped(of.total)} released`;
  }
}

function leftText(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
