import { type SampleSums } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import type { Period } from "../kpi-scope.js";
import { type Grain, grains, piecesOf } from "../read-sums.js";

/** The sums of a minute, hour or day that is eligible as a whole. */
export interface EligibleSums extends SampleSums {
  readonly integrationId: number;
  readonly at: number;
  readonly end: number;
}

/**
 * The sums of a metric in stretches of each integration, from as few rows as there are. Minutes that are not within a stretch as a whole are left out.
 * Histograms are read when they are wanted.
 */
export async function readEligibleSums(
  tx: Tx,
  of: {
    readonly metric: string;
    readonly stretches: ReadonlyMap<number, readonly Period[]>;
    readonly histograms: boolean;
  },
): Promise<readonly EligibleSums[]> {
  const wanted: { readonly [grain in Grain]: { readonly id: number; readonly from: number; readonly to: number }[] } = {
    minute: [],
    hour: [],
    day: [],
  };
  for (const [id, stretches] of of.stretches)
    for (const stretch of stretches)
      for (const { grain, start, end } of piecesOf(wholeMinutes(stretch))) wanted[grain].push({ id, from: start, to: end });
  const rows: EligibleSums[] = [];
  for (const grain of ["day", "hour", "minute"] as const) {
    const pieces = wanted[grain];
    if (pieces.length === 0) continue;
    const list = (one: (piece: (typeof pieces)[number]) => number): string => `{${pieces.map(one).join(",")}}`;
    const found = await selectRows<Omit<EligibleSums, "sumMillionths" | "end">>(
      tx,
      sql`
      select p.id as "integrationId", r.at, r.samples::float8 as samples, r.good::float8 as good, r.marked::float8 as marked, r.min_value as min, r.max_value as max,
        ${of.histograms ? sql`r.histogram` : sql`''::bytea as histogram`}
      from unnest(${list(({ id }) => id)}::text::integer[], ${list(({ from }) => from)}::text::float8[], ${list(({ to }) => to)}::text::float8[]) as p(id, f, t)
      join kpi_series as s on s.integration_id = p.id and s.metric = ${of.metric}
      cross join lateral (
        select * from ${sql.identifier(`kpi_${grain}`)} as one
        where one.series_id = s.id and one.at >= to_timestamp(p.f / 1000) and one.at < to_timestamp(p.t / 1000) offset 0) as r`,
    );
    for (const row of found) rows.push({ ...row, sumMillionths: 0n, end: row.at + grains[grain] });
  }
  return rows;
}

/** The whole minutes of a stretch. */
function wholeMinutes({ start, end }: Period): Period {
  const from = Math.ceil(start / grains.minute) * grains.minute;
  return { start: from, end: Math.max(from, Math.floor(end / grains.minute) * grains.minute) };
}
