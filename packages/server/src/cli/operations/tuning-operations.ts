import { z } from "zod";
import { operation } from "../graphql-client.js";

export const windowTuning = operation(
  `query WindowTuning($window: String!) {
    windowTuning(window: $window) {
      occurrences figures { bookedMs drainMs workMs usedMs usedP95Ms unusedMs overruns longestOverrunMs } change suggestedMs advice
    }
  }`,
  z.object({
    windowTuning: z.object({
      occurrences: z.number(),
      figures: z
        .object({
          bookedMs: z.number(),
          drainMs: z.number().nullable(),
          workMs: z.number().nullable(),
          usedMs: z.number(),
          usedP95Ms: z.number(),
          unusedMs: z.number(),
          overruns: z.number(),
          longestOverrunMs: z.number(),
        })
        .nullable(),
      change: z.string().nullable(),
      suggestedMs: z.number().nullable(),
      advice: z.array(z.string()),
    }),
  }),
);
export type TuningAnswer = z.infer<typeof windowTuning.data>["windowTuning"];
