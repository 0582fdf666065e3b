import type { Context } from "../context.js";

/** What the system still lets us do. @experimental */
export interface Quota {
  /** Requests of the period. */
  readonly limit: number;
  readonly remaining: number;
  /** ISO 8601 with an offset. */
  readonly resetsAt: string;
}

/** How much of its allowance is left. @experimental */
export interface QuotaFacet<C, S> {
  /** Asks without using the allowance up; undefined if the system has none. May be called during a window. */
  quota?(x: Context<C, S>): Promise<Quota | undefined>;
}
