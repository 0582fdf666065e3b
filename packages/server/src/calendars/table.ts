import type { ImportSettings, RefusedEvent } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type { SealedSecret } from "../credentials/sealed-secret.js";
import { instant } from "../db/instant.js";

/** A window of an import, as a report names it. */
export interface ReportedWindow {
  readonly window: string;
  readonly title: string;
}

/** What one pass over a calendar did, or would do. Lists are cut at a limit, counts are not. */
export interface ImportReport {
  readonly added: readonly ReportedWindow[];
  readonly changed: readonly ReportedWindow[];
  readonly removed: readonly ReportedWindow[];
  /** No longer in the calendar, and open: they end as planned, and are removed then. */
  readonly running: readonly ReportedWindow[];
  readonly refused: readonly RefusedEvent[];
  readonly addedCount: number;
  readonly changedCount: number;
  readonly removedCount: number;
  readonly refusedCount: number;
  readonly unchangedCount: number;
  /** Events that lie behind. */
  readonly overCount: number;
}

export const calendarImport = pgTable("calendar_import", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  key: text("key").notNull(),
  title: text("title").notNull(),
  sealedUrl: jsonb("sealed_url").$type<SealedSecret>(),
  urlSource: text("url_source"),
  urlFingerprint: text("url_fingerprint"),
  origin: text("origin"),
  everySeconds: integer("every_seconds"),
  settings: jsonb("settings").$type<ImportSettings>().notNull(),
  etag: text("etag"),
  lastModified: text("last_modified"),
  nextAt: instant("next_at"),
  attemptedAt: instant("attempted_at"),
  succeededAt: instant("succeeded_at"),
  readAt: instant("read_at"),
  failures: integer("failures").notNull().default(0),
  problem: text("problem"),
  report: jsonb("report").$type<ImportReport>(),
  createdBy: text("created_by").notNull(),
  createdAt: instant("created_at")
    .notNull()
    .default(sql`app_now()`),
  updatedAt: instant("updated_at")
    .notNull()
    .default(sql`app_now()`),
  removedAt: instant("removed_at"),
});

export const calendarImportEvent = pgTable(
  "calendar_import_event",
  {
    importId: integer("import_id").notNull(),
    uid: text("uid").notNull(),
    recurrenceId: text("recurrence_id").notNull(),
    windowId: integer("window_id").notNull(),
    fingerprint: text("fingerprint").notNull(),
  },
  (table) => [primaryKey({ columns: [table.importId, table.uid, table.recurrenceId] })],
);

/** The address under which the URL of an import is sealed. No endpoint's key has a colon. */
export function calendarUrlAddress(key: string): { readonly endpoint: string; readonly name: string } {
  return { endpoint: `calendar:${key}`, name: "url" };
}

export type ImportRow = typeof calendarImport.$inferSelect;
export type ImportEventRow = typeof calendarImportEvent.$inferSelect;
