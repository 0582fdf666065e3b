import { sql } from "drizzle-orm";
import { boolean, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import type { SealedSecret } from "../credentials/sealed-secret.js";
import { instant } from "../db/instant.js";

export const team = pgTable("team", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  key: text("key").notNull(),
  title: text("title").notNull(),
  createdAt: instant("created_at")
    .notNull()
    .default(sql`app_now()`),
  updatedAt: instant("updated_at")
    .notNull()
    .default(sql`app_now()`),
});

/** Where teams are told: webhooks, and mails through an endpoint, whose url is mailto:… */
export const teamWebhook = pgTable("team_webhook", {
  id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
  teamId: integer("team_id").notNull(),
  url: text("url").notNull(),
  events: text("events").array().notNull(),
  observe: boolean("observe").notNull(),
  /** The secret; null of a mail, whose endpoint has one. */
  source: text("source"),
  sealed: jsonb("sealed").$type<SealedSecret>(),
  fingerprint: text("fingerprint"),
  /** Where a mail is written; null of a webhook. */
  endpointId: integer("endpoint_id"),
  stream: text("stream"),
  disabledAt: instant("disabled_at"),
});

/** The address under which a webhook's secret is sealed: its holder and its name. No endpoint's key has a colon. */
export function webhookSecretAddress(teamKey: string, url: string): { readonly endpoint: string; readonly name: string } {
  return { endpoint: `team:${teamKey}`, name: url };
}
