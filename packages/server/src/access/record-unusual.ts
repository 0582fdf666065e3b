import { judgeArrival, type KnownNetwork, type UnusualAccess } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { queueForAuditors } from "../audit/publish-head.js";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

/** Who is meant: accounts of people and services by their number, and the name that entries and events have. */
export interface WatchedPrincipal {
  readonly principalId: number;
  readonly name: string;
}

/** Networks that are remembered of a principal; the one that was not seen for longest goes first. */
const MAX_NETWORKS = 50;

/** Notes where a principal comes from, and writes down what is unusual about it. True when something was. */
export function recordArrival(database: Database, principal: WatchedPrincipal, network: string): Promise<boolean> {
  return inTransaction({ database }, async (tx) => {
    const { principalId } = principal;
    // The principal's row is the lock: of two requests from a new network one is the first. It is gone when the account is.
    const rows = await tx.execute(sql`select from principal where id = ${principalId} for no key update`);
    if (rows.length === 0) return false;
    const now = await readNow(tx);
    const known = await tx.execute<KnownNetwork & { readonly [column: string]: unknown }>(sql`
      select network, last_seen_at::timestamptz as "lastSeenAt" from principal_network where principal_id = ${principalId}`);
    await tx.execute(sql`
      insert into principal_network (principal_id, network) values (${principalId}, ${network})
      on conflict (principal_id, network) do update set last_seen_at = app_now()`);
    if (known.length >= MAX_NETWORKS)
      await tx.execute(sql`
        delete from principal_network where principal_id = ${principalId} and network in (
          select network from principal_network where principal_id = ${principalId} order by last_seen_at desc, network offset ${MAX_NETWORKS})`);
    let wrote = false;
    for (const found of judgeArrival({ network, known }, now)) wrote = (await write(tx, principal, found)) || wrote;
    return wrote;
  });
}

/** Writes down what a count found. True when it was not written down within the last hour. */
export function recordUnusual(database: Database, principal: WatchedPrincipal, found: UnusualAccess): Promise<boolean> {
  return inTransaction({ database }, (tx) => write(tx, principal, found));
}

async function write(tx: Tx, { principalId, name }: WatchedPrincipal, { kind, ...found }: UnusualAccess): Promise<boolean> {
  const first = await tx.execute(sql`
    insert into access_notice (principal_id, kind) select id, ${kind} from principal where id = ${principalId}
    on conflict (principal_id, kind) do update set noticed_at = app_now()
      where access_notice.noticed_at <= app_now() - interval '1 hour' or access_notice.noticed_at > app_now()
    returning 1`);
  if (first.length === 0) return false;
  const subject = { subjectKind: "principal", subjectKey: String(principalId) } as const;
  const payload = { name, ...found };
  await recordAudit(tx, { actor: systemActor, action: kind, ...subject, after: payload });
  await appendEvents(tx, [{ kind, ...subject, payload }]);
  await queueForAuditors(tx, kind, { principal: name, ...found });
  return true;
}
