import type { Context } from "../context.js";
import type { Severity } from "../vocabulary.js";

/** A message to people. @experimental */
export interface NotifyMessage {
  readonly title: string;
  /** Plain text. */
  readonly body: string;
  readonly severity: Severity;
  /** A channel, an address, a person: in the system's own words. The endpoint's default if absent. */
  readonly to?: string;
  /** Messages with the same key belong to one conversation, where the system has such a thing. */
  readonly threadKey: string;
}

/** Telling people. @experimental */
export interface NotifyFacet<C, S> {
  /** Sends a message; the same `idempotencyKey` is the same message. */
  notify?(x: Context<C, S>, message: NotifyMessage, request: { readonly idempotencyKey: string }): Promise<{ readonly id: string }>;
}
