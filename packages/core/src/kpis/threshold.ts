import { DomainError } from "../domain-error.js";
import { type Kpi, kpiDefinition } from "./kpi-definitions.js";
import type { StateRule } from "./service-state.js";

/** A figure that must not go beyond a value. */
export interface ThresholdTerms {
  readonly kpi: Kpi;
  readonly comparison: "above" | "below";
  /** Beyond it a point is bad. */
  readonly value: number;
  /** While it is broken a point is good only when it is back behind this, which lies on the good side of `value` or is it. */
  readonly clearValue: number;
  readonly rule: StateRule;
}

/** One point of a figure. */
export interface ThresholdPoint {
  readonly at: number;
  readonly value: number;
}

/** What is remembered between points. Give it back to go on as if nothing had happened. */
export interface ThresholdState {
  /** Since when it is broken: the first bad point of those that broke it; null: it holds. */
  readonly brokenSince: number | null;
  /** The last points against the present state and for it, three at most, oldest first. */
  readonly recent: readonly { readonly at: number; readonly isBad: boolean }[];
  /** The last point that was judged; null: none was yet. It decides nothing. */
  readonly last: ThresholdPoint | null;
}

export const freshThreshold: ThresholdState = { brokenSince: null, recent: [], last: null };

/** A change of state, backdated. */
export interface ThresholdChange {
  readonly kind: "broke" | "cleared";
  /** The first bad point; of a recovery the first good one after the last bad one. */
  readonly since: number;
  /** The point that decided. */
  readonly decidedAt: number;
  readonly value: number;
}

/** Throws QSC_THRESHOLD_INVALID. */
export function checkThreshold({ kpi, comparison, value, clearValue }: ThresholdTerms): void {
  const refuse = (field: string, words: string): never => {
    throw new DomainError("QSC_THRESHOLD_INVALID", `${field} ${words}`, { field: `input.${field}` });
  };
  if (!Number.isFinite(value) || value < 0) refuse("value", `is ${value}; expected a number from 0 on.`);
  if (kpiDefinition(kpi).unit === "share" && value > 1) refuse("value", `is ${value}; ${kpi} is a share from 0 to 1.`);
  const isBehind = comparison === "above" ? clearValue <= value : clearValue >= value;
  if (!Number.isFinite(clearValue) || clearValue < 0 || !isBehind)
    refuse(
      "clearValue",
      `is ${clearValue}; expected a value ${comparison === "above" ? "not above" : "not below"} ${value}, where it is over again.`,
    );
}

/** Goes on with points in the order of time. A state changes after three in a row, or two of three, as the rule says; points that are left out, as in maintenance, count for nothing. */
export function foldThreshold(
  state: ThresholdState,
  terms: ThresholdTerms,
  points: readonly ThresholdPoint[],
): { readonly state: ThresholdState; readonly changes: readonly ThresholdChange[] } {
  let { brokenSince } = state;
  let recent = [...state.recent];
  const changes: ThresholdChange[] = [];
  for (const { at, value } of points) {
    const isBroken = brokenSince !== null;
    const isBad = isBeyond(value, isBroken ? terms.clearValue : terms.value, terms.comparison);
    recent = [...recent, { at, isBad }].slice(-3);
    const against = recent.filter((one) => one.isBad !== isBroken);
    if (against.length < (terms.rule === "three-in-a-row" ? 3 : 2)) continue;
    const lastBad = recent.findLastIndex((one) => one.isBad);
    const since = (isBroken ? recent[lastBad + 1] : against[0])?.at ?? at;
    changes.push({ kind: isBroken ? "cleared" : "broke", since, decidedAt: at, value });
    brokenSince = isBroken ? null : since;
    // What decided one change decides no second one.
    recent = [];
  }
  return { state: { brokenSince, recent, last: points.at(-1) ?? state.last }, changes };
}

function isBeyond(value: number, limit: number, comparison: "above" | "below"): boolean {
  return comparison === "above" ? value > limit : value < limit;
}
