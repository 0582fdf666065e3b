import type { DeliveryAnswer } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { Webhook } from "standardwebhooks";
import type { Egress } from "../connector-host/guarded-fetch.js";
import { createSecretMask } from "../connector-host/secret-mask.js";

/** The whole of one request; a receiver should answer first and work then. */
const TIMEOUT_MS = 15_000;
/** So much of an answer is kept for people. */
const MAX_EXCERPT = 500;

export interface WebhookRequest {
  readonly url: string;
  /** whsec_ and base64. */
  readonly secret: string;
  /** The same for every attempt: receivers know a repeat by it. */
  readonly messageId: string;
  /** The time of the attempt. */
  readonly at: number;
  readonly payload: unknown;
}

/** What came of a request; `excerpt` is the beginning of the answer, without the secret. */
type WebhookAnswer = Extract<DeliveryAnswer, { kind: "answered" | "unreachable" }> & { readonly excerpt: string };

/** Signs a message as Standard Webhooks wants it and sends it by the rules of every outgoing request. Redirects are not followed. Never throws. */
export async function sendWebhook(egress: Egress, request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> {
  const { url, secret, messageId, at, payload } = request;
  const id = `msg_${messageId}`;
  const body = JSON.stringify(payload);
  const mask = createSecretMask();
  mask.add([secret, secret.slice("whsec_".length)]);
  try {
    const fetch = egress.fetchFor({ origins: [new URL(url).origin], signal, mask });
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "quiesce",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at / 1_000)),
        "webhook-signature": new Webhook(secret).sign(id, new Date(at), body),
      },
      body,
      redirect: "manual",
      timeoutMs: TIMEOUT_MS,
    });
    return {
      kind: "answered",
      status: response.status,
      retryAfter: response.headers.get("retry-after"),
      excerpt: mask.text(await beginningOf(response)),
    };
  } catch (error) {
    const problem = error instanceof ConnectorError || error instanceof Error ? error.message : String(error);
    return { kind: "unreachable", problem: mask.text(problem).slice(0, MAX_EXCERPT), excerpt: "" };
  }
}

async function beginningOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= MAX_EXCERPT) break;
    }
  } catch (error) {
    // The status has come: that was the answer.
    if (!(error instanceof ConnectorError)) throw error;
  }
  return text.slice(0, MAX_EXCERPT).replaceAll("\u0000", "");
}
