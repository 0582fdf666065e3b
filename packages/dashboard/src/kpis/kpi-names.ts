import type { Kpi } from "./kpis.generated.js";

/** Every figure with its name in the address, in the order in which they are shown. */
const kpis = {
  "response-time": "RESPONSE_TIME",
  "job-error-rate": "JOB_ERROR_RATE",
  "delivery-success": "DELIVERY_SUCCESS",
  "end-to-end-latency": "END_TO_END_LATENCY",
  "end-to-end-latency-unheld": "END_TO_END_LATENCY_UNHELD",
  throughput: "THROUGHPUT",
  "run-time": "RUN_TIME",
  "attempt-error-rate": "ATTEMPT_ERROR_RATE",
  "retry-rate": "RETRY_RATE",
  "queue-depth": "QUEUE_DEPTH",
  "sync-accuracy": "SYNC_ACCURACY",
  "check-time": "CHECK_TIME",
} as const satisfies { readonly [name: string]: Kpi };

export type KpiName = keyof typeof kpis;
export const kpiNames = Object.keys(kpis).filter((name): name is KpiName => Object.hasOwn(kpis, name));

export function kpiOfName(name: KpiName): Kpi {
  return kpis[name];
}

/** Figures of which more is better. */
const better: ReadonlySet<Kpi> = new Set<Kpi>(["DELIVERY_SUCCESS", "THROUGHPUT", "SYNC_ACCURACY"]);
/** Figures that are percentiles of what was measured; the others are one number a step. */
const distributions: ReadonlySet<Kpi> = new Set<Kpi>([
  "RESPONSE_TIME",
  "END_TO_END_LATENCY",
  "END_TO_END_LATENCY_UNHELD",
  "RUN_TIME",
  "QUEUE_DEPTH",
  "CHECK_TIME",
]);

export function isMoreBetter(kpi: Kpi): boolean {
  return better.has(kpi);
}
export function isDistribution(kpi: Kpi): boolean {
  return distributions.has(kpi);
}
