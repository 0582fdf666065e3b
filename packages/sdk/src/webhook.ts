/** A request as it came in over HTTP, before anybody has looked into it. @experimental */
export interface WebhookRequest {
  readonly method: string;
  /** Behind the endpoint's own address: `/` or empty for most systems. */
  readonly path: string;
  /** By lower-case name; repeated ones joined by `, `. */
  readonly headers: { readonly [name: string]: string };
  readonly query: { readonly [name: string]: string };
  /** The very bytes that were sent: signatures are over them, never over JSON that was parsed and written again. */
  readonly body: Uint8Array;
}

/** Whether a request comes from whom it says. @experimental */
export type WebhookVerdict =
  | {
      readonly ok: true;
      /** The same for every repetition of one delivery, where the system gives such a thing. Without it a digest of `sentAt` and the body; without that too, only the same as came last is a repetition. */
      readonly deliveryId?: string | undefined;
      /** When it was sent, where that is signed too: older than five minutes is refused by the host. */
      readonly sentAt?: Date | undefined;
    }
  | { readonly ok: false; readonly why: string };

/** An answer to a request that only asks whether somebody is there. @experimental */
export interface WebhookHandshake {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
}

/**
 * Requests that a system sends by itself. The host keeps the bytes, asks `verify`, refuses what is old or was there before (72 hours), stores the rest
 * durably, answers 2xx, and calls `parse` afterwards: a fault in `parse` loses nothing.
 * @experimental
 */
export interface Webhook<C, S, T> {
  /** Looks at signature or credentials in constant time, see `webhookVerifiers`. Never throws for what a stranger sends. */
  verify(request: WebhookRequest, secrets: S, now: Date, config: C): WebhookVerdict | Promise<WebhookVerdict>;
  /** What a verified request says. Throws `contract` for a body that is not of the agreed shape. Pure: it may be called again after a crash. */
  parse(request: WebhookRequest, config: C): T;
  /** For systems that ask before they send (a challenge to echo): the answer, or undefined if the request is a delivery. Called before `verify`. */
  handshake?(request: WebhookRequest, secrets: S): WebhookHandshake | undefined;
}
