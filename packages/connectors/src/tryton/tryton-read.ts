import {
  ConnectorError,
  type Cursor,
  type Json,
  type JsonObject,
  type KeyPage,
  type ListKeysRequest,
  type Page,
  type ReadRequest,
  type SourceRecord,
} from "@quiesce/sdk";
import type { TrytonStream } from "./tryton-config.js";
import { decodeRow, type FieldTree, fieldTree, namesOf } from "./tryton-fields.js";
import { callModel, streamOf, type TrytonContext } from "./tryton-rpc.js";
import { changeOf, datetimeOf, isTimestamp, plainText, timeOf, timestampAt, type Timestamp } from "./tryton-values.js";

/** A place in the order (time, id). The id is needed: all records of one call share their time. */
interface Place {
  readonly at: Timestamp;
  readonly id: number;
}

/**
 * The two passes of a round. `write_date` is null until the first write, so no single field orders all records: `created`
 * reads what was never written by create_date, `written` the rest by write_date. A record that is written between the two
 * moves from the first to the second, never out of both.
 */
const PASSES = [
  { name: "created", field: "create_date" },
  { name: "written", field: "write_date" },
] as const;

type PassName = (typeof PASSES)[number]["name"];

interface Position {
  readonly created: Place;
  readonly written: Place;
  readonly pass: PassName;
  /** The server's clock when this round began. */
  readonly started: Timestamp | undefined;
  /** The server's clock when the last complete round began. */
  readonly seen: Timestamp | undefined;
}

const BEGINNING: Place = { at: "0001-01-01T00:00:00.000000", id: 0 };

/** Reads what was created or written since the cursor. */
export async function* readStream(x: TrytonContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The tryton connector cannot read a range of time; leave from and to away.");
  }
  const stream = streamOf(x.config, request.stream);
  const fields = await fieldTree(x, stream.model, fieldsToRead(stream), { unknown: "refuse" });
  let position = beginRound(positionOf(request.cursor), stream);
  for (;;) {
    const { records, last, more, serverMs } = await pageOf(x, stream, fields, position, request.pageSize);
    position = {
      ...position,
      [position.pass]: last ?? position[position.pass],
      started: position.started ?? timestampAt(serverMs ?? x.clock.now().getTime()),
    };
    const complete = !more && position.pass === "written";
    if (!more && !complete) {
      position = { ...position, pass: "written" };
      if (records.length === 0) continue;
    }
    yield { records, cursor: complete ? finished(position) : cursorOf(position), more: !complete };
    if (complete) return;
  }
}

/** Lists the keys of all records; a deletion leaves no trace but its absence here. */
export async function* listRecordKeys(x: TrytonContext, request: ListKeysRequest): AsyncGenerator<KeyPage, void, void> {
  const stream = streamOf(x.config, request.stream);
  const from = request.cursor?.["id"];
  let after = typeof from === "number" ? from : 0;
  for (;;) {
    const domain: Json = [...domainOf(stream), ["id", ">", after]];
    const rows = await keysAfter(x, stream, [domain, 0, request.pageSize + 1, [["id", "ASC"]]]);
    const more = rows.length > request.pageSize;
    const page = rows.slice(0, request.pageSize);
    after = page.at(-1)?.id ?? after;
    yield { keys: page.map(({ key }) => key), cursor: { id: after }, more };
    if (!more) return;
  }
}

async function keysAfter(
  x: TrytonContext,
  stream: TrytonStream,
  search: readonly Json[],
): Promise<readonly { readonly id: number; readonly key: string }[]> {
  if (stream.key === "id") {
    const { result } = await callModel(x, stream.model, "search", search);
    return (Array.isArray(result) ? (result as Json[]) : []).map((id) => ({ id: Number(id), key: plainText(id) }));
  }
  const { result } = await callModel(x, stream.model, "search_read", [...search, ["id", keyField(stream)]]);
  return (Array.isArray(result) ? (result as JsonObject[]) : []).map((row) => ({
    id: Number(row["id"]),
    key: plainText(row[keyField(stream)]),
  }));
}

/** The field that a record is called by. */
function keyField({ key, codeField }: TrytonStream): string {
  return key === "code" && codeField !== undefined ? codeField : "id";
}

/** A record that is called by its code is there once it has one. */
function domainOf(stream: TrytonStream): readonly Json[] {
  return stream.key === "id" ? stream.domain : [...stream.domain, [keyField(stream), "!=", null], [keyField(stream), "!=", ""]];
}

function fieldsToRead(stream: TrytonStream): readonly string[] {
  return stream.key === "id" ? stream.fields : [...new Set([keyField(stream), ...stream.fields])];
}

interface PassPage {
  readonly records: readonly SourceRecord[];
  readonly last: Place | undefined;
  readonly more: boolean;
  readonly serverMs: number | undefined;
}

async function pageOf(x: TrytonContext, stream: TrytonStream, fields: FieldTree, position: Position, pageSize: number): Promise<PassPage> {
  const pass = PASSES.find((candidate) => candidate.name === position.pass) ?? PASSES[0];
  const { at, id } = position[pass.name];
  const time = datetimeOf(at);
  const behind: Json = [
    "OR",
    [pass.field, ">", time],
    [
      [pass.field, "=", time],
      ["id", ">", id],
    ],
  ];
  const never: Json[] = pass.name === "created" ? [["write_date", "=", null]] : [];
  const names = [...new Set(["id", "create_date", "write_date", ...namesOf(fields)])];
  const order: Json = [
    [pass.field, "ASC"],
    ["id", "ASC"],
  ];
  const domain: Json = [...domainOf(stream), ...never, behind];
  const { result, serverMs } = await callModel(x, stream.model, "search_read", [domain, 0, pageSize + 1, order, names]);
  const rows = Array.isArray(result) ? (result as JsonObject[]) : [];
  const page = rows.slice(0, pageSize);
  const final = page.at(-1);
  return {
    records: page.map((row) => recordOf(row, stream, fields)),
    last: final === undefined ? undefined : { at: timeOf(final, pass.field), id: Number(final["id"]) },
    more: rows.length > pageSize,
    serverMs,
  };
}

function recordOf(row: JsonObject, stream: TrytonStream, fields: FieldTree): SourceRecord {
  const changed = changeOf(row);
  return {
    key: plainText(row[keyField(stream)]),
    version: changed,
    at: `${changed}Z`,
    data: { id: row["id"] ?? null, ...decodeRow(row, fields) },
  };
}

/**
 * A record gets its time when its transaction begins, and becomes visible when that ends. So a round begins no later than
 * `overlapSeconds` before the last complete one did. That also keeps a record dated in the future from hiding others.
 */
function beginRound(position: Position, stream: TrytonStream): Position {
  if (position.started !== undefined || position.seen === undefined) return position;
  const seenMs = Date.parse(`${position.seen}Z`);
  const floor: Place = { at: timestampAt(seenMs - stream.overlapSeconds * 1000), id: 0 };
  // The server tells its clock in whole seconds; without an overlap that second is not read again.
  const exactUntil = stream.overlapSeconds === 0 ? timestampAt(seenMs + 1000) : floor.at;
  const earlier = (place: Place): Place => (place.at < exactUntil ? place : floor);
  return { ...position, created: earlier(position.created), written: earlier(position.written), pass: "created" };
}

function positionOf(cursor: Cursor | null): Position {
  const place = (name: PassName): Place => {
    const at = cursor?.[`${name}At`];
    const id = cursor?.[`${name}Id`];
    return isTimestamp(at) && typeof id === "number" ? { at, id } : BEGINNING;
  };
  const time = (name: string): Timestamp | undefined => {
    const value = cursor?.[name];
    return isTimestamp(value) ? value : undefined;
  };
  return {
    created: place("created"),
    written: place("written"),
    pass: cursor?.["pass"] === "written" ? "written" : "created",
    started: time("started"),
    seen: time("seen"),
  };
}

function cursorOf(position: Position): Cursor {
  const { created, written, pass, started } = position;
  return {
    createdAt: created.at,
    createdId: created.id,
    writtenAt: written.at,
    writtenId: written.id,
    pass,
    ...(started === undefined ? {} : { started }),
  };
}

function finished(position: Position): Cursor {
  const { pass: _pass, started, ...places } = cursorOf(position);
  return { ...places, ...(started === undefined ? {} : { seen: started }) };
}
