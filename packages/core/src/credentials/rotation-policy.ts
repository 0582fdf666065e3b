import { z } from "zod";
import { durationSchema, parseDurationMs } from "../catalog/duration-text.js";
import { strictObject } from "../catalog/strict-object.js";
import type { RotationTrigger } from "./rotation-state.js";

const dayMs = 86_400_000;
const yearMs = 366 * dayMs;

/** How an endpoint's secrets are renewed. */
export const rotationPolicySchema = strictObject({
  /** So often; null: only by hand, and before a certificate ends. */
  every: durationSchema({ minMs: 60_000, maxMs: 10 * yearMs, stepMs: 1_000 })
    .nullable()
    .default(null),
  /** So long before the end of a client certificate; null: by hand. */
  beforeExpiry: durationSchema({ minMs: 60_000, maxMs: yearMs, stepMs: 1_000 }).nullable().default("21d"),
  /** The old secrets live at least so long after the switch, for whoever else works with them. Runs in flight are waited for in any case. */
  overlap: durationSchema({ minMs: 0, maxMs: 30 * dayMs, stepMs: 1 }).default("1m"),
});

export type RotationPolicy = z.output<typeof rotationPolicySchema>;

/** What is known when it is asked whether an endpoint's secrets are to be renewed. Epoch milliseconds. */
export interface RotationFacts {
  readonly policy: RotationPolicy;
  /** Since when the secrets in force are. */
  readonly since: number;
  /** When a certificate or token among them ends; null: nothing is known of an end. */
  readonly expiresAt: number | null;
  /** When the last rotation of the endpoint failed, if none has succeeded since. */
  readonly failedAt: number | null;
}

/** After a rotation that failed the next one of the schedule waits so long. A person may begin one at any time. */
const afterFailureMs = 6 * 3_600_000;

/** Why the secrets are to be renewed now; null: they are not. */
export function rotationDue(facts: RotationFacts, now: number): Extract<RotationTrigger, "schedule" | "expiry"> | null {
  const { policy, since, expiresAt, failedAt } = facts;
  if (failedAt !== null && now < failedAt + Math.min(afterFailureMs, (msOf(policy.every) ?? Infinity) / 4)) return null;
  const before = msOf(policy.beforeExpiry);
  if (expiresAt !== null && before !== null && now >= expiresAt - before) return "expiry";
  const every = msOf(policy.every);
  return every !== null && now >= since + every ? "schedule" : null;
}

/** The least time from the switch to the end of the old secrets, in milliseconds. */
export function overlapMs(policy: Pick<RotationPolicy, "overlap">): number {
  return msOf(policy.overlap) ?? 0;
}

function msOf(text: string | null): number | null {
  return text === null ? null : (parseDurationMs(text) ?? null);
}
