import {
  availabilitySpans,
  type BudgetDay,
  type BudgetFigures,
  type BurnEvidence,
  type BurnVerdict,
  burnVerdicts,
  burnWindows,
  cutIntervals,
  daysOf,
  DomainError,
  errorBudget,
  type Interval,
  intersectIntervals,
  kpiDefinition,
  objectiveEvents,
  type ObjectiveSpan,
  type ObjectiveState,
  objectiveState,
  serviceStates,
  subtractIntervals,
  type ZoneData,
} from "@quiesce/core";
import type { Tx } from "../../db/client.js";
import { agreedTime } from "../agreed-time.js";
import { integrationsOf, type MeasuredIntegration, type Period } from "../kpi-scope.js";
import { readEvidence } from "../read-evidence.js";
import { kpiScopeOf } from "../stored-scope.js";
import { readEligibleSums } from "./read-eligible-sums.js";
import type { ObjectiveRow } from "./store.js";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** More integrations want more than one objective: each look reads minutes of all of them. */
const mostIntegrations = 500;

/** How an objective stands. */
export interface ObjectiveStanding {
  readonly period: Period;
  readonly unit: "ms" | "events";
  readonly integrations: readonly MeasuredIntegration[];
  readonly state: ObjectiveState;
  readonly figures: BudgetFigures;
  readonly days: readonly BudgetDay[];
  readonly burns: readonly BurnVerdict[];
  /** Those with something bad in the last hours of eligible time, the worst first. */
  readonly worst: readonly number[];
}

/** Time of one integration: what is to be answered for in the period, and where the windows of burn rules begin. */
interface EligibleTime {
  readonly eligible: readonly Interval[];
  readonly since: BurnEvidence["since"];
  readonly cuts: readonly number[];
}

/**
 * How an objective stands at `now`, by what the caller sees. Throws QSC_KPI_SCOPE for a scope without an integration, or with more than 500.
 */
export async function evaluateObjective(
  context: { readonly tx: Tx; readonly zones: ZoneData },
  objective: Pick<ObjectiveRow, "scope" | "indicator" | "kpi" | "limit" | "target" | "periodDays" | "agreement">,
  now: number,
): Promise<ObjectiveStanding> {
  const { tx } = context;
  const { agreement, target } = objective;
  // Whole minutes: the one that goes on is not summed up yet.
  const end = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const period = { start: end - objective.periodDays * DAY_MS, end };
  const integrations = await integrationsOf(tx, kpiScopeOf(objective.scope));
  if (integrations.length > mostIntegrations)
    throw new DomainError(
      "QSC_KPI_SCOPE",
      `The objective has ${integrations.length} integrations, at most ${mostIntegrations} are looked at together. Make one for each system, team or tag.`,
      { field: "input.scope" },
    );
  const ids = integrations.map(({ id }) => id);
  const time = await agreedTime(context, { integrationIds: ids, period, agreement });
  const days = daysOf(period, time.zone);
  const times = new Map(
    ids.map((id): readonly [number, EligibleTime] => {
      const counted = time.verdictsOf(id).flatMap((one) => one.counted);
      const eligible = subtractIntervals(intersectIntervals(time.schedule, [period]), counted);
      const since = burnWindows(eligible, end);
      const cuts = [...days.map(({ start }) => start), ...Object.values(since).flatMap(({ long, short }) => [long, short])];
      return [id, { eligible, since, cuts }];
    }),
  );
  const spans =
    objective.indicator === "availability"
      ? await spansOfChecks(tx, { times, period, agreement })
      : await spansOfSums(tx, { times, objective });
  const all = ids.flatMap((id) => spans.get(id) ?? []);
  const { figures, days: budgetDays } = errorBudget({ target, spans: all, days });
  const burns = burnVerdicts(
    ids.flatMap((id) => {
      const own = times.get(id);
      return own === undefined ? [] : [{ spans: spans.get(id) ?? [], since: own.since }];
    }),
    target,
  );
  return {
    period,
    unit: objective.indicator === "availability" ? "ms" : "events",
    integrations,
    state: objectiveState(figures, burns),
    figures,
    days: budgetDays,
    burns,
    worst: worstOf(spans, times),
  };
}

async function spansOfChecks(
  tx: Tx,
  of: { readonly times: ReadonlyMap<number, EligibleTime>; readonly period: Period; readonly agreement: ObjectiveRow["agreement"] },
): Promise<ReadonlyMap<number, readonly ObjectiveSpan[]>> {
  const { times, period, agreement } = of;
  const evidence = await readEvidence(tx, { integrationIds: [...times.keys()], period: { start: period.start - DAY_MS, end: period.end } });
  return new Map(
    [...times].map(([id, { eligible, cuts }]) => {
      const own = evidence.get(id) ?? [];
      const { unknown, down } = serviceStates(own, { period, checkIntervalMs: agreement.checkIntervalMs, rule: agreement.rule });
      return [id, availabilitySpans({ eligible, unknown, down, evidence: own, cuts })];
    }),
  );
}

async function spansOfSums(
  tx: Tx,
  of: { readonly times: ReadonlyMap<number, EligibleTime>; readonly objective: Pick<ObjectiveRow, "indicator" | "kpi" | "limit"> },
): Promise<ReadonlyMap<number, readonly ObjectiveSpan[]>> {
  const { objective, times } = of;
  if (objective.kpi === null) return new Map();
  const { metric, of: wholeMetric } = kpiDefinition(objective.kpi);
  const stretches = new Map([...times].map(([id, { eligible, cuts }]) => [id, cutIntervals(eligible, cuts)]));
  const read = (name: string) => readEligibleSums(tx, { metric: name, stretches, histograms: objective.indicator === "latency" });
  const sums = await read(metric);
  const all = wholeMetric === undefined ? [] : await read(wholeMetric);
  // Of the same stretch and grain: a minute of one is a minute of the other.
  const buckets = new Map<
    string,
    {
      readonly id: number;
      readonly at: number;
      readonly end: number;
      readonly sums: (typeof sums)[number][];
      readonly all: (typeof sums)[number][];
    }
  >();
  for (const [list, name] of [
    [sums, "sums"],
    [all, "all"],
  ] as const)
    for (const row of list) {
      const bucketName = `${row.integrationId} ${row.at} ${row.end}`;
      const bucket = buckets.get(bucketName) ?? { id: row.integrationId, at: row.at, end: row.end, sums: [], all: [] };
      buckets.set(bucketName, bucket);
      bucket[name].push(row);
    }
  const spans = new Map<number, ObjectiveSpan[]>();
  for (const bucket of buckets.values()) {
    const { valid, bad } = objectiveEvents(objective, bucket);
    const own = spans.get(bucket.id) ?? [];
    spans.set(bucket.id, own);
    own.push({ start: bucket.at, end: bucket.end, valid, bad, badEvents: bad });
  }
  return spans;
}

/** By what was bad since the six-hour window began: that is what a page is about. */
function worstOf(spans: ReadonlyMap<number, readonly ObjectiveSpan[]>, times: ReadonlyMap<number, EligibleTime>): readonly number[] {
  return [...spans]
    .map(([id, list]) => {
      const since = times.get(id)?.since["6x"].long ?? 0;
      return { id, bad: list.reduce((sum, { start, bad }) => sum + (start >= since ? bad : 0), 0) };
    })
    .filter(({ bad }) => bad > 0)
    .toSorted((a, b) => b.bad - a.bad || a.id - b.id)
    .map(({ id }) => id);
}
