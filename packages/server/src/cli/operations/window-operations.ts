import { z } from "zod";
import { operation } from "../graphql-client.js";
import { CONFLICTS_FIELDS, conflictsShape } from "./preview-operations.js";
import { MEMBER_FIELDS, memberShape, OCCURRENCE_FIELDS, occurrenceShape, WINDOW_FIELDS, windowShape } from "./shapes.js";

export const listWindows = operation(
  `query Windows($first: Int, $after: String, $filter: MaintenanceWindowFilter) {
    maintenanceWindows(first: $first, after: $after, filter: $filter) { nodes { ${WINDOW_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({
    maintenanceWindows: z.object({
      nodes: z.array(windowShape),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    }),
  }),
);

export const windowOccurrences = operation(
  `query WindowOccurrences($key: String!, $first: Int) {
    maintenanceWindow(key: $key) { ${WINDOW_FIELDS} occurrences(first: $first) { nodes { ${OCCURRENCE_FIELDS} } } members { ${MEMBER_FIELDS} } }
  }`,
  z.object({
    maintenanceWindow: windowShape
      .extend({ occurrences: z.object({ nodes: z.array(occurrenceShape) }), members: z.array(memberShape) })
      .nullable(),
  }),
);

export const createWindow = operation(
  `mutation CreateWindow($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ createMaintenanceWindow: windowShape }),
);
export const endWindow = operation(
  `mutation EndWindow($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ endMaintenanceWindowEarly: windowShape }),
);
export const extendWindow = operation(
  `mutation ExtendWindow($input: ExtendMaintenanceWindowInput!) { extendMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} ${CONFLICTS_FIELDS} } }`,
  z.object({ extendMaintenanceWindow: windowShape.extend({ conflicts: conflictsShape }) }),
);
export const cancelWindow = operation(
  `mutation CancelWindow($input: CancelMaintenanceWindowInput!) { cancelMaintenanceWindow(input: $input) { ${WINDOW_FIELDS} } }`,
  z.object({ cancelMaintenanceWindow: windowShape }),
);

const reportShape = z.looseObject({
  title: z.string(),
  kind: z.string(),
  localStart: z.string(),
  localEnd: z.string(),
  timeZone: z.string(),
  startsAt: z.number(),
  endsAt: z.number(),
  quiescedAt: z.number().nullable(),
  releasedAt: z.number().nullable(),
  closedAt: z.number().nullable(),
  state: z.string(),
  due: z.number(),
  byState: z.record(z.string(), z.number()),
  held: z.number(),
  failed: z.number(),
  startedInside: z.number(),
  drainMs: z.number().nullable(),
  drainOverdueAt: z.number().nullable(),
  postponed: z.number(),
  aborted: z.number(),
  reconciled: z
    .object({
      integrations: z.number(),
      done: z.number(),
      failed: z.number(),
      accuracy: z.number().nullable(),
      onlySource: z.number(),
      onlyTarget: z.number(),
      different: z.number(),
    })
    .nullable(),
  pushed: z.object({ waited: z.number(), released: z.number(), waiting: z.number() }),
  breakGlass: z.array(z.object({ job: z.string(), by: z.string(), reason: z.string(), orderedAt: z.number(), state: z.string() })),
  integrations: z.array(
    z.object({ key: z.string(), path: z.string(), due: z.number(), held: z.number(), coalesced: z.number(), failed: z.number() }),
  ),
});
export type ReportAnswer = z.infer<typeof reportShape>;

export const windowReport = operation(
  "query WindowReport($window: String!, $localStart: String) { windowReport(window: $window, localStart: $localStart) { report } }",
  z.object({ windowReport: z.object({ report: reportShape }) }),
);
