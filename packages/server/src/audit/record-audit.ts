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

/** Writes who did what to which thing, in the transaction of the deed. Answers the entry's number. Its place in the chain follows after the commit. */
export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<number> {
  const [id] = await recordAudits(tx, [entry]);
  if (id === undefined) throw new Error("The audit entry was not written.");
  return id;
}

/** The same for several deeds of one transaction, in their order. */
export async function recordAudits(tx: Tx, entries: readonly AuditEntry[]): Promise<readonly number[]> {
  if (entries.length === 0) return [];
  const rows = entries.map((entry, n) => ({
    n,
    actor: `${entry.actor.kind}:${entry.actor.name}`,
    action: entry.action,
    subject_kind: entry.subjectKind,
    subject_key: entry.subjectKey,
    reason: entry.reason ?? null,
    before: entry.before ?? null,
    after: entry.after ?? null,
  }));
  const written = await tx.execute<{ id: number }>(sql`
    insert into audit_entry (actor, action, subject_kind, subject_key, reason, before, after)
    select actor, action, subject_kind, subject_key, reason, before, after
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as e(n integer, actor text, action text, subject_kind text, subject_key text, reason text, before jsonb, after jsonb)
    order by n
    returning id`);
  return written.map(({ id }) => id);
}
