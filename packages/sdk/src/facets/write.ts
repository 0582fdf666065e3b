import type { Context } from "../context.js";
import type { WriteItem, WriteResult } from "../record.js";

/** Putting records into a system. */
export interface WriteCapability<C, S> {
  /**
   * What happens when the same item is applied twice. `upsert`: the record's key decides, nothing doubles. `key`: the system
   * knows `idempotencyKey`. `none`: it would double, so an item whose outcome is unknown (timeout, reset or abort after the
   * request was sent) is never sent again, but goes to review.
   */
  readonly idempotency: WriteIdempotency;
  /** Where it depends on the endpoint's configuration or on the stream: overrides `idempotency`. */
  idempotencyOf?(config: C, stream: string): WriteIdempotency;
  /** The most items of one `apply`, 1 to 10,000. */
  readonly maxBatch: number;
  /**
   * Writes items and gives one result for each, by key: one bad record never fails the others. Throw only for what
   * concerns the whole call (no connection, refused credentials) and happened before anything was applied; if something may have been
   * applied, answer per item with `ambiguous: true`. An item with `op: "delete"` whose record is absent already is a
   * success with `unchanged`. The engine gives no two items of one key in a batch.
   */
  apply(x: Context<C, S>, stream: string, items: readonly WriteItem[]): Promise<readonly WriteResult[]>;
}

/** See {@link WriteCapability.idempotency}. */
export type WriteIdempotency = "key" | "upsert" | "none";

/** Putting records into a system. */
export interface WriteFacet<C, S> {
  readonly write?: WriteCapability<C, S>;
}

/** What a connector promises about repeated writes to one stream of one endpoint. */
export function writeIdempotency<C, S>(write: WriteCapability<C, S>, config: C, stream: string): WriteIdempotency {
  return write.idempotencyOf?.(config, stream) ?? write.idempotency;
}
