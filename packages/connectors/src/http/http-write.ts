import { createHash } from "node:crypto";
import {
  ConnectorError,
  toConnectorError,
  type Json,
  type WriteError,
  type WriteIdempotency,
  type WriteItem,
  type WriteResult,
} from "@quiesce/sdk";
import type { HttpConfig, HttpWrite } from "./http-config.js";
import { readJson, send, streamOf, valueAt, type HttpContext } from "./http-request.js";
import { isMadeVersion } from "./made-version.js";

/** These concern the endpoint, not the record: what follows in the batch would meet the same. */
const STOPS_BATCH = new Set(["auth", "permission", "config", "rate_limited", "unavailable", "timeout", "cancelled"]);

/** What a repeated write does, by the configuration of the stream. */
export function httpIdempotency(config: HttpConfig, streamName: string): WriteIdempotency {
  const write = streamOf(config, streamName).write;
  if (write === undefined) return "none";
  if (write.idempotency !== undefined) return write.idempotency;
  if (write.idempotencyHeader !== undefined) return "key";
  return write.method === "PUT" && write.path.includes("{key}") ? "upsert" : "none";
}

/** Writes one record a request, in order; one result each. */
export async function writeItems(x: HttpContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const write = streamOf(x.config, streamName).write;
  if (write === undefined)
    throw new ConnectorError("config", `The stream "${streamName}" has no write in its configuration, so it is read-only.`);
  const results: WriteResult[] = [];
  let stopped: WriteError | undefined;
  for (const item of items) {
    if (stopped !== undefined) {
      // Not sent at all, so nothing about it is in doubt.
      results.push({ key: item.key, ok: false, error: { ...stopped, ambiguous: undefined } });
      continue;
    }
    const result = await writeItem(x, write, item);
    results.push(result);
    if (!result.ok && STOPS_BATCH.has(result.error.kind)) stopped = result.error;
  }
  return results;
}

async function writeItem(x: HttpContext, write: HttpWrite, item: WriteItem): Promise<WriteResult> {
  const { key } = item;
  try {
    if (item.op === "delete") return await deleteItem(x, write, item);
    const response = await send(x, pathFor(write.path, key), {
      method: write.method,
      headers: headersFor(write, item),
      body: JSON.stringify(item.data),
    });
    const version = response.headers.get("etag");
    const remoteId = await remoteIdOf(x, response, write);
    return { key, ok: true, ...(version === null ? {} : { version }), ...(remoteId === undefined ? {} : { remoteId }) };
  } catch (thrown) {
    const { kind, message, info } = toConnectorError(thrown, x.signal);
    const { status, retryAfterMs, ambiguous, field } = info;
    return { key, ok: false, error: { kind, message, status, retryAfterMs, ambiguous, field } };
  }
}

async function deleteItem(x: HttpContext, write: HttpWrite, item: WriteItem): Promise<WriteResult> {
  const { key } = item;
  if (write.delete === undefined) {
    throw new ConnectorError("invalid", `Record ${key} is a deletion, and the stream has no write.delete in its configuration.`);
  }
  try {
    const response = await send(x, pathFor(write.delete.path, key), { method: write.delete.method, headers: headersFor(write, item) });
    await response.body?.cancel();
    return { key, ok: true };
  } catch (thrown) {
    const error = toConnectorError(thrown, x.signal);
    if (error.kind === "not_found") return { key, ok: true, unchanged: true };
    throw error;
  }
}

function headersFor(write: HttpWrite, item: WriteItem): Record<string, string> {
  return {
    ...(item.op === "delete" ? {} : { "content-type": "application/json" }),
    ...(write.idempotencyHeader === undefined ? {} : { [write.idempotencyHeader]: headerKey(item.idempotencyKey) }),
    ...(write.ifMatch && item.ifVersion !== undefined ? ifMatchOf(item.key, item.ifVersion) : {}),
  };
}

/** A header takes no letters beyond Latin-1, and a key holds those of the record's. */
function headerKey(idempotencyKey: string): string {
  const isHeader = PRINTABLE.test(idempotencyKey) && idempotencyKey.trim() === idempotencyKey;
  return isHeader ? idempotencyKey : createHash("sha256").update(idempotencyKey).digest("hex");
}

function ifMatchOf(key: string, version: string): Record<string, string> {
  if (isMadeVersion(version)) return {};
  if (LATIN.test(version)) return { "if-match": version };
  throw new ConnectorError(
    "invalid",
    `The version of record ${key} cannot stand in If-Match: it has signs beyond Latin-1, or a line break.`,
  );
}

const PRINTABLE = /^[\u0020-\u007e]+$/u;
const LATIN = /^[\u0020-\u007e\u0080-\u00ff]*$/u;

function pathFor(template: string, key: string): string {
  // "." and ".." survive URL encoding, and would address the collection instead of a record.
  if (template.includes("{key}") && (key === "." || key === "..")) {
    throw new ConnectorError("invalid", `The key "${key}" cannot stand in a URL's path.`);
  }
  return template.replaceAll("{key}", () => encodeURIComponent(key));
}

async function remoteIdOf(x: HttpContext, response: Response, write: HttpWrite): Promise<string | undefined> {
  if (write.remoteIdPath === undefined || response.status === 204) {
    await response.body?.cancel();
    return undefined;
  }
  const body: Json = await readJson(x, response, `${write.method} ${write.path}`).catch(() => null);
  // The record was written: an answer without an id is no reason to say it was not.
  const id = valueAt(body, write.remoteIdPath);
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}
