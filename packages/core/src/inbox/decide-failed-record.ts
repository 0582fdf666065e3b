import type { ErrorKind } from "@quiesce/sdk";
import type { RetryPolicy } from "../runs/decide-retry.js";

/** What these say of one record they may as well say of the whole system. */
const SYSTEM_KINDS: ReadonlySet<ErrorKind> = new Set(["unavailable", "timeout"]);

export type FailedRecordVerdict =
  /** It waits, and its key with it; other keys go on. */
  | { readonly next: "again"; readonly at: number }
  | { readonly next: "dead" }
  /** Nothing says that it is the record: the run stops, and nobody counts the try. */
  | { readonly next: "stop" };

/**
 * What becomes of a pushed record that the target did not take, where that is not its last word on the record. Tries are counted by record, not by run: a record that
 * came while another one was being tried has all of its own. `alive` says that the target took some other record in the same breath; without
 * that a system that is down would turn a whole inbox into dead letters within a minute.
 */
export function decideFailedRecord(facts: {
  readonly kind: ErrorKind;
  /** A repetition may help. Without that it is a refusal that came as an exception: of this record, or of everything. */
  readonly mayPass: boolean;
  /** How often it was tried, this time included. */
  readonly attempts: number;
  readonly alive: boolean;
  readonly policy: RetryPolicy;
  /** What the target asked for, in milliseconds. */
  readonly retryAfterMs: number | null;
  readonly now: number;
}): FailedRecordVerdict {
  const { policy } = facts;
  if (!facts.alive && (!facts.mayPass || SYSTEM_KINDS.has(facts.kind))) return { next: "stop" };
  if (!facts.mayPass || facts.attempts >= policy.maxAttempts) return { next: "dead" };
  const backoffMs = Math.min(policy.maxBackoffSeconds, policy.backoffSeconds * 2 ** (facts.attempts - 1)) * 1_000;
  return { next: "again", at: facts.now + Math.max(facts.retryAfterMs ?? 0, backoffMs) };
}
