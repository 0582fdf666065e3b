import {
  can,
  type CatalogFacts,
  DomainError,
  type FreezeOccurrence,
  freezesMet,
  type MetFreeze,
  nearestFreeStart,
  occurrences,
  type PlannedOccurrence,
  reachOfScope,
  refusalInFreeze,
  type Role,
  roles,
  sharedReach,
  windowKindEffects,
  windowKinds,
  type WindowKind,
  type WindowScope,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import type { CommandContext } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { mayHold } from "./approval-sql.js";
import { loadOtherHolds, sharedByScope } from "./other-holds.js";
import { evaluatedSeries } from "./planning-store.js";
import { loadCatalogFacts } from "./store.js";
import type { WindowRow } from "./table.js";

/** Plans are compared with freezes so far ahead, so that one for Christmas is met in January. */
export const freezeHorizonMs = 400 * 86_400_000;
const maxFreezes = 1_000;

/** Why a change is planned although it falls into a freeze; whoever says so needs a role that may. */
export interface FreezeOverride {
  readonly overrideFreeze?: string | undefined;
}

/** What somebody plans: a whole window, or one occurrence of it at other times. */
export interface PlannedChange {
  readonly window: { readonly key: string; readonly kind: WindowKind; readonly scope: WindowScope; readonly timeZone: string };
  readonly planned: readonly PlannedOccurrence[];
  /** What is made longer: freezes that it lies in already do not count again. */
  readonly longer?: PlannedOccurrence;
}

/** Where a plan falls into approved freezes over what it reaches, and the nearest start that is free; null for one that does not, or changes nothing. */
export async function freezesOfPlan(
  tx: Tx,
  input: PlannedChange & { readonly zones: ZoneData; readonly now: number; readonly facts?: CatalogFacts },
): Promise<{ readonly met: readonly [MetFreeze, ...MetFreeze[]]; readonly nearest: string | null } | null> {
  const { window, zones, now } = input;
  const planned = input.planned.filter((one) => one.start < now + freezeHorizonMs);
  if (!windowKindEffects[window.kind].changes || planned.length === 0) return null;
  const freezes = await bindingFreezes(tx, window.key);
  if (freezes.length === 0) return null;
  const facts = input.facts ?? (await loadCatalogFacts(tx));
  const own = reachOfScope(facts, window.scope, windowKindEffects[window.kind].holds);
  const reaching = freezes.filter((one) => sharedReach(own, reachOfScope(facts, one.scope, windowKindEffects[one.kind].holds)) !== null);
  const { longer } = input;
  const spans = (await occurrencesOfFreezes(tx, { freezes: reaching, zones, now })).filter(
    (one) => longer === undefined || one.start >= longer.end || one.end <= longer.start,
  );
  const [first, ...more] = freezesMet({ kind: window.kind, planned, freezes: spans });
  if (first === undefined) return null;
  if (longer !== undefined) return { met: [first, ...more], nearest: null };
  const sharedWith = sharedByScope(facts, own);
  const others = await loadOtherHolds(tx, { key: window.key, from: now, to: first.planned.end + freezeHorizonMs });
  const taken = [...spans, ...others.filter((other) => sharedWith(other) !== null)];
  return { met: [first, ...more], nearest: nearestFreeStart({ planned: first.planned, timeZone: window.timeZone, taken, now, zones }) };
}

/**
 * Refuses a plan that falls into a freeze. With a reason to override it, and a role that may, it is let through: the freeze's owner is told by an event
 * of the freeze, and the audit keeps who, what and why. Throws QSC_WINDOW_IN_FREEZE, QSC_ACCESS_DENIED.
 */
export async function refuseInFreeze(
  tx: Tx,
  context: CommandContext,
  input: PlannedChange & { readonly now: number; readonly override: string | undefined },
): Promise<void> {
  const found = await freezesOfPlan(tx, { ...input, zones: context.zones });
  if (found === null) return;
  const { window, longer } = input;
  const reason = input.override?.trim() ?? "";
  if (reason === "") throw refusalInFreeze({ window: window.key, ...found, isLonger: longer !== undefined });
  if (!mayOverride(context)) {
    throw new DomainError(
      "QSC_ACCESS_DENIED",
      `The role ${context.actor.role} may not override a freeze. Ask an approver or an admin to plan the change "${window.key}", or plan it outside of "${found.met[0].freeze.freeze}".`,
      { field: "overrideFreeze", details: { role: context.actor.role } },
    );
  }
  await tellOverridden(tx, context, { window: window.key, met: found.met, reason });
}

function mayOverride({ actor }: CommandContext): boolean {
  const role: Role | undefined = roles.find((one) => one === actor.role);
  return role !== undefined && can({ name: actor.name, role, scope: { kind: "all" } }, "windows.override-freeze");
}

async function tellOverridden(
  tx: Tx,
  context: CommandContext,
  input: { readonly window: string; readonly met: readonly MetFreeze[]; readonly reason: string },
): Promise<void> {
  const { window, reason } = input;
  const first = new Map(input.met.toReversed().map((one) => [one.freeze.freeze, one]));
  for (const [freeze, { planned, freeze: of }] of first) {
    const payload = {
      localStart: of.localStart,
      owner: of.owner,
      change: window,
      changeLocalStart: planned.localStart,
      occurrences: input.met.filter((one) => one.freeze.freeze === freeze).length,
      by: context.actor.name,
      reason,
    };
    const subject = { subjectKind: "window", subjectKey: freeze } as const;
    await recordAudit(tx, { ...subject, actor: context.actor, action: "window.override-freeze", reason, after: payload });
    await appendEvents(tx, [{ ...subject, kind: "window.freeze-overridden", payload }]);
  }
}

type Freeze = Pick<WindowRow, "id" | "key" | "title" | "owner" | "kind" | "scope" | "series" | "expandedUntil">;

/** Windows that block changes and hold: approved where that is asked for, and not only observing. */
async function bindingFreezes(tx: Tx, except: string): Promise<readonly Freeze[]> {
  const kinds = windowKinds.filter((kind) => windowKindEffects[kind].blocksChanges);
  return tx.execute<Freeze & { readonly [column: string]: unknown }>(sql`
    select w.id, w.key, w.title, w.owner, w.kind, w.scope, w.series, w.expanded_until as "expandedUntil" from maintenance_window as w
    where w.cancelled_at is null and w.mode = 'enforce' and ${mayHold} and w.key <> ${except} and w.kind = any (${sql.param([...kinds])}::text[])
    order by w.id limit ${maxFreezes}`);
}

/** As they are written, with what was changed about each; beyond what is written, as the series says. */
async function occurrencesOfFreezes(
  tx: Tx,
  input: { readonly freezes: readonly Freeze[]; readonly zones: ZoneData; readonly now: number },
): Promise<readonly FreezeOccurrence[]> {
  const { freezes, zones, now } = input;
  const written = await tx.execute<{ windowId: number; localStart: string; start: number; end: number }>(sql`
    select window_id as "windowId", local_start as "localStart", starts_at as start, ends_at as "end" from occurrence
    where window_id = any (${sql.param(freezes.map((one) => one.id))}::integer[]) and ends_at > ${now}::timestamptz
      and cancelled_at is null and released_at is null and closed_at is null`);
  const found: FreezeOccurrence[] = [];
  for (const { id, key: freeze, title, owner, series, expandedUntil } of freezes) {
    const beyond = occurrences(await evaluatedSeries(tx, series), { from: expandedUntil, to: now + 2 * freezeHorizonMs }, zones);
    for (const { localStart, start, end } of [...written.filter((one) => one.windowId === id), ...beyond])
      found.push({ freeze, title, owner, localStart, start, end });
  }
  return found;
}
