import {
  ConnectorError,
  joinKey,
  type Cursor,
  type Json,
  type JsonObject,
  type KeyPage,
  type ListKeysRequest,
  type Page,
  type ReadRequest,
  type SourceRecord,
} from "@quiesce/sdk";
import type { HttpSince, HttpStream } from "./http-config.js";
import { readJson, send, streamOf, valueAt, type HttpContext } from "./http-request.js";
import { madeVersion } from "./made-version.js";
import { laterOf, notAfter, sinceParameter } from "./since.js";

/**
 * Where a round of pages stands. `since` is what the round asks for, `newest` the latest change seen in it so far; when the
 * round is complete, `newest` becomes the next `since`. So the order in which the system answers does not matter.
 */
interface Position {
  readonly since: string | number | null;
  readonly newest: string | number | null;
  /** Page number, offset or token of the next request; null for the first. */
  readonly next: string | number | null;
}

/** Reads a stream page by page. */
export async function* readStream(x: HttpContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  const stream = streamOf(x.config, request.stream);
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The http connector cannot read a range of time; leave from and to away.");
  }
  for await (const page of rounds(x, stream, positionOf(request.cursor), request.pageSize)) yield page;
}

/** Lists keys by reading everything: REST has no cheaper way that all systems share. */
export async function* listStreamKeys(x: HttpContext, request: ListKeysRequest): AsyncGenerator<KeyPage, void, void> {
  const { since: _since, ...everything } = streamOf(x.config, request.stream);
  for await (const page of rounds(x, everything, positionOf(request.cursor), request.pageSize)) {
    const present = page.records.filter((record) => record.op !== "delete");
    yield { keys: present.map((record) => record.key), cursor: page.cursor, more: page.more };
  }
}

async function* rounds(x: HttpContext, stream: HttpStream, start: Position, pageSize: number): AsyncGenerator<Page, void, void> {
  let position = start;
  let previous = "";
  for (;;) {
    const what = `GET ${stream.path}`;
    const body = await readJson(x, await send(x, pathOf(x, stream, position, pageSize)), what);
    const records = recordsOf(stream, body, what);
    const fingerprint = JSON.stringify(records.map((record) => record.key));
    if (records.length > 0 && fingerprint === previous) {
      throw new ConnectorError(
        "contract",
        `${what} gave the same page twice: the parameter of paging "${stream.paging.style}" seems to be ignored.`,
      );
    }
    previous = fingerprint;
    const newest = newestOf(stream.since, records, position.newest);
    const next = nextOf(stream, body, position, records.length, pageSize);
    position =
      next === null
        ? { since: nextSince(x, stream.since, newest ?? position.since), newest: null, next: null }
        : { since: position.since, newest, next };
    yield { records, cursor: { ...position }, more: next !== null };
    if (next === null) return;
  }
}

function positionOf(cursor: Cursor | null): Position {
  const scalar = (value: Cursor[string] | undefined): string | number | null =>
    typeof value === "string" || typeof value === "number" ? value : null;
  return { since: scalar(cursor?.["since"]), newest: scalar(cursor?.["newest"]), next: scalar(cursor?.["next"]) };
}

function pathOf(x: HttpContext, stream: HttpStream, position: Position, pageSize: number): string {
  const [path = "", fixed = ""] = stream.path.split("?", 2);
  const query = new URLSearchParams(fixed);
  for (const [name, value] of Object.entries(stream.query)) query.set(name, value);
  const { paging, since } = stream;
  if (since !== undefined && position.since !== null) {
    query.set(since.parameter, sinceParameter(since, position.since));
  }
  if (paging.style !== "none") {
    if (paging.sizeParameter !== undefined) query.set(paging.sizeParameter, String(pageSize));
    const first = paging.style === "page" ? paging.first : paging.style === "offset" ? 0 : null;
    const next = position.next ?? first;
    if (next !== null) query.set(paging.parameter, String(next));
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

function nextOf(stream: HttpStream, body: Json, position: Position, count: number, pageSize: number): string | number | null {
  const { paging } = stream;
  if (paging.style === "none") return null;
  if (paging.style === "token") {
    const token = valueAt(body, paging.nextPath);
    if (token === undefined || token === null || token === "") return null;
    if (typeof token !== "string" && typeof token !== "number") {
      throw new ConnectorError(
        "contract",
        `${paging.nextPath} of GET ${stream.path} is ${JSON.stringify(token).slice(0, 80)}, expected a text or number.`,
      );
    }
    if (token === position.next) {
      throw new ConnectorError("contract", `GET ${stream.path} gave the token it was asked with as the next one.`);
    }
    return token;
  }
  const short = paging.last === "short" && paging.sizeParameter !== undefined && count < pageSize;
  if (count === 0 || short) return null;
  if (paging.style === "offset") return Number(position.next ?? 0) + count;
  return Number(position.next ?? paging.first) + 1;
}

function recordsOf(stream: HttpStream, body: Json, what: string): SourceRecord[] {
  const list = valueAt(body, stream.recordsPath);
  if (!Array.isArray(list)) {
    const where = stream.recordsPath === "" ? "The answer" : `"${stream.recordsPath}" in the answer`;
    throw new ConnectorError(
      "contract",
      `${where} to ${what} is ${list === undefined ? "absent" : "not a list"}, expected the list of records.`,
    );
  }
  return list.map((item: Json, index) => recordOf(stream, item, `record ${index} of ${what}`));
}

function recordOf(stream: HttpStream, item: Json, what: string): SourceRecord {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw new ConnectorError("contract", `The ${what} is ${JSON.stringify(item).slice(0, 80)}, expected an object.`);
  }
  const data = item as JsonObject;
  const key = joinKey(stream.key.map((path) => valueAt(data, path)));
  if (key === undefined) {
    throw new ConnectorError("contract", `The ${what} has no value in its key (${stream.key.join(", ")}).`, { field: stream.key[0] });
  }
  const deleted = stream.deletedPath === undefined ? undefined : valueAt(data, stream.deletedPath);
  const at = stream.since === undefined ? undefined : valueAt(data, stream.since.field);
  const version = versionOf(stream, data, at);
  return {
    key,
    ...(saysDeleted(deleted) ? { op: "delete" } : {}),
    ...(version === undefined ? {} : { version }),
    ...(stream.since?.format === "iso" && typeof at === "string" ? { at } : {}),
    data,
  };
}

/** Systems write a mark that is not set as 0 and "false" too. */
function saysDeleted(mark: Json | undefined): boolean {
  if (mark === undefined || mark === null || mark === false || mark === 0) return false;
  return typeof mark !== "string" || !UNSET_MARKS.has(mark.trim().toLowerCase());
}

const UNSET_MARKS: ReadonlySet<string> = new Set(["", "0", "false"]);

/** What versionPath holds. Without that, one is made of a record that was asked for by its change: the newest is given in every round, and has to be known. */
function versionOf(stream: HttpStream, data: JsonObject, at: Json | undefined): string | undefined {
  const version = stream.versionPath === undefined ? undefined : valueAt(data, stream.versionPath);
  if (version !== undefined && version !== null) return typeof version === "string" ? version : JSON.stringify(version);
  return typeof at === "string" || typeof at === "number" ? madeVersion(at, data) : undefined;
}

function newestOf(since: HttpSince | undefined, records: readonly SourceRecord[], before: string | number | null): string | number | null {
  if (since === undefined) return null;
  return records.reduce((newest, record) => laterOf(since, newest, valueAt(record.data, since.field), record.key), before);
}

function nextSince(x: HttpContext, since: HttpSince | undefined, newest: string | number | null): string | number | null {
  // A record dated in the future must not silence the stream until then.
  return since === undefined || newest === null ? null : notAfter(since, newest, x.clock.now());
}
