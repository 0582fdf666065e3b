import { addEncoded, DomainError, emptyHistogram, type KpiFigures, quantileOf, type SampleClass } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import type { Period } from "../kpi-scope.js";
import { decimalOf, type ExportedSample, sampleLine, samplesHeader, sumLine } from "./samples-csv.js";

/** Lines of one page. */
export const mostExported = 10_000;
export const usualExported = 5_000;

export interface ExportRequest {
  readonly integration: string;
  /** null: all of them, one after the other. */
  readonly metric: string | null;
  readonly class: SampleClass;
  readonly period: Period;
  readonly first: number;
  readonly after: string | null;
}

/** Some lines of a file. Pages put together are the file. */
export interface ExportPage {
  readonly csv: string;
  readonly lines: number;
  /** Where the next page goes on; null: this is the last one. */
  readonly endCursor: string | null;
}

interface Series {
  readonly id: number;
  readonly metric: string;
}

/** The last line of a page. */
interface Place {
  readonly metric: string;
  readonly at: number;
  readonly key: string;
}

/**
 * A page of an integration's samples, or of what they come to, as CSV: by metric, instant and key, those from the period's beginning on and before its end; sums by
 * their beginnings. Throws QSC_INTEGRATION_NOT_FOUND, QSC_KPI_PERIOD, QSC_GRAPHQL_PAGE_SIZE and QSC_GRAPHQL_CURSOR_INVALID.
 */
export async function readExport(tx: Tx, request: ExportRequest): Promise<ExportPage> {
  checkRequest(request);
  const after = request.after === null ? null : readCursor(request.after);
  const lines: string[] = request.after === null ? [samplesHeader(request.class)] : [];
  let left = request.first;
  let last: Place | null = null;
  for (const series of await seriesOf(tx, request)) {
    if (after !== null && series.metric < after.metric) continue;
    const from = after !== null && series.metric === after.metric ? after : null;
    // One more than the page holds tells whether there is another.
    const rows = await readRows(tx, { request, series, after: from, most: left + 1 });
    for (const { place, line } of rows.slice(0, left)) {
      lines.push(line);
      last = place;
    }
    if (rows.length > left) return { csv: lines.join(""), lines: request.first, endCursor: last === null ? null : cursorOf(last) };
    left -= rows.length;
  }
  return { csv: lines.join(""), lines: request.first - left, endCursor: null };
}

function checkRequest({ period, first }: ExportRequest): void {
  if (period.end <= period.start)
    throw new DomainError("QSC_KPI_PERIOD", `The period ${isoOf(period.start)} to ${isoOf(period.end)} ends before it begins.`, {
      field: "to",
    });
  if (!Number.isInteger(first) || first < 1 || first > mostExported)
    throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `first is ${first}; a page has 1 to ${mostExported} lines.`, { field: "first" });
}

async function seriesOf(tx: Tx, { integration, metric }: ExportRequest): Promise<readonly Series[]> {
  const [row] = await selectRows<{ id: number }>(tx, sql`select id from integration where key = ${integration}`);
  if (row === undefined)
    throw new DomainError("QSC_INTEGRATION_NOT_FOUND", `There is no integration "${integration.slice(0, 100)}" that you may see.`, {
      field: "integration",
    });
  return selectRows<Series>(
    tx,
    sql`
    select id, metric from kpi_series where integration_id = ${row.id} ${metric === null ? sql`` : sql`and metric = ${metric}`} order by metric collate "C"`,
  );
}

interface Row {
  readonly place: Place;
  readonly line: string;
}

function readRows(
  tx: Tx,
  of: { readonly request: ExportRequest; readonly series: Series; readonly after: Place | null; readonly most: number },
): Promise<readonly Row[]> {
  return of.request.class === "sample" ? readSamples(tx, of) : readSums(tx, of, of.request.class);
}

async function readSamples(tx: Tx, { request, series, after, most }: Parameters<typeof readRows>[1]): Promise<readonly Row[]> {
  const { start, end } = request.period;
  const rows = await selectRows<Omit<ExportedSample, "metric">>(
    tx,
    sql`
    select at, value, ok, key from kpi_sample where series_id = ${series.id} and at >= ${Math.max(start, after?.at ?? start)}::timestamptz and at < ${end}::timestamptz
      ${after === null ? sql`` : sql`and (at, key) > (${after.at}::timestamptz, ${after.key})`}
    order by at, key limit ${most}`,
  );
  return rows.map((row) => ({
    place: { metric: series.metric, at: row.at, key: row.key },
    line: sampleLine(request.integration, { ...row, metric: series.metric }),
  }));
}

async function readSums(
  tx: Tx,
  { request, series, after, most }: Parameters<typeof readRows>[1],
  of: Exclude<SampleClass, "sample">,
): Promise<readonly Row[]> {
  const { start, end } = request.period;
  const rows = await selectRows<{
    readonly at: number;
    readonly samples: number;
    readonly good: number;
    readonly marked: number;
    readonly sumMillionths: string;
    readonly min: number;
    readonly max: number;
    readonly histogram: Uint8Array;
  }>(
    tx,
    sql`
    select at, samples::float8 as samples, good::float8 as good, marked::float8 as marked, sum_millionths::text as "sumMillionths", min_value as min, max_value as max, histogram
    from ${sql.identifier(`kpi_${of}`)} where series_id = ${series.id} and at >= ${start}::timestamptz and at < ${end}::timestamptz
      ${after === null ? sql`` : sql`and at > ${after.at}::timestamptz`}
    order by at limit ${most}`,
  );
  return rows.map(({ at, good, sumMillionths, ...row }) => {
    const sum = BigInt(sumMillionths);
    const figures = figuresOf({ ...row, sum });
    return {
      place: { metric: series.metric, at, key: "" },
      line: sumLine(request.integration, { metric: series.metric, class: of, at, good, sum: decimalOf(sum), figures }),
    };
  });
}

function figuresOf(row: {
  readonly samples: number;
  readonly marked: number;
  readonly sum: bigint;
  readonly min: number;
  readonly max: number;
  readonly histogram: Uint8Array;
}): KpiFigures {
  const { samples, marked, min, max } = row;
  const histogram = emptyHistogram();
  addEncoded(histogram, row.histogram);
  const percentile = (quantile: number): number | null => quantileOf(histogram, quantile, { min, max });
  const p95 = percentile(0.95);
  return {
    value: p95,
    samples,
    marked,
    mean: Number(row.sum) / 1e6 / samples,
    min,
    max,
    p50: percentile(0.5),
    p95,
    p99: percentile(0.99),
    share: null,
  };
}

function cursorOf({ metric, at, key }: Place): string {
  return Buffer.from(JSON.stringify([metric, at, key])).toString("base64url");
}

function readCursor(text: string): Place {
  const place = parsedCursor(text);
  if (place === null)
    throw new DomainError(
      "QSC_GRAPHQL_CURSOR_INVALID",
      `after is no cursor of this list: ${text.slice(0, 40)}. Give back the endCursor of the page before.`,
      {
        field: "after",
      },
    );
  return place;
}

function parsedCursor(text: string): Place | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    if (!Array.isArray(parts) || parts.length !== 3) return null;
    const [metric, at, key]: readonly unknown[] = parts;
    // The years that a database's instant and its text both have.
    if (typeof metric !== "string" || typeof key !== "string" || key.includes("\0") || typeof at !== "number") return null;
    return Number.isInteger(at) && Math.abs(at) < 8e12 ? { metric, at, key } : null;
  } catch {
    return null;
  }
}

const isoOf = (at: number): string => new Date(at).toISOString();
