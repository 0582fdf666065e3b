import { formatDuration } from "../catalog/duration-text.js";

/** What is known of a job at one moment; instants in epoch milliseconds. */
export interface JobFacts {
  readonly job: string;
  readonly integration: string;
  readonly enabled: boolean;
  readonly hasSchedule: boolean;
  readonly nextDueAt: number | null;
  readonly running: {
    readonly startedAt: number;
    readonly attempt: number;
    /** An operator let it pass a window; null for every other run. */
    readonly breakGlass: { readonly by: string; readonly reason: string } | null;
    /** Since when it has been told to stop. */
    readonly abortRequestedAt: number | null;
  } | null;
  readonly waiting: {
    readonly state: "queued" | "held";
    readonly dueAt: number;
    readonly readyAt: number;
    readonly dueCount: number;
    readonly heldSince: number | null;
    readonly attempt: number;
    /** How many runs are before it in the queue. */
    readonly ahead: number;
    /** It would not finish before this window begins, and waits for that. */
    readonly postponed: { readonly window: string; readonly beginsAt: number; readonly p95Ms: number; readonly samples: number } | null;
  } | null;
  readonly holds: readonly {
    readonly title: string;
    readonly owner: string;
    readonly reason: string;
    readonly since: number;
    readonly until: number | null;
    readonly path: string;
    /** Its window has reached its end, at `at`, and holds on: its systems are asked, or its first runs are tried, or these failed. */
    readonly ended?:
      | {
          readonly window: string;
          readonly at: number;
          readonly for: "readiness" | "canaries" | "reheld";
          readonly overrun: boolean;
          /** Endpoints whose check has not passed, and what they said. */
          readonly waitsFor: readonly { readonly endpoint: string; readonly why: string | null }[];
        }
      | undefined;
    /** The change lies in this freeze, and nobody has decided on that. */
    readonly undecidedFreeze?: { readonly freeze: string; readonly owner: string } | undefined;
  }[];
  readonly cappedSystem: string | null;
  readonly expansionStale: boolean;
  /** The database's clock jumped and nobody has acknowledged it; by milliseconds, back below zero. */
  readonly clockStep: { readonly seenAt: number; readonly byMs: number } | null;
  /** What was pushed for the integration and waits; null: the job delivers no pushed records. */
  readonly pushed: { readonly records: number; readonly oldestAt: number | null } | null;
  readonly lastRun: { readonly state: string; readonly finishedAt: number; readonly error: string | null } | null;
}

export const jobStates = ["running", "held", "waiting", "idle", "disabled", "blocked"] as const;
export type JobState = (typeof jobStates)[number];

export interface JobExplanation {
  readonly state: JobState;
  /** One or two sentences for people. */
  readonly sentence: string;
  /** What would have to happen for it to run; null when it runs or will run by itself. */
  readonly needed: string | null;
}

/** Says why a job is or is not running, since when, by whom and until when, in the words of the product. */
export function explainJobFacts(facts: JobFacts, now: number): JobExplanation {
  const explanation = explainRuns(facts, now);
  const { pushed } = facts;
  if (pushed === null || pushed.records === 0) return explanation;
  const since = pushed.oldestAt === null ? "" : `, the oldest since ${at(pushed.oldestAt)}`;
  return {
    ...explanation,
    sentence: `${explanation.sentence} ${count(pushed.records, "pushed record")} ${pushed.records === 1 ? "waits" : "wait"}${since}.`,
  };
}

function explainRuns(facts: JobFacts, now: number): JobExplanation {
  const name = `Job "${facts.job}"`;
  if (facts.running !== null) {
    const again = facts.running.attempt > 1 ? ` (attempt ${facts.running.attempt})` : "";
    const under = underHolds(facts.running, facts.holds[0]?.title);
    return { state: "running", sentence: `${name} has been running since ${at(facts.running.startedAt)}${again}.${under}`, needed: null };
  }
  if (facts.clockStep !== null) return clockExplanation(name, facts.clockStep);
  if (facts.holds.length > 0) return heldExplanation(name, facts);
  if (facts.expansionStale) {
    return {
      state: "blocked",
      sentence: `${name} waits: the maintenance windows are not computed past now, and nothing is dispatched from ignorance.`,
      needed: "A server with the role dispatcher must run and expand the windows, or an operator overrides it with a reason.",
    };
  }
  if (facts.waiting !== null) return waitingExplanation(name, facts, now);
  if (!facts.enabled) return { state: "disabled", sentence: `${name} is disabled.`, needed: "Enable the job." };
  const last =
    facts.lastRun === null
      ? ""
      : ` Its last run ${facts.lastRun.state} at ${at(facts.lastRun.finishedAt)}${facts.lastRun.error === null ? "" : `: ${facts.lastRun.error}`}.`;
  if (facts.pushed !== null)
    return { state: "idle", sentence: `${name} runs when records are pushed for integration "${facts.integration}".${last}`, needed: null };
  if (!facts.hasSchedule)
    return {
      state: "idle",
      sentence: `${name} has no schedule and runs only when asked.${last}`,
      needed: "Run it by hand or by its trigger.",
    };
  if (facts.nextDueAt === null)
    return { state: "idle", sentence: `${name} has no due time left in its schedule.${last}`, needed: "Change its schedule." };
  return { state: "idle", sentence: `${name} is next due at ${at(facts.nextDueAt)}.${last}`, needed: null };
}

function clockExplanation(name: string, { seenAt, byMs }: NonNullable<JobFacts["clockStep"]>): JobExplanation {
  const jump = `${byMs < 0 ? "back" : "forward"} by ${formatDuration(Math.max(1, Math.round(Math.abs(byMs) / 1_000)) * 1_000)}`;
  return {
    state: "blocked",
    sentence: `${name} waits: the database's clock jumped ${jump}, seen at ${at(seenAt)}, and nothing is dispatched by a clock that may be wrong.`,
    needed: 'Somebody must look at the time of the database\'s machine, then: quiesce clock acknowledge --reason "…"',
  };
}

/** What a run that is in flight has to do with the hold that began meanwhile. */
function underHolds(running: NonNullable<JobFacts["running"]>, title: string | undefined): string {
  if (running.breakGlass !== null) {
    return ` It passes ${title === undefined ? "a window" : quoted(title)} by break-glass, by order of ${running.breakGlass.by}: ${running.breakGlass.reason}.`;
  }
  if (title === undefined) return "";
  if (running.abortRequestedAt !== null)
    return ` It was told to stop at ${at(running.abortRequestedAt)}, at the drain deadline of ${quoted(title)}, and waits for the end of that.`;
  return ` It started before ${quoted(title)} began and is let finish.`;
}

function heldExplanation(name: string, facts: JobFacts): JobExplanation {
  const reasons = facts.holds.map(
    (hold) =>
      `${quoted(hold.title)} (${hold.reason}; ${hold.owner}; covers it by ${hold.path}) since ${at(hold.since)}${untilOf(hold)}${inFreeze(hold)}`,
  );
  const open = facts.holds.find((hold) => hold.until === null && hold.ended === undefined);
  const latest = Math.max(...facts.holds.map((hold) => hold.until ?? 0));
  const waiting =
    facts.waiting === null
      ? "No due time is waiting yet."
      : `${count(facts.waiting.dueCount, "due time")} since ${at(facts.waiting.dueAt)} ${facts.waiting.dueCount === 1 ? "waits" : "wait"}.`;
  return {
    state: "held",
    sentence: `${name} is held by ${reasons.join(", and by ")}. ${waiting}`,
    needed:
      open === undefined ? (afterItsEnd(facts.holds) ?? byItself(latest)) : `Somebody must resume ${quoted(open.title)} (${open.owner}).`,
  };
}

const byItself = (latest: number): string =>
  `Nothing by hand: it resumes by itself after ${at(latest)}. Ending the windows early brings that forward.`;

/** Until when as planned; or, of a window that has reached its end, what it waits for. */
function untilOf({ until, ended }: JobFacts["holds"][number]): string {
  if (ended === undefined) return ` until ${until === null ? "somebody lifts it" : at(until)}`;
  const why = ended.waitsFor.map((one) => `${one.endpoint}${one.why === null ? "" : ` (${one.why.replace(/\.$/, "")})`}`).join(", ");
  const late = ended.overrun ? ", is overrun" : "";
  switch (ended.for) {
    case "readiness":
      return `; it ended at ${at(ended.at)}${late} and waits for its systems to be ready: ${why === "" ? "they are being asked" : why}`;
    case "canaries":
      return `; its window ended at ${at(ended.at)}, and its first runs are under way: the rest follows them`;
    case "reheld":
      return `; its window ended at ${at(ended.at)}${late}, its first runs failed, and the rest is held again until its systems pass a check${why === "" ? "" : `: ${why}`}`;
  }
}

/** What has to happen where a window holds on after its end; null where none does. */
function afterItsEnd(holds: JobFacts["holds"]): string | null {
  const ended = holds.flatMap((hold) => (hold.ended === undefined ? [] : [hold.ended])).find((one) => one.for !== "canaries");
  if (ended === undefined) {
    return holds.some((hold) => hold.ended !== undefined) ? "Nothing by hand: it follows when the first runs succeed." : null;
  }
  const hand = `quiesce window resume ${ended.window} --skip-readiness --reason "…"`;
  return ended.overrun
    ? `The check of its systems must pass; it is made again and again. If they are fine all the same: ${hand}`
    : `Nothing by hand while its systems come back: it is let go when their check passes. If they are fine all the same: ${hand}`;
}

const inFreeze = ({ undecidedFreeze: one }: JobFacts["holds"][number]): string =>
  one === undefined ? "" : `, a change that lies in the freeze ${quoted(one.freeze)} of ${one.owner} without anybody's decision`;

function waitingExplanation(name: string, facts: JobFacts, now: number): JobExplanation {
  const waiting = facts.waiting;
  if (waiting === null || waiting.state === "held") {
    return { state: "waiting", sentence: `${name} was held and is being let go; no hold covers it any more.`, needed: null };
  }
  if (waiting.readyAt > now && waiting.postponed !== null) {
    const { window, beginsAt, p95Ms, samples } = waiting.postponed;
    return {
      state: "waiting",
      sentence: `${name} has been due since ${at(waiting.dueAt)} and waits, for it would not finish: it takes up to ${span(p95Ms)} (p95 of ${samples} runs), the window ${quoted(window)} begins in ${span(beginsAt - now)}.`,
      needed: `Nothing by hand: it runs after the window. Moving or cancelling the window lets it start at once; so does a job marked as continuous.`,
    };
  }
  if (waiting.readyAt > now) {
    const why = waiting.attempt > 0 ? `after attempt ${waiting.attempt} failed` : "in the ramp after a hold";
    return {
      state: "waiting",
      sentence: `${name} waits ${why} and is ready at ${at(waiting.readyAt)}, with ${count(waiting.ahead, "run")} before it.`,
      needed: null,
    };
  }
  if (facts.cappedSystem !== null) {
    return {
      state: "waiting",
      sentence: `${name} has been due since ${at(waiting.dueAt)} and waits because system "${facts.cappedSystem}" already has as many runs as its cap allows, with ${count(waiting.ahead, "run")} before it.`,
      needed: null,
    };
  }
  return {
    state: "waiting",
    sentence: `${name} has been due since ${at(waiting.dueAt)} and waits for a free worker, with ${count(waiting.ahead, "run")} before it.`,
    needed: null,
  };
}

const at = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;
/** At most two units, rounded up: "12 min", "1 h 5 min", "40 s". */
function span(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
const quoted = (text: string): string => `"${text}"`;
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;
