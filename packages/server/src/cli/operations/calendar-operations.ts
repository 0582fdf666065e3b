import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const feedShape = z.object({
  key: z.string(),
  title: z.string(),
  scope: z.string(),
  name: z.string().nullable(),
  prefix: z.string(),
  createdBy: z.string(),
  createdAt: z.string(),
  lastReadAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
});
export type FeedAnswer = z.infer<typeof feedShape>;
const FEED_FIELDS = "key title scope name prefix createdBy createdAt lastReadAt revokedAt";

const reported = z.array(z.object({ window: z.string(), title: z.string() }));
const reportShape = z.object({
  added: reported,
  changed: reported,
  removed: reported,
  running: reported,
  refused: z.array(
    z.object({ uid: z.string(), recurrenceId: z.string().nullable(), title: z.string(), code: z.string(), message: z.string() }),
  ),
  addedCount: z.number(),
  changedCount: z.number(),
  removedCount: z.number(),
  refusedCount: z.number(),
  unchangedCount: z.number(),
  overCount: z.number(),
});
export type CalendarReportAnswer = z.infer<typeof reportShape>;
const REPORTED = "{ window title }";
const REPORT_FIELDS = `added ${REPORTED} changed ${REPORTED} removed ${REPORTED} running ${REPORTED} refused { uid recurrenceId title code message }
  addedCount changedCount removedCount refusedCount unchangedCount overCount`;

const importShape = z.object({
  key: z.string(),
  title: z.string(),
  origin: z.string().nullable(),
  everySeconds: z.number().nullable(),
  windows: z.number(),
  nextAt: z.string().nullable(),
  succeededAt: z.string().nullable(),
  failures: z.number(),
  problem: z.string().nullable(),
  report: reportShape.nullable(),
});
export type CalendarImportAnswer = z.infer<typeof importShape>;
const IMPORT_FIELDS = `key title origin everySeconds windows nextAt succeededAt failures problem report { ${REPORT_FIELDS} }`;

export const createFeed = operation(
  `mutation CreateCalendarFeed($input: CreateCalendarFeedInput!) { createCalendarFeed(input: $input) { path feed { ${FEED_FIELDS} } } }`,
  z.object({ createCalendarFeed: z.object({ path: z.string(), feed: feedShape }) }),
);
export const listFeeds = operation(
  `query CalendarFeeds($first: Int, $after: String) {
    calendarFeeds(first: $first, after: $after) { nodes { ${FEED_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ calendarFeeds: z.object({ nodes: z.array(feedShape), pageInfo }) }),
);
export const revokeFeed = operation(
  `mutation RevokeCalendarFeed($input: RevokeCalendarFeedInput!) { revokeCalendarFeed(input: $input) { ${FEED_FIELDS} } }`,
  z.object({ revokeCalendarFeed: feedShape }),
);
export const importCalendar = operation(
  `mutation ImportCalendar($input: ImportCalendarInput!) { importCalendar(input: $input) { report { ${REPORT_FIELDS} } } }`,
  z.object({ importCalendar: z.object({ report: reportShape }) }),
);
export const listImports = operation(
  `query CalendarImports($first: Int, $after: String) {
    calendarImports(first: $first, after: $after) { nodes { ${IMPORT_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ calendarImports: z.object({ nodes: z.array(importShape), pageInfo }) }),
);
export const syncImport = operation(
  `mutation SyncCalendarImport($input: SyncCalendarImportInput!) { syncCalendarImport(input: $input) { ${IMPORT_FIELDS} } }`,
  z.object({ syncCalendarImport: importShape }),
);
export const removeImport = operation(
  "mutation RemoveCalendarImport($input: RemoveCalendarImportInput!) { removeCalendarImport(input: $input) { key } }",
  z.object({ removeCalendarImport: z.object({ key: z.string() }) }),
);
