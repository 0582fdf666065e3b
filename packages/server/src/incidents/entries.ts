import { sql } from "drizzle-orm";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";

/** What can be said in an incident's own part of its timeline. */
export const incidentEntryKinds = [
  "opened",
  "grew",
  "state",
  "severity",
  "root",
  "note",
  "offered",
  "accepted",
  "declined",
  "offer-ended",
  "assigned",
  "merged",
  "split",
  "problem",
  "told",
] as const;
export type IncidentEntryKind = (typeof incidentEntryKinds)[number];

export interface NewEntry {
  readonly incidentId: number;
  readonly kind: IncidentEntryKind;
  /** One sentence for people. */
  readonly text: string;
  readonly data?: { readonly [name: string]: unknown };
}

/** Writes what happened to incidents into their timelines. */
export async function addEntries(tx: Tx, by: { readonly actor: Actor; readonly now: number }, entries: readonly NewEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const actor = `${by.actor.kind}:${by.actor.name}`;
  const rows = entries.map(({ incidentId, kind, text, data }, n) => ({ n, incident_id: incidentId, kind, text, data: data ?? {} }));
  await tx.execute(sql`
    insert into incident_entry (incident_id, at, kind, actor, text, data)
    select incident_id, ${by.now}::timestamptz, kind, ${actor}, text, data
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as r(n integer, incident_id bigint, kind text, text text, data jsonb) order by n`);
}
