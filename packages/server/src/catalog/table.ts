import type { Criticality, JobSchedule, RetryPolicy, RotationPolicy, StreamEntry } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { boolean, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import type { SealedSecret } from "../credentials/sealed-secret.js";
import { instant } from "../db/instant.js";

const identity = () => integer("id").primaryKey().generatedAlwaysAsIdentity();
const timestamps = () => ({
  createdAt: instant("created_at")
    .notNull()
    .default(sql`app_now()`),
  updatedAt: instant("updated_at")
    .notNull()
    .default(sql`app_now()`),
});
const classification = () => ({
  description: text("description"),
  ownerTeam: text("owner_team"),
  vendor: text("vendor"),
  criticality: text("criticality").$type<Criticality>().notNull().default("medium"),
  environment: text("environment"),
  jurisdiction: text("jurisdiction"),
  tags: text("tags").array().notNull().default([]),
});

export const system = pgTable("system", {
  id: identity(),
  key: text("key").notNull(),
  name: text("name").notNull(),
  kind: text("kind").notNull().default("other"),
  ...classification(),
  maxConcurrentRuns: integer("max_concurrent_runs"),
  resumeSpacingMs: integer("resume_spacing_ms").notNull().default(200),
  ...timestamps(),
});

export const systemDependency = pgTable(
  "system_dependency",
  {
    systemId: integer("system_id").notNull(),
    dependsOnId: integer("depends_on_id").notNull(),
    strength: text("strength", { enum: ["hard", "soft"] }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.systemId, table.dependsOnId] })],
);

export const endpoint = pgTable("endpoint", {
  id: identity(),
  key: text("key").notNull(),
  name: text("name").notNull(),
  systemId: integer("system_id").notNull(),
  connector: text("connector").notNull(),
  config: jsonb("config").$type<{ readonly [name: string]: unknown }>().notNull().default({}),
  configVersion: integer("config_version"),
  allowPrivate: text("allow_private").array().notNull().default([]),
  rotation: jsonb("rotation").$type<Partial<RotationPolicy>>().notNull().default({}),
  checkEveryMs: integer("check_every_ms"),
  credentialToldDays: integer("credential_told_days"),
  credentialToldEnd: instant("credential_told_end"),
  ...timestamps(),
});

export const endpointSecret = pgTable(
  "endpoint_secret",
  {
    endpointId: integer("endpoint_id").notNull(),
    name: text("name").notNull(),
    sealed: jsonb("sealed").$type<SealedSecret>().notNull(),
    source: text("source").notNull(),
    fingerprint: text("fingerprint").notNull(),
    expiresAt: instant("expires_at"),
    updatedAt: instant("updated_at")
      .notNull()
      .default(sql`app_now()`),
  },
  (table) => [primaryKey({ columns: [table.endpointId, table.name] })],
);

export const integration = pgTable("integration", {
  id: identity(),
  key: text("key").notNull(),
  name: text("name").notNull(),
  sourceEndpointId: integer("source_endpoint_id"),
  targetEndpointId: integer("target_endpoint_id"),
  streams: jsonb("streams").$type<readonly StreamEntry[]>().notNull().default([]),
  ...classification(),
  playbookUrl: text("playbook_url"),
  idempotent: boolean("idempotent").notNull().default(true),
  bucket: integer("bucket")
    .notNull()
    .generatedAlwaysAs(sql`(id % 1024)`),
  ...timestamps(),
});

export const integrationSystem = pgTable(
  "integration_system",
  {
    integrationId: integer("integration_id").notNull(),
    systemId: integer("system_id").notNull(),
    role: text("role", { enum: ["source", "target", "via"] }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.integrationId, table.systemId] })],
);

export const job = pgTable("job", {
  id: identity(),
  key: text("key").notNull(),
  name: text("name").notNull(),
  integrationId: integer("integration_id").notNull(),
  schedule: jsonb("schedule").$type<JobSchedule>(),
  scheduleVersion: integer("schedule_version").notNull().default(1),
  enabled: boolean("enabled").notNull().default(true),
  catchUp: text("catch_up", { enum: ["skip", "coalesce", "all"] })
    .notNull()
    .default("coalesce"),
  catchUpMaxAgeSeconds: integer("catch_up_max_age_seconds"),
  timeoutSeconds: integer("timeout_seconds").notNull().default(900),
  retry: jsonb("retry").$type<RetryPolicy>().notNull().default({ maxAttempts: 3, backoffSeconds: 10, maxBackoffSeconds: 600 }),
  watermark: instant("watermark")
    .notNull()
    .default(sql`app_now()`),
  nextDueAt: instant("next_due_at"),
  runningRunId: uuid("running_run_id"),
  continuous: boolean("continuous").notNull().default(false),
  push: boolean("push").notNull().default(false),
  reconcile: boolean("reconcile").notNull().default(false),
  p95Ms: integer("p95_ms"),
  durationSamples: integer("duration_samples").notNull().default(0),
  finishLeadMs: integer("finish_lead_ms"),
  durationsAt: instant("durations_at"),
  durationsStale: boolean("durations_stale").notNull().default(false),
  ...timestamps(),
});

export const jobSchedule = pgTable(
  "job_schedule",
  {
    jobId: integer("job_id").notNull(),
    version: integer("version").notNull(),
    schedule: jsonb("schedule").$type<JobSchedule>(),
    validFrom: instant("valid_from").notNull(),
    validTo: instant("valid_to"),
    zoneDataVersion: text("zone_data_version"),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.version] })],
);

export type EndpointRow = typeof endpoint.$inferSelect;
export type IntegrationRow = typeof integration.$inferSelect;
export type JobRow = typeof job.$inferSelect;
