import { z } from "zod";
import { operation } from "../graphql-client.js";
import { OCCURRENCE_FIELDS, occurrenceShape, RUN_FIELDS, runShape, WINDOW_FIELDS, windowShape } from "./shapes.js";

const instantText = z.string();

export const windowStatus = operation(
  `query WindowStatus($key: String!) {
    maintenanceWindow(key: $key) {
      ${WINDOW_FIELDS} freezeConflicts { sentence } drain { leadLimitMinutes deadlineMinutes atDeadline }
      currentOrNext {
        ${OCCURRENCE_FIELDS} startedAt quiescedAt drainDeadlineAt drainOverdueAt
        runsInFlight { run { key trigger } integration { key } job since p95Ms expectedEndAt abortRequestedAt breakGlass }
      }
    }
  }`,
  z.object({
    maintenanceWindow: windowShape
      .extend({
        freezeConflicts: z.array(z.object({ sentence: z.string() })),
        drain: z.object({ leadLimitMinutes: z.number(), deadlineMinutes: z.number().nullable(), atDeadline: z.string() }),
        currentOrNext: occurrenceShape
          .extend({
            startedAt: instantText.nullable(),
            quiescedAt: instantText.nullable(),
            drainDeadlineAt: instantText.nullable(),
            drainOverdueAt: instantText.nullable(),
            runsInFlight: z.array(
              z.object({
                run: z.object({ key: z.string(), trigger: z.string() }),
                integration: z.object({ key: z.string() }),
                job: z.string().nullable(),
                since: instantText,
                p95Ms: z.number().nullable(),
                expectedEndAt: instantText.nullable(),
                abortRequestedAt: instantText.nullable(),
                breakGlass: z.boolean(),
              }),
            ),
          })
          .nullable(),
      })
      .nullable(),
  }),
);
export type WindowStatusAnswer = NonNullable<z.infer<typeof windowStatus.data>["maintenanceWindow"]>;

export const breakGlass = operation(
  `mutation BreakGlass($input: BreakGlassInput!) { breakGlass(input: $input) { ${RUN_FIELDS} } }`,
  z.object({ breakGlass: runShape }),
);
