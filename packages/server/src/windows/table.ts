import type {
  CatchUp,
  DrainPolicy,
  ApprovalPolicyEntry,
  HoldCoverage,
  ResumePolicyInput,
  WindowApproval,
  WindowKind,
  WindowScope,
  WindowSeries,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { bigint, boolean, integer, jsonb, pgTable, smallint, text } from "drizzle-orm/pg-core";
import { instant } from "../db/instant.js";

export const maintenanceWindow = pgTable("maintenance_window", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  key: text("key").notNull(),
  title: text("title").notNull(),
  kind: text("kind").$type<WindowKind>().notNull().default("maintenance"),
  mode: text("mode", { enum: ["enforce", "observe"] })
    .notNull()
    .default("enforce"),
  series: jsonb("series").$type<WindowSeries>().notNull(),
  scope: jsonb("scope").$type<WindowScope>().notNull(),
  drain: jsonb("drain").$type<DrainPolicy>().notNull(),
  resume: jsonb("resume").$type<ResumePolicyInput>().notNull(),
  owner: text("owner").notNull(),
  reason: text("reason").notNull(),
  approval: jsonb("approval").$type<WindowApproval>(),
  splitFrom: integer("split_from"),
  version: integer("version").notNull().default(1),
  expandedUntil: instant("expanded_until").notNull(),
  createdBy: text("created_by").notNull(),
  createdAt: instant("created_at")
    .notNull()
    .default(sql`app_now()`),
  updatedAt: instant("updated_at")
    .notNull()
    .default(sql`app_now()`),
  cancelledAt: instant("cancelled_at"),
});

export const occurrence = pgTable("occurrence", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  windowId: integer("window_id").notNull(),
  localStart: text("local_start").notNull(),
  localEnd: text("local_end").notNull(),
  startsAt: instant("starts_at").notNull(),
  endsAt: instant("ends_at").notNull(),
  notes: text("notes").array().notNull(),
  unapprovedTold: smallint("unapproved_told").notNull().default(0),
  windowVersion: integer("window_version").notNull(),
  zoneDataVersion: text("zone_data_version").notNull(),
  startedAt: instant("started_at"),
  quiescedAt: instant("quiesced_at"),
  verifyingAt: instant("verifying_at"),
  overrunAt: instant("overrun_at"),
  releasedAt: instant("released_at"),
  reheldAt: instant("reheld_at"),
  verified: boolean("verified"),
  closedAt: instant("closed_at"),
  cancelledAt: instant("cancelled_at"),
});

export const hold = pgTable("hold", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  kind: text("kind", { enum: ["window", "manual", "credentials", "unready"] }).notNull(),
  occurrenceId: bigint("occurrence_id", { mode: "number" }),
  canaryOf: bigint("canary_of", { mode: "number" }),
  canaryTrial: integer("canary_trial").notNull().default(0),
  mode: text("mode", { enum: ["enforce", "observe"] })
    .notNull()
    .default("enforce"),
  coverage: text("coverage").$type<HoldCoverage>().notNull().default("everything"),
  scope: jsonb("scope").$type<WindowScope>().notNull(),
  owner: text("owner").notNull(),
  reason: text("reason").notNull(),
  beginsAt: instant("begins_at").notNull(),
  expiresAt: instant("expires_at"),
  resume: jsonb("resume").$type<ResumePolicyInput>().notNull().default({}),
  catchUp: text("catch_up").$type<CatchUp>(),
  releasedAt: instant("released_at"),
  releasedBy: text("released_by"),
  releaseReason: text("release_reason"),
  createdAt: instant("created_at")
    .notNull()
    .default(sql`app_now()`),
});

export const holidayCalendar = pgTable("holiday_calendar", {
  key: text("key").primaryKey(),
  title: text("title").notNull(),
  dates: text("dates").array().notNull(),
});

export const approvalPolicy = pgTable("approval_policy", {
  key: text("key").primaryKey(),
  policy: jsonb("policy").$type<Omit<ApprovalPolicyEntry, "key">>().notNull(),
});

export type WindowRow = typeof maintenanceWindow.$inferSelect;
export type OccurrenceRow = typeof occurrence.$inferSelect;
export type HoldRow = typeof hold.$inferSelect;
