import type { IncomingMessage, ServerResponse } from "node:http";
import { DomainError, webhookLimits } from "@quiesce/core";
import type { WebhookRequest } from "@quiesce/sdk";
import { receiveDelivery, type WebhookServices } from "../webhooks/receive-delivery.js";
import { decodeSegment, requireMethod } from "./gate-routes.js";
import { readBody } from "./read-body.js";
import { sendJson } from "./respond.js";

/** The body of a handshake's answer is at most this long. */
const HANDSHAKE_CHARACTERS = 4_096;

/**
 * `/hooks/<endpoint>[/<facet>]`: takes what a system sends by itself. 202: it is durable. 401: no endpoint vouches for it, in one form whatever the
 * reason. 429: too much waits.
 */
export async function serveWebhook(input: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly services: WebhookServices;
  /** Called for a delivery that nobody vouches for: guessing ends soon. */
  readonly takeStranger: () => void;
}): Promise<void> {
  const { request, response, url, services } = input;
  const [endpointKey = "", facet, ...more] = url.pathname.split("/").slice(2).map(decodeSegment);
  if (endpointKey === "" || more.length > 0)
    throw new DomainError("QSC_HTTP_NOT_FOUND", "There is no such address. Systems send to /hooks/<endpoint>.");
  if (request.method !== "GET") requireMethod(request, "POST");
  const body = await readBody(request, webhookLimits.bytesOfBody);
  const asked: WebhookRequest = {
    method: request.method ?? "POST",
    path: "/",
    headers: headersOf(request),
    query: Object.fromEntries(url.searchParams),
    body,
  };
  try {
    const reception = await receiveDelivery(services, { endpointKey, facet: facet === "" ? undefined : facet, request: asked });
    if (reception.kind === "handshake") {
      const { status, contentType = "text/plain; charset=utf-8", body: answer } = reception.answer;
      const good = Number.isInteger(status) && status >= 200 && status <= 499;
      response.writeHead(good ? status : 500, { "content-type": contentType, "x-content-type-options": "nosniff" });
      response.end(answer.slice(0, HANDSHAKE_CHARACTERS));
      return;
    }
    sendJson(response, 202, { accepted: true, duplicate: reception.duplicate });
  } catch (error) {
    if (error instanceof DomainError && error.code === "QSC_WEBHOOK_REFUSED") input.takeStranger();
    throw error;
  }
}

function headersOf(request: IncomingMessage): { readonly [name: string]: string } {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
  const bytes = Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(value), 0);
  if (bytes <= webhookLimits.bytesOfHeaders) return headers;
  throw new DomainError("QSC_HTTP_BODY_TOO_LARGE", `The headers have ${bytes} bytes, at most ${webhookLimits.bytesOfHeaders} are taken.`);
}
