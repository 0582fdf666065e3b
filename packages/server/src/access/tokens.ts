import { describeGrants, DomainError, type Grant, maxGrants, readGrants, type Role } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type Actor, type CommandContext, inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { insertPrincipal, lockNames, lockPrincipalByName, principalName } from "./principal-store.js";
import { hashSecret, newSecret, secretStarts } from "./secrets.js";

/** So many characters of a token are kept readable, so that a person can tell tokens apart: 4 + 36 bits of 256. */
const PREFIX_LENGTH = secretStarts.token.length + 6;
const NAME_MAX = 200;

/** A token as it is handed out. `secret` exists only in this value: the database keeps its SHA-256. */
export interface NewToken {
  readonly id: number;
  readonly name: string;
  readonly secret: string;
}

export interface TokenInput {
  readonly name: string;
  /** A role over everything; or `grants`. */
  readonly role?: Role | undefined;
  /** What it may do, where; with `role` both add up. */
  readonly grants?: readonly Grant[] | undefined;
  /** Epoch milliseconds; null or absent: until it is revoked. */
  readonly expiresAt?: number | null | undefined;
  /** The name of the account that it belongs to; left out: the service account of the token's own name, made when there is none. */
  readonly account?: string | undefined;
}

/**
 * Makes a token. Throws QSC_ACCESS_TOKEN_NAME, QSC_ACCESS_GRANT, QSC_ACCESS_TOKEN_EXPIRY, QSC_ACCESS_PRINCIPAL_NOT_FOUND, QSC_ACCESS_DISABLED, and
 * QSC_ACCESS_NOT_OWN for a token that would act in another person's name.
 */
export function createToken(context: CommandContext, input: TokenInput): Promise<NewToken> {
  return inTransaction(context, (tx) => insertToken(tx, context.actor, input));
}

/** Ends a token at once; open sockets of it are closed within seconds. Revoking twice is no error. Throws QSC_ACCESS_TOKEN_NOT_FOUND. */
export function revokeToken(
  context: CommandContext,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, (tx) => revokeTokenIn(tx, context.actor, input));
}

/** The same within a transaction that does more. */
export async function revokeTokenIn(
  tx: Tx,
  actor: Actor,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  const [row] = await tx.execute<{ name: string; grants: unknown; revoked: boolean }>(sql`
    select name, grants, revoked_at is not null as revoked from api_token where id = ${input.id} for update`);
  if (row === undefined)
    throw new DomainError("QSC_ACCESS_TOKEN_NOT_FOUND", `There is no token ${input.id}. List them with the query tokens.`, {
      field: "key",
    });
  if (row.revoked) return { id: input.id };
  await tx.execute(sql`update api_token set revoked_at = app_now() where id = ${input.id}`);
  const subject = { subjectKind: "token", subjectKey: String(input.id) } as const;
  await recordAudit(tx, {
    actor,
    action: "token.revoke",
    ...subject,
    ...(input.reason === undefined ? {} : { reason: input.reason }),
    before: { name: row.name, grants: describeGrants(readGrants(row.grants)), revoked: false },
    after: { name: row.name, grants: describeGrants(readGrants(row.grants)), revoked: true },
  });
  await appendEvents(tx, [{ kind: "token.revoked", ...subject, payload: { name: row.name } }]);
  return { id: input.id };
}

/**
 * On a database that never had a token, makes one for an admin and answers it, to be shown this once; else null.
 * Of several servers that start together one makes it.
 */
export function ensureFirstToken(database: Database): Promise<NewToken | null> {
  return inTransaction({ database }, async (tx) => {
    await lockNames(tx);
    await tx.execute(sql`lock table api_token in share row exclusive mode`);
    const [row] = await tx.execute<{ any: boolean }>(sql`select exists (select from api_token) as any`);
    return row?.any === true ? null : insertToken(tx, systemActor, { name: "first-admin", role: "admin" });
  });
}

/** Writes a token, with its audit entry and event; nobody gets one in another person's name. */
export async function insertToken(tx: Tx, actor: Actor, input: TokenInput): Promise<NewToken> {
  const name = input.name.trim();
  if (name === "" || name.length > NAME_MAX) {
    throw new DomainError(
      "QSC_ACCESS_TOKEN_NAME",
      `A token's name has 1 to ${NAME_MAX} characters; this one has ${name.length}. Name who or what uses it.`,
      { field: "name" },
    );
  }
  const grants: readonly Grant[] = [
    ...(input.role === undefined ? [] : [{ role: input.role, scope: { kind: "all" } } as const]),
    ...(input.grants ?? []),
  ];
  if (grants.length === 0 || grants.length > maxGrants)
    throw new DomainError(
      "QSC_ACCESS_GRANT",
      `A token has 1 to ${maxGrants} grants; this one has ${grants.length}. Give it a role, or grants that say what it may do where.`,
      { field: "grants" },
    );
  const expiresAt = input.expiresAt ?? null;
  const now = await readNow(tx);
  if (expiresAt !== null && expiresAt <= now) {
    throw new DomainError(
      "QSC_ACCESS_TOKEN_EXPIRY",
      `The token would have expired at ${new Date(expiresAt).toISOString()}. Give a later time, or none.`,
      { field: "expiresAt" },
    );
  }
  const principalId = await tokenAccount(tx, actor, { name, account: input.account });
  const secret = newSecret("token");
  const [row] = await tx.execute<{ id: number }>(sql`
    insert into api_token (name, principal_id, prefix, hash, grants, created_by, expires_at)
    values (${name}, ${principalId}, ${secret.slice(0, PREFIX_LENGTH)}, ${hashSecret(secret)}, ${JSON.stringify(grants)}::text::jsonb, ${`${actor.kind}:${actor.name}`}, ${expiresAt}::timestamptz)
    returning id`);
  if (row === undefined) throw new Error("The token was not written.");
  const subject = { subjectKind: "token", subjectKey: String(row.id) } as const;
  await recordAudit(tx, { actor, action: "token.create", ...subject, after: { name, grants: describeGrants(grants), expiresAt } });
  await appendEvents(tx, [{ kind: "token.created", ...subject, payload: { name, grants: describeGrants(grants) } }]);
  return { id: row.id, name, secret };
}

/** Whose the token is. A person is known by name wherever somebody decides: nobody gets a token in another one's. */
async function tokenAccount(tx: Tx, actor: Actor, input: { readonly name: string; readonly account: string | undefined }): Promise<number> {
  await lockNames(tx);
  const name = principalName(input.account ?? input.name);
  const known = await lockPrincipalByName(tx, name);
  if (known === null && input.account !== undefined)
    throw new DomainError("QSC_ACCESS_PRINCIPAL_NOT_FOUND", `There is no account "${name}". List them: quiesce account list.`, {
      field: "account",
    });
  if (known === null) return (await insertPrincipal(tx, actor, { kind: "service", name, grants: [] })).id;
  if (known.kind === "person" && known.name !== actor.name)
    throw new DomainError(
      "QSC_ACCESS_NOT_OWN",
      `"${name}" is a person, in whose name only that person may make tokens. Give the token another name, or a service account.`,
      { field: input.account === undefined ? "name" : "account" },
    );
  if (known.disabled)
    throw new DomainError("QSC_ACCESS_DISABLED", `The account "${name}" is disabled. Enable it first, or choose another.`, {
      field: "account",
    });
  return known.id;
}
