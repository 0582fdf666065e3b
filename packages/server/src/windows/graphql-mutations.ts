import { type CatchUp, DomainError } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { HoldRef, WindowRef } from "../graphql/refs.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import { cancelWindow, createWindow, updateWindow } from "./commands.js";
import { pause, resume } from "./hold-commands.js";
import { endWindowEarly, extendWindow } from "./occurrence-commands.js";
import { CatchUpOverrideEnum } from "./graphql-resume.js";
import {
  changesFields,
  changesOf,
  overrideFreezeField,
  overrideOfFreeze,
  PlanInput,
  ScopeInput,
  scopeOf,
  windowInputOf,
} from "./graphql-inputs.js";
import { savedWindow } from "./saved-window.js";
import { type Change, onWindow, type Target } from "../access/targets.js";
import type { CommandContext } from "../command.js";

const plan = { authScopes: { can: "windows.write" } } as const;
const hold = { authScopes: { can: "holds.write" } } as const;

const UpdateInput = builder.inputType("UpdateMaintenanceWindowInput", {
  description: "What to change about a window; what is left out stays. Occurrences that have begun stay as they are.",
  fields: (t) => ({
    key: t.string({ required: true, description: "The window's key or id." }),
    ...changesFields(t),
    overrideFreeze: t.string(overrideFreezeField),
  }),
});
const key = "The window's key or id.";
const localStart = "Which occurrence, by its local start.";
const reason = "Why; it goes into the audit trail.";
const catchUp = "For this resume, instead of the jobs' own policies.";
const confirmAll = "Yes, ALL also for jobs that read from a cursor.";
const CancelInput = builder.inputType("CancelMaintenanceWindowInput", {
  description: "A window, or one occurrence of it, that shall not happen.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ description: `${localStart} Left out: the whole window.` }),
    reason: t.string({ required: true, description: reason }),
  }),
});
const EndEarlyInput = builder.inputType("EndMaintenanceWindowEarlyInput", {
  description: "An occurrence that ends now.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ description: `${localStart} Left out: the current one.` }),
    catchUp: t.field({ type: CatchUpOverrideEnum, description: catchUp }),
    confirmAll: t.boolean({ description: confirmAll }),
    reason: t.string({ required: true, description: reason }),
  }),
});
const ExtendInput = builder.inputType("ExtendMaintenanceWindowInput", {
  description: "An occurrence that ends later.",
  fields: (t) => ({
    key: t.string({ required: true, description: key }),
    localStart: t.string({ description: `${localStart} Left out: the current or next one.` }),
    until: t.field({ type: "DateTime", required: true, description: "Its new end." }),
    overrideFreeze: t.string(overrideFreezeField),
    reason: t.string({ required: true, description: reason }),
  }),
});
const PauseInput = builder.inputType("PauseInput", {
  description: "A hold from now on.",
  fields: (t) => ({
    scope: t.field({ type: ScopeInput, required: true, description: "What it covers." }),
    until: t.field({ type: "DateTime", description: "When it ends by itself; left out: when somebody resumes." }),
    reason: t.string({ required: true, description: reason }),
  }),
});
const ResumeInput = builder.inputType("ResumeInput", {
  description: "Pauses to lift: one by its id, or every one of exactly a scope.",
  fields: (t) => ({
    holdId: t.id({ description: "The hold's key or id." }),
    scope: t.field({ type: ScopeInput, description: "The scope as it was paused." }),
    catchUp: t.field({ type: CatchUpOverrideEnum, description: catchUp }),
    confirmAll: t.boolean({ description: confirmAll }),
    reason: t.string({ required: true, description: reason }),
  }),
});

/** Planning, ending, extending windows; pausing and resuming by hand. */
export function defineWindowMutations(): void {
  const ResumeResultRef = builder.objectRef<{ readonly released: readonly number[] }>("ResumeResult").implement({
    description: "What was lifted. Runs go when no other hold covers them.",
    fields: (t) => ({
      released: t.field({ type: [HoldRef], description: "The holds that were lifted.", resolve: (row) => row.released.map(String) }),
    }),
  });
  builder.mutationFields((t) => ({
    createMaintenanceWindow: t.field({
      type: WindowRef,
      ...plan,
      description: "Plans a window. When it answers, no run starts inside it any more.",
      args: { input: t.arg({ type: PlanInput, required: true, description: "The window." }) },
      resolve: async (_root, { input }, context) =>
        savedWindow(
          context,
          await runCommand(context, { action: "windows.write", on: [{ kind: "scope", scope: scopeOf(input.scope) }] }, (command) =>
            createWindow(command, windowInputOf(input), overrideOfFreeze(input)),
          ),
        ),
    }),
    updateMaintenanceWindow: t.field({
      type: WindowRef,
      ...plan,
      description: "Changes a window. When it answers, the change is in force.",
      args: { input: t.arg({ type: UpdateInput, required: true, description: "What to change." }) },
      resolve: async (_root, { input }, context) => {
        const { key: given, overrideFreeze: _said, ...changes } = input;
        const patch = { ...changesOf(changes), key: await keyOf(context, "MaintenanceWindow", given) };
        const scope = input.scope ? [{ kind: "scope", scope: scopeOf(input.scope) } as const] : [];
        const change: Change = { action: "windows.write", on: [{ kind: "window", key: patch.key }, ...scope] };
        return savedWindow(context, await runCommand(context, change, (command) => updateWindow(command, patch, overrideOfFreeze(input))));
      },
    }),
    cancelMaintenanceWindow: t.field({
      type: WindowRef,
      ...plan,
      description: "Cancels a window, ending what is open of it now, or one occurrence that has not begun.",
      args: { input: t.arg({ type: CancelInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) => changeWindow(context, input, (command, which) => cancelWindow(command, which)),
    }),
    endMaintenanceWindowEarly: t.field({
      type: WindowRef,
      ...plan,
      description: "Ends the current occurrence now. The next one and every other window stay as they are.",
      args: { input: t.arg({ type: EndEarlyInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) =>
        changeWindow(context, input, (command, which) => endWindowEarly(command, { ...which, ...overrideOf(input) })),
    }),
    extendMaintenanceWindow: t.field({
      type: WindowRef,
      ...plan,
      description: "Moves the end of the current or next occurrence later.",
      args: { input: t.arg({ type: ExtendInput, required: true, description: "Which one, until when, and why." }) },
      resolve: async (_root, { input }, context) =>
        changeWindow(context, input, (command, which) =>
          extendWindow(command, { ...which, ...overrideOfFreeze(input), until: input.until }),
        ),
    }),
    pause: t.field({
      type: HoldRef,
      ...hold,
      description: "Holds a scope from now on. When it answers, no run of it starts any more.",
      args: { input: t.arg({ type: PauseInput, required: true, description: "What, until when, and why." }) },
      resolve: async (_root, { input }, context) => {
        const scope = scopeOf(input.scope);
        const made = await runCommand(context, { action: "holds.write", on: [{ kind: "scope", scope }] }, (command) =>
          pause(command, { scope, until: input.until ?? null, reason: input.reason }),
        );
        return String(made.holdId);
      },
    }),
    resume: t.field({
      type: ResumeResultRef,
      ...hold,
      description: "Lifts pauses. It never lifts a window's hold: end that window early instead.",
      args: { input: t.arg({ type: ResumeInput, required: true, description: "Which pauses, and why." }) },
      resolve: async (_root, { input }, context) => {
        const which =
          typeof input.holdId === "string"
            ? { holdId: numberOf("Hold", input.holdId, "holdId") }
            : input.scope
              ? { scope: scopeOf(input.scope) }
              : null;
        if (which === null)
          throw new DomainError("QSC_HOLD_NOT_NAMED", "Say what to resume: holdId, or the scope as it was paused.", { field: "holdId" });
        const on: Target = "holdId" in which ? { kind: "hold", key: which.holdId } : { kind: "scope", scope: which.scope };
        return runCommand(context, { action: "holds.write", on: [on] }, (command) =>
          resume(command, { ...which, ...overrideOf(input), reason: input.reason }),
        );
      },
    }),
  }));
}

const overrideOf = (input: { readonly catchUp?: CatchUp | null | undefined; readonly confirmAll?: boolean | null | undefined }) => ({
  catchUp: input.catchUp ?? undefined,
  confirmAll: input.confirmAll ?? undefined,
});

/** Runs a command on one window, or on one occurrence of it. */
async function changeWindow(
  context: RequestContext,
  input: { readonly key: string; readonly localStart?: string | null | undefined; readonly reason: string },
  command: (command: CommandContext, which: NamedOccurrence) => Promise<{ readonly key: string }>,
) {
  const which = {
    key: await keyOf(context, "MaintenanceWindow", input.key),
    localStart: input.localStart ?? undefined,
    reason: input.reason,
  };
  return savedWindow(context, await runCommand(context, onWindow("windows.write", which.key), (running) => command(running, which)));
}

interface NamedOccurrence {
  readonly key: string;
  readonly localStart: string | undefined;
  readonly reason: string;
}
