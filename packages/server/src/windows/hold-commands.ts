import { type CatalogFacts, DomainError, type WindowScope, windowScopeSchema } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { type CatchUpOverride, overrideCatchUp } from "./catch-up-override.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { applyMembership } from "./membership.js";
import { parsed } from "./parse-input.js";
import { releaseHold } from "./release-hold.js";
import { requireKnownNames } from "./require-known-names.js";
import { loadCatalogFacts } from "./store.js";
import { hold } from "./table.js";

/** Who owns the pause of everything that a restored database begins with. */
export const restoreOwner = "restore";

/** Holds a scope by hand, until an instant or until somebody resumes it. */
export function pause(
  context: CommandContext,
  input: { readonly scope: WindowScope; readonly until: number | null; readonly reason: string },
): Promise<{ readonly holdId: number; readonly integrations: number }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const now = await readNow(tx);
    const scope = parsed(windowScopeSchema, input.scope, "QSC_HOLD_SCOPE_INVALID");
    if (input.until !== null && input.until <= now) {
      throw new DomainError(
        "QSC_HOLD_UNTIL_PAST",
        `A pause until ${new Date(input.until).toISOString()} would be over already. Give a later time, or none.`,
        {
          field: "until",
        },
      );
    }
    const facts = await loadCatalogFacts(tx);
    requireKnownNames(facts, scope);
    const made = await placeHold(tx, {
      kind: "manual",
      scope,
      facts,
      owner: context.actor.name,
      reason: input.reason,
      beginsAt: now,
      expiresAt: input.until,
    });
    await recordAudit(tx, {
      actor: context.actor,
      action: "hold.create",
      subjectKind: "hold",
      subjectKey: String(made.holdId),
      reason: input.reason,
      after: { scope, until: input.until },
    });
    await lockDispatch(tx, made.changed);
    return { holdId: made.holdId, integrations: made.changed.length };
  });
}

/** Writes a hold with its members inside a command that holds the catalogue lock; the command takes the dispatch locks of `changed` last. */
export async function placeHold(
  tx: Tx,
  input: {
    readonly kind: "manual" | "credentials" | "unready";
    readonly scope: WindowScope;
    readonly owner: string;
    readonly reason: string;
    readonly beginsAt: number;
    readonly expiresAt: number | null;
    /** What the caller has read of the catalogue under its lock; must know every integration of the scope. */
    readonly facts?: CatalogFacts;
  },
): Promise<{ readonly holdId: number; readonly changed: readonly number[] }> {
  const { facts, ...values } = input;
  const rows = await tx.insert(hold).values(values).returning({ id: hold.id });
  const holdId = rows[0]?.id;
  if (holdId === undefined) throw new Error("The hold was not written.");
  const changed = await applyMembership(tx, {
    facts: facts ?? (await loadCatalogFacts(tx)),
    holds: [{ id: holdId, scope: input.scope, coverage: "everything" }],
  });
  await appendEvents(tx, [
    {
      kind: "hold.created",
      subjectKind: "hold",
      subjectKey: String(holdId),
      payload: {
        kind: input.kind,
        scope: input.scope,
        reason: input.reason,
        until: payloadInstant(input.expiresAt),
        integrations: changed.length,
      },
    },
  ]);
  return { holdId, changed };
}

/** Lifts holds that are no window's: one by its id, or every manual hold of exactly this scope. Never lifts another. */
export function resume(
  context: CommandContext,
  input: CatchUpOverride & { readonly holdId?: number | undefined; readonly scope?: WindowScope | undefined; readonly reason: string },
): Promise<{ readonly released: readonly number[] }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const now = await readNow(tx);
    const wanted =
      input.holdId !== undefined
        ? sql`h.id = ${input.holdId}`
        : sql`h.kind = 'manual' and h.scope = ${JSON.stringify(parsed(windowScopeSchema, input.scope, "QSC_HOLD_SCOPE_INVALID"))}::text::jsonb`;
    const holds = await tx.execute<{ id: number; kind: string }>(sql`
      select h.id, h.kind from hold as h where h.released_at is null and ${wanted} order by h.id for update`);
    if (holds.length === 0) {
      throw new DomainError("QSC_HOLD_NOT_FOUND", "No open pause fits. List the open ones with the query holds, or `quiesce status`.", {
        field: input.holdId === undefined ? "scope" : "holdId",
      });
    }
    if (holds.some((one) => one.kind === "window")) {
      throw new DomainError("QSC_HOLD_IS_WINDOW", "This hold belongs to a maintenance window. End that window early instead.", {
        field: "holdId",
      });
    }
    const changed: number[] = [];
    for (const one of holds) {
      await overrideCatchUp(tx, { ...input, holdId: one.id });
      changed.push(...(await releaseHold(tx, { holdId: one.id, actor: context.actor, reason: input.reason, now })));
    }
    await lockDispatch(tx, changed);
    return { released: holds.map((one) => one.id) };
  });
}

/** Switches the whole product between enforcing holds and only recording what they would have held. */
export function setMode(
  context: CommandContext,
  input: { readonly mode: "enforce" | "observe"; readonly reason: string },
): Promise<{ readonly mode: "enforce" | "observe" }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const before = await tx.execute<{ mode: string }>(sql`select mode from control for update`);
    await tx.execute(sql`update control set mode = ${input.mode}`);
    await recordAudit(tx, {
      actor: context.actor,
      action: "control.mode",
      subjectKind: "control",
      subjectKey: "mode",
      reason: input.reason,
      before: { mode: before[0]?.mode },
      after: { mode: input.mode },
    });
    await appendEvents(tx, [
      { kind: "control.mode-changed", subjectKind: "control", subjectKey: "mode", payload: { mode: input.mode, reason: input.reason } },
    ]);
    await lockDispatch(tx, "all");
    return { mode: input.mode };
  });
}
