import { ConnectorError, toConnectorError, type WriteError, type WriteItem, type WriteResult } from "@quiesce/sdk";
import type { MessageSettings } from "./message-fields.js";

/** The payload of a record's message; throws `invalid` for a record that has none of this form. A deletion's is empty if it holds nothing. */
export function bodyOf(settings: MessageSettings, item: WriteItem): Buffer {
  if (item.op === "delete" && Object.keys(item.data).length === 0) return Buffer.alloc(0);
  if (settings.payload === "json") return Buffer.from(JSON.stringify(item.data), "utf8");
  const { value } = item.data;
  if (typeof value !== "string") {
    throw new ConnectorError(
      "invalid",
      `Record ${item.key} has no text in its member value, which is the message where payload is ${settings.payload}.`,
      {
        field: "value",
      },
    );
  }
  return Buffer.from(value, settings.payload === "bytes" ? "base64" : "utf8");
}

/** A write's failure as its result. */
export function failed(key: string, thrown: unknown, signal?: AbortSignal): WriteResult {
  const { kind, message, info } = toConnectorError(thrown, signal);
  const { status, retryAfterMs, ambiguous, field } = info;
  const error: WriteError = { kind, message, status, retryAfterMs, ambiguous, field };
  return { key, ok: false, error };
}
