import { defineConnector, type Json, type JsonObject, type Stream } from "@quiesce/sdk";
import { trytonConfig, trytonSecrets } from "./tryton-config.js";
import { listRecordKeys, readStream } from "./tryton-read.js";
import { type FieldNode, type FieldTree, fieldTree, isList } from "./tryton-fields.js";
import { login, serverVersion, type TrytonContext } from "./tryton-rpc.js";
import type { Field } from "./tryton-values.js";
import { writeItems } from "./tryton-write.js";

/**
 * Tryton 6.0 by JSON-RPC, whatever modules it has: parties, products, sales with their lines, stock moves. Reads what was created or written, record by
 * record, with what it refers to; a line that is changed by itself does not touch its order, so lines that are need a stream of their own. Deleted
 * records are found by `listKeys`. Who writes with a version is refused if the record has changed since.
 */
export const trytonConnector = defineConnector({
  apiVersion: 1,
  id: "tryton",
  version: "0.1.0",
  displayName: "Tryton",
  stability: "beta",
  config: trytonConfig,
  secrets: trytonSecrets,
  egress: (config) => [new URL(config.url).origin],
  check: async (x) => {
    // A fresh login: a session that is still alive would say nothing about the password.
    await login(x);
    return { status: "up", version: await serverVersion(x), identity: { principal: x.config.user } };
  },
  streams: listStreams,
  read: readStream,
  listKeys: listRecordKeys,
  write: { idempotency: "upsert", maxBatch: 100, apply: writeItems },
});

async function listStreams(x: TrytonContext): Promise<Stream[]> {
  const streams: Stream[] = [];
  for (const stream of x.config.streams) {
    const fields = await fieldTree(x, stream.model, stream.fields, { unknown: "refuse" });
    streams.push({
      name: stream.name,
      schema: { type: "object", properties: { id: { type: "integer" }, ...propertiesOf(fields) } },
      key: [stream.key === "code" && stream.codeField !== undefined ? stream.codeField : "id"],
      cursor: "incremental",
      deletes: "snapshot",
    });
  }
  return streams;
}

function propertiesOf(fields: FieldTree): JsonObject {
  return Object.fromEntries([...fields].map(([name, node]): [string, Json] => [name, schemaOfNode(node)]));
}

function schemaOfNode({ field, related }: FieldNode): JsonObject {
  if (related === undefined) return schemaOf(field);
  const properties = propertiesOf(related);
  return isList(field) ? { type: "array", items: { type: "object", properties } } : { type: ["object", "null"], properties };
}

function schemaOf(field: Field): JsonObject {
  switch (field.type) {
    case "boolean":
      return { type: "boolean" };
    case "integer":
    case "biginteger":
    case "many2one":
      return { type: ["integer", "null"] };
    case "float":
    case "timedelta":
      return { type: ["number", "null"] };
    case "one2many":
    case "many2many":
      return { type: "array", items: { type: "integer" } };
    case "timestamp":
    case "datetime":
      return { type: ["string", "null"], format: "date-time" };
    case "date":
      return { type: ["string", "null"], format: "date" };
    case "binary":
      return { type: ["string", "null"], contentEncoding: "base64" };
    case "char":
    case "text":
    case "numeric":
    case "selection":
      return { type: ["string", "null"] };
    default:
      return {};
  }
}
