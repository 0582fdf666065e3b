import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { WindowRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { changesOf, given, overrideFreezeField, overrideOfFreeze, SplitChangesInput } from "./graphql-inputs.js";
import { moveOccurrence, restoreOccurrence } from "./move-occurrence.js";
import { savedWindow } from "./saved-window.js";
import { splitWindow } from "./split-window.js";
import { type Change, onWindow } from "../access/targets.js";

const plan = { authScopes: { can: "windows.write" } } as const;
const key = "The window's key or id.";
const localStart = "Which occurrence, by the local start that the series gives it.";
const reason = "Why; it goes into the audit trail.";

const MoveInput = builder.inputType("MoveOccurrenceInput", {
  description: "One occurrence that shall happen at other local times.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ required: true, description: localStart }),
    start: t.string({ required: true, description: "Its new local start: 2026-12-13T03:00." }),
    end: t.string({ description: "Its new local end; left out: it lasts as long as before." }),
    overrideFreeze: t.string(overrideFreezeField),
    reason: t.string({ required: true, description: reason }),
  }),
});
const RestoreInput = builder.inputType("RestoreOccurrenceInput", {
  description: "An occurrence that was moved or cancelled and shall happen as the series says.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ required: true, description: localStart }),
    overrideFreeze: t.string(overrideFreezeField),
    reason: t.string({ required: true, description: reason }),
  }),
});
const SplitInput = builder.inputType("SplitMaintenanceWindowInput", {
  description: "A window to change from one occurrence on.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ required: true, description: "The first occurrence of the new window, by its local start." }),
    changes: t.field({ type: SplitChangesInput, description: "What is different from there on." }),
    overrideFreeze: t.string(overrideFreezeField),
    reason: t.string({ required: true, description: reason }),
  }),
});

/** One edited occurrence, and this and following. */
export function defineReplanning(): void {
  builder.mutationFields((t) => ({
    moveOccurrence: t.field({
      type: WindowRef,
      ...plan,
      description: "Plans one occurrence that has not begun at other local times. It survives edits of the series that still name it.",
      args: { input: t.arg({ type: MoveInput, required: true, description: "Which one, and when instead." }) },
      resolve: async (_root, { input }, context) => {
        const which = { ...given(input), key: await keyOf(context, "MaintenanceWindow", input.key) };
        return savedWindow(
          context,
          await runCommand(context, onWindow("windows.write", which.key), (command) => moveOccurrence(command, which)),
        );
      },
    }),
    restoreOccurrence: t.field({
      type: WindowRef,
      ...plan,
      description: "Takes back what was changed about one occurrence, moved or cancelled.",
      args: { input: t.arg({ type: RestoreInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) => {
        const which = { ...given(input), key: await keyOf(context, "MaintenanceWindow", input.key) };
        return savedWindow(
          context,
          await runCommand(context, onWindow("windows.write", which.key), (command) => restoreOccurrence(command, which)),
        );
      },
    }),
    splitMaintenanceWindow: t.field({
      type: WindowRef,
      ...plan,
      description: "This and following: ends the window before an occurrence and answers the new one that goes on from there.",
      args: { input: t.arg({ type: SplitInput, required: true, description: "Where, and what is different from there on." }) },
      resolve: async (_root, { input }, context) => {
        const changes = changesOf(input.changes ?? {});
        const windowKey = await keyOf(context, "MaintenanceWindow", input.key);
        const scope = changes.scope === undefined ? [] : [{ kind: "scope", scope: changes.scope } as const];
        const change: Change = { action: "windows.write", on: [{ kind: "window", key: windowKey }, ...scope] };
        const { newKey } = await runCommand(context, change, (command) =>
          splitWindow(command, { key: windowKey, localStart: input.localStart, reason: input.reason, changes, ...overrideOfFreeze(input) }),
        );
        return savedWindow(context, { key: newKey });
      },
    }),
  }));
}
