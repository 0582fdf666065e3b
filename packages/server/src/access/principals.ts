import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { freeName, insertPrincipal, lockNames, lockPrincipal, principalName, type PrincipalRow } from "./principal-store.js";
import { endSessionsOf } from "./sessions.js";

const OWNER_MAX = 200;

/** Makes a service account, for a program; it does nothing before it has a token. Throws QSC_ACCESS_NAME, QSC_ACCESS_NAME_TAKEN, QSC_ACCESS_OWNER. */
export function createServiceAccount(
  context: CommandContext,
  input: { readonly name: string; readonly owner: string },
): Promise<{ readonly id: number }> {
  const name = principalName(input.name);
  const owner = ownerName(input.owner, name);
  return inTransaction(context, async (tx) => {
    await lockNames(tx);
    if ((await freeName(tx, name)) !== name) throw nameTaken(name);
    return insertPrincipal(tx, context.actor, { kind: "service", name, owner, grants: [] });
  });
}

/**
 * Says who answers for a service account from now on. The same as before is no error, and leaves no entry. Throws QSC_ACCESS_OWNER, also for a person, who
 * answers for themselves, and QSC_ACCESS_PRINCIPAL_NOT_FOUND.
 */
export function setServiceAccountOwner(
  context: CommandContext,
  input: { readonly id: number; readonly owner: string; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    const { id, kind, name } = await lockedPrincipal(tx, input.id);
    if (kind === "person")
      throw new DomainError("QSC_ACCESS_OWNER", `"${name}" is a person, and answers for themselves. Only service accounts have an owner.`, {
        field: "key",
      });
    const owner = ownerName(input.owner, name);
    const [row] = await tx.execute<{ before: string | null }>(sql`
      update principal as p set owner = ${owner} from (select id, owner from principal where id = ${id}) as was
      where p.id = was.id and was.owner is distinct from ${owner} returning was.owner as before`);
    if (row === undefined) return { id };
    const subject = { subjectKind: "principal", subjectKey: String(id) } as const;
    await recordAudit(tx, {
      actor: context.actor,
      action: "principal.set-owner",
      ...subject,
      ...(input.reason === undefined ? {} : { reason: input.reason }),
      before: { name, owner: row.before },
      after: { name, owner },
    });
    await appendEvents(tx, [{ kind: "principal.owner-changed", ...subject, payload: { owner } }]);
    return { id };
  });
}

/**
 * Ends everything that an account can do: its tokens and sessions are refused from the commit on, and its open streams are closed within seconds.
 * Twice is no error. Throws QSC_ACCESS_PRINCIPAL_NOT_FOUND, QSC_ACCESS_OWN_ACCOUNT.
 */
export function disablePrincipal(
  context: CommandContext,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, (tx) => disablePrincipalIn(tx, context, input));
}

/** The same within a transaction that does more. */
export async function disablePrincipalIn(
  tx: Tx,
  context: Pick<CommandContext, "actor">,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  const row = await lockedPrincipal(tx, input.id);
  if (row.name === context.actor.name && context.actor.kind !== "system")
    throw new DomainError("QSC_ACCESS_OWN_ACCOUNT", `"${row.name}" is the account that asks. Let another admin disable it.`, {
      field: "key",
    });
  if (row.disabled) return { id: row.id };
  await tx.execute(sql`update principal set disabled_at = app_now() where id = ${row.id}`);
  await endSessionsOf(tx, row.id);
  await tellOfTurn(tx, context, row, { action: "principal.disable", kind: "principal.disabled", disabled: true, reason: input.reason });
  return { id: row.id };
}

/** Lets an account in again, with the tokens that it had; its sessions stay ended. Throws QSC_ACCESS_PRINCIPAL_NOT_FOUND. */
export function enablePrincipal(
  context: CommandContext,
  input: { readonly id: number; readonly reason?: string | undefined },
): Promise<{ readonly id: number }> {
  return inTransaction(context, async (tx) => {
    const row = await lockedPrincipal(tx, input.id);
    if (!row.disabled) return { id: row.id };
    await tx.execute(sql`update principal set disabled_at = null where id = ${row.id}`);
    await tellOfTurn(tx, context, row, { action: "principal.enable", kind: "principal.enabled", disabled: false, reason: input.reason });
    return { id: row.id };
  });
}

/** Who answers for an account, as people write it, trimmed. Throws QSC_ACCESS_OWNER. */
function ownerName(text: string, account: string): string {
  const owner = text.trim();
  if (owner === "" || owner.length > OWNER_MAX)
    throw new DomainError("QSC_ACCESS_OWNER", `Say which team or person answers for "${account}", in 1 to ${OWNER_MAX} characters.`, {
      field: "owner",
    });
  return owner;
}

export function nameTaken(name: string): DomainError {
  return new DomainError("QSC_ACCESS_NAME_TAKEN", `There is an account named "${name}", in these or other capitals. Choose another name.`, {
    field: "name",
  });
}

async function lockedPrincipal(tx: Tx, id: number): Promise<PrincipalRow> {
  const row = await lockPrincipal(tx, id);
  if (row === null)
    throw new DomainError("QSC_ACCESS_PRINCIPAL_NOT_FOUND", `There is no account ${id}. List them: quiesce account list.`, {
      field: "key",
    });
  return row;
}

async function tellOfTurn(
  tx: Tx,
  context: Pick<CommandContext, "actor">,
  row: PrincipalRow,
  turn: {
    readonly action: string;
    readonly kind: "principal.disabled" | "principal.enabled";
    readonly disabled: boolean;
    readonly reason?: string | undefined;
  },
): Promise<void> {
  const subject = { subjectKind: "principal", subjectKey: String(row.id) } as const;
  await recordAudit(tx, {
    actor: context.actor,
    action: turn.action,
    ...subject,
    ...(turn.reason === undefined ? {} : { reason: turn.reason }),
    before: { name: row.name, disabled: !turn.disabled },
    after: { name: row.name, disabled: turn.disabled },
  });
  await appendEvents(tx, [{ kind: turn.kind, ...subject }]);
}
