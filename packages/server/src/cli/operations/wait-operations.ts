import { z } from "zod";
import { operation } from "../graphql-client.js";

const waited = z.object({
  id: z.string(),
  state: z.string(),
  localStart: z.string(),
  localEnd: z.string(),
  timeZone: z.string(),
  startsAt: z.string(),
  endsAt: z.string(),
  startedAt: z.string().nullable(),
  quiescedAt: z.string().nullable(),
  releasedAt: z.string().nullable(),
  inFlight: z.number(),
  heldRuns: z.number(),
});
export type WaitedAnswer = z.infer<typeof waited>;
const WAITED_FIELDS = "id state localStart localEnd timeZone startsAt endsAt startedAt quiescedAt releasedAt inFlight heldRuns";

/** Which occurrence is meant when none is named. */
export const nextToWaitFor = operation(
  `query NextToWaitFor($key: String!) { maintenanceWindow(key: $key) { key currentOrNext { ${WAITED_FIELDS} } } }`,
  z.object({ maintenanceWindow: z.object({ key: z.string(), currentOrNext: waited.nullable() }).nullable() }),
);

/** The occurrences around a time, over or not. */
export const occurrencesAround = operation(
  `query OccurrencesAround($key: String!, $from: DateTime!, $to: DateTime!) {
    maintenanceWindow(key: $key) { key cancelledAt occurrences(from: $from, to: $to, first: 200) { nodes { ${WAITED_FIELDS} } } }
  }`,
  z.object({
    maintenanceWindow: z
      .object({ key: z.string(), cancelledAt: z.string().nullable(), occurrences: z.object({ nodes: z.array(waited) }) })
      .nullable(),
  }),
);

export const occurrenceById = operation(
  `query OccurrenceById($id: ID!) { node(id: $id) { ... on Occurrence { ${WAITED_FIELDS} } } }`,
  z.object({ node: waited.nullable() }),
);

export const waitCursor = operation("query WaitCursor { eventCursor }", z.object({ eventCursor: z.string() }));

export const watchWindowEvents = operation(
  "subscription WatchWindow($after: String, $subjects: [String!]) { liveEvents(after: $after, subjects: $subjects) { cursor kind } }",
  z.object({ liveEvents: z.object({ cursor: z.string(), kind: z.string() }) }),
);
