import type { Context } from "../context.js";
import type { Cursor } from "../record.js";
import type { Webhook } from "../webhook.js";

/** A planned change at a system that keeps changes. @experimental */
export interface Change {
  readonly id: string;
  readonly title: string;
  /** ISO 8601: with an offset, or local beside `timeZone` where the system has wall-clock times. */
  readonly start: string;
  readonly end: string;
  /** IANA name. */
  readonly timeZone?: string;
  /** RFC 5545, without DTSTART. */
  readonly recurrence?: string;
  readonly state: "draft" | "approval" | "scheduled" | "active" | "done" | "failed" | "cancelled";
  readonly risk?: "low" | "medium" | "high";
  /** Names of what it touches, in that system's words. */
  readonly resources: readonly string[];
  readonly version?: string;
  readonly url?: string;
  /** ISO 8601 with an offset. */
  readonly updatedAt: string;
}

/** Changes of one look. @experimental */
export interface ChangePage {
  readonly changes: readonly Change[];
  readonly cursor: Cursor | null;
  readonly more: boolean;
}

/** Planned changes of another system. @experimental */
export interface CalendarCapability<C, S> {
  /** Changes that touch [from, to), ISO 8601 UTC, and were touched since the cursor. */
  changes(
    x: Context<C, S>,
    request: { readonly from: string; readonly to: string; readonly cursor: Cursor | null },
  ): AsyncIterable<ChangePage>;
  readonly webhook?: Webhook<C, S, readonly Change[]>;
  /** Answers a question for approval there. */
  approve?(x: Context<C, S>, id: string, decision: { readonly approve: boolean; readonly note: string }): Promise<void>;
}

/** Planned changes of another system. @experimental */
export interface CalendarFacet<C, S> {
  readonly calendar?: CalendarCapability<C, S>;
}
