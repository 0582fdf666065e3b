import { FREQUENCIES, MAX_RULE_CHARACTERS, type RecurrenceRule } from "./recurrence-rule.js";
import { formatLocal } from "./local-time.js";
import { visitLocalTimes } from "./recurrence-local-times.js";

/** Why something is not saved as it stands. */
export interface Refusal {
  /** Stable, QSC_<ROOM>_<WHAT>. */
  readonly code: string;
  /** The input at fault, as a dotted path. */
  readonly field: string;
  /** What was found, what was expected and what to do. */
  readonly message: string;
  /** The nearest valid form of the field, where there is one. */
  readonly nearest?: string;
  /** True when the person may insist. */
  readonly confirmable?: boolean;
}

/** The shortest step of windows that stays below the limit of occurrences; jobs have no such limit. */
const LEAST_HOURS_OF_WINDOWS = 3;

/** Replaces the value of a part of a rule, or removes the part. */
export function withRulePart(text: string, name: string, value: string | null): string {
  const kept = text
    .replace(/^RRULE:/i, "")
    .split(";")
    .filter((part) => !part.toUpperCase().startsWith(`${name}=`));
  return (value === null ? kept : [...kept, `${name}=${value}`]).join(";");
}

/**
 * What is wrong with the text of a rule before it is parsed, each with the nearest valid text. `room` names the codes
 * (QSC_<room>_...). An empty list says nothing about whether the rule can be parsed.
 */
export function refuseRuleText(text: string, room: string, field = "rrule"): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (text.length > MAX_RULE_CHARACTERS) {
    refusals.push({
      code: `QSC_${room}_RULE_TOO_LONG`,
      field,
      message: `The rule has ${text.length} characters; at most ${MAX_RULE_CHARACTERS} are accepted. Split it into several, or use additional dates.`,
    });
  }
  const interval = /(?:^|;)INTERVAL=(-?\d+)(?:;|$)/i.exec(text)?.[1];
  if (interval !== undefined && Number(interval) < 1) {
    refusals.push({
      code: `QSC_${room}_INTERVAL_BELOW_ONE`,
      field,
      message: `INTERVAL=${interval} never gets to a next occurrence. Use 1 or more.`,
      nearest: withRulePart(text, "INTERVAL", null),
    });
  }
  const frequency = FREQUENCIES.find((name) => new RegExp(`(?:^|;|RRULE:)FREQ=${name}(?:;|$)`, "i").test(text));
  if (frequency === "SECONDLY" || frequency === "MINUTELY") {
    const hours = Math.max(
      room === "WINDOW" ? LEAST_HOURS_OF_WINDOWS : 1,
      Math.ceil(Number(interval ?? "1") / (frequency === "MINUTELY" ? 60 : 3_600)),
    );
    refusals.push({
      code: `QSC_${room}_FREQUENCY_TOO_HIGH`,
      field,
      message: `FREQ=${frequency} is not accepted: the shortest step of a rule is an hour. Use FREQ=HOURLY, or an interval schedule for a job.`,
      nearest: withRulePart(withRulePart(withRulePart(text, "FREQ", "HOURLY"), "INTERVAL", String(hours)), "BYSECOND", null),
    });
  }
  if (/(?:^|;)UNTIL=/i.test(text) && /(?:^|;)COUNT=/i.test(text)) {
    refusals.push({
      code: `QSC_${room}_UNTIL_WITH_COUNT`,
      field,
      message: "A rule ends by UNTIL or by COUNT, not by both (RFC 5545, section 3.3.10). Leave one out.",
      nearest: withRulePart(text, "COUNT", null),
    });
  }
  return refusals;
}

/** The refusal of a start that the rule does not generate, with the first match as the nearest; null when it fits. `startMs` is fake UTC. */
export function refuseStartOffRule(rule: RecurrenceRule, startMs: number, room: string): Refusal | null {
  let first: number | null = null;
  // COUNT starts with the first match, so it does not matter here.
  visitLocalTimes({ ...rule, count: null }, startMs, startMs, (localMs) => {
    first = localMs;
    return false;
  });
  if (first === startMs) return null;
  const start = formatLocal(startMs);
  if (first === null)
    return {
      code: `QSC_${room}_NEVER`,
      field: "rrule",
      message: `The rule never happens on or after ${start}. Check its parts against each other.`,
    };
  return {
    code: `QSC_${room}_START_OFF_RULE`,
    field: "start",
    message: `The rule does not happen at its start ${start}; its first time from there is ${formatLocal(first)}. Start there, or change the rule.`,
    nearest: formatLocal(first),
  };
}
