import { ConnectorError, isConnectorError, type Cursor, type Json, type Page, type ReadRequest, type SourceRecord } from "@quiesce/sdk";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { recordOf } from "../messages/message-record.js";
import { namedStream } from "../streams/stream-list.js";
import { BEFORE_ALL, compareEntryIds, entryTime, isEntryId } from "./entry-id.js";
import type { RedisStream } from "./redis-config.js";
import { openLink, type Link, type RedisContext, type Reply } from "./redis-link.js";

/** So many entries at most in one page: an entry may have megabytes. */
const MAX_PAGE = 1_000;

/**
 * Reads a stream's entries by their ids, up to what it holds now. One server adds entries in the order of their ids, so none appears behind the cursor;
 * a replica that takes over may lack the last of them. A stream that was made anew, with smaller ids, begins again.
 */
export async function* readStream(x: RedisContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  const stream = namedStream(x.config.streams, request.stream);
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The redis connector cannot read a range of time; leave from and to away.");
  }
  const link = await openLink(x);
  try {
    const state = await stateOf(link, stream.key);
    let id = positionOf(request.cursor, state);
    noteMissed(x, stream, { cursor: request.cursor, id, state });
    const end: Cursor = { id: state.last, ...(state.added === undefined ? {} : { added: state.added }) };
    const count = Math.min(request.pageSize, MAX_PAGE);
    while (compareEntryIds(id, state.last) < 0) {
      const entries = await range(link, { key: stream.key, after: id, last: state.last, count });
      const last = entries.at(-1)?.id;
      // The server gives fewer than were asked for only where there are no more.
      const more = last !== undefined && entries.length === count && compareEntryIds(last, state.last) < 0;
      id = more ? last : state.last;
      yield { records: entries.map((entry) => entryRecord(stream, entry)), cursor: more ? { id } : end, more };
      if (!more) return;
    }
    yield { records: [], cursor: end, more: false };
  } finally {
    link.close();
  }
}

interface Entry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, Buffer>;
}

interface StreamState {
  /** The id of the last entry that ever was. */
  readonly last: string;
  /** The id of the first entry there is. */
  readonly first: string;
  /** Entries there are. */
  readonly length: number;
  /** Entries that were ever added; Redis 7 and newer tell it. */
  readonly added: number | undefined;
}

async function stateOf(link: Link, key: string): Promise<StreamState> {
  let reply: Reply;
  try {
    reply = await link.answer(link.command("XINFO", "STREAM", key));
  } catch (error) {
    // A stream comes into being with its first entry.
    if (isConnectorError(error) && error.message.includes("no such key"))
      return { last: BEFORE_ALL, first: BEFORE_ALL, length: 0, added: undefined };
    throw error;
  }
  const info = pairsOf(reply);
  const idOf = (found: Reply | undefined): string => {
    const text = textOf(found);
    return isEntryId(text) ? text : BEFORE_ALL;
  };
  const [first] = listOf(info.get("first-entry"));
  const added = info.get("entries-added");
  return {
    last: idOf(info.get("last-generated-id")),
    first: idOf(first),
    length: Number(info.get("length") ?? 0),
    added: typeof added === "number" ? added : undefined,
  };
}

async function range(
  link: Link,
  { key, after, last, count }: { readonly key: string; readonly after: string; readonly last: string; readonly count: number },
): Promise<readonly Entry[]> {
  const reply = await link.answer(link.command("XRANGE", key, `(${after}`, last, "COUNT", String(count)));
  if (!Array.isArray(reply)) throw new ConnectorError("contract", `${link.where} answered XRANGE with something else than a list.`);
  return (reply as readonly Reply[]).map((entry) => {
    const [id, fields] = listOf(entry);
    const text = textOf(id);
    if (!isEntryId(text)) throw new ConnectorError("contract", `${link.where} gave an entry of ${key} without an id.`);
    const pairs = [...pairsOf(fields)].flatMap(([name, value]) => (Buffer.isBuffer(value) ? [[name, value] as const] : []));
    return { id: text, fields: new Map(pairs) };
  });
}

function entryRecord(stream: RedisStream, { id, fields }: Entry): SourceRecord {
  const text = (name: string): string | undefined => {
    const value = textOf(fields.get(name));
    return value === "" ? undefined : value;
  };
  const common = { id, version: id, key: text(KEY_HEADER), operation: text(OPERATION_HEADER), at: entryTime(id) };
  if (stream.field !== undefined) {
    const body = fields.get(stream.field);
    if (body !== undefined || common.operation === "delete") return recordOf(stream, { ...common, body: body ?? Buffer.alloc(0) });
    const problem = `The entry ${id} has no field ${stream.field}; it has ${[...fields.keys()].join(", ").slice(0, 200)}.`;
    return { key: common.key ?? id, version: id, data: {}, problem };
  }
  const members = [...fields]
    .filter(([name]) => !name.startsWith("quiesce-"))
    .map(([name, value]): [string, Json] => [name, value.toString("utf8")]);
  return recordOf(
    { payload: "json", keyFields: stream.keyFields },
    { ...common, body: Buffer.from(JSON.stringify(Object.fromEntries(members))) },
  );
}

/** Where to go on: behind the cursor, or at the beginning if the cursor is no id, or one that this stream has not reached. */
function positionOf(cursor: Cursor | null, state: StreamState): string {
  const id = cursor?.["id"];
  return isEntryId(id) && compareEntryIds(id, state.last) <= 0 ? id : BEFORE_ALL;
}

/** Streams with a length throw the oldest entries away, read or not: then all that are left stand behind the cursor, and are fewer than were added. */
function noteMissed(
  x: RedisContext,
  stream: RedisStream,
  { cursor, id, state }: { readonly cursor: Cursor | null; readonly id: string; readonly state: StreamState },
): void {
  const before = cursor?.["added"];
  if (id === BEFORE_ALL || typeof before !== "number" || state.added === undefined || compareEntryIds(state.first, id) <= 0) return;
  const missed = state.added - before - state.length;
  if (missed <= 0) return;
  x.metric("messages_missed", missed, { stream: stream.name });
  x.log.warn("Entries were removed from the stream before they were read.", { stream: stream.name, missed, cursor: id });
}

function pairsOf(reply: Reply | undefined): ReadonlyMap<string, Reply> {
  const list = listOf(reply);
  const pairs = new Map<string, Reply>();
  for (let index = 0; index + 1 < list.length; index += 2) pairs.set(textOf(list[index]) ?? "", list[index + 1] ?? null);
  return pairs;
}

function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}

function textOf(reply: Reply | undefined): string | undefined {
  return Buffer.isBuffer(reply) ? reply.toString("utf8") : typeof reply === "string" ? reply : undefined;
}
