import type { ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "./db/client.js";

/** Who does something: a person, a token or a part of the system; it goes into every audit row. */
export interface Actor {
  readonly kind: "person" | "token" | "system" | "gate";
  readonly name: string;
  /** What it was granted, in words. */
  readonly role: string;
  /** It may plan changes into freezes, here. */
  readonly overridesFreezes?: boolean;
}

/** The actor of what the server does by itself. */
export const systemActor: Actor = { kind: "system", name: "quiesce", role: "admin", overridesFreezes: true };

/** What every command needs beside its input. */
export interface CommandContext {
  readonly database: Database;
  readonly actor: Actor;
  /** The zone data in force on every server of the deployment. */
  readonly zones: ZoneData;
}

/** The database's clock in epoch milliseconds: the time of every decision. Read it after the locks that the decision needs. */
export async function readNow(tx: Tx): Promise<number> {
  const rows = await tx.execute<{ now: number }>(sql`select app_now()::timestamptz as now`);
  const now = rows[0]?.now;
  if (now === undefined) throw new Error("app_now() returned no row.");
  return now;
}

/** Runs one command in one READ COMMITTED transaction: rows, audit entry and events together or not at all. */
export function inTransaction<T>(context: { readonly database: Database }, work: (tx: Tx) => Promise<T>): Promise<T> {
  return context.database.db.transaction(work, { isolationLevel: "read committed" });
}
