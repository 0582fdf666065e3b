import { createHash } from "node:crypto";
import {
  ConnectorError,
  httpError,
  readText,
  type Context,
  type WriteError,
  type WriteIdempotency,
  type WriteItem,
  type WriteResult,
} from "@quiesce/sdk";
import { failed } from "../messages/message-body.js";
import { namedStream } from "../streams/stream-list.js";
import { signedHeaders } from "./sign-message.js";
import type { WebhookConfig, WebhookSecrets, WebhookStream } from "./webhook-config.js";

/** A call of this connector. */
export type WebhookContext = Context<WebhookConfig, WebhookSecrets>;

/** These concern the receiver, not the message: what follows in the batch would meet the same. */
const STOPS_BATCH = new Set(["auth", "permission", "config", "rate_limited", "unavailable", "timeout", "cancelled"]);

/** The standard asks receivers to know a repetition by its webhook-id; not all do. */
export function webhookIdempotency(config: WebhookConfig): WriteIdempotency {
  return config.repeats === "recognised" ? "key" : "none";
}

/** Posts a signed message a record, in order; one result each. */
export async function writeItems(x: WebhookContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const results: WriteResult[] = [];
  let stopped: WriteError | undefined;
  for (const item of items) {
    // Not sent at all, so nothing about it is in doubt.
    const result: WriteResult =
      stopped === undefined ? await post(x, stream, item) : { key: item.key, ok: false, error: { ...stopped, ambiguous: undefined } };
    results.push(result);
    if (!result.ok && STOPS_BATCH.has(result.error.kind)) stopped ??= result.error;
  }
  return results;
}

/** Where a stream's messages go. */
export function urlOf({ url }: WebhookConfig, { path }: Pick<WebhookStream, "path">): URL {
  return path === undefined ? new URL(url) : new URL(path, new URL(url).origin);
}

async function post(x: WebhookContext, stream: WebhookStream, item: WriteItem): Promise<WriteResult> {
  const { key } = item;
  try {
    const { config, secrets, signal } = x;
    const id = messageId(item);
    const sentAt = x.clock.now();
    const body = JSON.stringify({ type: typeOf(stream, item), timestamp: item.at ?? sentAt.toISOString(), key, data: item.data });
    const signing = [secrets.signingSecret, ...(secrets.previousSigningSecret === undefined ? [] : [secrets.previousSigningSecret])];
    const url = urlOf(config, stream);
    const response = await x.fetch(url, {
      method: "POST",
      headers: { ...config.headers, "content-type": "application/json", ...signedHeaders({ id, sentAt, body }, signing) },
      body,
      redirect: "manual",
      signal,
      timeoutMs: config.timeoutSeconds * 1_000,
      ...(config.ca === undefined ? {} : { tls: { ca: config.ca } }),
    });
    if (!response.ok) throw await refusedRequest(x, response, `POST ${url.pathname}`);
    await response.body?.cancel();
    return { key, ok: true, remoteId: id };
  } catch (thrown) {
    return failed(key, thrown, x.signal);
  }
}

/** Why a receiver did not take a request. */
export async function refusedRequest(x: WebhookContext, response: Response, what: string): Promise<ConnectorError> {
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    await response.body?.cancel();
    return new ConnectorError("config", `${what} is redirected to ${headers.get("location") ?? "nowhere"}. Set url to where it points.`, {
      status,
    });
  }
  // The standard's word for "never again".
  if (status === 410) {
    await response.body?.cancel();
    return new ConnectorError(
      "config",
      `${what} was answered with 410: the receiver wants no more messages. Remove the stream, or set another url.`,
      { status },
    );
  }
  return httpError({ status, headers, text: await readText(response, x.signal) }, what, x.clock.now());
}

function typeOf(stream: WebhookStream, item: WriteItem): string {
  if (item.op !== "delete") return stream.type;
  if (stream.deletedType !== undefined) return stream.deletedType;
  throw new ConnectorError("invalid", `Record ${item.key} is a deletion, and the stream has no deletedType in its configuration.`);
}

/** The same for every repetition. Without a dot, which separates what is signed. */
function messageId(item: WriteItem): string {
  return `msg_${createHash("sha256").update(item.idempotencyKey).digest("base64url").slice(0, 32)}`;
}
