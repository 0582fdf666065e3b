import { DomainError } from "../domain-error.js";
import { largestValue } from "./histogram.js";
import { type Kpi, kpiDefinition } from "./kpi-definitions.js";

/**
 * What an objective counts. availability: time. latency: samples of a time that are not over a limit. share: the good ones of a figure that is a share,
 * as one less the error rate.
 */
export const objectiveIndicators = ["availability", "latency", "share"] as const;
export type ObjectiveIndicator = (typeof objectiveIndicators)[number];

/** What is promised of a service. */
export interface ObjectiveTerms {
  readonly indicator: ObjectiveIndicator;
  /** Of latency and share: which figure. */
  readonly kpi: Kpi | null;
  /** Of latency: a sample that is not over it is a good one, in the figure's unit. */
  readonly limit: number | null;
  /** The share that is promised, above 0 and below 1. */
  readonly target: number;
  /** Over the last so many days, 1 to `objectiveLimits.periodDays`. */
  readonly periodDays: number;
}

export const objectiveLimits = {
  /** Minutes, by which maintenance is left out to the minute, are kept a little longer. */
  periodDays: 31,
  charactersOfKey: 100,
  charactersOfTitle: 200,
} as const;

/** unknown: nothing is known in the period. at-risk: the budget is spent too fast. missed: more than all of it is spent. */
export const objectiveStates = ["unknown", "met", "at-risk", "missed"] as const;
export type ObjectiveState = (typeof objectiveStates)[number];

const KEY = /^[a-z0-9][a-z0-9._-]*$/;

/** Throws QSC_OBJECTIVE_INVALID, which says which field and why. */
export function checkObjective(given: ObjectiveTerms & { readonly key: string; readonly title: string }): void {
  const { key, title, indicator, kpi, limit, target, periodDays } = given;
  const refuse = (field: string, words: string): never => {
    throw new DomainError("QSC_OBJECTIVE_INVALID", `${field} ${words}`, { field: `input.${field}` });
  };
  if (!KEY.test(key) || key.length > objectiveLimits.charactersOfKey)
    refuse(
      "key",
      `is "${key.slice(0, 60)}"; expected lowercase letters, digits, dots and dashes, ${objectiveLimits.charactersOfKey} at most.`,
    );
  if (title.trim() === "" || title.length > objectiveLimits.charactersOfTitle)
    refuse("title", `is empty or longer than ${objectiveLimits.charactersOfTitle} characters.`);
  if (!(target > 0 && target < 1)) refuse("target", `is ${target}; expected a share above 0 and below 1, as 0.999.`);
  if (!(Number.isInteger(periodDays) && periodDays >= 1 && periodDays <= objectiveLimits.periodDays))
    refuse("periodDays", `is ${periodDays}; expected 1 to ${objectiveLimits.periodDays}.`);
  checkIndicator({ indicator, kpi, limit }, refuse);
}

function checkIndicator(
  { indicator, kpi, limit }: Pick<ObjectiveTerms, "indicator" | "kpi" | "limit">,
  refuse: (field: string, words: string) => never,
): void {
  if (indicator === "availability") {
    if (kpi !== null) refuse("kpi", "is read for latency and share alone. Leave it out: availability is computed of checks.");
    if (limit !== null) refuse("limit", "is read for latency alone. Leave it out.");
    return;
  }
  if (kpi === null) return refuse("kpi", `is missing: an objective of ${indicator} is about a figure.`);
  const { reading } = kpiDefinition(kpi);
  if (indicator === "latency") {
    if (reading !== "distribution")
      refuse("kpi", `is ${kpi}, which has no single values. Choose one that is measured in ms or counted, or indicator SHARE.`);
    if (limit === null || !(limit > 0 && limit <= largestValue)) refuse("limit", `is ${limit}; expected the longest good value, above 0.`);
    return;
  }
  if (reading === "distribution" || reading === "rate")
    refuse("kpi", `is ${kpi}, which is no share. Choose one that is, or indicator LATENCY with a limit.`);
  if (limit !== null) refuse("limit", "is read for latency alone. Leave it out.");
}
