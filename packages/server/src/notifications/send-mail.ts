import { type DeliveryAnswer, DomainError, noticeText } from "@quiesce/core";
import { isConnectorError } from "@quiesce/sdk";
import type { NoticeCalls } from "../connector-host/notice-calls.js";

/** So much of what an endpoint said is kept for people. */
const MAX_PROBLEM = 500;

export interface MailRequest {
  readonly to: string;
  readonly endpointId: number;
  readonly stream: string;
  /** The same for every attempt: a mail that went out twice has one Message-ID. */
  readonly messageId: string;
  readonly payload: { readonly [name: string]: unknown };
}

/**
 * Writes a message as a mail into the stream of an endpoint: a record with `to`, `subject` and `text`. A mail server that refuses the mail for what it
 * is ends it; one that cannot be reached, or wants its credentials mended, is tried again. Never throws.
 */
export async function sendMail(calls: NoticeCalls, request: MailRequest, signal: AbortSignal): Promise<DeliveryAnswer> {
  const { to, endpointId, stream, messageId, payload } = request;
  const { subject, text } = noticeText(payload);
  const key = `msg_${messageId}`;
  const item = { key, op: "upsert" as const, idempotencyKey: key, data: { to, subject, text } };
  try {
    const result = await calls.write(endpointId, { stream, item }, signal);
    if (result.ok) return { kind: "taken" };
    const problem = result.error.message.slice(0, MAX_PROBLEM);
    return { kind: result.error.kind === "invalid" ? "refused" : "unreachable", problem };
  } catch (error) {
    if (!isConnectorError(error) && !(error instanceof DomainError)) throw error;
    return { kind: "unreachable", problem: error.message.slice(0, MAX_PROBLEM) };
  }
}
