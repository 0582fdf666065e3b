import { sql } from "drizzle-orm";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";

export interface AuditEntry {
  readonly actor: Actor;
  /** The command's name: `window.create`, `hold.release`. */
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectKey: string;
  readonly reason?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Writes who did what to which thing, in the transaction of the deed. */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  await tx.execute(sql`
    insert into audit_entry (actor, action, subject_kind, subject_key, reason, before, after)
    values (${`${entry.actor.kind}:${entry.actor.name}`}, ${entry.action}, ${entry.subjectKind}, ${entry.subjectKey},
      ${entry.reason ?? null}, ${json(entry.before)}::text::jsonb, ${json(entry.after)}::text::jsonb)`);
}
