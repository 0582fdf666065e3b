import {
  type CatalogFacts,
  decideInFreeze,
  type FreezeCause,
  freezesMet,
  type MetFreeze,
  nearestFreeStart,
  newlyMet,
  type PlannedOccurrence,
  reachOfScope,
  sharedReach,
  windowKindEffects,
  type WindowKind,
  type WindowScope,
  type ZoneData,
} from "@quiesce/core";
import { recordAudit } from "../audit/record-audit.js";
import type { CommandContext } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { bindingFreezes, forgetFreezeConflicts, happeningFreezes, insertFreezeConflicts } from "./freeze-store.js";
import { loadOtherHolds, sharedByScope } from "./other-holds.js";
import { loadCatalogFacts } from "./store.js";

/** Plans are compared with freezes so far ahead, so that one for Christmas is met in January. */
export const freezeHorizonMs = 400 * 86_400_000;

/** Why a change is planned although it falls into a freeze; whoever says so needs a role that may. */
export interface FreezeOverride {
  readonly overrideFreeze?: string | undefined;
}

/** Who is asked about a freeze: the caller, unless nobody acts; or nobody yet, for a dry run that only lists what would be refused. */
export interface FreezeHandling extends FreezeOverride {
  readonly keepInFreeze?: FreezeCause | undefined;
  readonly listFreezes?: ((found: FallsIntoFreeze) => void) | undefined;
}

/** A change of a dry run that would fall into freezes. */
export interface FallsIntoFreeze {
  readonly window: string;
  readonly met: readonly [MetFreeze, ...MetFreeze[]];
  readonly nearest: string | null;
}

/** What somebody plans: a whole window, or one occurrence of it at other times. */
export interface PlannedChange {
  readonly window: { readonly key: string; readonly kind: WindowKind; readonly scope: WindowScope; readonly timeZone: string };
  readonly planned: readonly PlannedOccurrence[];
  /** What is made longer: freezes that it lies in already do not count again. */
  readonly longer?: PlannedOccurrence;
}

/** A change that stays in freezes: by somebody's word, or because nobody could be asked. */
export interface StaysInFreeze {
  readonly met: readonly MetFreeze[];
  readonly cause: FreezeCause | null;
  readonly accepted: { readonly by: string; readonly reason: string } | null;
}

/** Where a plan falls into approved freezes over what it reaches, and the nearest start that is free; null for one that does not, or changes nothing. */
export async function freezesOfPlan(
  tx: Tx,
  input: PlannedChange & {
    readonly zones: ZoneData;
    readonly now: number;
    readonly facts?: CatalogFacts;
    /** Meetings that have somebody's word already. */
    readonly known?: Parameters<typeof newlyMet>[0];
  },
): Promise<{ readonly met: readonly [MetFreeze, ...MetFreeze[]]; readonly nearest: string | null } | null> {
  const { window, zones, now, known = [] } = input;
  const planned = input.planned.filter((one) => one.start < now + freezeHorizonMs);
  if (!windowKindEffects[window.kind].changes || planned.length === 0) return null;
  const freezes = await bindingFreezes(tx, window.key);
  if (freezes.length === 0) return null;
  const facts = input.facts ?? (await loadCatalogFacts(tx));
  const own = reachOfScope(facts, window.scope, windowKindEffects[window.kind].holds);
  const reaching = freezes.filter((one) => sharedReach(own, reachOfScope(facts, one.scope, windowKindEffects[one.kind].holds)) !== null);
  const { longer } = input;
  const spans = (await happeningFreezes(tx, { freezes: reaching, zones, now, until: now + 2 * freezeHorizonMs })).filter(
    (one) => longer === undefined || one.start >= longer.end || one.end <= longer.start,
  );
  const [first, ...more] = newlyMet(known, freezesMet({ kind: window.kind, planned, freezes: spans }));
  if (first === undefined) return null;
  if (longer !== undefined) return { met: [first, ...more], nearest: null };
  const sharedWith = sharedByScope(facts, own);
  const others = await loadOtherHolds(tx, { key: window.key, from: now, to: first.planned.end + freezeHorizonMs });
  const taken = [...spans, ...others.filter((other) => sharedWith(other) !== null)];
  return { met: [first, ...more], nearest: nearestFreeStart({ planned: first.planned, timeZone: window.timeZone, taken, now, zones }) };
}

/**
 * Refuses a plan that falls into a freeze. With a reason to override it, and a role that may, it is let through: the freeze's owner is told by an event
 * of the freeze, and the audit keeps who, what and why. What nobody asked for is let through as well. The answer is for `recordFreezes`, once the
 * window is written. Throws QSC_WINDOW_IN_FREEZE, QSC_ACCESS_DENIED.
 */
export async function refuseInFreeze(
  tx: Tx,
  context: CommandContext,
  input: PlannedChange & FreezeHandling & { readonly now: number; readonly known?: Parameters<typeof newlyMet>[0] },
): Promise<StaysInFreeze | null> {
  const found = await freezesOfPlan(tx, { ...input, zones: context.zones });
  if (found === null) return null;
  const { window, longer, keepInFreeze: cause, listFreezes: list } = input;
  if (list !== undefined) {
    list({ window: window.key, ...found });
    return null;
  }
  const person = {
    kind: "person",
    role: context.actor.role,
    mayOverride: context.actor.overridesFreezes === true,
    reason: input.overrideFreeze ?? "",
  } as const;
  const asker = cause === undefined ? person : ({ kind: "nobody", cause } as const);
  const verdict = decideInFreeze({ window: window.key, ...found, isLonger: longer !== undefined, asker });
  if (verdict.kind === "refused") throw verdict.error;
  if (verdict.kind === "kept") return { met: found.met, cause: verdict.cause, accepted: null };
  await tellOverridden(tx, context, { window: window.key, met: found.met, reason: verdict.reason });
  return { met: found.met, cause: null, accepted: { by: context.actor.name, reason: verdict.reason } };
}

/**
 * Notes that a window, or one occurrence of it, stays in freezes; what was noted of it before is forgotten, unless this `adds` to it. Of what nobody
 * was asked about, the owners of the change and of the freeze are told.
 */
export async function recordFreezes(
  tx: Tx,
  input: {
    readonly window: { readonly id: number; readonly key: string; readonly owner: string };
    readonly stays: StaysInFreeze | null;
    /** The occurrence that was judged, by its name; left out: all of them. */
    readonly localStart?: string;
    readonly adds?: boolean;
  },
): Promise<void> {
  const { window, stays, localStart } = input;
  if (input.adds !== true) await forgetFreezeConflicts(tx, { windowId: window.id, localStart: localStart ?? null });
  if (stays === null) return;
  const met = localStart === undefined ? stays.met : stays.met.map((one) => ({ ...one, planned: { ...one.planned, localStart } }));
  await insertFreezeConflicts(tx, { windowId: window.id, ...stays, met });
  if (stays.cause === null) return;
  const { cause } = stays;
  const first = new Map(met.toReversed().map((one) => [one.freeze.freeze, one]));
  await appendEvents(
    tx,
    [...first].flatMap(([freeze, { planned, freeze: of, from, until }]) => {
      const said = {
        change: window.key,
        changeLocalStart: planned.localStart,
        freeze,
        freezeLocalStart: of.localStart,
        from: payloadInstant(from),
        until: payloadInstant(until),
        occurrences: met.filter((one) => one.freeze.freeze === freeze).length,
        cause,
      };
      const event = { kind: "window.freeze-entered", subjectKind: "window" } as const;
      return [
        { ...event, subjectKey: window.key, payload: { localStart: planned.localStart, owner: window.owner, ...said } },
        { ...event, subjectKey: freeze, payload: { localStart: of.localStart, owner: of.owner, ...said } },
      ];
    }),
  );
}

/** Tells the owners of freezes that somebody plans, or lets stand, a change inside them. */
export async function tellOverridden(
  tx: Tx,
  context: CommandContext,
  input: {
    readonly window: string;
    readonly met: readonly {
      readonly planned: { readonly localStart: string };
      readonly freeze: { readonly freeze: string; readonly localStart: string; readonly owner: string };
    }[];
    readonly reason: string;
  },
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
