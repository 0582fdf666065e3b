import { kpiNames, type KpiName } from "./kpi-names.js";
import { type PeriodName, periods } from "./period.js";
import { type ScopeKind, scopeKinds } from "./scope.js";

/** What the address says: of what, when, which figure is drawn, and what was agreed about maintenance. */
export type KpiSearch = { readonly [kind in ScopeKind]?: string } & {
  readonly period?: PeriodName;
  /** 2027-03-01 */
  readonly first?: string;
  readonly last?: string;
  readonly kpi?: KpiName;
  /** A zone whose days and months count; left out, the reader's. */
  readonly zone?: string;
  /** Hours of notice that maintenance needs. */
  readonly notice?: number;
  /** Hours of maintenance a month that are left out of the net figure. */
  readonly allowance?: number;
  readonly approval?: true;
};

const MOST_HOURS = 10_000;

export function kpiSearch(search: { readonly [name: string]: unknown }): KpiSearch {
  const period = periods.find((one) => one === search["period"]);
  const kpi = kpiNames.find((one) => one === search["kpi"]);
  const scope = scopeKinds.find((kind) => textOf(search[kind]) !== null);
  const found: { [name in "first" | "last" | "zone" | ScopeKind]?: string } = {};
  for (const name of ["first", "last", "zone", ...(scope === undefined ? [] : [scope])] as const) {
    const text = textOf(search[name]);
    if (text !== null) found[name] = text;
  }
  const notice = hoursOf(search["notice"]);
  const allowance = hoursOf(search["allowance"]);
  return {
    ...found,
    ...(period === undefined ? {} : { period }),
    ...(kpi === undefined ? {} : { kpi }),
    ...(notice === null ? {} : { notice }),
    ...(allowance === null ? {} : { allowance }),
    ...(search["approval"] === true ? { approval: true } : {}),
  };
}

function textOf(value: unknown): string | null {
  // The router reads 2027 and true as what they look like.
  const text = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  return typeof text === "string" && text !== "" ? text : null;
}

function hoursOf(value: unknown): number | null {
  return typeof value === "number" && value >= 0 && value <= MOST_HOURS ? value : null;
}

/** What was agreed, as the API takes it. */
export function agreementOf({ notice, allowance, approval }: KpiSearch, zone: string) {
  return {
    timeZone: zone,
    minimumNoticeSeconds: notice === undefined ? null : Math.round(notice * 3_600),
    monthlyAllowanceSeconds: allowance === undefined ? null : Math.round(allowance * 3_600),
    needsApproval: approval ?? null,
  };
}
