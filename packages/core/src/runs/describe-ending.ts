import { formatDuration } from "../catalog/duration-text.js";
import type { RunState } from "./run-state.js";

/** What is known of the run that stands for a due time; instants in epoch milliseconds. */
export interface EndingFacts {
  readonly state: RunState;
  /** The stored reason of its last change; null when there is none. */
  readonly reason: string | null;
  readonly dueAt: number;
  readonly attempt: number;
  /** What held it when it was last held: titles of windows and pauses. */
  readonly heldBy: readonly string[];
  readonly heldSince: number | null;
  readonly releasedAt: number | null;
  readonly readyAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly error: string | null;
  /** When the run was due that stands for this one; null when none does. */
  readonly rootDueAt: number | null;
}

/** Why a due time ended as it did, or where it is, in words. `joined`: it is one of several that the run stands for, and not the first. */
export function describeEnding(facts: EndingFacts, joined: boolean): string {
  const own = ownSentence(facts);
  const whole = skipsEach.has(facts.state) || !joined ? own : `Stands in the run that was due at ${at(facts.dueAt)}. ${own}`;
  return facts.heldSince === null || facts.state === "held" ? whole : `${heldSentence(facts)} ${whole}`;
}

/** In these states every due time of a range ended for itself. */
const skipsEach: ReadonlySet<RunState> = new Set(["skipped", "coalesced", "cancelled"]);

function heldSentence({ heldBy, heldSince, releasedAt }: EndingFacts): string {
  const until = releasedAt === null ? "" : ` to ${at(releasedAt)}`;
  return `Held by ${names(heldBy)} from ${at(heldSince ?? 0)}${until}.`;
}

function ownSentence(facts: EndingFacts): string {
  const { state, attempt, startedAt, finishedAt } = facts;
  switch (state) {
    case "queued":
      return queuedSentence(facts);
    case "running":
      return `Has been running since ${at(startedAt ?? facts.dueAt)}${attempt > 1 ? `, at attempt ${attempt}` : ""}.`;
    case "held":
      return `Is held by ${names(facts.heldBy)} since ${at(facts.heldSince ?? facts.dueAt)}.`;
    case "succeeded":
      return `Ran from ${at(startedAt ?? facts.dueAt)} for ${lengthOf(facts)}${attempt > 1 ? `, at attempt ${attempt}` : ""}.`;
    case "failed":
      return `Failed at ${at(finishedAt ?? facts.dueAt)} with an error that is not tried again${because(facts.error)}.`;
    case "dead":
      return `Failed ${attempt === 1 ? "once" : `${attempt} times`}, which is all that its job allows, at last at ${at(finishedAt ?? facts.dueAt)}${because(facts.error)}.`;
    case "lost":
      return `Its worker was lost at ${at(finishedAt ?? facts.dueAt)} while it ran, and it may not be repeated blindly.`;
    case "skipped":
      return skippedSentence(facts.reason);
    case "coalesced":
      return facts.rootDueAt === null ? "Another run stands for it." : `The run that was due at ${at(facts.rootDueAt)} stands for it.`;
    case "cancelled":
      return facts.reason === "deleted"
        ? "Its job was deleted before it started."
        : `Was cancelled before it started${because(facts.reason)}.`;
  }
}

function queuedSentence({ reason, attempt, readyAt, error }: EndingFacts): string {
  switch (reason) {
    case "retry":
      return `Attempt ${attempt} failed${because(error)}; the next one may start at ${at(readyAt)}.`;
    case "hold-integration":
      return `Its system refused attempt ${attempt}${because(error)}; it waits for a person.`;
    case "lease-lost":
      return `The worker of attempt ${attempt} was lost; it waits for the next one.`;
    case "clock-stepped":
      return "Was claimed by a clock that had jumped, and waits again.";
    case "endpoint-away":
      return `A system that it needs gave no answer several times in a row; it waits until that was asked again, and may start at ${at(readyAt)}.`;
    case "endpoint-rate-limited":
      return `A system that it needs asked for fewer requests; it may start at ${at(readyAt)}.`;
    default:
      return `Waits to be started; ready at ${at(readyAt)}.`;
  }
}

function skippedSentence(reason: string | null): string {
  switch (reason) {
    case "catch-up-skip":
      return "Its job lets due times go that were held.";
    case "catch-up-max-age":
      return "When it was let go it was older than its job allows.";
    default:
      return "Nobody could start it in time, and its job lets missed due times go.";
  }
}

function lengthOf({ startedAt, finishedAt, dueAt }: EndingFacts): string {
  const ms = Math.max(0, (finishedAt ?? dueAt) - (startedAt ?? dueAt));
  return formatDuration(ms < 10_000 ? ms : Math.round(ms / 1_000) * 1_000);
}

const at = (instant: number): string => `${new Date(instant).toISOString().slice(0, 19)}Z`;
const because = (words: string | null): string => (words === null || words === "" ? "" : `: ${words.replace(/\.$/, "")}`);
const names = (titles: readonly string[]): string => (titles.length === 0 ? "a hold" : titles.map((title) => `"${title}"`).join(" and "));
