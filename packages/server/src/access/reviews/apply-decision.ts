import { areWithin, describeGrants, type Grant, readGrants } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import type { CommandContext } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { appendEvents } from "../../events/append-events.js";
import { lockPrincipal } from "../principal-store.js";
import { disablePrincipalIn } from "../principals.js";
import { revokeTokenIn } from "../tokens.js";
import type { ItemRow } from "./review-store.js";

/** What became of a decision. `gone`: there was nothing left to take. `changed`: the rights are others than were looked at, and stay. */
export const reviewOutcomes = ["kept", "narrowed", "revoked", "gone", "changed"] as const;
export type ReviewOutcome = (typeof reviewOutcomes)[number];

interface Applying {
  readonly tx: Tx;
  readonly context: Pick<CommandContext, "actor">;
  /** Why, for the entries of what is done. */
  readonly reason: string;
}

/** Carries a decision out, with its own entries and events: open streams follow within seconds. */
export function applyDecision(applying: Applying, item: ItemRow): Promise<ReviewOutcome> {
  return item.tokenId === null ? applyToAccount(applying, item) : applyToToken(applying, { ...item, tokenId: item.tokenId });
}

async function applyToToken(
  { tx, context, reason }: Applying,
  { tokenId, decision, grants }: ItemRow & { readonly tokenId: number },
): Promise<ReviewOutcome> {
  if (decision === "keep") return "kept";
  const [row] = await selectRows<{ name: string; grants: unknown }>(
    tx,
    sql`select name, grants from api_token where id = ${tokenId} and revoked_at is null and (expires_at is null or expires_at > app_now()) for update`,
  );
  if (row === undefined) return "gone";
  if (decision === "revoke") {
    await revokeTokenIn(tx, context.actor, { id: tokenId, reason });
    return "revoked";
  }
  const before = readGrants(row.grants);
  if (grants === null || !areWithin(grants, before)) return "changed";
  await tx.execute(sql`update api_token set grants = ${JSON.stringify(grants)}::text::jsonb where id = ${tokenId}`);
  await tellNarrowed(
    { tx, context, reason },
    { kind: "token.changed", subjectKind: "token", key: tokenId, name: row.name, before, after: grants },
  );
  return "narrowed";
}

async function applyToAccount({ tx, context, reason }: Applying, { principalId, decision, grants }: ItemRow): Promise<ReviewOutcome> {
  if (decision === "keep") return "kept";
  const row = await lockPrincipal(tx, principalId);
  if (row === null || row.disabled) return "gone";
  if (decision === "revoke") {
    await disablePrincipalIn(tx, context, { id: principalId, reason });
    return "revoked";
  }
  const before = readGrants(row.grants);
  if (grants === null || !areWithin(grants, before)) return "changed";
  await tx.execute(sql`update principal set grants = ${JSON.stringify(grants)}::text::jsonb where id = ${principalId}`);
  await tellNarrowed(
    { tx, context, reason },
    { kind: "principal.changed", subjectKind: "principal", key: principalId, name: row.name, before, after: grants },
  );
  return "narrowed";
}

async function tellNarrowed(
  { tx, context, reason }: Applying,
  change: {
    readonly kind: "token.changed" | "principal.changed";
    readonly subjectKind: "token" | "principal";
    readonly key: number;
    readonly name: string;
    readonly before: readonly Grant[];
    readonly after: readonly Grant[];
  },
): Promise<void> {
  const { kind, subjectKind, name, before, after } = change;
  const subject = { subjectKind, subjectKey: String(change.key) } as const;
  await recordAudit(tx, {
    actor: context.actor,
    action: `${subjectKind}.change`,
    ...subject,
    reason,
    before: { name, grants: describeGrants(before) },
    after: { name, grants: describeGrants(after) },
  });
  await appendEvents(tx, [{ kind, ...subject, payload: { grants: describeGrants(after) } }]);
}
