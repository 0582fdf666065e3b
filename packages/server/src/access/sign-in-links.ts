import { DomainError, type Grant, readGrants } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type Actor, type CommandContext, inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { personActor } from "./person-actor.js";
import {
  freeName,
  insertPrincipal,
  lockNames,
  lockPrincipal,
  lockPrincipalByName,
  principalName,
  type PrincipalRow,
} from "./principal-store.js";
import { nameTaken } from "./principals.js";
import { hashSecret, looksLikeSecret, newSecret } from "./secrets.js";
import { type NewSession, type SessionLimits, startSession } from "./sessions.js";

/** Long enough to open a browser, too short to be found later and used. */
const LINK_LIFETIME_MS = 15 * 60_000;
const ADMIN_NAME = "admin";
/** Used and expired links are swept when they are so old. */
const KEPT_DAYS = 7;

/** Worth one session. `secret` exists only in this value. */
export interface NewSignInLink {
  readonly name: string;
  readonly secret: string;
  readonly expiresAt: number;
}

/**
 * Makes a link for a local person: the local admin when no name is given, somebody new when grants are. Persons for whom a provider vouches sign in
 * there. Throws QSC_ACCESS_PRINCIPAL_NOT_FOUND, QSC_ACCESS_NOT_LOCAL, QSC_ACCESS_DISABLED, QSC_ACCESS_NAME, QSC_ACCESS_NAME_TAKEN.
 */
export function createSignInLink(
  context: Pick<CommandContext, "database" | "actor">,
  input: { readonly name?: string | undefined; readonly grants?: readonly Grant[] | undefined },
): Promise<NewSignInLink> {
  return inTransaction(context, async (tx) => {
    await lockNames(tx);
    return insertLink(tx, context.actor, await linkOwner(tx, context.actor, input));
  });
}

/** The link as one opens it. The secret stands behind a #: browsers keep that to themselves, and no log has it. */
export function signInAddress(serverUrl: string, secret: string): string {
  return `${serverUrl.replace(/\/+$/, "")}/auth/link#${secret}`;
}

/** The link of a first start, for the local admin. */
export function firstSignInLink(database: Database): Promise<NewSignInLink> {
  return createSignInLink({ database, actor: systemActor }, {});
}

/** A link for the local admin who is there already; null when there is none, or whoever runs this has disabled the account. */
export function localAdminLink(database: Database): Promise<NewSignInLink | null> {
  return inTransaction({ database }, async (tx) => {
    await lockNames(tx);
    const admin = await knownLocalAdmin(tx);
    return admin === null ? null : insertLink(tx, systemActor, admin);
  });
}

/**
 * Uses a link up and begins a session. Throws QSC_ACCESS_LINK_INVALID for one that is unknown, used or expired, or whose account is disabled: which
 * of them it is, is nobody's business who has none.
 */
export function redeemSignInLink(
  context: { readonly database: Database; readonly limits: SessionLimits },
  input: { readonly secret: string; readonly browser: string | undefined },
): Promise<NewSession> {
  return inTransaction(context, async (tx) => {
    const refusal = new DomainError(
      "QSC_ACCESS_LINK_INVALID",
      "The link is unknown, was used before, or is older than 15 minutes. Make another one: quiesce sign-in-link.",
    );
    if (!looksLikeSecret("link", input.secret)) throw refusal;
    const [link] = await tx.execute<{ principalId: number }>(sql`
      update sign_in_link set used_at = app_now() where hash = ${hashSecret(input.secret)} and used_at is null and expires_at > app_now()
      returning principal_id as "principalId"`);
    const principal = link === undefined ? null : await lockPrincipal(tx, link.principalId);
    if (principal === null || principal.disabled || principal.issuer !== null) throw refusal;
    const actor = personActor(principal.name, readGrants(principal.grants));
    return startSession(tx, { principal, actor, method: "link", browser: input.browser, limits: context.limits });
  });
}

async function linkOwner(
  tx: Tx,
  actor: Actor,
  { name: text, grants }: { readonly name?: string | undefined; readonly grants?: readonly Grant[] | undefined },
): Promise<PrincipalRow> {
  if (text === undefined) return localAdmin(tx, actor);
  const name = principalName(text);
  const known = await lockPrincipalByName(tx, name);
  if (known === null && grants === undefined)
    throw new DomainError(
      "QSC_ACCESS_PRINCIPAL_NOT_FOUND",
      `There is nobody named "${name}". To make a local account, say what it may do: --role operator.`,
      { field: "name" },
    );
  if (known === null) {
    if ((await freeName(tx, name)) !== name) throw nameTaken(name);
    return insertPrincipal(tx, actor, { kind: "person", name, grants: grants ?? [] });
  }
  if (grants !== undefined) throw nameTaken(name);
  if (known.kind !== "person" || known.issuer !== null)
    throw new DomainError(
      "QSC_ACCESS_NOT_LOCAL",
      known.kind === "service"
        ? `"${name}" is a service account. It shows a token: quiesce token create.`
        : `"${name}" signs in at ${known.issuer ?? ""}. Links are for local accounts.`,
      { field: "name" },
    );
  if (known.disabled)
    throw new DomainError("QSC_ACCESS_DISABLED", `The account "${name}" is disabled. Enable it first: quiesce account enable.`);
  return known;
}

/** The local admin, made when there is none. A service account may have the name already. */
async function localAdmin(tx: Tx, actor: Actor): Promise<PrincipalRow> {
  const known = await knownLocalAdmin(tx);
  if (known !== null) return known;
  const name = await freeName(tx, ADMIN_NAME);
  return insertPrincipal(tx, actor, { kind: "person", name, grants: [{ role: "admin", scope: { kind: "all" } }] });
}

async function knownLocalAdmin(tx: Tx): Promise<PrincipalRow | null> {
  const [found] = await tx.execute<{ id: number }>(sql`
    select id from principal where kind = 'person' and issuer is null and disabled_at is null and name ~ ${`^${ADMIN_NAME}( \\(\\d+\\))?$`}
    order by id limit 1`);
  return found === undefined ? null : lockPrincipal(tx, found.id);
}

async function insertLink(tx: Tx, actor: Actor, principal: PrincipalRow): Promise<NewSignInLink> {
  await tx.execute(sql`delete from sign_in_link where expires_at < app_now() - make_interval(days => ${KEPT_DAYS})`);
  const secret = newSecret("link");
  const expiresAt = (await readNow(tx)) + LINK_LIFETIME_MS;
  await tx.execute(sql`
    insert into sign_in_link (hash, principal_id, created_by, expires_at)
    values (${hashSecret(secret)}, ${principal.id}, ${`${actor.kind}:${actor.name}`}, ${expiresAt}::timestamptz)`);
  const subject = { subjectKind: "principal", subjectKey: String(principal.id) } as const;
  await recordAudit(tx, { actor, action: "sign-in-link.create", ...subject, after: { name: principal.name, expiresAt } });
  return { name: principal.name, secret, expiresAt };
}
