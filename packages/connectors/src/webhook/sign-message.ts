import { Webhook } from "standardwebhooks";

/** A message as it is signed. */
export interface SignedMessage {
  readonly id: string;
  readonly sentAt: Date;
  readonly body: string;
}

/**
 * The three headers of Standard Webhooks (https://www.standardwebhooks.com): a receiver that knows one of the secrets can tell that the message is ours
 * and not an old one sent again.
 */
export function signedHeaders(message: SignedMessage, secrets: readonly string[]): Record<string, string> {
  const { id, sentAt, body } = message;
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1_000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, sentAt, body)).join(" "),
  };
}
