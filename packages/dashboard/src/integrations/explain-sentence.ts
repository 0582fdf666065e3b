import type { IntlShape } from "react-intl";
import type { Times } from "../app/times.js";
import type { ExplainJobQuery, IntegrationPageQuery } from "./integration.generated.js";

export type ShownIntegration = NonNullable<IntegrationPageQuery["integration"]>;
export type GateHold = ShownIntegration["gate"]["by"][number];
export type ShownJob = ShownIntegration["jobs"][number];

export interface Speaking {
  readonly intl: Pick<IntlShape, "formatMessage">;
  readonly times: Times;
}

/** A hold with its window's zone, and whether that window is over and waits for its systems. */
export interface ShownHold extends GateHold {
  readonly timeZone: string | null;
  readonly isPastItsEnd: boolean;
}

const failedStates: readonly string[] = ["FAILED", "DEAD", "LOST"];

/** The holds of this moment, the one that lasts longest first: without an end, then the latest end. */
export function holdsOf({ gate, holds }: Pick<ShownIntegration, "gate" | "holds">): readonly ShownHold[] {
  const end = ({ until }: GateHold) => (until === null ? Number.POSITIVE_INFINITY : Date.parse(until));
  return gate.by
    .map((by): ShownHold => {
      const occurrence = holds.find(({ key }) => key === by.holdId)?.occurrence ?? null;
      const state = occurrence?.state ?? "";
      return { ...by, timeZone: occurrence?.timeZone ?? null, isPastItsEnd: ["OVERRUN", "VERIFYING", "RESUMING"].includes(state) };
    })
    .toSorted((a, b) => Number(b.isPastItsEnd) - Number(a.isPastItsEnd) || (end(a) === end(b) ? 0 : end(b) - end(a)));
}

/** What an integration does at this moment, in one sentence: who holds it and until when, or what it does next. */
export function integrationSentence(integration: ShownIntegration, speaking: Speaking): string {
  const { intl, times } = speaking;
  const { name, jobs, lastRun } = integration;
  const [hold, ...more] = holdsOf(integration);
  if (hold !== undefined) {
    const sentence = holdSentence(name, hold, speaking);
    return more.length === 0 ? sentence : `${sentence} ${intl.formatMessage({ id: "integrations.h1.more" }, { count: more.length })}`;
  }
  if (lastRun?.state === "RUNNING" && lastRun.startedAt !== null)
    return intl.formatMessage({ id: "integrations.h1.running" }, { name, at: times.clockWithSeconds(lastRun.startedAt) });
  const endedAt = lastRun?.finishedAt ?? lastRun?.startedAt ?? null;
  if (lastRun !== null && endedAt !== null && failedStates.includes(lastRun.state)) {
    const message = messageOf(lastRun.error) ?? intl.formatMessage({ id: `integrations.run.${lastRun.state}` });
    return intl.formatMessage(
      { id: "integrations.h1.failing" },
      { name, message: message.replace(/[.\s]+$/, ""), at: times.instant(endedAt) },
    );
  }
  const last =
    lastRun === null || endedAt === null
      ? ""
      : ` ${intl.formatMessage({ id: "integrations.h1.last" }, { state: lastRun.state, at: times.instant(endedAt) })}`;
  const enabled = jobs.filter((job) => job.enabled);
  if (jobs.length === 0) return intl.formatMessage({ id: "integrations.h1.gate" }, { name }) + last;
  if (enabled.length === 0) return intl.formatMessage({ id: "integrations.h1.disabled" }, { name }) + last;
  const next = enabled.flatMap(({ nextDueAt }) => (nextDueAt === null ? [] : [nextDueAt])).toSorted()[0];
  if (next === undefined) {
    const isPushed = enabled.some(({ push }) => push);
    return intl.formatMessage({ id: isPushed ? "integrations.h1.pushed" : "integrations.h1.asked" }, { name }) + last;
  }
  return intl.formatMessage({ id: "integrations.h1.next" }, { name, at: times.instant(next) }) + last;
}

function holdSentence(name: string, hold: ShownHold, speaking: Speaking): string {
  const { intl } = speaking;
  const { kind, title, owner, isPastItsEnd } = hold;
  const values = { name, title, owner, until: untilText(hold, speaking.times) };
  if (kind === "WINDOW" && isPastItsEnd) return intl.formatMessage({ id: "integrations.h1.ended" }, values);
  return intl.formatMessage({ id: `integrations.h1.${kind}` }, values);
}

/** 06:00 Europe/Madrid; "none" without an end. The reader's own zone is not named. */
export function untilText({ until, timeZone }: Pick<ShownHold, "until" | "timeZone">, times: Times): string {
  if (until === null) return "none";
  const zone = timeZone ?? times.ownZone;
  return `${times.instant(until, zone)}${zone === times.ownZone ? "" : ` ${zone}`}`;
}

/** An instant to the second, with its day when that is not today. */
export function exactText(at: string | number, times: Times): string {
  return times.instant(at).replace(times.clock(at), times.clockWithSeconds(at));
}

/** What an error says, whoever wrote it. */
export function messageOf(error: unknown): string | null {
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null || !("message" in error)) return null;
  return typeof error.message === "string" ? error.message : null;
}

interface Waiting {
  readonly dueAt: number;
  readonly readyAt: number;
  readonly dueCount: number;
  readonly ahead: number;
  readonly attempt: number;
}

/** What waits of a job, out of the facts that its explanation has; null: nothing does. */
export function waitingOf(facts: unknown): Waiting | null {
  if (typeof facts !== "object" || facts === null || !("waiting" in facts)) return null;
  const { waiting } = facts;
  if (typeof waiting !== "object" || waiting === null) return null;
  const numberAt = (name: string): number => {
    const value = new Map<string, unknown>(Object.entries(waiting)).get(name);
    if (typeof value === "number") return value;
    return typeof value === "string" ? Date.parse(value) : 0;
  };
  const [dueAt, readyAt, dueCount, ahead, attempt] = ["dueAt", "readyAt", "dueCount", "ahead", "attempt"].map(numberAt);
  return { dueAt: dueAt ?? 0, readyAt: readyAt ?? 0, dueCount: dueCount ?? 0, ahead: ahead ?? 0, attempt: attempt ?? 0 };
}

/** What a job does, and what becomes of what it missed. */
export function jobSentence(
  job: ShownJob,
  explanation: ExplainJobQuery["explain"],
  { hold, intl, times }: Speaking & { readonly hold: ShownHold | undefined },
): string {
  const say = (id: (typeof jobIds)[number], values: { readonly [name: string]: string | number } = {}) =>
    intl.formatMessage({ id: `integrations.job.${id}` }, values);
  const waiting = waitingOf(explanation.facts);
  const place = (waiting?.ahead ?? 0) + 1;
  switch (explanation.state) {
    case "HELD": {
      if (waiting === null) return say("held.none");
      const until = hold === undefined || hold.isPastItsEnd ? "none" : untilText(hold, times);
      // In one zone with the end.
      const since = times.instant(waiting.dueAt, until === "none" ? undefined : (hold?.timeZone ?? undefined));
      return say("held", { count: waiting.dueCount, since, catchUp: job.catchUp, until, place });
    }
    case "RUNNING":
      return say("running");
    case "WAITING":
      if (waiting === null) return say("released");
      if (waiting.attempt > 0) return say("retry", { attempt: waiting.attempt, at: times.instant(waiting.readyAt) });
      return say("waiting", { since: times.instant(waiting.dueAt), place });
    case "DISABLED":
      return say("disabled");
    case "BLOCKED":
      return blockedSentence(explanation.facts, { intl, times });
    case "IDLE":
      if (explanation.nextDueAt !== null) return say("next", { at: times.instant(explanation.nextDueAt) });
      return say(job.push ? "pushed" : "asked");
  }
}

/** What stops every job: a clock that jumped, or windows that are not computed. */
function blockedSentence(facts: unknown, { intl, times }: Speaking): string {
  const clockStep = fieldOf(facts, "clockStep");
  const [byMs, seenAt] = [fieldOf(clockStep, "byMs"), fieldOf(clockStep, "seenAt")];
  if (typeof byMs === "number" && (typeof seenAt === "number" || typeof seenAt === "string"))
    return intl.formatMessage(
      { id: "integrations.job.blocked.clock" },
      { way: byMs < 0 ? "back" : "forward", length: times.length(byMs), at: times.instant(seenAt) },
    );
  return intl.formatMessage({ id: "integrations.job.blocked.stale" });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;
}

const jobIds = ["held", "held.none", "running", "released", "retry", "waiting", "disabled", "next", "pushed", "asked"] as const;
