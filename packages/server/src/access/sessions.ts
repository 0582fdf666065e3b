import { DomainError, readGrants } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type Actor, type CommandContext, inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents } from "../events/append-events.js";
import { personActor } from "./person-actor.js";
import { hashSecret, newSecret } from "./secrets.js";

/** How long sessions live. */
export interface SessionLimits {
  /** Without a request. */
  readonly idleSeconds: number;
  /** Whatever is done. */
  readonly lifetimeSeconds: number;
}

/** A working day without a request; one sign-in a day. */
export const defaultSessionLimits: SessionLimits = { idleSeconds: 8 * 3_600, lifetimeSeconds: 24 * 3_600 };

/** A session as it is handed to a browser. `secret` exists only in this value and in the cookie. */
export interface NewSession {
  readonly id: number;
  readonly secret: string;
  readonly expiresAt: number;
}

/** A person has a few browsers; the oldest session makes room. */
const MAX_SESSIONS = 20;
const BROWSER_MAX = 200;
/** Ended sessions are looked at for so long, and then forgotten. */
const KEPT_DAYS = 30;
const SWEPT_AT_ONCE = 500;

/**
 * Begins a session, always with a secret of its own: what a browser held before is worth nothing then, so nobody can plant a session on somebody.
 * The account's row must be locked.
 */
export async function startSession(
  tx: Tx,
  input: {
    readonly principal: { readonly id: number; readonly name: string };
    readonly actor: Actor;
    readonly method: "oidc" | "link";
    readonly browser: string | undefined;
    readonly limits: SessionLimits;
  },
): Promise<NewSession> {
  const { principal, actor, method, limits } = input;
  const now = await readNow(tx);
  const open = await selectRows<{ id: number }>(
    tx,
    sql`select id from session where principal_id = ${principal.id} and ended_at is null and expires_at > ${now}::timestamptz and idle_until > ${now}::timestamptz order by id desc`,
  );
  for (const { id } of open.slice(MAX_SESSIONS - 1)) await closeSession(tx, { id, actor, name: principal.name, why: "too many sessions" });
  await tx.execute(sql`
    delete from session where id in (
      select id from session where expires_at < app_now() - make_interval(days => ${KEPT_DAYS}) order by id limit ${SWEPT_AT_ONCE} for update skip locked)`);
  const secret = newSecret("session");
  const expiresAt = now + limits.lifetimeSeconds * 1_000;
  const idleUntil = Math.min(expiresAt, now + limits.idleSeconds * 1_000);
  const [row] = await tx.execute<{ id: number }>(sql`
    insert into session (hash, principal_id, method, browser, created_at, last_used_at, idle_seconds, idle_until, expires_at)
    values (${hashSecret(secret)}, ${principal.id}, ${method}, ${printable(input.browser)}, ${now}::timestamptz, ${now}::timestamptz,
      ${limits.idleSeconds}, ${idleUntil}::timestamptz, ${expiresAt}::timestamptz)
    returning id`);
  if (row === undefined) throw new Error("The session was not written.");
  await tx.execute(sql`update principal set last_seen_at = ${now}::timestamptz where id = ${principal.id}`);
  const subject = { subjectKind: "session", subjectKey: String(row.id) } as const;
  await recordAudit(tx, { actor, action: "session.start", ...subject, after: { name: principal.name, method, expiresAt } });
  await appendEvents(tx, [{ kind: "session.started", ...subject, payload: { method } }]);
  return { id: row.id, secret, expiresAt };
}

/**
 * Ends a session at once; its open streams are closed within seconds. Twice is no error. With `ownerId` only a session of that account is found.
 * Throws QSC_ACCESS_SESSION_NOT_FOUND.
 */
export function endSession(
  context: CommandContext,
  input: { readonly id: number; readonly ownerId: number | null; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    const [row] = await selectRows<{ name: string; principalId: number; ended: boolean }>(
      tx,
      sql`select p.name, p.id as "principalId", s.ended_at is not null as ended
        from session as s join principal as p on p.id = s.principal_id where s.id = ${input.id} for update of s`,
    );
    if (row === undefined || (input.ownerId !== null && row.principalId !== input.ownerId))
      throw new DomainError(
        "QSC_ACCESS_SESSION_NOT_FOUND",
        `There is no session ${input.id} of yours. List them: me { sessions { key } }.`,
        {
          field: "key",
        },
      );
    if (!row.ended) await closeSession(tx, { id: input.id, actor: context.actor, name: row.name, why: input.reason });
    return { id: input.id };
  });
}

/** Ends the session of a cookie: a sign-out. One that is over, or never was, is no error. */
export function endSessionOfSecret(database: Database, secret: string): Promise<void> {
  return inTransaction({ database }, async (tx) => {
    const [row] = await selectRows<{ id: number; name: string; grants: unknown }>(
      tx,
      sql`select s.id, p.name, p.grants from session as s join principal as p on p.id = s.principal_id
        where s.hash = ${hashSecret(secret)} and s.ended_at is null for update of s`,
    );
    if (row === undefined) return;
    await closeSession(tx, { id: row.id, name: row.name, actor: personActor(row.name, readGrants(row.grants)), why: "signed out" });
  });
}

/** Ends every session of an account that is being disabled or has lost its grants: the reason stands in that deed's own audit entry. */
export async function endSessionsOf(tx: Tx, principalId: number): Promise<void> {
  const rows = await selectRows<{ id: number }>(
    tx,
    sql`update session set ended_at = app_now() where principal_id = ${principalId} and ended_at is null returning id`,
  );
  await appendEvents(
    tx,
    rows.map(({ id }) => ({ kind: "session.ended", subjectKind: "session", subjectKey: String(id) })),
  );
}

async function closeSession(
  tx: Tx,
  input: { readonly id: number; readonly actor: Actor; readonly name: string; readonly why: string | undefined },
): Promise<void> {
  await tx.execute(sql`update session set ended_at = app_now() where id = ${input.id}`);
  const subject = { subjectKind: "session", subjectKey: String(input.id) } as const;
  await recordAudit(tx, {
    actor: input.actor,
    action: "session.end",
    ...subject,
    ...(input.why === undefined ? {} : { reason: input.why }),
    after: { name: input.name },
  });
  await appendEvents(tx, [{ kind: "session.ended", ...subject }]);
}

/** What a browser calls itself is its own word: kept short, on one line. */
function printable(text: string | undefined): string | null {
  const line = (text ?? "").replaceAll(/\p{C}/gu, " ").trim().slice(0, BROWSER_MAX);
  return line === "" ? null : line;
}
