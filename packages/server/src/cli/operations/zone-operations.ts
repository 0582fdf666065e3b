import { z } from "zod";
import { operation } from "../graphql-client.js";

const OCCURRENCE = "occurrencesMoved occurrences { window localStart timeZone startsBefore endsBefore startsAfter endsAfter }";
const JOBS = "jobsMoved jobs { job local timeZone before after dueTimes }";

const moved = {
  occurrencesMoved: z.number(),
  occurrences: z.array(
    z.object({
      window: z.string(),
      localStart: z.string(),
      timeZone: z.string(),
      startsBefore: z.string(),
      endsBefore: z.string(),
      startsAfter: z.string(),
      endsAfter: z.string(),
    }),
  ),
  jobsMoved: z.number(),
  jobs: z.array(
    z.object({
      job: z.string(),
      local: z.string().nullable(),
      timeZone: z.string().nullable(),
      before: z.string().nullable(),
      after: z.string().nullable(),
      dueTimes: z.number().nullable(),
    }),
  ),
};

const diffShape = z.object({
  before: z.string(),
  version: z.string(),
  source: z.string(),
  isNewer: z.boolean(),
  missing: z.array(z.string()),
  zones: z.array(z.string()),
  from: z.string(),
  until: z.string(),
  ...moved,
  kept: z.array(z.object({ window: z.string(), localStart: z.string(), timeZone: z.string(), startsAt: z.string(), endsAt: z.string() })),
  dueTimesMoved: z.number(),
  truncated: z.boolean(),
});
export type ZoneDataDiffAnswer = z.infer<typeof diffShape>;

export const zoneDataDiff = operation(
  `query ZoneDataDiff($to: ZoneDataSource, $files: ZoneDataFilesInput) {
    zoneDataDiff(to: $to, files: $files) { before version source isNewer missing zones from until ${OCCURRENCE}
      kept { window localStart timeZone startsAt endsAt } ${JOBS} dueTimesMoved truncated }
  }`,
  z.object({ zoneDataDiff: diffShape }),
);

const changeShape = z.object({ at: z.string(), before: z.string(), version: z.string(), source: z.string(), ...moved });
const inForceShape = z.object({ version: z.string(), source: z.string(), lastChange: changeShape.nullable() });
export type ZoneDataAnswer = z.infer<typeof inForceShape>;

export const readZoneData = operation(
  `query ZoneData { zoneData { version source lastChange { at before version source ${OCCURRENCE} ${JOBS} } } }`,
  z.object({ zoneData: inForceShape }),
);
