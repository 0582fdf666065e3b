import { resumePolicySchema } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { readOpenSince } from "../runs/open-since.js";
import { targetsOf } from "../runs/ramp.js";
import { hold, type HoldRow } from "./table.js";

/** A job whose held runs would start when nothing held them: `i` and `j` are the aliases of integration and job, `h` of the hold that held them. */
const wouldStart = (since: number): SQL => sql`coalesce(h.catch_up, j.catch_up) <> 'skip' and exists (
  select from run as r where r.job_id = j.id and r.state = 'held' and r.due_at >= ${since}::timestamptz and r.due_at <= app_now())`;

/**
 * In the transaction of an occurrence's release: an unready hold over what it covered, through which the first runs on each target system go
 * ahead. Only where more waits than would go ahead anyway; what has no target system tries nothing and waits for nothing.
 */
export async function placeCanaryHold(
  tx: Tx,
  input: { readonly released: HoldRow; readonly occurrenceId: number; readonly now: number },
): Promise<void> {
  const { released, occurrenceId, now } = input;
  const { canaries } = resumePolicySchema.parse(released.resume);
  if (canaries === 0 || released.mode === "observe") return;
  const crowded = await tx.execute<{ id: number }>(sql`
    select target.system_id as id
    from hold_member as m join integration as i on i.id = m.integration_id join hold as h on h.id = m.hold_id
    join job as j on j.integration_id = i.id cross join lateral ${targetsOf} as target
    where m.hold_id = ${released.id} and m.released_at = ${now}::timestamptz and ${wouldStart(await readOpenSince(tx))}
      and exists (select from control where mode = 'enforce')
    group by target.system_id having count(*) > ${canaries}`);
  if (crowded.length === 0) return;
  const named = await tx.execute<{ key: string; title: string; localStart: string }>(sql`
    select w.key, w.title, o.local_start as "localStart" from occurrence as o join maintenance_window as w on w.id = o.window_id where o.id = ${occurrenceId}`);
  const { key = "", title = "", localStart = "" } = named[0] ?? {};
  const { scope, coverage, owner, resume, catchUp } = released;
  const reason = `Waiting for the first runs after ${title}`;
  const rows = await tx
    .insert(hold)
    .values({ kind: "unready", scope, coverage, owner, resume, catchUp, reason, canaryOf: occurrenceId, canaryTrial: 1, beginsAt: now })
    .returning({ id: hold.id });
  const holdId = rows[0]?.id;
  if (holdId === undefined) throw new Error("The hold was not written.");
  const members = await tx.execute(sql`
    insert into hold_member (hold_id, integration_id, begins_at, mode, path)
    select ${holdId}, m.integration_id, ${now}::timestamptz, 'enforce', ${`first runs after: ${key}`}
    from hold_member as m join integration as i on i.id = m.integration_id
    where m.hold_id = ${released.id} and m.released_at = ${now}::timestamptz
      and exists (select from ${targetsOf} as target where target.system_id = any (${sql.param(crowded.map((one) => one.id))}::integer[]))
    order by m.integration_id
    returning integration_id`);
  const made = { kind: "unready", scope, occurrence: `${key}@${localStart}`, until: null, integrations: members.length };
  const subject = { subjectKind: "hold", subjectKey: String(holdId) } as const;
  await recordAudit(tx, { ...subject, actor: systemActor, action: "hold.create", reason, after: made });
  await appendEvents(tx, [{ ...subject, kind: "hold.created", payload: { ...made, reason } }]);
}
