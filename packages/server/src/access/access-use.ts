import type { Action } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import type { Log } from "../log.js";
import type { Authenticated } from "./authenticate.js";

/** Who used a right: a token by itself, sessions by their account. */
export type AccessUser = Pick<Authenticated, "credential" | "principalId">;

/** Notes which of their rights principals use, for access reviews. Nothing here keeps a request waiting or lets it fail. */
export interface AccessUse {
  /** An action was allowed, and is done now. */
  used(user: AccessUser, action: Action): void;
  /** Resolves when what was noted is written. */
  settled(): Promise<void>;
}

interface Use {
  readonly principalId: number;
  readonly tokenId: number | null;
  readonly action: Action;
}

const DAY_MS = 86_400_000;
/** What is not remembered is written once more, which changes nothing. */
const MAX_REMEMBERED = 50_000;
/** Beyond, uses are left out until the database takes them again: the next one of the same right is noted then. */
const MAX_WAITING = 10_000;

/** Writes each use of a right once a day, so many of them as there are at a time. */
export function createAccessUse(services: { readonly database: Database; readonly log: Log; readonly wallMs?: () => number }): AccessUse {
  const { database, log, wallMs = clock.wallMs } = services;
  const noted = new Set<string>();
  const waiting = new Map<string, Use>();
  let day = 0;
  let isWriting = false;
  const underWay = new Set<Promise<void>>();

  const write = async (): Promise<void> => {
    // After the request's own answer is under way.
    await Promise.resolve();
    while (waiting.size > 0) {
      const uses = [...waiting];
      waiting.clear();
      try {
        await recordUses(
          database,
          uses.map(([, use]) => use),
        );
      } catch (error) {
        for (const [name] of uses) noted.delete(name);
        log.warn({ err: error }, "which rights are used could not be noted");
      }
    }
    // At once, not a moment later: what is noted from here on begins another one.
    isWriting = false;
  };
  const begin = (): void => {
    isWriting = true;
    const done = write().finally(() => underWay.delete(done));
    underWay.add(done);
  };

  return {
    used({ credential, principalId }, action) {
      const today = Math.floor(wallMs() / DAY_MS);
      if (today !== day || noted.size >= MAX_REMEMBERED) noted.clear();
      day = today;
      const tokenId = credential.startsWith("token:") ? Number(credential.slice("token:".length)) : null;
      const name = `${principalId} ${tokenId ?? "session"} ${action}`;
      if (noted.has(name) || waiting.size >= MAX_WAITING) return;
      noted.add(name);
      waiting.set(name, { principalId, tokenId, action });
      if (!isWriting) begin();
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

/** Accounts and tokens that are gone meanwhile are left out. */
async function recordUses(database: Database, uses: readonly Use[]): Promise<void> {
  const rows = uses.map(({ principalId, tokenId, action }) => ({ principal_id: principalId, token_id: tokenId, action }));
  await database.db.execute(sql`
    insert into access_use (principal_id, token_id, action, first_used_on, last_used_on)
    select u.principal_id, u.token_id, u.action, today.day, today.day
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as u(principal_id bigint, token_id bigint, action text)
    cross join lateral (select (app_now() at time zone 'UTC')::date as day) as today
    where exists (select from principal as p where p.id = u.principal_id)
      and (u.token_id is null or exists (select from api_token as t where t.id = u.token_id))
    order by u.principal_id, u.token_id, u.action
    on conflict (principal_id, token_id, action) do update set last_used_on = excluded.last_used_on
      where access_use.last_used_on < excluded.last_used_on`);
}
