import { type WindowInput, windowInputSchema, windowScopeSchema } from "@quiesce/core";
import { type CommandContext, inTransaction } from "../command.js";
import { lockCatalogue, lockDispatch } from "./locks.js";
import { cancelOccurrence } from "./occurrence-commands.js";
import { parsed } from "./parse-input.js";
import type { FreezeOverride } from "./refuse-in-freeze.js";
import { requireKnownNames } from "./require-known-names.js";
import { deleteWindow, knownWindow, saveWindow } from "./save-window.js";
import { loadCatalogFacts } from "./store.js";
import type { WindowRow } from "./table.js";
import { type WindowChanges, withChanges } from "./window-changes.js";

/** Plans a new maintenance window. When it answers, no run starts inside the window any more. */
export function createWindow(context: CommandContext, input: WindowInput, options: FreezeOverride = {}): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const { scope } = parsed(windowInputSchema, input, "QSC_WINDOW_INVALID");
    requireKnownNames(await loadCatalogFacts(tx), scope);
    const saved = await saveWindow(tx, context, input, { ...options, mustBeNew: true });
    await lockDispatch(tx, saved.changed);
    return { key: saved.key };
  });
}

/** Changes a window. Occurrences that have begun stay as they are; what lies ahead follows the new definition. */
export function updateWindow(
  context: CommandContext,
  input: WindowChanges & { readonly key: string },
  options: FreezeOverride = {},
): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const current = await knownWindow(tx, input.key);
    const { key: _key, ...patch } = input;
    if (patch.scope !== undefined)
      requireKnownNames(await loadCatalogFacts(tx), parsed(windowScopeSchema, patch.scope, "QSC_WINDOW_INVALID"));
    const saved = await saveWindow(tx, context, { ...withChanges(inputOf(current), patch), key: current.key }, options);
    await lockDispatch(tx, saved.changed);
    return { key: saved.key };
  });
}

/** Cancels the whole series (what lies ahead goes, what is open ends now), or one occurrence of it. */
export function cancelWindow(
  context: CommandContext,
  input: { readonly key: string; readonly localStart?: string | undefined; readonly reason: string },
): Promise<{ readonly key: string }> {
  return inTransaction(context, async (tx) => {
    await lockCatalogue(tx);
    const changed = input.localStart === undefined ? await deleteWindow(tx, context, input) : await cancelOccurrence(tx, context, input);
    await lockDispatch(tx, changed);
    return { key: input.key };
  });
}

/** What a person would have to write to get this window as it is. */
export function inputOf(window: WindowRow): WindowInput {
  return {
    title: window.title,
    kind: window.kind,
    mode: window.mode,
    series: window.series,
    scope: window.scope,
    drain: window.drain,
    resume: window.resume,
    owner: window.owner,
    reason: window.reason,
    confirmLong: true,
  };
}
