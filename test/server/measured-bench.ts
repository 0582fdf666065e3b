import { createSampleBatch } from "../../packages/server/src/ingest/sample-batch.js";
import { seriesOf, storeSamples } from "../../packages/server/src/ingest/store-samples.js";
import { inTransaction } from "../../packages/server/src/command.js";
import { lookAtObjective } from "../../packages/server/src/kpis/objectives/look-at-objectives.js";
import { lookAtThreshold } from "../../packages/server/src/kpis/thresholds/look-at-thresholds.js";
import { rollUp } from "../../packages/server/src/kpis/roll-up.js";
import { type IncidentBench, incidentBench } from "./incident-bench.js";

const MINUTE_MS = 60_000;

/** One metric of one integration, a sample every minute. */
export interface MinuteSamples {
  readonly integration: string;
  readonly metric: string;
  /** Epoch milliseconds; from is the first sample's minute, to lies behind the last one. */
  readonly from: number;
  readonly to: number;
  readonly value?: (at: number) => number;
  readonly ok?: (at: number) => boolean;
  /** Samples a minute; one when left out. */
  readonly perMinute?: number;
}

/** The incident bench with an endpoint at the ERP, the target of `orders`, and samples that are summed up at once. */
export interface MeasuredBench extends IncidentBench {
  push(...series: readonly MinuteSamples[]): Promise<void>;
  /** Moves the clock and looks at everything that is due. */
  lookAt(instantMs: number): Promise<void>;
  /** Looks at everything that is due now. */
  look(): Promise<void>;
  kpiAlerts(): Promise<readonly KpiAlertRow[]>;
}

export interface KpiAlertRow {
  readonly status: string;
  readonly severity: string;
  readonly title: string;
  readonly endpoint: string;
  readonly resource: string;
  readonly labels: { readonly [name: string]: string };
  readonly startedAt: number;
  readonly endedAt: number | null;
}

export async function measuredBench(start: number): Promise<MeasuredBench> {
  const bench = await incidentBench(start);
  const { sql } = bench.database;
  await sql`insert into endpoint (key, name, system_id, connector) select 'erp-api', 'ERP', s.id, 'http' from system as s where s.key = 'erp'`;
  await sql`update integration set target_endpoint_id = (select id from endpoint where key = 'erp-api') where key = 'orders'`;
  const look = async (): Promise<void> => {
    while (await lookAtThreshold(bench));
    while (await lookAtObjective(bench.context));
  };
  return {
    ...bench,
    look,
    lookAt: async (instantMs) => {
      await bench.time.set(instantMs);
      await look();
    },
    push: async (...series) => {
      await inTransaction(bench, async (tx) => {
        const batch = createSampleBatch();
        for (const { integration, metric, from, to, value = () => 20, ok = () => true, perMinute = 1 } of series) {
          const [row] = await sql<{ id: number }[]>`select id from integration where key = ${integration}`;
          const seriesId = await seriesOf(tx, { integrationId: row?.id ?? 0, metric });
          for (let minute = from; minute < to; minute += MINUTE_MS)
            for (let n = 0; n < perMinute; n++) {
              const at = minute + Math.floor((n * MINUTE_MS) / perMinute);
              batch.add({ integration, metric, at, value: value(at), ok: ok(at), key: "" }, { seriesId, mark: 0 });
            }
        }
        await storeSamples(tx, batch);
      });
      for (let more = true; more;) ({ more } = await rollUp(bench));
    },
    kpiAlerts: async () => [
      ...(await sql<KpiAlertRow[]>`
        select a.status, a.severity, a.title, e.key as endpoint, a.resource_name as resource, a.labels, a.started_at as "startedAt", a.ended_at as "endedAt"
        from alert as a join endpoint as e on e.id = a.endpoint_id where a.origin = 'kpi' order by a.id`),
    ],
  };
}
