import {
  DomainError,
  freezesMet,
  type MetFreeze,
  meetingOf,
  newlyMet,
  reachOfScope,
  sharedReach,
  windowKindEffects,
  type ZoneData,
} from "@quiesce/core";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import {
  acceptedMeetings,
  acceptFreezeConflicts,
  bindingFreezes,
  happeningFreezes,
  happeningsOf,
  type HappeningWindow,
  openFreezeConflicts,
  standingChanges,
} from "./freeze-store.js";
import { lockCatalogue } from "./locks.js";
import { freezeHorizonMs, recordFreezes, tellOverridden } from "./refuse-in-freeze.js";
import { knownWindow } from "./save-window.js";
import { loadCatalogFacts } from "./store.js";

/** Where a change that stands lies in freezes. */
interface Standing {
  readonly window: HappeningWindow;
  readonly met: readonly MetFreeze[];
}

/** Where changes that stand lie in freezes from now on, whoever allowed it. One without any is left out. */
export async function changesInFreezes(tx: Tx, input: { readonly zones: ZoneData; readonly now: number }): Promise<readonly Standing[]> {
  const { zones, now } = input;
  const freezes = await bindingFreezes(tx, null);
  if (freezes.length === 0) return [];
  const windows = await standingChanges(tx);
  if (windows.length === 0) return [];
  const facts = await loadCatalogFacts(tx);
  const spans = await happeningFreezes(tx, { freezes, zones, now, until: now + 2 * freezeHorizonMs });
  const happenings = await happeningsOf(tx, { windows, zones, now, until: now + freezeHorizonMs });
  const reachOf = ({ scope, kind }: HappeningWindow) => reachOfScope(facts, scope, windowKindEffects[kind].holds);
  const reaches = freezes.map((freeze) => ({ id: freeze.id, reach: reachOf(freeze) }));
  return windows.flatMap((window) => {
    const own = reachOf(window);
    const reaching = new Set(reaches.filter(({ reach }) => sharedReach(own, reach) !== null).map(({ id }) => id));
    const met = freezesMet({
      kind: window.kind,
      planned: happenings.get(window.id) ?? [],
      freezes: spans.filter(({ freezeId }) => reaching.has(freezeId)),
    });
    return met.length === 0 ? [] : [{ window, met }];
  });
}

/** Notes which changes lie in freezes now that did not `before`, because newer zone data moved the one or the other. Answers how many. */
export async function noteMovedIntoFreezes(
  tx: Tx,
  input: { readonly before: readonly Standing[]; readonly zones: ZoneData; readonly now: number },
): Promise<number> {
  const before = new Map(input.before.map(({ window, met }) => [window.id, met]));
  let noted = 0;
  for (const { window, met } of await changesInFreezes(tx, input)) {
    const accepted = await acceptedMeetings(tx, window.id);
    const added = newlyMet([...(before.get(window.id) ?? []).map(meetingOf), ...accepted], met);
    if (added.length === 0) continue;
    noted += 1;
    await recordFreezes(tx, { window, stays: { met: added, cause: "zone-data", accepted: null }, adds: true });
  }
  return noted;
}

/** Lets stand what nobody has decided on: a change that a calendar or other zone data moved into freezes. Throws QSC_WINDOW_NOT_IN_FREEZE. */
export function overrideFreeze(
  context: CommandContext,
  input: { readonly key: string; readonly reason: string },
): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const window = await knownWindow(tx, input.key);
    const reason = input.reason.trim();
    if (reason === "")
      throw new DomainError("QSC_WINDOW_INVALID", "The reason is empty. Say why the change may stand inside the freeze.", {
        field: "reason",
      });
    const open = await openFreezeConflicts(tx, { windowId: window.id });
    if (open.length === 0) {
      throw new DomainError(
        "QSC_WINDOW_NOT_IN_FREEZE",
        `The window "${window.key}" lies in no freeze that somebody has to decide on. A plan that falls into one is overridden as it is saved.`,
        { field: "key" },
      );
    }
    await acceptFreezeConflicts(tx, { windowId: window.id, by: context.actor.name, reason });
    const met = open.map(({ localStart, freeze, freezeLocalStart, freezeOwner }) => ({
      planned: { localStart },
      freeze: { freeze, localStart: freezeLocalStart, owner: freezeOwner },
    }));
    await tellOverridden(tx, context, { window: window.key, met, reason });
    return { key: window.key };
  });
}
