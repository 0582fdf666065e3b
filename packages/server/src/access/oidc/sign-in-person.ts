import { claimedGrants, claimedName, describeGrants, DomainError, equalJson, type Grant, readGrants } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { inTransaction, systemActor } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { appendEvents } from "../../events/append-events.js";
import { personActor } from "../person-actor.js";
import { freeName, insertPrincipal, lockNames, lockPrincipalByIdentity, type PrincipalRow } from "../principal-store.js";
import { endSessionsOf, type NewSession, type SessionLimits, startSession } from "../sessions.js";
import type { IdClaims } from "./id-token.js";
import type { OidcSettings } from "./identity-provider.js";

const EMAIL_MAX = 320;

/**
 * Lets a person in whose claims were verified: finds or makes the account, takes over what the claims grant now, and begins a session. Somebody whom
 * the claims grant nothing any more loses what there was. Throws QSC_ACCESS_NO_ROLE, QSC_ACCESS_DISABLED.
 */
export async function signInPerson(
  context: { readonly database: Database; readonly limits: SessionLimits },
  input: { readonly claims: IdClaims; readonly settings: OidcSettings; readonly browser: string | undefined },
): Promise<NewSession> {
  const { claims, settings, browser } = input;
  const grants = claimedGrants(claims, { claim: settings.roleClaim, mappings: settings.mappings, defaultRole: settings.defaultRole });
  // A refusal is answered, not thrown: what was taken away must stay.
  const outcome = await inTransaction(context, async (tx): Promise<NewSession | DomainError> => {
    await lockNames(tx);
    const known = await lockPrincipalByIdentity(tx, { issuer: claims.iss, subject: claims.sub });
    if (known?.disabled === true) return new DomainError("QSC_ACCESS_DISABLED", `The account "${known.name}" is disabled. Ask an admin.`);
    if (known !== null) await takeOver(tx, known, { claims, grants });
    if (grants.length === 0)
      return new DomainError(
        "QSC_ACCESS_NO_ROLE",
        `The identity provider knows you, and none of your groups (claim ${settings.roleClaim}) has a role here. Ask an admin for one, and sign in again.`,
      );
    const principal = known ?? (await newPerson(tx, { claims, settings, grants }));
    const actor = personActor(principal.name, grants);
    return startSession(tx, { principal, actor, method: "oidc", browser, limits: context.limits });
  });
  if (outcome instanceof DomainError) throw outcome;
  return outcome;
}

async function newPerson(
  tx: Tx,
  { claims, settings, grants }: { readonly claims: IdClaims; readonly settings: OidcSettings; readonly grants: readonly Grant[] },
): Promise<PrincipalRow> {
  const name = await freeName(tx, claimedName(claims, settings.nameClaim));
  const identity = { issuer: claims.iss, subject: claims.sub };
  return insertPrincipal(tx, systemActor, { kind: "person", name, grants, email: emailOf(claims), identity });
}

/** Brings an account to what the claims say now. Its name stays: approvals and holds know it. */
async function takeOver(
  tx: Tx,
  known: PrincipalRow,
  { claims, grants }: { readonly claims: IdClaims; readonly grants: readonly Grant[] },
): Promise<void> {
  await tx.execute(
    sql`update principal set email = ${emailOf(claims)} where id = ${known.id} and email is distinct from ${emailOf(claims)}`,
  );
  const before = readGrants(known.grants);
  if (equalJson(before, grants)) return;
  await tx.execute(sql`update principal set grants = ${JSON.stringify(grants)}::text::jsonb where id = ${known.id}`);
  if (grants.length === 0) await endSessionsOf(tx, known.id);
  const subject = { subjectKind: "principal", subjectKey: String(known.id) } as const;
  await recordAudit(tx, {
    actor: systemActor,
    action: "principal.change",
    ...subject,
    reason: "claims of the identity provider",
    before: { name: known.name, grants: describeGrants(before) },
    after: { name: known.name, grants: describeGrants(grants) },
  });
  await appendEvents(tx, [{ kind: "principal.changed", ...subject, payload: { grants: describeGrants(grants) } }]);
}

function emailOf(claims: IdClaims): string | null {
  const email = claims["email"];
  return typeof email === "string" && email.length <= EMAIL_MAX && claims["email_verified"] !== false ? email : null;
}
