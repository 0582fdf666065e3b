import { DomainError, markSample, readSample, type Sample } from "@quiesce/core";
import type { Kpi } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { createSampleBatch } from "./sample-batch.js";
import { requireRoom, samplesKeptFrom, seriesOf, storeSamples } from "./store-samples.js";

/** Of one check at most so many. */
const mostSamples = 1_000;

/** An integration that figures of an endpoint may be about. */
interface Concerned {
  readonly id: number;
  readonly key: string;
  /** It reads from the endpoint or writes to it. */
  readonly isOwn: boolean;
  /** Systems on its route that the endpoint belongs to or watches, by their keys and by their names there. */
  readonly systems: readonly string[];
}

/** What became of the figures of a check. */
export interface FiguresTaken {
  readonly taken: number;
  /** Why the first one that was not taken was not; null where all were. */
  readonly refused: string | null;
}

/**
 * Makes samples of the figures that a connector gave with a check: for the integration that the label `integration` names, for those through the system that the
 * label `system` names (by its key, or as the monitor calls it), without such labels for those that read from the endpoint or write to it. Labels reach no
 * further than the endpoint's own integrations and the systems that it watches.
 */
export function sampleFigures(
  context: { readonly database: Database },
  check: { readonly endpointId: number; readonly figures: readonly Kpi[] },
): Promise<FiguresTaken> {
  const { endpointId, figures } = check;
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    const keptFrom = await samplesKeptFrom(tx, now);
    const concerned = await concernedBy(tx, endpointId);
    const places = createPlaces(tx);
    const batch = createSampleBatch();
    let refused: string | null = null;
    for (const figure of figures) {
      for (const integration of concernedIn(figure, concerned)) {
        if (batch.size >= mostSamples) break;
        try {
          const sample = sampleOf(figure, { integration: integration.key, now, endpointId });
          const mark = markSample(sample.at, { now, keptFrom: keptFrom(sample.metric) });
          batch.add(sample, { seriesId: await places.find(integration, sample.metric), mark });
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
          refused ??= `${figure.name}: ${error.message}`;
        }
      }
    }
    return { taken: await storeSamples(tx, batch), refused };
  });
}

function concernedBy(tx: Tx, endpointId: number): Promise<readonly Concerned[]> {
  return selectRows<Concerned>(
    tx,
    sql`
    select i.id, i.key, ${endpointId} in (i.source_endpoint_id, i.target_endpoint_id) is true as "isOwn",
      array(select n.name from integration_system as r join system as s on s.id = r.system_id
        left join system_monitor as m on m.system_id = s.id and m.endpoint_id = ${endpointId}
        cross join unnest(s.key || coalesce(m.resources, '{}')) as n(name)
        where r.integration_id = i.id and (m.endpoint_id is not null or s.id = e.system_id)) as systems
    from integration as i, endpoint as e where e.id = ${endpointId} order by i.id`,
  );
}

function concernedIn({ labels = {} }: Kpi, concerned: readonly Concerned[]): readonly Concerned[] {
  const { integration, system } = labels;
  const inReach = concerned.filter(({ isOwn, systems }) => isOwn || systems.length > 0);
  if (integration !== undefined) return inReach.filter(({ key }) => key === integration);
  if (system !== undefined) return inReach.filter(({ systems }) => systems.includes(system));
  return inReach.filter(({ isOwn }) => isOwn);
}

function sampleOf(figure: Kpi, of: { readonly integration: string; readonly now: number; readonly endpointId: number }): Sample {
  const { name, value, at, labels = {} } = figure;
  const label = Object.values(labels).join("/");
  return readSample({
    integration: of.integration,
    metric: metricOf(name),
    at: at ?? of.now,
    value,
    key: `endpoint/${of.endpointId}${label === "" ? "" : `:${label}`}`.slice(0, 100),
  });
}

/** Figures of connectors have their own words; metrics are words joined by dots. */
function metricOf(name: string): string {
  return name === "response_ms" ? "response" : name.replaceAll("_", ".");
}

/** Series by integration and metric, each looked up once. */
function createPlaces(tx: Tx): { find(of: { readonly id: number; readonly key: string }, metric: string): Promise<number> } {
  const known = new Map<string, number>();
  return {
    async find({ id: integrationId, key: integration }, metric) {
      const name = `${integrationId} ${metric}`;
      const before = known.get(name);
      if (before !== undefined) return before;
      await requireRoom(tx, { integrationId, metric, integration, promised: 0 });
      const made = await seriesOf(tx, { integrationId, metric });
      known.set(name, made);
      return made;
    },
  };
}
