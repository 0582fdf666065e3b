import { z } from "zod";

/** How a window lets go what it held: whether its systems must be found ready first, and how many runs go ahead of the rest. */
export interface ResumePolicy {
  readonly readiness: {
    /** The connectors' checks must pass before the release. */
    readonly check: boolean;
    /** After so long the occurrence is overrun; the checks go on. */
    readonly maxWaitMinutes: number;
  };
  /** So many runs go first on each target system, and the rest when these have succeeded; 0: none. */
  readonly canaries: number;
  /** A target system with a larger share of failed canaries is held again; 1: never. */
  readonly failureBound: number;
  /** When everything has run, both sides of every integration that was held are compared. */
  readonly reconcile: boolean;
}

/** With one canary a failure is above the bound; with two, one may fail. */
export const defaultResumePolicy: ResumePolicy = {
  readiness: { check: true, maxWaitMinutes: 30 },
  canaries: 1,
  failureBound: 0.5,
  reconcile: false,
};

const maxWaitMinutes = 7 * 24 * 60;
const maxCanaries = 100;

/** Parses a policy; what is left out is as in {@link defaultResumePolicy}. */
export const resumePolicySchema = z.strictObject({
  readiness: z
    .strictObject({
      check: z.boolean().default(defaultResumePolicy.readiness.check),
      maxWaitMinutes: z.int().min(1).max(maxWaitMinutes).default(defaultResumePolicy.readiness.maxWaitMinutes),
    })
    .prefault({}),
  canaries: z.int().min(0).max(maxCanaries).default(defaultResumePolicy.canaries),
  failureBound: z.number().min(0).max(1).default(defaultResumePolicy.failureBound),
  reconcile: z.boolean().default(defaultResumePolicy.reconcile),
}) satisfies z.ZodType<ResumePolicy>;

/** A policy as people write it: any part may be left out. */
export type ResumePolicyInput = z.input<typeof resumePolicySchema>;
