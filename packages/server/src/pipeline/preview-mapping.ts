import {
  applyMapping,
  DomainError,
  type Mapping,
  type MappingCheck,
  type MappingError,
  type StreamEntry,
  validateMapping,
} from "@quiesce/core";
import type { Json, SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { letOthersTurn } from "./prepare-records.js";

/** Records that one preview maps. */
export const PREVIEW_RECORDS = 200;

const recordShape = z.strictObject({
  key: z.string().min(1).max(1_000),
  op: z.enum(["upsert", "delete"]).optional(),
  version: z.string().optional(),
  at: z.string().optional(),
  data: z.record(z.string(), z.json()),
});

/** What to map with what; a mapping that is not given is the stream's own, records that are not given are those of its dead letters. */
export interface MappingPreviewInput {
  readonly integration: string | null;
  readonly stream: string | null;
  readonly mapping: unknown;
  readonly records: readonly unknown[] | null;
  /** At most so many dead letters, the newest first. */
  readonly letters: number;
}

/** One record: what it becomes, that it is passed over, or why it does not fit. */
export interface PreviewedRecord {
  readonly recordKey: string;
  readonly outcome: "mapped" | "skipped" | "unfit";
  readonly before: Json;
  readonly after: Json | null;
  readonly targetKey: string | null;
  readonly errors: readonly MappingError[];
}

export interface MappingPreview {
  readonly check: MappingCheck;
  /** Empty when the mapping is refused. */
  readonly records: readonly PreviewedRecord[];
}

/** Maps sample records and writes nothing. Throws QSC_MAPPING_STREAM, QSC_MAPPING_NOT_FOUND and QSC_MAPPING_RECORDS. */
export async function previewMapping(database: Database, input: MappingPreviewInput): Promise<MappingPreview> {
  const stream = input.integration === null ? null : await streamOf(database, input.integration, input.stream);
  const check = validateMapping(input.mapping ?? stream?.mapping ?? noMapping());
  const given = input.records ?? (stream === null ? null : await letterRecords(database, input, stream));
  if (given === null)
    throw refused("RECORDS", "Found neither records nor an integration whose dead letters could serve. Give one of them.", "records");
  const records = given.map(recordOf);
  if (records.length > PREVIEW_RECORDS)
    throw refused("RECORDS", `Found ${records.length} records, expected at most ${PREVIEW_RECORDS}. Leave some away.`, "records");
  return { check, records: check.ok ? await previewed(check.mapping, records) : [] };
}

async function previewed(mapping: Mapping, records: readonly SourceRecord[]): Promise<readonly PreviewedRecord[]> {
  const results: PreviewedRecord[] = [];
  for (const [index, record] of records.entries()) {
    await letOthersTurn([mapping], index);
    const result = await applyMapping(mapping, record);
    const mapped = result.kind === "mapped" ? result.record : null;
    results.push({
      recordKey: record.key,
      outcome: result.kind,
      before: record.data,
      after: mapped?.data ?? null,
      targetKey: mapped?.key ?? null,
      errors: result.kind === "unfit" ? result.errors : [],
    });
  }
  return results;
}

function noMapping(): never {
  throw refused("RECORDS", "Found neither a mapping nor an integration that has one. Give one of them.", "mapping");
}

async function streamOf(database: Database, integration: string, name: string | null): Promise<StreamEntry> {
  const [row] = await selectRows<{ readonly streams: readonly StreamEntry[] }>(
    database.db,
    sql`select streams from integration where key = ${integration}`,
  );
  if (row === undefined) throw refused("NOT_FOUND", `There is no integration "${integration}".`, "integration");
  const stream = name === null && row.streams.length === 1 ? row.streams[0] : row.streams.find((one) => one.stream === name);
  if (stream !== undefined) return stream;
  const names = row.streams.map((one) => one.stream).join(", ");
  throw refused(
    "STREAM",
    `Found ${name === null ? "no stream" : `"${name}"`}, expected one of: ${names === "" ? "(it has none)" : names}.`,
    "stream",
  );
}

/** Letters that do not hold the whole record would be previewed as something that they are not. */
async function letterRecords(database: Database, input: MappingPreviewInput, stream: StreamEntry): Promise<readonly unknown[]> {
  if (!Number.isInteger(input.letters) || input.letters < 1 || input.letters > PREVIEW_RECORDS)
    throw refused("RECORDS", `Found ${input.letters} dead letters to look at, expected 1 to ${PREVIEW_RECORDS}.`, "letters");
  const rows = await selectRows<{ readonly source: unknown }>(
    database.db,
    sql`select d.record -> 'source' as source from dead_letter as d join integration as i on i.id = d.integration_id
      where i.key = ${input.integration} and d.stream = ${stream.stream} and d.status in ('open', 'review')
        and d.record -> 'source' -> 'data' is not null and coalesce((d.record -> 'incomplete')::boolean, false) is false
      order by d.id desc limit ${input.letters}`,
  );
  return rows.map((row) => row.source);
}

function recordOf(value: unknown, index: number): SourceRecord {
  const parsed = recordShape.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = [`records[${index}]`, ...(issue?.path ?? []).map(String)].join(".");
    throw refused(
      "RECORDS",
      `${where}: ${issue?.message ?? "is no record"}. Expected {"key": "7", "data": {…}}, and op, version or at if wanted.`,
      "records",
    );
  }
  const { key, data, op, version, at } = parsed.data;
  return {
    key,
    data,
    ...(op === undefined ? {} : { op }),
    ...(version === undefined ? {} : { version }),
    ...(at === undefined ? {} : { at }),
  };
}

const codes = { STREAM: "QSC_MAPPING_STREAM", NOT_FOUND: "QSC_MAPPING_NOT_FOUND", RECORDS: "QSC_MAPPING_RECORDS" } as const;

function refused(what: keyof typeof codes, message: string, field: string): DomainError {
  return new DomainError(codes[what], message, { field });
}
