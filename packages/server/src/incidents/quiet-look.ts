import { keptAfterEndMs, nextAlertLookAt, type PipedAlert } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { mutingKinds, type Situation } from "./situation.js";
import { texts } from "../db/sql-arrays.js";

interface KeptLook {
  readonly news: number;
  readonly lookedAt: number | null;
  readonly dueAt: number | null;
}

/**
 * True when a look would decide what the last one did: no fact that it reads was written since (triggers leave a row in `alert_news`), and no instant has
 * come at which time alone changes a decision. Takes the news away, with the caller's transaction. A clock that went back makes the look a whole one.
 */
export async function isQuiet(tx: Tx, now: number): Promise<boolean> {
  const [kept] = await selectRows<KeptLook>(
    tx,
    sql`
    with taken as (delete from alert_news returning 1)
    select (select count(*)::integer from taken) as news, k.looked_at as "lookedAt", k.due_at as "dueAt"
    from (select) as always left join alert_look as k on true`,
  );
  if (kept === undefined || kept.lookedAt === null || kept.dueAt === null) return false;
  return kept.news === 0 && kept.lookedAt <= now && now < kept.dueAt;
}

/** Keeps until when time alone changes nothing of what a whole look decided. What the look itself wrote is news, so that another whole one follows. */
export async function keepLook(
  tx: Tx,
  look: {
    readonly situation: Situation;
    readonly piped: readonly PipedAlert[];
    readonly raisedAt: readonly number[];
    /** When the situation was read, and the later instant by which it was judged. */
    readonly began: number;
    readonly now: number;
  },
): Promise<void> {
  const { situation, piped, raisedAt, began, now } = look;
  const consideredAt = new Map(situation.alerts.map((alert) => [alert.id, alert.consideredAt]));
  const alerts = piped.map((alert) => ({ ...alert, consideredAt: consideredAt.get(alert.id) ?? null }));
  const windowTurnsAt = situation.alerts.length === 0 ? null : await nextWindowTurn(tx, began);
  const dueAt = nextAlertLookAt({ alerts, incidents: situation.incidents, raisedAt, windowTurnsAt }, now);
  await tx.execute(sql`
    insert into alert_look (looked_at, due_at) values (${now}::timestamptz, ${dueAt}::timestamptz)
    on conflict (single) do update set looked_at = excluded.looked_at, due_at = excluded.due_at`);
}

async function nextWindowTurn(tx: Tx, after: number): Promise<number | null> {
  const [row] = await selectRows<{ at: number | null }>(
    tx,
    sql`
    select min(turn.at) as at
    from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id
    cross join lateral (
      values (h.begins_at), (o.starts_at), (o.ends_at), (h.released_at), (o.ends_at + make_interval(secs => ${keptAfterEndMs / 1_000}))) as turn(at)
    where h.mode = 'enforce' and w.kind = any (${texts(mutingKinds)}) and o.ends_at > ${after - keptAfterEndMs}::timestamptz and turn.at > ${after}::timestamptz`,
  );
  return row?.at ?? null;
}
