import { createHash } from "node:crypto";
import { equalJson, type FieldValues, type SameValue, sortedJson, type StreamEntry, type TwoWay } from "@quiesce/core";
import { comparableValue, ConnectorError, type Json, type JsonObject, type SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { ownTransaction } from "./own-transaction.js";
import type { ReadingRun, StreamRun } from "./pipeline-run.js";
import { storableJson } from "./storable-json.js";
import type { SyncPlace } from "./sync-records.js";

/** A stream whose fields flow both ways, within a run. */
export type TwoWayRun<Run extends StreamRun = StreamRun> = Run & { readonly stream: StreamEntry & { readonly twoWay: TwoWay } };

/** Whether fields of the stream flow back. */
export function isTwoWay<Run extends StreamRun>(run: Run): run is TwoWayRun<Run> {
  return run.stream.twoWay !== undefined;
}

export function placeOfStream(run: StreamRun): SyncPlace {
  return { integrationId: run.run.integrationId, stream: run.stream.stream };
}

/**
 * Sees that what is known of a stream is of these two systems and these fields. After a change of either both sides are read once more from the
 * beginning; what other systems held is forgotten. Throws `config` for sides that cannot be read and written.
 */
export async function beginTwoWay(run: TwoWayRun<ReadingRun>): Promise<void> {
  requireBothWays(run);
  const { source, target, stream } = run;
  const sides = `${source.key} ${stream.stream} ${target.key} ${stream.target}`;
  const rules = Object.keys(stream.twoWay.fields).map((field) => [field, stream.mapping.fields[field] ?? null]);
  const wanted = JSON.stringify({ sides, fields: digestOf(rules as Json) });
  const { integrationId } = run.run;
  await ownTransaction(run, async (tx) => {
    const rows = await tx.execute<{ sides: string | null; isSame: boolean }>(sql`
      select two_way ->> 'sides' as sides, two_way is not distinct from ${wanted}::text::jsonb as "isSame" from stream_state
      where integration_id = ${integrationId} and stream = ${stream.stream} for update`);
    const [before] = rows;
    if (before?.isSame === true) return;
    if ((before?.sides ?? sides) !== sides)
      await tx.execute(sql`delete from sync_record where integration_id = ${integrationId} and stream = ${stream.stream}`);
    await tx.execute(sql`
      insert into stream_state (integration_id, stream, two_way) values (${integrationId}, ${stream.stream}, ${wanted}::text::jsonb)
      on conflict (integration_id, stream) do update set cursor = null, target_cursor = null, two_way = excluded.two_way, updated_at = app_now()`);
  });
}

function requireBothWays({ source, target, stream }: TwoWayRun<ReadingRun>): void {
  const lacks = (message: string): ConnectorError =>
    new ConnectorError(
      "config",
      `Stream "${stream.stream}" cannot flow both ways: ${message} Leave twoWay out, or use another connector.`,
      {
        field: "twoWay",
      },
    );
  if (!target.facets.includes("read")) throw lacks(`the connector of the target "${target.key}" cannot be read.`);
  if (!source.facets.includes("write")) throw lacks(`the connector of the source "${source.key}" cannot be written.`);
  for (const [endpoint, name] of [
    [source, stream.stream],
    [target, stream.target],
  ] as const)
    if (endpoint.idempotencyOf(name) === "none")
      throw lacks(`a repeated write to "${name}" of endpoint "${endpoint.key}" would double the record, and writes have to be repeatable.`);
}

/** The two-way fields of a record of the target's form; one that is absent in it is not known. */
export function twoWayValues(twoWay: TwoWay, data: JsonObject): FieldValues {
  const values = Object.keys(twoWay.fields).flatMap((field) => (Object.hasOwn(data, field) ? [[field, data[field] ?? null] as const] : []));
  // As they are stored: what PostgreSQL cannot hold would otherwise look like a change for ever.
  return JSON.parse(storableJson(Object.fromEntries(values))) as FieldValues;
}

/** Values are compared as a reconciliation compares them: 12.50 is 12.5, and an instant is one in every zone. */
export const isSameValue: SameValue = (a, b) => equalJson(comparableValue(a), comparableValue(b));

/** Some of a record's fields. */
export function pickValues(values: FieldValues, names: readonly string[]): FieldValues {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}

/** Whether two sets of values are one, however the systems write them. */
export function sameValues(a: FieldValues, b: FieldValues): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const other = b[name];
      return other !== undefined && isSameValue(a[name] ?? null, other);
    })
  );
}

/** The other fields of a record, hashed. */
export function oneWayDigest(twoWay: TwoWay, data: JsonObject): string {
  return digestOf(Object.fromEntries(Object.entries(data).filter(([name]) => !Object.hasOwn(twoWay.fields, name))));
}

/** A digest of JSON whose order of members does not count. */
export function digestOf(value: Json): string {
  return createHash("sha256")
    .update(JSON.stringify(sortedJson(value)))
    .digest("hex")
    .slice(0, 32);
}

/** When a record was changed, by the field that says so or by the connector; null when neither does. */
export function changeTime(record: SourceRecord, field: string | undefined): number | null {
  const value = field === undefined ? record.at : record.data[field];
  if (typeof value === "number" && Number.isFinite(value)) return Math.abs(value) <= MAX_EPOCH_MS ? value : null;
  if (typeof value !== "string") return null;
  const instant = Date.parse(ZONELESS.test(value) ? `${value.replace(" ", "T")}Z` : value);
  return Number.isNaN(instant) ? null : instant;
}

/** Local times without an offset are taken for UTC: Date.parse would take them for the server's own zone. */
const ZONELESS = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/;
/** The year 9999; later ones no database holds. */
const MAX_EPOCH_MS = 253_402_300_799_000;
