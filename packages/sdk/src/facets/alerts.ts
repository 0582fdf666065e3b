import type { Context } from "../context.js";
import type { Json } from "../json.js";
import type { Cursor } from "../record.js";
import type { Resource, Severity } from "../vocabulary.js";
import type { Webhook } from "../webhook.js";

/** What a monitor says about one thing. @experimental */
export interface Alert {
  /** The monitor's own name of this very occurrence, for `acknowledge`. */
  readonly id: string;
  /** The same as long as the same thing is wrong with the same resource: over polls, restarts of the monitor, and between pull and webhook. */
  readonly fingerprint: string;
  readonly status: "firing" | "resolved";
  readonly severity: Severity;
  /** One line for people. */
  readonly title: string;
  /** When it began, ISO 8601 with an offset. */
  readonly startsAt: string;
  /** When it ended; only of what is resolved. */
  readonly endsAt?: string;
  readonly resource: Resource;
  readonly labels?: { readonly [name: string]: string };
  /** Why the monitor itself keeps quiet about it: ids of its downtimes, silences, inhibiting alerts. */
  readonly suppressedBy?: readonly string[];
  /** Who has acknowledged it there. */
  readonly acknowledgedBy?: string;
  /** Where people look at it. */
  readonly url?: string;
  /** The monitor's own form, where something in it may be wanted later. At most 16 KiB. */
  readonly raw?: Json;
}

/** Alerts of one look at the monitor. @experimental */
export interface AlertPage {
  readonly alerts: readonly Alert[];
  /** Behind what was seen; null for monitors that can only be asked for all. */
  readonly cursor: Cursor | null;
  /** These pages, up to the one with `more: false`, hold everything that fires now: what is absent has ended. */
  readonly snapshot?: boolean;
  readonly more: boolean;
}

/** Taking alerts from a monitor. At least one of `pull` and `webhook`. @experimental */
export interface AlertsCapability<C, S> {
  /** Asks the monitor. Cheap enough for every 15 seconds. */
  pull?(x: Context<C, S>, request: { readonly cursor: Cursor | null }): AsyncIterable<AlertPage>;
  readonly webhook?: Webhook<C, S, readonly Alert[]>;
  /** Says there that somebody has taken it. What has ended meanwhile is a success. */
  acknowledge?(x: Context<C, S>, alertId: string, note: string): Promise<void>;
}

/** Taking alerts from a monitor. @experimental */
export interface AlertsFacet<C, S> {
  readonly alerts?: AlertsCapability<C, S>;
}
