import { z } from "zod";
import { operation } from "../graphql-client.js";

export const findSlots = operation(
  `query MaintenanceSlots($search: MaintenanceSlotSearch!) {
    maintenanceSlots(search: $search) { slots { startsAt endsAt localStart localEnd runs records score reasons } candidates taken jobs moreJobs }
  }`,
  z.object({
    maintenanceSlots: z.object({
      slots: z.array(
        z.object({
          startsAt: z.string(),
          endsAt: z.string(),
          localStart: z.string(),
          localEnd: z.string(),
          runs: z.number(),
          records: z.number().nullable(),
          score: z.number(),
          reasons: z.array(z.string()),
        }),
      ),
      candidates: z.number(),
      taken: z.number(),
      jobs: z.number(),
      moreJobs: z.boolean(),
    }),
  }),
);
export type SlotsAnswer = z.infer<typeof findSlots.data>["maintenanceSlots"];
