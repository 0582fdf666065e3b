import {
  agreedMaintenance,
  type Interval,
  type MaintenanceVerdict,
  monthsOf,
  requireZone,
  serviceSchedule,
  type Zone,
  type ZoneData,
} from "@quiesce/core";
import type { Tx } from "../db/client.js";
import type { Period } from "./kpi-scope.js";
import { readMaintenance } from "./read-maintenance.js";
import type { ServiceAgreement } from "./sla-report.js";

const mostMonths = 16;

/** What an agreement makes of the time of integrations. */
export interface AgreedTime {
  readonly zone: Zone;
  /** S, of the whole months that the period touches. */
  readonly schedule: readonly Interval[];
  /** What became of maintenance in these months. */
  verdictsOf(integrationId: number): readonly MaintenanceVerdict[];
}

/** Throws QSC_KPI_SERVICE_HOURS and QSC_TIME_ZONE_UNKNOWN. The allowance of a month is used up by what came first in it, also before the period. */
export async function agreedTime(
  context: { readonly tx: Tx; readonly zones: ZoneData },
  of: { readonly integrationIds: readonly number[]; readonly period: Period; readonly agreement: ServiceAgreement },
): Promise<AgreedTime> {
  const { period, agreement, integrationIds } = of;
  const zone = requireZone(context.zones, agreement.timeZone, "timeZone");
  const months = monthsOf(period, zone, mostMonths);
  const whole = { start: months[0]?.start ?? period.start, end: months.at(-1)?.end ?? period.end };
  const schedule = serviceSchedule(agreement.serviceHours, whole, zone);
  const planned = await readMaintenance(context.tx, { integrationIds, period: whole });
  return {
    zone,
    schedule,
    verdictsOf: (id) => agreedMaintenance({ agreement, maintenance: planned.get(id) ?? [], months, schedule }),
  };
}
