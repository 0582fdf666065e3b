import { z } from "zod";
import { operation } from "../graphql-client.js";
import { MEMBER_FIELDS, memberShape } from "./shapes.js";

const DRAIN_FIELDS = "dueTimes runs atLeastMs expectedMs atWorstMs";
export const CONFLICTS_FIELDS = `conflicts { overlaps touches listed {
  relation kind with title localStart from until heldFrom heldUntil systems integrations paths { integration ownPath otherPath } blocks } }`;
const PREVIEW_FIELDS = `warnings refusals { code field message nearest } occurrences { startsAt endsAt localStart localEnd notes }
      members { ${MEMBER_FIELDS} } heldJobs { job integration dueTimes runsAfter skipped sentence }
      keptBackJobs { job integration p95Ms samples keptBackMs mayRunOn } inFlight { job integration dueAt expectedEndAt }
      load { localStart startsAt runs typicalRuns records typicalRecords }
      forecast { drain { ${DRAIN_FIELDS} } skipped records unknownJobs truncated delayMs longestDelayMs systems { system drain { ${DRAIN_FIELDS} } } }
      availability { month timeZone startsAt endsAt lengthMs systems integrations
        listed { kind key addedMs upMs countedMs excludedMs gross grossBefore net } }
      ${CONFLICTS_FIELDS}`;

const drainShape = z.object({
  dueTimes: z.number(),
  runs: z.number(),
  atLeastMs: z.number(),
  expectedMs: z.number().nullable(),
  atWorstMs: z.number().nullable(),
});

const forecastShape = z.object({
  drain: drainShape,
  skipped: z.number(),
  records: z.number().nullable(),
  unknownJobs: z.array(z.string()),
  truncated: z.boolean(),
  delayMs: z.number(),
  longestDelayMs: z.number(),
  systems: z.array(z.object({ system: z.string(), drain: drainShape })),
});
export type ForecastAnswer = z.infer<typeof forecastShape>;

const conflictShape = z.object({
  relation: z.string(),
  kind: z.string(),
  with: z.string(),
  title: z.string(),
  localStart: z.string(),
  from: z.string(),
  until: z.string().nullable(),
  heldFrom: z.string(),
  heldUntil: z.string().nullable(),
  systems: z.array(z.string()),
  integrations: z.number(),
  paths: z.array(z.object({ integration: z.string(), ownPath: z.string(), otherPath: z.string() })),
  blocks: z.boolean(),
});

export const conflictsShape = z.object({ overlaps: z.number(), touches: z.number(), listed: z.array(conflictShape) });

const previewShape = z.object({
  warnings: z.array(z.string()),
  refusals: z.array(z.object({ code: z.string(), field: z.string(), message: z.string(), nearest: z.string().nullable() })),
  occurrences: z.array(
    z.object({ startsAt: z.string(), endsAt: z.string(), localStart: z.string(), localEnd: z.string(), notes: z.array(z.string()) }),
  ),
  members: z.array(memberShape),
  heldJobs: z.array(
    z.object({
      job: z.string(),
      integration: z.string(),
      dueTimes: z.number(),
      runsAfter: z.number(),
      skipped: z.number(),
      sentence: z.string(),
    }),
  ),
  keptBackJobs: z.array(
    z.object({
      job: z.string(),
      integration: z.string(),
      p95Ms: z.number(),
      samples: z.number(),
      keptBackMs: z.number(),
      mayRunOn: z.boolean(),
    }),
  ),
  inFlight: z.array(z.object({ job: z.string(), integration: z.string(), dueAt: z.string(), expectedEndAt: z.string() })),
  load: z.array(
    z.object({
      localStart: z.string(),
      startsAt: z.string(),
      runs: z.number(),
      typicalRuns: z.number(),
      records: z.number().nullable(),
      typicalRecords: z.number().nullable(),
    }),
  ),
  forecast: forecastShape.nullable(),
  availability: z.array(
    z.object({
      month: z.string(),
      timeZone: z.string(),
      startsAt: z.string(),
      endsAt: z.string(),
      lengthMs: z.number(),
      systems: z.number(),
      integrations: z.number(),
      listed: z.array(
        z.object({
          kind: z.string(),
          key: z.string(),
          addedMs: z.number(),
          upMs: z.number(),
          countedMs: z.number(),
          excludedMs: z.number(),
          gross: z.number(),
          grossBefore: z.number(),
          net: z.number().nullable(),
        }),
      ),
    }),
  ),
  conflicts: conflictsShape,
});
export type WindowPreviewAnswer = z.infer<typeof previewShape>;

export const previewWindow = operation(
  `query PreviewWindow($input: MaintenanceWindowInput!) {
    previewMaintenanceWindow(input: $input) { ${PREVIEW_FIELDS} }
  }`,
  z.object({ previewMaintenanceWindow: previewShape }),
);

export const previewStandingWindow = operation(
  `query PreviewStandingWindow($window: String!) {
    previewStandingWindow(window: $window) { ${PREVIEW_FIELDS} }
  }`,
  z.object({ previewStandingWindow: previewShape }),
);

export const previewResume = operation(
  `query PreviewResume($window: String!, $catchUp: CatchUpOverride) {
    previewResume(window: $window, catchUp: $catchUp) { job integration catchUp dueTimes runsAfter skipped keptByOthers }
  }`,
  z.object({
    previewResume: z.array(
      z.object({
        job: z.string(),
        integration: z.string(),
        catchUp: z.string(),
        dueTimes: z.number(),
        runsAfter: z.number(),
        skipped: z.number(),
        keptByOthers: z.number(),
      }),
    ),
  }),
);
export type ResumePreviewAnswer = z.infer<typeof previewResume.data>["previewResume"];
