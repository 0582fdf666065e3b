import { createHash } from "node:crypto";
import type { Json, WriteItem, WriteResult } from "@quiesce/sdk";
import { bodyOf, failed } from "../messages/message-body.js";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { writeResults } from "../messages/write-results.js";
import { namedStream, neededPart } from "../streams/stream-list.js";
import type { RedisStream } from "./redis-config.js";
import { redisError } from "./redis-error.js";
import { openLink, type Link, type RedisContext, type Reply } from "./redis-link.js";

type Adding = NonNullable<RedisStream["write"]>;

/** The idempotency key in an entry, for consumers that know repetitions by it. */
const ID_FIELD = "quiesce-id";

/** Looks whether the change was added, adds it, and remembers it, in one step: nothing comes in between, and a crash leaves both or neither. */
const ADD_ONCE = `
local known = redis.call('GET', KEYS[2])
if known then return {known, 1} end
local id = redis.call('XADD', KEYS[1], unpack(ARGV, 2))
redis.call('SET', KEYS[2], id, 'EX', ARGV[1])
return {id, 0}`;

/** Adds an entry a record. */
export async function writeItems(x: RedisContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const write = neededPart(stream.write, { stream: streamName, what: "write", without: "read-only" });
  const link = await openLink(x);
  try {
    const send = async (item: WriteItem): Promise<WriteResult> => {
      const { key } = item;
      try {
        const [id, repeated] = added(await add(link, { stream, write }, item));
        return { key, ok: true, ...(id === undefined ? {} : { remoteId: id }), ...(repeated ? { unchanged: true } : {}) };
      } catch (thrown) {
        return failed(key, redisError(thrown, link.where, x.signal), x.signal);
      }
    };
    return await writeResults(items, { send, wait: link.answer, signal: x.signal });
  } finally {
    link.close();
  }
}

async function add(
  link: Link,
  { stream, write }: { readonly stream: RedisStream; readonly write: Adding },
  item: WriteItem,
): Promise<Reply> {
  const length = write.maxLength === undefined ? [] : ["MAXLEN", "~", String(write.maxLength)];
  const entry = [
    ...length,
    "*",
    ...fieldsOf(stream, item),
    KEY_HEADER,
    item.key,
    OPERATION_HEADER,
    item.op ?? "upsert",
    ID_FIELD,
    item.idempotencyKey,
  ];
  if (write.deduplicateSeconds === undefined) return link.command("XADD", stream.key, ...entry);
  const digest = createHash("sha256").update(item.idempotencyKey).digest("base64url");
  return link.command("EVAL", ADD_ONCE, "2", stream.key, `${stream.key}:quiesce:${digest}`, String(write.deduplicateSeconds), ...entry);
}

function fieldsOf(stream: RedisStream, item: WriteItem): readonly (string | Buffer)[] {
  if (stream.field !== undefined) return [stream.field, bodyOf(stream, item)];
  return Object.entries(item.data).flatMap(([name, value]) => (value === null ? [] : [name, textOf(value)]));
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function added(reply: Reply): readonly [id: string | undefined, repeated: boolean] {
  const [id, repeated] = Array.isArray(reply) ? (reply as readonly Reply[]) : [reply, 0];
  return [Buffer.isBuffer(id) ? id.toString("utf8") : undefined, repeated === 1];
}
