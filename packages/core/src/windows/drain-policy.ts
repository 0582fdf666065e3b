import { z } from "zod";

/** What becomes of runs that are still in flight at the drain deadline. */
export const drainEndings = ["abort", "leave"] as const;
export type DrainEnding = (typeof drainEndings)[number];

/** How a window empties the systems it covers: before its start by not beginning what would not finish, after it by a deadline. */
export interface DrainPolicy {
  /** A run that would not finish is kept back at most this long before the start; 0: no run is kept back. */
  readonly leadLimitMinutes: number;
  /** Counted from the start; null: runs in flight are waited for without end. */
  readonly deadlineMinutes: number | null;
  readonly atDeadline: DrainEnding;
}

export const defaultDrainPolicy: DrainPolicy = { leadLimitMinutes: 30, deadlineMinutes: null, atDeadline: "abort" };

const maxLeadMinutes = 24 * 60;
const maxDeadlineMinutes = 31 * 24 * 60;

/** Parses a policy; what is left out is as in {@link defaultDrainPolicy}. */
export const drainPolicySchema = z.strictObject({
  leadLimitMinutes: z.int().min(0).max(maxLeadMinutes).default(defaultDrainPolicy.leadLimitMinutes),
  deadlineMinutes: z.int().min(0).max(maxDeadlineMinutes).nullable().default(defaultDrainPolicy.deadlineMinutes),
  atDeadline: z.enum(drainEndings).default(defaultDrainPolicy.atDeadline),
}) satisfies z.ZodType<DrainPolicy>;

/** A policy as people write it: any part may be left out. */
export type DrainPolicyInput = z.input<typeof drainPolicySchema>;
