import { erasedMark, type ErasureScope, nameOf } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";
import { appendEvents } from "../events/append-events.js";

/** Incidents of one transaction. */
const batchSize = 200;

/**
 * Takes people out of incidents for good: of an actor the name wherever it stands (who works on them, who offered, who placed alerts or linked a problem, who is on the timeline) and the words
 * that this one wrote; of one incident everybody and every word. What was done, and when, stays. Answers of how many incidents; none when there was nothing.
 */
export async function eraseFromIncidents(
  context: CommandContext,
  of: { readonly scope: ErasureScope; readonly reason: string },
): Promise<number> {
  const whose = whoseOf(of.scope);
  if (whose === null) return 0;
  let [erased, after] = [0, 0];
  for (;;) {
    const ids = await inTransaction(context, (tx) => eraseBatch(tx, { context, whose, after, reason: of.reason }));
    const last = ids.at(-1);
    if (last === undefined) return erased;
    erased += ids.length;
    after = last;
  }
}

/** Conditions on rows of `incident as i`, `incident_entry as e` and `alert_standing as t`. */
interface Whose {
  readonly incident: SQL;
  /** A name that stands in a column. */
  readonly isNamed: (column: SQL) => SQL;
  /** An entry whose actor it is. */
  readonly isOwn: SQL;
}

function whoseOf(scope: ErasureScope): Whose | null {
  if (scope.kind === "actor") {
    const [actor, name] = [scope.actor, nameOf(scope.actor)];
    return { incident: sql`true`, isNamed: (column) => sql`${column} = ${name}`, isOwn: sql`e.actor = ${actor}` };
  }
  if (scope.subjectKind !== "incident" || !/^\d{1,15}$/.test(scope.subjectKey)) return null;
  const isPerson = sql`e.actor ~ '^(person|token|gate):'`;
  return { incident: sql`i.id = ${scope.subjectKey}::bigint`, isNamed: (column) => sql`${column} <> ${erasedMark}`, isOwn: isPerson };
}

async function eraseBatch(
  tx: Tx,
  of: { readonly context: CommandContext; readonly whose: Whose; readonly after: number; readonly reason: string },
): Promise<readonly number[]> {
  const { context, whose, after, reason } = of;
  const { isNamed, isOwn } = whose;
  const [assignee, offeredBy, placedBy] = [isNamed(sql`i.assignee`), isNamed(sql`i.offered_by`), isNamed(sql`i.problem_placed_by`)];
  const entryOf = sql`e.incident_id = i.id and (${isOwn} or ${isNamed(sql`e.data ->> 'assignee'`)})`;
  const rows = await selectRows<{ id: number }>(
    tx,
    sql`
    select i.id from incident as i
    where i.id > ${after}::bigint and ${whose.incident} and (${assignee} or ${offeredBy} or ${placedBy}
      or exists (select from incident_entry as e where ${entryOf})
      or exists (select from alert_standing as t where t.incident_id = i.id and ${isNamed(sql`t.placed_by`)}))
    order by i.id limit ${batchSize} for update`,
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length === 0) return ids;
  const these = bigints(ids);
  const mark = sql`${erasedMark}::text`;
  // Before the entries: they say who put it on hold, and why.
  await tx.execute(sql`
    update incident as i set assignee = case when ${assignee} then ${mark} else i.assignee end, offered_by = case when ${offeredBy} then ${mark} else i.offered_by end,
      offer_reason = case when ${offeredBy} then ${mark} else i.offer_reason end, problem_placed_by = case when ${placedBy} then ${mark} else i.problem_placed_by end,
      hold_reason = case when exists (select from incident_entry as e where e.incident_id = i.id and ${isOwn} and e.data ->> 'reason' = i.hold_reason)
        then ${mark} else i.hold_reason end
    where i.id = any (${these})`);
  await tx.execute(
    sql`update alert_standing as t set placed_by = ${mark} where t.incident_id = any (${these}) and ${isNamed(sql`t.placed_by`)}`,
  );
  await tx.execute(sql`
    update incident_entry as e set actor = case when ${isOwn} then ${mark} else e.actor end,
      text = case when ${isOwn} and e.kind = 'note' then ${mark}
        when ${isNamed(sql`e.data ->> 'assignee'`)} and starts_with(e.text, e.data ->> 'assignee')
          then ${mark} || substr(e.text, length(e.data ->> 'assignee') + 1) else e.text end,
      data = e.data
        || case when ${isOwn} and e.data ? 'reason' then jsonb_build_object('reason', ${mark}) else '{}' end
        || case when ${isNamed(sql`e.data ->> 'assignee'`)} then jsonb_build_object('assignee', ${mark}) else '{}' end
    from incident as i where i.id = any (${these}) and ${entryOf}`);
  const subject = { subjectKind: "control", subjectKey: "incidents" } as const;
  const order = await recordAudit(tx, {
    ...subject,
    actor: context.actor,
    action: "incident.erase-people",
    reason,
    after: { incidents: ids.length },
  });
  await appendEvents(tx, [{ ...subject, kind: "incident.people-erased", payload: { incidents: ids.length, order } }]);
  return ids;
}
