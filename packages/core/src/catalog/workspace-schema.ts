import { z } from "zod";
import { rotationPolicySchema } from "../credentials/rotation-policy.js";
import { mappingSchema } from "../mapping/mapping-schema.js";
import { twoWaySchema } from "../mapping/two-way-schema.js";
import { catchUpPolicies } from "../runs/run-state.js";
import { formatLocal, parseLocal } from "../time/local-time.js";
import { drainPolicySchema } from "../windows/drain-policy.js";
import { resumePolicySchema } from "../windows/resume-policy.js";
import { DST_POLICIES } from "../windows/window-series.js";
import { windowModes } from "../windows/window-input.js";
import { windowKinds } from "../windows/window-kinds.js";
import { calendarSchema } from "./calendar-schema.js";
import { CRITICALITIES } from "./criticality.js";
import { durationSchema, formatDuration } from "./duration-text.js";
import { monitorsSchema } from "./monitor-schema.js";
import { privateHostsSchema } from "./private-host.js";
import { approvalPolicySchema, businessDayFields, holidayCalendarSchema } from "./planning-schema.js";
import { secretSchema } from "./secret-schema.js";
import { sortedJson } from "./sorted-json.js";
import { sampleRetentionSchema } from "./sample-retention-schema.js";
import { slugSchema, tagSchema } from "./slug.js";
import { strictObject } from "./strict-object.js";
import { teamSchema } from "./team-schema.js";
import { canonicalScope, windowScopeSchema } from "./window-scope.js";

/** How much one workspace may hold. The text of a file is bounded too: see the reader. */
export const WORKSPACE_LIMITS = {
  systems: 10_000,
  endpoints: 50_000,
  integrations: 100_000,
  jobs: 100_000,
  holidayCalendars: 1_000,
  calendars: 1_000,
  approvals: 1_000,
  teams: 10_000,
  windows: 10_000,
  sampleRetention: 201,
  dependenciesOfSystem: 200,
  viaOfIntegration: 100,
  streamsOfIntegration: 500,
  tags: 50,
  secretsOfEndpoint: 20,
  configCharacters: 65_536,
  datesOfSeries: 1_000,
} as const;

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const atLeastASecond = { minMs: SECOND_MS, stepMs: SECOND_MS };

const text = (maxCharacters: number) => z.string().trim().min(1).max(maxCharacters);
/** `null`, or simply leaving it out, says that there is none. */
const optionalText = (maxCharacters: number) => text(maxCharacters).nullable().default(null);
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** A list whose order and repeats mean nothing. */
const setOf = (item: z.ZodType<string, string>, max: number) =>
  z
    .array(item)
    .max(max)
    .default([])
    .transform((values) => [...new Set(values)].toSorted(byText));

/** Who and what a thing belongs to; the same words on systems and integrations. */
const classification = {
  description: optionalText(2_000),
  ownerTeam: optionalText(100),
  vendor: optionalText(100),
  criticality: z.enum(CRITICALITIES).default("medium"),
  environment: optionalText(100),
  jurisdiction: optionalText(100),
  tags: setOf(tagSchema, WORKSPACE_LIMITS.tags),
};

const dependencySchema = strictObject({
  system: slugSchema,
  strength: z.enum(["hard", "soft"]).default("hard"),
});

export const systemSchema = strictObject({
  key: slugSchema,
  name: text(200).optional(),
  kind: text(63).default("other"),
  ...classification,
  /** At most so many runs touch the system at once; none means no cap. */
  maxConcurrentRuns: z.int().min(1).max(1_000_000).nullable().default(null),
  /** After a window, runs on this system start so far apart. */
  resumeSpacing: durationSchema({ minMs: 0, maxMs: 3_600_000, stepMs: 1 }).default("200ms"),
  dependsOn: z
    .array(dependencySchema)
    .max(WORKSPACE_LIMITS.dependenciesOfSystem)
    .default([])
    .transform((list) => list.toSorted((a, b) => byText(a.system, b.system))),
  /** Who watches it, and under which names: windows over it are announced there. */
  monitoredBy: monitorsSchema,
}).transform((system) => ({ ...system, name: system.name ?? system.key }));

export const endpointSchema = strictObject({
  key: slugSchema,
  name: text(200).optional(),
  system: slugSchema,
  connector: z.string().regex(/^[a-z][a-z0-9-]{1,40}$/, "Expected the id of a connector, such as http or postgres."),
  config: z
    .record(z.string(), z.json())
    .default({})
    .refine((config) => JSON.stringify(config).length <= WORKSPACE_LIMITS.configCharacters, {
      message: `Expected at most ${WORKSPACE_LIMITS.configCharacters} characters of JSON.`,
    })
    .transform(sortedJson),
  secrets: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, "Expected a secret's name of letters, digits, _ and -."), secretSchema)
    .default({})
    .refine((secrets) => Object.keys(secrets).length <= WORKSPACE_LIMITS.secretsOfEndpoint, {
      message: `Expected at most ${WORKSPACE_LIMITS.secretsOfEndpoint} secrets.`,
    })
    .transform(sortedJson),
  /** Names that may lead into private networks; an address in the configuration is its own permission. */
  allowPrivate: privateHostsSchema.default([]),
  /** How its secrets are renewed. */
  rotation: rotationPolicySchema.prefault({}),
  /** How often its system is asked how it is; null: only when there is a reason. */
  checkEvery: durationSchema({ minMs: 10_000, maxMs: 600_000, stepMs: 1_000 }).nullable().default(null),
}).transform((endpoint) => ({ ...endpoint, name: endpoint.name ?? endpoint.key }));

/** Deletions that a comparison of keys finds: of more than this at once, in percent and in number, a person is asked first. */
const deleteLimitSchema = strictObject({
  percent: z.int().min(0).max(100).default(20),
  records: z.int().min(0).max(100_000_000).default(50),
});

export const streamSchema = strictObject({
  stream: text(200),
  /** The stream, table or path at the target; the same name if left out. */
  target: text(200).optional(),
  mapping: mappingSchema.transform(sortedJson),
  deletes: z.enum(["ignore", "apply"]).default("ignore"),
  deleteLimit: deleteLimitSchema.prefault({}),
  /** Yes, its records are pushed (POST /push, `pushRecords`, `quiesce push`) instead of read from the source. */
  push: z.boolean().default(false),
  /** The fields that flow back from the target. */
  twoWay: twoWaySchema.transform(sortedJson).optional(),
}).transform((stream) => ({ ...stream, target: stream.target ?? stream.stream }));

export const integrationSchema = strictObject({
  key: slugSchema,
  name: text(200).optional(),
  ...classification,
  source: slugSchema.nullable().default(null),
  target: slugSchema.nullable().default(null),
  via: setOf(slugSchema, WORKSPACE_LIMITS.viaOfIntegration),
  streams: z.array(streamSchema).max(WORKSPACE_LIMITS.streamsOfIntegration).default([]),
  playbookUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullable()
    .default(null),
  idempotent: z.boolean().default(true),
}).transform((integration) => ({ ...integration, name: integration.name ?? integration.key }));

/** Local times in one form, `YYYY-MM-DDTHH:MM` with seconds only where there are some. What is malformed is left for the series' own check. */
const localTime = z
  .string()
  .max(40)
  .transform((value) => {
    const localMs = parseLocal(value.trim());
    return localMs === null ? value : formatLocal(localMs);
  });
const localTimes = z
  .array(localTime)
  .max(WORKSPACE_LIMITS.datesOfSeries)
  .default([])
  .transform((values) => [...new Set(values)].toSorted(byText));

/** A schedule as people write it: exactly one of `cron`, `every` and `rrule`. */
export const scheduleTextSchema = strictObject({
  cron: text(200).optional(),
  every: durationSchema({ ...atLeastASecond, maxMs: 366 * DAY_MS }).optional(),
  rrule: text(512).optional(),
  /** The local time of the first run of an `rrule`; the anchor of `every`, then in UTC. */
  start: localTime.optional(),
  timeZone: text(100).default("UTC"),
  exdates: localTimes,
  rdates: localTimes,
}).superRefine((schedule, context) => {
  const kinds = (["cron", "every", "rrule"] as const).filter((kind) => schedule[kind] !== undefined);
  const refuse = (message: string, path: string[]) => context.addIssue({ code: "custom", message, path });
  if (kinds.length !== 1)
    refuse(`Found ${kinds.length === 0 ? "none" : kinds.join(" and ")}, expected exactly one of cron, every and rrule.`, []);
  if (schedule.rrule !== undefined && schedule.start === undefined)
    refuse("An rrule needs a start: the local time of its first run, such as 2026-01-04T02:00.", ["rrule"]);
  if (schedule.cron !== undefined && schedule.start !== undefined) refuse("A cron schedule has no start. Leave it out.", ["start"]);
  if (schedule.every !== undefined && schedule.timeZone !== "UTC")
    refuse("every counts elapsed time and knows no zone; its start is in UTC. Leave timeZone out.", ["timeZone"]);
  if (schedule.rrule === undefined && schedule.exdates.length + schedule.rdates.length > 0) {
    refuse("exdates and rdates belong to an rrule.", [schedule.exdates.length > 0 ? "exdates" : "rdates"]);
  }
});

const retrySchema = strictObject({
  attempts: z.int().min(1).max(100).default(3),
  backoff: durationSchema({ ...atLeastASecond, maxMs: DAY_MS }).default("10s"),
  maxBackoff: durationSchema({ ...atLeastASecond, maxMs: DAY_MS }).default("10m"),
});

export const jobSchema = strictObject({
  key: slugSchema,
  name: text(200).optional(),
  integration: slugSchema,
  schedule: scheduleTextSchema.nullable().default(null),
  enabled: z.boolean().default(true),
  catchUp: z.enum(catchUpPolicies).default("coalesce"),
  catchUpMaxAge: durationSchema({ ...atLeastASecond, maxMs: 3_650 * DAY_MS })
    .nullable()
    .default(null),
  timeout: durationSchema({ ...atLeastASecond, maxMs: DAY_MS }).default(formatDuration(900_000)),
  retry: retrySchema.prefault({}),
  /** Yes, its runs never come to an end by themselves: none is kept back because it would not finish before a window. */
  continuous: z.boolean().default(false),
  /** Yes, it delivers what was pushed for its integration, and is queued whenever something was. */
  push: z.boolean().default(false),
  /** Yes, it compares what both sides of its integration hold, and copies nothing. */
  reconcile: z.boolean().default(false),
}).transform((job) => ({ ...job, name: job.name ?? job.key }));

export const windowSchema = strictObject({
  key: slugSchema,
  title: text(200),
  start: localTime,
  end: localTime.nullable().default(null),
  duration: text(40).nullable().default(null),
  timeZone: text(100),
  rrule: text(512).nullable().default(null),
  exdates: localTimes,
  rdates: localTimes,
  dstPolicy: z.enum(DST_POLICIES).default("cover"),
  ...businessDayFields,
  scope: windowScopeSchema.transform(canonicalScope),
  drain: drainPolicySchema.prefault({}),
  resume: resumePolicySchema.prefault({}),
  kind: z.enum(windowKinds).default("maintenance"),
  mode: z.enum(windowModes).default("enforce"),
  owner: text(200),
  reason: text(2_000),
  /** Yes, it really is longer than 31 days. */
  confirmLong: z.boolean().default(false),
});

const listOf = <T extends z.ZodType>(item: T, max: number) => z.array(item).max(max).default([]);

/** A whole workspace. What it gives is normal: defaults filled in, sets sorted, one text for every duration; parsing that again changes nothing. */
export const workspaceSchema = strictObject({
  /** The version of this format. */
  quiesce: z.literal(1, { error: "Expected the format's version: quiesce: 1" }),
  systems: listOf(systemSchema, WORKSPACE_LIMITS.systems),
  endpoints: listOf(endpointSchema, WORKSPACE_LIMITS.endpoints),
  integrations: listOf(integrationSchema, WORKSPACE_LIMITS.integrations),
  jobs: listOf(jobSchema, WORKSPACE_LIMITS.jobs),
  holidayCalendars: listOf(holidayCalendarSchema, WORKSPACE_LIMITS.holidayCalendars),
  calendars: listOf(calendarSchema, WORKSPACE_LIMITS.calendars),
  approvals: listOf(approvalPolicySchema, WORKSPACE_LIMITS.approvals),
  teams: listOf(teamSchema, WORKSPACE_LIMITS.teams),
  windows: listOf(windowSchema, WORKSPACE_LIMITS.windows),
  /** Left out altogether, nothing of it is pruned: see `applyWorkspace`. */
  sampleRetention: listOf(sampleRetentionSchema, WORKSPACE_LIMITS.sampleRetention),
});

export type SystemEntry = z.output<typeof systemSchema>;
export type EndpointEntry = z.output<typeof endpointSchema>;
export type IntegrationEntry = z.output<typeof integrationSchema>;
export type StreamEntry = z.output<typeof streamSchema>;
export type ScheduleText = z.output<typeof scheduleTextSchema>;
export type JobEntry = z.output<typeof jobSchema>;
export type WindowEntry = z.output<typeof windowSchema>;
/** A parsed workspace in its normal form. */
export type WorkspaceDocument = z.output<typeof workspaceSchema>;
/** A workspace as people write it. */
export type WorkspaceInput = z.input<typeof workspaceSchema>;

/** The lists of a workspace, in the order in which things can be made; taken apart in the opposite order. */
export const WORKSPACE_SECTIONS = [
  "systems",
  "endpoints",
  "integrations",
  "jobs",
  "holidayCalendars",
  "calendars",
  "approvals",
  "teams",
  "windows",
  "sampleRetention",
] as const;
export type WorkspaceSection = (typeof WORKSPACE_SECTIONS)[number];
