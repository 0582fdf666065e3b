import { DomainError } from "../domain-error.js";
import { type MetFreeze, type PlannedOccurrence, refusalInFreeze } from "./freezes.js";

/** What moves a change when nobody acts who could be asked: a calendar that is followed, or newer data of time zones. */
export const freezeCauses = ["calendar", "zone-data"] as const;
export type FreezeCause = (typeof freezeCauses)[number];

/** Who brings a change into a freeze. A `reason` that is empty overrides nothing. */
export type FreezeAsker =
  | { readonly kind: "person"; readonly role: string; readonly mayOverride: boolean; readonly reason: string }
  | { readonly kind: "nobody"; readonly cause: FreezeCause };

/** What becomes of a change that meets a freeze: it is refused, or stays there by somebody's word, or stays and waits for somebody's word. */
export type FreezeVerdict =
  | { readonly kind: "refused"; readonly error: DomainError }
  | { readonly kind: "overridden"; readonly reason: string }
  | { readonly kind: "kept"; readonly cause: FreezeCause };

/**
 * Decides on a change that falls into freezes. A person is refused, unless with a reason and the right to override. What nobody asked for stays as it
 * is: a window that was dropped would hold nothing, which is worse than a change that somebody has to look at.
 */
export function decideInFreeze(input: {
  readonly window: string;
  readonly met: readonly [MetFreeze, ...MetFreeze[]];
  readonly nearest: string | null;
  readonly isLonger: boolean;
  readonly asker: FreezeAsker;
}): FreezeVerdict {
  const { asker, ...found } = input;
  if (asker.kind === "nobody") return { kind: "kept", cause: asker.cause };
  const reason = asker.reason.trim();
  if (reason === "") return { kind: "refused", error: refusalInFreeze(found) };
  if (asker.mayOverride) return { kind: "overridden", reason };
  const error = new DomainError(
    "QSC_ACCESS_DENIED",
    `The role ${asker.role} may not override a freeze. Ask an approver or an admin to plan the change "${found.window}", or plan it outside of "${found.met[0].freeze.freeze}".`,
    { field: "overrideFreeze", details: { role: asker.role } },
  );
  return { kind: "refused", error };
}

const instantsOf = ({ start, end }: PlannedOccurrence): string => `${start}/${end}`;

/** What of a plan did not happen at these instants before: only that is judged, when something else than the plan was changed. */
export function movedElsewhere(before: readonly PlannedOccurrence[], after: readonly PlannedOccurrence[]): readonly PlannedOccurrence[] {
  const stood = new Set(before.map(instantsOf));
  return after.filter((one) => !stood.has(instantsOf(one)));
}

/** Names a meeting whatever its instants: an occurrence of a change, and one of a freeze. */
interface Meeting {
  readonly localStart: string;
  readonly freeze: string;
  readonly freezeLocalStart: string;
}

const nameOf = ({ localStart, freeze, freezeLocalStart }: Meeting): string => JSON.stringify([localStart, freeze, freezeLocalStart]);
export const meetingOf = ({ planned, freeze }: MetFreeze): Meeting => ({
  localStart: planned.localStart,
  freeze: freeze.freeze,
  freezeLocalStart: freeze.localStart,
});

/** What is met that is not among `known`: what stood there before, or has somebody's word already. */
export function newlyMet(known: readonly Meeting[], met: readonly MetFreeze[]): readonly MetFreeze[] {
  const names = new Set(known.map(nameOf));
  return met.filter((one) => !names.has(nameOf(meetingOf(one))));
}
