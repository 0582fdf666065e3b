import { createHash, randomBytes } from "node:crypto";
import { DomainError, type Role } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type Actor, type CommandContext, inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

const TOKEN_START = "qsc_";
const TOKEN_BYTES = 32;
/** So many characters of a token are kept readable, so that a person can tell tokens apart: 4 + 36 bits of 256. */
const PREFIX_LENGTH = TOKEN_START.length + 6;
const TOKEN_SHAPE = /^qsc_[A-Za-z0-9_-]{43}$/;
const NAME_MAX = 200;

/** A token as it is handed out. `secret` exists only in this value: the database keeps its SHA-256. */
export interface NewToken {
  readonly id: number;
  readonly name: string;
  readonly secret: string;
}

export interface TokenInput {
  readonly name: string;
  readonly role: Role;
  /** Epoch milliseconds; null or absent: until it is revoked. */
  readonly expiresAt?: number | null | undefined;
}

/** True for text that could be a token; everything else is refused without asking the database. */
export function looksLikeToken(text: string): boolean {
  return TOKEN_SHAPE.test(text);
}

/** What the database knows of a token. 256 random bits need no slow hash: there is nothing to guess. */
export function hashToken(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}

/** Makes a token. Throws QSC_ACCESS_TOKEN_NAME, QSC_ACCESS_TOKEN_EXPIRY. */
export function createToken(context: CommandContext, input: TokenInput): Promise<NewToken> {
  return inTransaction(context, (tx) => insertToken(tx, context.actor, input));
}

/** Ends a token at once; open sockets of it are closed within seconds. Revoking twice is no error. Throws QSC_ACCESS_TOKEN_NOT_FOUND. */
export function revokeToken(
  context: CommandContext,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    const [row] = await tx.execute<{ name: string; role: string; revoked: boolean }>(sql`
      select name, role, revoked_at is not null as revoked from api_token where id = ${input.id} for update`);
    if (row === undefined)
      throw new DomainError("QSC_ACCESS_TOKEN_NOT_FOUND", `There is no token ${input.id}. List them with the query tokens.`, {
        field: "key",
      });
    if (row.revoked) return { id: input.id };
    await tx.execute(sql`update api_token set revoked_at = app_now() where id = ${input.id}`);
    const subject = { subjectKind: "token", subjectKey: String(input.id) } as const;
    await recordAudit(tx, {
      actor: context.actor,
      action: "token.revoke",
      ...subject,
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      before: { name: row.name, role: row.role, revoked: false },
      after: { name: row.name, role: row.role, revoked: true },
    });
    await appendEvents(tx, [{ kind: "token.revoked", ...subject, payload: { name: row.name } }]);
    return { id: input.id };
  });
}

/**
 * On a database that never had a token, makes one for an admin and answers it, to be shown this once; else null.
 * Of several servers that start together one makes it.
 */
export function ensureFirstToken(database: Database): Promise<NewToken | null> {
  return inTransaction({ database }, async (tx) => {
    await tx.execute(sql`lock table api_token in share row exclusive mode`);
    const [row] = await tx.execute<{ any: boolean }>(sql`select exists (select from api_token) as any`);
    return row?.any === true ? null : insertToken(tx, systemActor, { name: "first-admin", role: "admin" });
  });
}

async function insertToken(tx: Tx, actor: Actor, input: TokenInput): Promise<NewToken> {
  const name = input.name.trim();
  if (name === "" || name.length > NAME_MAX) {
    throw new DomainError(
      "QSC_ACCESS_TOKEN_NAME",
      `A token's name has 1 to ${NAME_MAX} characters; this one has ${name.length}. Name who or what uses it.`,
      { field: "name" },
    );
  }
  const expiresAt = input.expiresAt ?? null;
  const now = await readNow(tx);
  if (expiresAt !== null && expiresAt <= now) {
    throw new DomainError(
      "QSC_ACCESS_TOKEN_EXPIRY",
      `The token would have expired at ${new Date(expiresAt).toISOString()}. Give a later time, or none.`,
      { field: "expiresAt" },
    );
  }
  const secret = TOKEN_START + randomBytes(TOKEN_BYTES).toString("base64url");
  const [row] = await tx.execute<{ id: number }>(sql`
    insert into api_token (name, prefix, hash, role, created_by, expires_at)
    values (${name}, ${secret.slice(0, PREFIX_LENGTH)}, ${hashToken(secret)}, ${input.role}, ${`${actor.kind}:${actor.name}`}, ${expiresAt}::timestamptz)
    returning id`);
  if (row === undefined) throw new Error("The token was not written.");
  const subject = { subjectKind: "token", subjectKey: String(row.id) } as const;
  await recordAudit(tx, { actor, action: "token.create", ...subject, after: { name, role: input.role, expiresAt } });
  await appendEvents(tx, [{ kind: "token.created", ...subject, payload: { name, role: input.role } }]);
  return { id: row.id, name, secret };
}
