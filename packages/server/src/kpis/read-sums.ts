import type { SampleSums } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { integers } from "../db/sql-arrays.js";
import type { Period } from "./kpi-scope.js";

/** Sums of one integration's samples. */
export interface ReadSums extends SampleSums {
  readonly integrationId: number;
  /** The beginning of the minute, hour or day. */
  readonly at: number;
}

export const grains = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;
export type Grain = keyof typeof grains;

/** Stretches of a period that are whole minutes, hours or days. */
interface Piece extends Period {
  readonly grain: Grain;
}

/**
 * The sums of a metric in a period, from as few rows as there are: whole days from days, what is left at its ends from hours and minutes. The ends are taken to the minute
 * (`minutesOf`), `step` to whole ones of these.
 */
export async function readSums(
  tx: Tx,
  of: { readonly metric: string; readonly integrationIds: readonly number[]; readonly period: Period; readonly step?: Grain },
): Promise<readonly ReadSums[]> {
  const pieces =
    of.step === undefined
      ? piecesOf(of.period)
      : [{ grain: of.step, start: floor(of.period.start, grains[of.step]), end: ceil(of.period.end, grains[of.step]) }];
  if (pieces.length === 0 || of.integrationIds.length === 0) return [];
  const rows = await selectRows<Omit<ReadSums, "sumMillionths"> & { readonly sumMillionths: string }>(
    tx,
    sql`
    with series as materialized (
      select id, integration_id from kpi_series where metric = ${of.metric} and integration_id = any (${integers(of.integrationIds)})
    )
    ${sql.join(
      pieces.map(
        ({ grain, start, end }) => sql`
        select s.integration_id as "integrationId", r.at, r.samples::float8 as samples, r.good::float8 as good, r.marked::float8 as marked,
          r.sum_millionths::text as "sumMillionths", r.min_value as min, r.max_value as max, r.histogram
        from series as s join ${sql.identifier(`kpi_${grain}`)} as r on r.series_id = s.id
        where r.at >= ${start}::timestamptz and r.at < ${end}::timestamptz`,
      ),
      sql` union all `,
    )}
    order by 2, 1`,
  );
  return rows.map((row) => ({ ...row, sumMillionths: BigInt(row.sumMillionths) }));
}

/**
 * The minutes that count as a period: those that begin in it, so that of two periods side by side each minute is in one, and the minute that goes on now is in
 * the one that ends now. Of a period in the midst of one minute that minute.
 */
export function minutesOf({ start, end }: Period): Period {
  const minutes = { start: ceil(start, grains.minute), end: ceil(end, grains.minute) };
  return minutes.start < minutes.end ? minutes : { start: floor(start, grains.minute), end: minutes.end };
}

/** Cuts a period into whole days, and hours and minutes at its ends. */
export function piecesOf(period: Period): readonly Piece[] {
  const { start, end } = minutesOf(period);
  const [firstDay, lastDay] = [ceil(start, grains.day), floor(end, grains.day)];
  if (firstDay >= lastDay) return hoursOf(start, end);
  return [...hoursOf(start, firstDay), { grain: "day", start: firstDay, end: lastDay }, ...hoursOf(lastDay, end)];
}

function hoursOf(start: number, end: number): readonly Piece[] {
  const [firstHour, lastHour] = [ceil(start, grains.hour), floor(end, grains.hour)];
  const pieces: Piece[] =
    firstHour >= lastHour
      ? [{ grain: "minute", start, end }]
      : [
          { grain: "minute", start, end: firstHour },
          { grain: "hour", start: firstHour, end: lastHour },
          { grain: "minute", start: lastHour, end },
        ];
  return pieces.filter((piece) => piece.start < piece.end);
}

const floor = (at: number, span: number): number => Math.floor(at / span) * span;
const ceil = (at: number, span: number): number => Math.ceil(at / span) * span;
