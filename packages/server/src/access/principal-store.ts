import { describeGrants, DomainError, type Grant } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import type { Actor } from "../command.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents } from "../events/append-events.js";

const NAME_MAX = 200;

/** A person or a service account, as decisions about it need it. */
export interface PrincipalRow {
  readonly id: number;
  readonly kind: "person" | "service";
  readonly name: string;
  readonly issuer: string | null;
  readonly grants: unknown;
  readonly disabled: boolean;
}

export interface NewPrincipal {
  readonly kind: "person" | "service";
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly owner?: string | null;
  readonly email?: string | null;
  /** Who vouches for a person, and by which identifier. */
  readonly identity?: { readonly issuer: string; readonly subject: string };
}

const columns = sql`id, kind, name, issuer, grants, disabled_at is not null as disabled`;

/** By name; with the row locked, so that what is decided about it stays true. */
export async function lockPrincipalByName(tx: Tx, name: string): Promise<PrincipalRow | null> {
  const [row] = await selectRows<PrincipalRow>(tx, sql`select ${columns} from principal where name = ${name} for update`);
  return row ?? null;
}

export async function lockPrincipal(tx: Tx, id: number): Promise<PrincipalRow | null> {
  const [row] = await selectRows<PrincipalRow>(tx, sql`select ${columns} from principal where id = ${id} for update`);
  return row ?? null;
}

export async function lockPrincipalByIdentity(
  tx: Tx,
  identity: { readonly issuer: string; readonly subject: string },
): Promise<PrincipalRow | null> {
  const [row] = await selectRows<PrincipalRow>(
    tx,
    sql`select ${columns} from principal where issuer = ${identity.issuer} and subject = ${identity.subject} for update`,
  );
  return row ?? null;
}

/** Names are given one after the other, until the end of the transaction: what was free stays free. Call it before anything else is locked. */
export async function lockNames(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(lock_class_names(), 0)`);
}

/** A name as people write it, trimmed. Throws QSC_ACCESS_NAME. */
export function principalName(text: string): string {
  const name = text.trim();
  if (name === "" || name.length > NAME_MAX || /\p{C}/u.test(name))
    throw new DomainError(
      "QSC_ACCESS_NAME",
      `An account's name has 1 to ${NAME_MAX} characters on one line; this one has ${name.length}. Name the person or the program.`,
      { field: "name" },
    );
  return name;
}

/**
 * The name itself, or with a number behind it when somebody has it: approvals and holds know people by name, so nobody gets one that differs from
 * another's in nothing but capitals.
 */
export async function freeName(tx: Tx, wanted: string): Promise<string> {
  const [row] = await tx.execute<{ name: string }>(sql`
    select candidate as name from generate_series(1, 100000) as n,
      lateral (select case n when 1 then ${wanted}::text else ${wanted}::text || ' (' || n || ')' end as candidate) as c
    where not exists (select from principal where lower(name) = lower(candidate)) order by n limit 1`);
  if (row === undefined) throw new Error("No name is free.");
  return row.name;
}

/** Writes a new account, with its audit entry and event. The name must be free. */
export async function insertPrincipal(tx: Tx, actor: Actor, wanted: NewPrincipal): Promise<PrincipalRow> {
  const { kind, name, grants, identity, owner = null, email = null } = wanted;
  const [row] = await selectRows<PrincipalRow>(
    tx,
    sql`
    insert into principal (kind, name, issuer, subject, email, owner, grants, created_by)
    values (${kind}, ${name}, ${identity?.issuer ?? null}, ${identity?.subject ?? null}, ${email}, ${owner},
      ${JSON.stringify(grants)}::text::jsonb, ${`${actor.kind}:${actor.name}`})
    returning ${columns}`,
  );
  if (row === undefined) throw new Error("The account was not written.");
  const subject = { subjectKind: "principal", subjectKey: String(row.id) } as const;
  await recordAudit(tx, {
    actor,
    action: "principal.create",
    ...subject,
    after: { kind, name, owner, grants: describeGrants(grants), issuer: identity?.issuer ?? null },
  });
  await appendEvents(tx, [{ kind: "principal.created", ...subject, payload: { kind } }]);
  return row;
}
