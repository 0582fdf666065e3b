import { createHash, randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { restoreOwner } from "../hold-commands.js";
import type { WantedAnnouncement } from "./wanted-downtimes.js";

/** A server that looks at a monitor and dies gives it free after this; a call takes two thirds of it at most. */
const LEASE_MS = 30_000;
/** What others did to a monitor is found within this. */
const LOOK_EVERY_MS = 120_000;
/** After something was told, it is looked whether it is so. */
const LOOK_AGAIN_MS = 15_000;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;

/** The right to tell a monitor something, for a while. */
export interface MonitorLook {
  readonly endpointId: number;
  readonly endpoint: string;
  readonly holder: string;
}

/**
 * The monitors whose turn it is: where something else should be than when it was looked at last, whose time has come, and after a restart of any server
 * whatever was left half done (its lease ends). Each is taken by one server. A restored database leaves the monitors alone until somebody has looked at
 * it: the one that it was taken from may still run, and theirs would go.
 */
export async function takeLooks(
  database: Database,
  input: { readonly wanted: ReadonlyMap<number, readonly WantedAnnouncement[]>; readonly limit: number },
): Promise<readonly MonitorLook[]> {
  const watched = await selectRows<{ id: number; key: string }>(
    database.db,
    sql`
    select e.id, e.key from endpoint as e
    where (exists (select from system_monitor as m where m.endpoint_id = e.id)
        or exists (select from monitor_announcement as a where a.endpoint_id = e.id and a.withdrawn_at is null))
      and not exists (select from hold as h where h.kind = 'manual' and h.owner = ${restoreOwner} and h.released_at is null)
    order by e.id`,
  );
  const looks: MonitorLook[] = [];
  for (const { id, key } of watched) {
    if (looks.length === input.limit) break;
    const holder = randomUUID();
    const digest = digestOf(input.wanted.get(id) ?? []);
    const taken = await database.db.execute(sql`
      insert into monitor_look as l (endpoint_id, holder, held_until, digest, next_at)
      values (${id}, ${holder}::uuid, app_now() + ${LEASE_MS}::float8 * interval '1 millisecond', ${digest}, app_now())
      on conflict (endpoint_id) do update set holder = excluded.holder, held_until = excluded.held_until, digest = excluded.digest,
        -- Until the look has come to its end its turn stays: whoever dies in it is followed when the lease ends.
        next_at = excluded.next_at
      where (l.held_until is null or l.held_until <= app_now()) and (l.next_at <= app_now() or l.digest <> excluded.digest)
      returning 1`);
    if (taken.length > 0) looks.push({ endpointId: id, endpoint: key, holder });
  }
  return looks;
}

/** Keeps the monitor a while longer; false when it is somebody else's by now, who may tell it otherwise. */
export async function keepLook(tx: Tx, { endpointId, holder }: MonitorLook): Promise<boolean> {
  const kept = await tx.execute(sql`
    update monitor_look set held_until = app_now() + ${LEASE_MS}::float8 * interval '1 millisecond'
    where endpoint_id = ${endpointId} and holder = ${holder}::uuid and held_until > app_now() returning 1`);
  return kept.length > 0;
}

/** Gives the monitor free. `told`: something was changed there; `error`: it did not answer, or not as agreed. */
export async function endLook(
  database: Database,
  look: MonitorLook,
  result: { readonly told: boolean; readonly error: string | null },
): Promise<void> {
  const { endpointId, holder } = look;
  const afterMs = result.told ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
  await database.db.execute(
    result.error === null
      ? sql`
      update monitor_look set holder = null, held_until = null, looked_at = app_now(), failures = 0, failing_since = null, last_error = null,
        next_at = app_now() + ${afterMs}::float8 * interval '1 millisecond'
      where endpoint_id = ${endpointId} and holder = ${holder}::uuid`
      : sql`
      update monitor_look set holder = null, held_until = null, failures = failures + 1, failing_since = coalesce(failing_since, app_now()),
        last_error = ${result.error},
        next_at = app_now() + least(${MAX_RETRY_MS}::float8, ${FIRST_RETRY_MS}::float8 * power(2, least(failures, 10))) * interval '1 millisecond'
      where endpoint_id = ${endpointId} and holder = ${holder}::uuid`,
  );
}

/** A stop is no failure: whoever starts next looks at once. */
export async function abandonLook(database: Database, { endpointId, holder }: MonitorLook): Promise<void> {
  await database.db.execute(sql`
    update monitor_look set holder = null, held_until = null, next_at = app_now() where endpoint_id = ${endpointId} and holder = ${holder}::uuid`);
}

function digestOf(wanted: readonly WantedAnnouncement[]): string {
  return createHash("sha256").update(JSON.stringify(wanted)).digest("base64");
}
