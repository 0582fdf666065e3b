import type { WindowScope, WindowSeries } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { bigint, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { instant } from "../db/instant.js";

export const maintenanceWindow = pgTable("maintenance_window", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  key: text("key").notNull(),
  title: text("title").notNull(),
  kind: text("kind").notNull().default("maintenance"),
  mode: text("mode", { enum: ["enforce", "observe"] })
    .notNull()
    .default("enforce"),
  series: jsonb("series").$type<WindowSeries>().notNull(),
  scope: jsonb("scope").$type<WindowScope>().notNull(),
  owner: text("owner").notNull(),
  reason: text("reason").notNull(),
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
  windowVersion: integer("window_version").notNull(),
  zoneDataVersion: text("zone_data_version").notNull(),
  startedAt: instant("started_at"),
  quiescedAt: instant("quiesced_at"),
  releasedAt: instant("released_at"),
  closedAt: instant("closed_at"),
  cancelledAt: instant("cancelled_at"),
});

export const hold = pgTable("hold", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  kind: text("kind", { enum: ["window", "manual", "credentials", "unready"] }).notNull(),
  occurrenceId: bigint("occurrence_id", { mode: "number" }),
  mode: text("mode", { enum: ["enforce", "observe"] })
    .notNull()
    .default("enforce"),
  scope: jsonb("scope").$type<WindowScope>().notNull(),
  owner: text("owner").notNull(),
  reason: text("reason").notNull(),
  beginsAt: instant("begins_at").notNull(),
  expiresAt: instant("expires_at"),
  releasedAt: instant("released_at"),
  releasedBy: text("released_by"),
  releaseReason: text("release_reason"),
  createdAt: instant("created_at")
    .notNull()
    .default(sql`app_now()`),
});

export type WindowRow = typeof maintenanceWindow.$inferSelect;
export type OccurrenceRow = typeof occurrence.$inferSelect;
export type HoldRow = typeof hold.$inferSelect;
