import type { WindowInput } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { WindowRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { given, ScopeInput, scopeOf, SeriesInput, seriesOf } from "./graphql-inputs.js";
import { ModeEnum, WindowKindEnum } from "./graphql-vocabulary.js";
import { moveOccurrence, restoreOccurrence } from "./move-occurrence.js";
import { savedWindow } from "./saved-window.js";
import { splitWindow } from "./split-window.js";

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
    reason: t.string({ required: true, description: reason }),
  }),
});
const RestoreInput = builder.inputType("RestoreOccurrenceInput", {
  description: "An occurrence that was moved or cancelled and shall happen as the series says.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ required: true, description: localStart }),
    reason: t.string({ required: true, description: reason }),
  }),
});
const ChangesInput = builder.inputType("SplitMaintenanceWindowChanges", {
  description: "What is different from there on; what is left out stays.",
  fields: (t) => ({
    key: t.string({ description: "The new window's key; made from the old one and the date when left out." }),
    title: t.string({ description: "Its name for people." }),
    kind: t.field({ type: WindowKindEnum, description: "What it does to those it covers." }),
    mode: t.field({ type: ModeEnum, description: "Whether it holds, or only records." }),
    series: t.field({ type: SeriesInput, description: "When it happens." }),
    scope: t.field({ type: ScopeInput, description: "What it covers." }),
    owner: t.string({ description: "The team or person who answers for it." }),
    reason: t.string({ description: "Why it is needed." }),
    confirmLong: t.boolean({ description: "Yes, it really is longer than 31 days." }),
  }),
});
const SplitInput = builder.inputType("SplitMaintenanceWindowInput", {
  description: "A window to change from one occurrence on.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ required: true, description: "The first occurrence of the new window, by its local start." }),
    changes: t.field({ type: ChangesInput, description: "What is different from there on." }),
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
        return savedWindow(context, await runCommand(context, (command) => moveOccurrence(command, which)));
      },
    }),
    restoreOccurrence: t.field({
      type: WindowRef,
      ...plan,
      description: "Takes back what was changed about one occurrence, moved or cancelled.",
      args: { input: t.arg({ type: RestoreInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) => {
        const which = { ...input, key: await keyOf(context, "MaintenanceWindow", input.key) };
        return savedWindow(context, await runCommand(context, (command) => restoreOccurrence(command, which)));
      },
    }),
    splitMaintenanceWindow: t.field({
      type: WindowRef,
      ...plan,
      description: "This and following: ends the window before an occurrence and answers the new one that goes on from there.",
      args: { input: t.arg({ type: SplitInput, required: true, description: "Where, and what is different from there on." }) },
      resolve: async (_root, { input }, context) => {
        const { series, scope, ...rest } = given(input.changes ?? {});
        const changes: Partial<WindowInput> = {
          ...rest,
          ...(series === undefined ? {} : { series: seriesOf(series) }),
          ...(scope === undefined ? {} : { scope: scopeOf(scope) }),
        };
        const windowKey = await keyOf(context, "MaintenanceWindow", input.key);
        const { newKey } = await runCommand(context, (command) =>
          splitWindow(command, { key: windowKey, localStart: input.localStart, reason: input.reason, changes }),
        );
        return savedWindow(context, { key: newKey });
      },
    }),
  }));
}
