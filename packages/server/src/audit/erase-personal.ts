import {
  DomainError,
  erasedMark,
  erasureAction,
  type ErasureScope,
  nameOf,
  type SealedEntry,
  valuesToErase,
  withValues,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents } from "../events/append-events.js";
import { eraseFromIncidents } from "../incidents/erase-people.js";
import { sealedEntries } from "./chain-store.js";
import { recordAudit } from "./record-audit.js";
import { sealAll } from "./seal-entries.js";

/** Entries of one transaction, which is one order in the trail. */
const batchSize = 200;
const reasonMax = 2_000;

export interface ErasureInput {
  readonly actor?: string | undefined;
  readonly subjectKind?: string | undefined;
  readonly subjectKey?: string | undefined;
  readonly reason: string;
}

export interface Erasure {
  /** Values that are gone. */
  readonly values: number;
  /** In so many entries. */
  readonly entries: number;
  /** Incidents out of which names and words went. */
  readonly incidents: number;
  /** The entries that order it. */
  readonly orders: readonly number[];
}

/**
 * Takes the personal values of an actor, or of the entries about a thing, out of the audit trail for good: the value and its salt. What was done, to what
 * and when stays, and so does the chain. What it took stands in entries of its own, by number and field, without a name. The same goes out of incidents, which
 * are kept as long as the trail is.
 * Throws QSC_AUDIT_ERASE_WHAT, QSC_AUDIT_ERASE_REASON, QSC_AUDIT_ERASE_NOTHING.
 */
export async function eraseAuditPersonal(context: CommandContext, input: ErasureInput): Promise<Erasure> {
  const scope = scopeOf(input);
  const reason = input.reason.trim();
  if (reason === "" || reason.length > reasonMax) {
    throw new DomainError(
      "QSC_AUDIT_ERASE_REASON",
      `The reason has ${reason.length} characters, expected 1 to ${reasonMax}. Say why, such as the number of the request, and name nobody.`,
      { field: "reason" },
    );
  }
  // Values have commitments only once their entries are sealed.
  await sealAll(context);
  const incidents = await eraseFromIncidents(context, { scope, reason });
  const orders: number[] = [];
  let [values, entries, after] = [0, 0, 0];
  for (;;) {
    const batch = await inTransaction(context, (tx) => eraseBatch(tx, { context, scope, reason, after }));
    if (batch === null) break;
    after = batch.last;
    values += batch.values;
    entries += batch.entries;
    if (batch.order !== null) orders.push(batch.order);
  }
  if (orders.length === 0 && incidents === 0) {
    throw new DomainError(
      "QSC_AUDIT_ERASE_NOTHING",
      "No entry of the audit trail and no incident has a value of it. Actors are written as the query audit shows them: token:ada.",
      { field: scope.kind === "actor" ? "actor" : "subjectKey" },
    );
  }
  return { values, entries, incidents, orders };
}

function scopeOf({ actor, subjectKind, subjectKey }: ErasureInput): ErasureScope {
  const isActor = actor !== undefined && subjectKind === undefined && subjectKey === undefined;
  if (isActor && /^(person|token|gate):./.test(actor)) return { kind: "actor", actor };
  if (actor === undefined && subjectKind !== undefined && subjectKey !== undefined) return { kind: "subject", subjectKind, subjectKey };
  throw new DomainError(
    "QSC_AUDIT_ERASE_WHAT",
    isActor
      ? `"${actor}" is no actor that stands for a person. Expected kind:name, such as token:ada.`
      : "Expected either an actor, such as token:ada, or a subjectKind with its subjectKey.",
    { field: "actor" },
  );
}

interface Batch {
  readonly last: number;
  readonly values: number;
  readonly entries: number;
  readonly order: number | null;
}

async function eraseBatch(
  tx: Tx,
  of: { readonly context: CommandContext; readonly scope: ErasureScope; readonly reason: string; readonly after: number },
): Promise<Batch | null> {
  const { context, scope, reason, after } = of;
  const found = await lockCandidates(tx, scope, after);
  const last = found.at(-1);
  if (last === undefined) return null;
  const taken = found.flatMap((entry) => {
    const fields = valuesToErase(entry, scope);
    return fields.length === 0 ? [] : [{ entry, fields }];
  });
  const values = taken.flatMap(({ entry, fields }) => fields.map((field) => [entry.id, field] as const));
  if (values.length === 0) return { last: last.position, values: 0, entries: 0, order: null };
  const subject = { subjectKind: "control", subjectKey: "audit" } as const;
  const order = await recordAudit(tx, { ...subject, actor: context.actor, action: erasureAction, reason, after: { values } });
  await writeErased(tx, taken, order);
  await appendEvents(tx, [{ ...subject, kind: "audit.erased", payload: { values: values.length, entries: taken.length, order } }]);
  return { last: last.position, values: values.length, entries: taken.length, order };
}

/** The next sealed entries in which the scope may have values, locked. What is no value of it among them is told apart in core. */
async function lockCandidates(tx: Tx, scope: ErasureScope, after: number): Promise<readonly SealedEntry[]> {
  const concerns =
    scope.kind === "subject"
      ? sql`e.subject_kind = ${scope.subjectKind} and e.subject_key = ${scope.subjectKey}`
      : // As JSON writes the name: a quote in it has a backslash.
        sql`(e.actor = ${scope.actor} or position(${JSON.stringify(nameOf(scope.actor)).slice(1, -1)} in concat(e.before, e.after)) > 0)`;
  const rows = await selectRows<{ readonly position: number }>(
    tx,
    sql`
    select e.position from audit_entry as e where e.position > ${after} and ${concerns} order by e.position limit ${batchSize} for update`,
  );
  const positions = rows.map(({ position }) => position);
  return positions.length === 0 ? [] : sealedEntries(tx, sql`e.position = any(${sql.param(positions)}::bigint[])`, batchSize);
}

async function writeErased(
  tx: Tx,
  taken: readonly { readonly entry: SealedEntry; readonly fields: readonly string[] }[],
  order: number,
): Promise<void> {
  const rows = taken.map(({ entry, fields }) => {
    const { id, actor, reason, before, after } = withValues(entry, new Map(fields.map((field) => [field, erasedMark])));
    return { id, actor, reason, before, after, fields };
  });
  const text = JSON.stringify(rows);
  await tx.execute(sql`select set_config('quiesce.audit_change', 'erase', true)`);
  await tx.execute(sql`
    update audit_entry as e set actor = r.actor, reason = r.reason, before = r.before, after = r.after
    from jsonb_to_recordset(${text}::text::jsonb) as r(id bigint, actor text, reason text, before jsonb, after jsonb) where e.id = r.id`);
  await tx.execute(sql`select set_config('quiesce.audit_change', '', true)`);
  await tx.execute(sql`
    update audit_personal as p set salt = null, erased_by = ${order}
    from jsonb_to_recordset(${text}::text::jsonb) as r(id bigint, fields jsonb)
    where p.entry_id = r.id and r.fields ? p.field`);
}
