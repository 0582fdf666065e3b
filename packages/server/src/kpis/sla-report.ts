import {
  agreedMaintenance,
  type AvailabilityFigures,
  availabilityOf,
  type KpiFigures,
  kpiFigures,
  type MaintenanceAgreement,
  type MaintenanceReason,
  monthsOf,
  type NetAndGross,
  requireZone,
  type ServiceHours,
  serviceSchedule,
  serviceStates,
  type StateRule,
  sumAvailability,
  type ZoneData,
} from "@quiesce/core";
import { readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { groupRows } from "../db/group-rows.js";
import { checkedPeriod, integrationsOf, type KpiScope, type MeasuredIntegration, type Period } from "./kpi-scope.js";
import { readEvidence } from "./read-evidence.js";
import { readMaintenance } from "./read-maintenance.js";
import { readSums } from "./read-sums.js";

/** What was agreed about a service. */
export interface ServiceAgreement extends MaintenanceAgreement {
  /** Whose months and hours count. */
  readonly timeZone: string;
  /** When the service is to be there; always when empty. */
  readonly serviceHours: readonly ServiceHours[];
  /** How often it is checked: after three times that, five minutes at least, without a check nothing is known. */
  readonly checkIntervalMs: number;
  readonly rule: StateRule;
}

/** Where nothing else was agreed: a day's notice, any amount, no approval beyond what policies ask for, around the clock. */
export const usualAgreement: ServiceAgreement = {
  minimumNoticeMs: 86_400_000,
  monthlyAllowanceMs: null,
  needsApproval: false,
  timeZone: "UTC",
  serviceHours: [],
  checkIntervalMs: 60_000,
  rule: "three-in-a-row",
};

/** Maintenance of an integration in the period, and whether it is out of the net figure. */
export interface ReportedMaintenance {
  readonly key: string;
  readonly title: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly reason: MaintenanceReason;
  readonly countedMs: number;
}

/** One integration in a period. */
export interface SlaOfIntegration extends NetAndGross {
  readonly integration: MeasuredIntegration;
  readonly responseTime: KpiFigures;
  readonly maintenance: readonly ReportedMaintenance[];
}

/** A period of a scope, net and gross side by side. */
export interface SlaReport extends NetAndGross {
  readonly period: Period;
  readonly agreement: ServiceAgreement;
  /** Integrations without a check in the period or the day before are unknown all the time. */
  readonly integrations: readonly SlaOfIntegration[];
  /** Of all integrations together: percentiles out of one histogram. */
  readonly responseTime: KpiFigures;
}

const mostMonths = 16;
const DAY_MS = 86_400_000;

/**
 * Reports a period: what is over of it when it has not ended. Throws QSC_KPI_SCOPE, QSC_KPI_PERIOD, QSC_KPI_SERVICE_HOURS, and QSC_WINDOW_TIME_ZONE for a zone
 * that is none.
 */
export async function slaReport(
  context: { readonly database: Database; readonly zones: ZoneData },
  input: { readonly scope: KpiScope; readonly period: Period; readonly agreement: ServiceAgreement },
): Promise<SlaReport> {
  const { db } = context.database;
  const { agreement } = input;
  const period = checkedPeriod(input.period, await readNow(db));
  const zone = requireZone(context.zones, agreement.timeZone, "timeZone");
  const integrations = await integrationsOf(db, input.scope);
  const ids = integrations.map(({ id }) => id);
  const months = monthsOf(period, zone, mostMonths);
  const whole = { start: months[0]?.start ?? period.start, end: months.at(-1)?.end ?? period.end };
  // The allowance of a month is used up by what came first in it, also before the period.
  const [evidence, maintenance, sums] = await Promise.all([
    readEvidence(db, { integrationIds: ids, period: { start: period.start - DAY_MS, end: period.end + DAY_MS } }),
    readMaintenance(db, { integrationIds: ids, period: whole }),
    readSums(db, { metric: "response", integrationIds: ids, period }),
  ]);
  const sumsById = groupRows(sums, ({ integrationId }) => integrationId);
  const seconds = (period.end - period.start) / 1_000;
  const schedule = serviceSchedule(agreement.serviceHours, whole, zone);
  const rows = integrations.map((integration): SlaOfIntegration => {
    const { down, unknown } = serviceStates(evidence.get(integration.id) ?? [], { period, ...agreement });
    const planned = maintenance.get(integration.id) ?? [];
    const verdicts = agreedMaintenance({ agreement, maintenance: planned, months, schedule });
    const counted = verdicts.flatMap((one) => one.counted);
    return {
      integration,
      ...availabilityOf({ period, schedule, maintenance: counted, unknown, down }),
      responseTime: kpiFigures("response-time", { sums: sumsById.get(integration.id) ?? [], seconds }),
      maintenance: verdicts.flatMap((verdict) => reported(verdict, period)),
    };
  });
  return {
    period,
    agreement,
    integrations: rows,
    net: sumAvailability(rows.map(({ net }) => net)),
    gross: sumAvailability(rows.map(({ gross }) => gross)),
    responseTime: kpiFigures("response-time", { sums, seconds }),
  };
}

function reported(
  { maintenance, reason, counted }: ReturnType<typeof agreedMaintenance>[number],
  period: Period,
): readonly ReportedMaintenance[] {
  const { key, title, start, end } = maintenance;
  if (end <= period.start || start >= period.end) return [];
  const countedMs = counted.reduce(
    (sum, one) => sum + Math.max(0, Math.min(one.end ?? period.end, period.end) - Math.max(one.start, period.start)),
    0,
  );
  return [{ key, title, startsAt: start, endsAt: end, reason, countedMs }];
}

/** By how much up, down, unknown, excluded and out of schedule miss the period: 0, always (law 7). */
export function missingMs(figures: AvailabilityFigures): number {
  const { periodMs, upMs, downMs, unknownMs, excludedMs, outOfScheduleMs } = figures;
  return periodMs - (upMs + downMs + unknownMs + excludedMs + outOfScheduleMs);
}
