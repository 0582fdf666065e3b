import type { FeedScope } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** What the UIDs of this deployment's feeds end with. */
export async function calendarDomain(tx: Tx): Promise<string> {
  const [row] = await tx.execute<{ domain: string }>(sql`select domain::text as domain from calendar_domain`);
  if (row === undefined) throw new Error("calendar_domain has lost its row.");
  return row.domain;
}

/** The feed of that hashed secret, when it is not revoked; notes that it was read, to the minute. */
export async function readFeed(
  tx: Tx,
  hash: Buffer,
): Promise<{ readonly id: number; readonly title: string; readonly scope: FeedScope } | null> {
  const [row] = await tx.execute<{ id: number; title: string; scope: FeedScope }>(sql`
    with found as (select * from calendar_feed where hash = ${hash} and revoked_at is null), used as (
      update calendar_feed as f set last_read_at = app_now() from found
      where f.id = found.id and (found.last_read_at is null or found.last_read_at < app_now() - interval '1 minute')
    )
    select id, title, scope from found`);
  return row ?? null;
}

/** An occurrence that has begun and is not released. */
export interface OpenOccurrence {
  readonly [column: string]: unknown;
  readonly windowId: number;
  readonly localStart: string;
  readonly startsAt: number;
  readonly endsAt: number;
}

/** The open occurrences of these windows, locked. */
export async function openOccurrences(tx: Tx, windowIds: readonly number[]): Promise<readonly OpenOccurrence[]> {
  if (windowIds.length === 0) return [];
  return tx.execute<OpenOccurrence>(sql`
    select o.window_id as "windowId", o.local_start as "localStart", o.starts_at as "startsAt", o.ends_at as "endsAt"
    from occurrence as o join hold as h on h.occurrence_id = o.id
    where o.window_id = any (${sql.param(windowIds)}::integer[]) and o.starts_at <= app_now() and o.ends_at > app_now() and h.released_at is null
      and o.cancelled_at is null
    order by o.id for update of o`);
}
