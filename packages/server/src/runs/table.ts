import type { CatchUp, RunState, RunTrigger } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { bigint, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { instant } from "../db/instant.js";

/** What a run did, by record. */
export interface RunFigures {
  readonly read?: number;
  readonly written?: number;
  readonly unchanged?: number;
  readonly deleted?: number;
  readonly dead?: number;
  readonly exitCode?: number;
}

/** Why a run failed, as it is stored and shown. Never a secret. */
export interface RunError {
  readonly kind: string;
  readonly message: string;
}

export const run = pgTable(
  "run",
  {
    id: uuid("id").notNull(),
    dueAt: instant("due_at").notNull(),
    lastDueAt: instant("last_due_at").notNull(),
    dueCount: integer("due_count").notNull().default(1),
    dueLocal: text("due_local"),
    jobId: integer("job_id"),
    integrationId: integer("integration_id").notNull(),
    bucket: integer("bucket").notNull(),
    scheduleVersion: integer("schedule_version"),
    trigger: text("trigger").$type<RunTrigger>().notNull(),
    state: text("state").$type<RunState>().notNull(),
    readyAt: instant("ready_at").notNull(),
    attempt: integer("attempt").notNull().default(0),
    givenBack: integer("given_back").notNull().default(0),
    workerId: uuid("worker_id"),
    leaseUntil: instant("lease_until"),
    startedAt: instant("started_at"),
    finishedAt: instant("finished_at"),
    heldBy: bigint("held_by", { mode: "number" }).array(),
    heldSince: instant("held_since"),
    releasedAt: instant("released_at"),
    observedBy: bigint("observed_by", { mode: "number" }).array(),
    passesHolds: bigint("passes_holds", { mode: "number" }).array(),
    coalescedInto: uuid("coalesced_into"),
    requestedBy: text("requested_by"),
    reason: text("reason"),
    error: jsonb("error").$type<RunError>(),
    figures: jsonb("figures").$type<RunFigures>(),
    createdAt: instant("created_at").notNull().default(sql`app_now()`),
  },
  (table) => [primaryKey({ columns: [table.dueAt, table.id] })],
);

export type RunRow = typeof run.$inferSelect;
export type { CatchUp };
