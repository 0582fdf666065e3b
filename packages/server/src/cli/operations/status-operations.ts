import { z } from "zod";
import { operation } from "../graphql-client.js";
import { HOLD_FIELDS, holdShape, OCCURRENCE_FIELDS, occurrenceShape } from "./shapes.js";

const statusRun = z.object({
  key: z.string(),
  state: z.string(),
  dueAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
  durationMs: z.number().nullable(),
  reason: z.string().nullable(),
  job: z.object({ key: z.string() }).nullable(),
  integration: z.object({ key: z.string() }),
  heldBy: z.array(z.object({ title: z.string() })),
});

const statusHold = holdShape.extend({
  occurrence: occurrenceShape.nullable(),
  members: z.array(z.object({ integration: z.object({ key: z.string() }) })),
});

/** What the status view shows. */
export const statusShape = z.object({
  cursor: z.string(),
  at: z.string(),
  mode: z.string(),
  integrations: z.number(),
  heldIntegrations: z.number(),
  activeHolds: z.array(statusHold),
  nextOccurrence: occurrenceShape.extend({ window: z.object({ key: z.string(), title: z.string() }) }).nullable(),
  resuming: z.array(occurrenceShape.extend({ window: z.object({ key: z.string(), title: z.string() }) })).optional(),
  freezeConflicts: z.array(z.object({ sentence: z.string() })).optional(),
  runsByState: z.array(z.object({ state: z.string(), count: z.number() })),
  recentRuns: z.array(statusRun),
});
export type Status = z.infer<typeof statusShape>;
export type StatusHold = z.infer<typeof statusHold>;
export type StatusRun = z.infer<typeof statusRun>;

const STATUS_FIELDS = `cursor at mode integrations heldIntegrations
  activeHolds { ${HOLD_FIELDS} occurrence { ${OCCURRENCE_FIELDS} } members { integration { key } } }
  nextOccurrence { ${OCCURRENCE_FIELDS} window { key title } }
  resuming { ${OCCURRENCE_FIELDS} window { key title } }
  freezeConflicts { sentence }
  runsByState { state count }
  recentRuns { key state dueAt startedAt finishedAt durationMs reason job { key } integration { key } heldBy { title } }`;

export const readStatus = operation(`query Status { statusSummary { ${STATUS_FIELDS} } }`, z.object({ statusSummary: statusShape }));
export const watchStatus = operation(
  `subscription WatchStatus { statusSummary { ${STATUS_FIELDS} } }`,
  z.object({ statusSummary: statusShape }),
);

const liveEvent = z.object({
  cursor: z.string(),
  at: z.string(),
  kind: z.string(),
  subjectKind: z.string(),
  subjectKey: z.string(),
  integrationKey: z.string().nullable(),
});
export type LiveEventAnswer = z.infer<typeof liveEvent>;

export const watchEvents = operation(
  "subscription WatchEvents($after: String) { liveEvents(after: $after) { cursor at kind subjectKind subjectKey integrationKey } }",
  z.object({ liveEvents: liveEvent }),
);
