import { z } from "zod";

/** When a job is due. */
export type JobSchedule =
  /** Five fields, Vixie's meaning, on the wall clock of the zone. */
  | { readonly kind: "cron"; readonly expression: string; readonly timeZone: string }
  /** Every so many seconds of elapsed time from `startsAt` (epoch ms) on. */
  | { readonly kind: "interval"; readonly everySeconds: number; readonly startsAt: number }
  /** A recurrence (RFC 5545) of local times from `start` on. */
  | {
      readonly kind: "rrule";
      readonly start: string;
      readonly rrule: string;
      readonly timeZone: string;
      readonly exdates?: readonly string[] | undefined;
      readonly rdates?: readonly string[] | undefined;
    };

export const MAX_INTERVAL_SECONDS = 366 * 86_400;
const MAX_TEXT = 64;
const MAX_DATES = 1_000;
// Longer than what `validateJobSchedule` accepts, so that its better message is seen.
const MAX_RULE_TEXT = 4_096;

/** The shape of a schedule at the edge. What the texts mean is checked by `validateJobSchedule`. */
export const jobScheduleSchema: z.ZodType<JobSchedule> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cron"), expression: z.string().max(MAX_RULE_TEXT), timeZone: z.string().max(MAX_TEXT) }),
  z.strictObject({ kind: z.literal("interval"), everySeconds: z.int().min(1).max(MAX_INTERVAL_SECONDS), startsAt: z.int() }),
  z.strictObject({
    kind: z.literal("rrule"),
    start: z.string().max(MAX_TEXT),
    rrule: z.string().max(MAX_RULE_TEXT),
    timeZone: z.string().max(MAX_TEXT),
    exdates: z.array(z.string().max(MAX_TEXT)).max(MAX_DATES).optional(),
    rdates: z.array(z.string().max(MAX_TEXT)).max(MAX_DATES).optional(),
  }),
]);
