import { defineConnector, type Json, type JsonObject, type Stream } from "@quiesce/sdk";
import { trytonConfig, trytonSecrets } from "./tryton-config.js";
import { listRecordKeys, readStream } from "./tryton-read.js";
import { fieldsOf, login, serverVersion, type TrytonContext } from "./tryton-rpc.js";
import type { Field } from "./tryton-values.js";
import { writeItems } from "./tryton-write.js";

/**
 * Tryton 6.0 by JSON-RPC. Reads what was created or written, record by record; a change of an address or a line does not touch
 * its party or order, so those need streams of their own. Deleted records are found by `listKeys`.
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
    const fields = await fieldsOf(x, stream.model, stream.fields);
    const properties = [...fields.values()].map((field): [string, Json] => [field.name, schemaOf(field)]);
    streams.push({
      name: stream.name,
      schema: { type: "object", properties: { id: { type: "integer" }, ...Object.fromEntries(properties) } },
      key: ["id"],
      cursor: "incremental",
      deletes: "snapshot",
    });
  }
  return streams;
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
