import { freezeCauses, undecidedFreezeSentence } from "@quiesce/core";
import { onWindow } from "../access/targets.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { WindowRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { overrideFreeze } from "./freeze-conflicts.js";
import { type FreezeConflict, openFreezeConflicts } from "./freeze-store.js";
import { savedWindow } from "./saved-window.js";

const read = { authScopes: { can: "windows.read" } } as const;

export const FreezeConflictRef = builder.objectRef<FreezeConflict>("FreezeConflict");

/** Changes that lie in freezes without anybody's word, and the word on them. */
export function defineFreezes(): void {
  const CauseEnum = capsEnum("FreezeConflictCause", "What moved a change or a freeze when nobody acted.", freezeCauses);
  builder.objectType(FreezeConflictRef, {
    description: "An occurrence of a change that lies in a freeze, and nobody has decided on that.",
    fields: (t) => ({
      window: t.field({ type: WindowRef, description: "The change.", resolve: (row) => String(row.windowId) }),
      localStart: t.exposeString("localStart", { description: "Its occurrence, by its local start." }),
      freeze: t.field({ type: WindowRef, description: "The freeze.", resolve: (row) => String(row.freezeId) }),
      freezeLocalStart: t.exposeString("freezeLocalStart", { description: "The occurrence of the freeze, by its local start." }),
      from: t.expose("from", { type: "DateTime", description: "From when on both happen." }),
      until: t.expose("until", { type: "DateTime", description: "Until when." }),
      cause: t.expose("cause", { type: CauseEnum, nullable: true, description: "What moved the one or the other." }),
      noticedAt: t.expose("noticedAt", { type: "DateTime", description: "When it was noticed." }),
      sentence: t.string({ description: "The same for people, with what to do.", resolve: undecidedFreezeSentence }),
    }),
  });
  builder.objectFields(WindowRef, (t) => ({
    freezeConflicts: t.field({
      type: [FreezeConflictRef],
      description: "Freezes that it lies in without anybody's word, because a calendar or newer zone data moved it there.",
      complexity: 50,
      resolve: (row, _args, { database }) => openFreezeConflicts(database.db, { windowId: row.id }),
    }),
  }));
  builder.queryField("freezeConflicts", (t) =>
    t.field({
      type: [FreezeConflictRef],
      ...read,
      description: "Changes that lie in freezes and wait for somebody's decision, by start; at most 200.",
      complexity: 100,
      resolve: (_root, _args, { database }) => openFreezeConflicts(database.db),
    }),
  );
  const OverrideInput = builder.inputType("OverrideFreezeInput", {
    description: "A change that shall stand although it lies in freezes.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The change's key or id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail, and to the owners of the freezes." }),
    }),
  });
  builder.mutationField("overrideFreeze", (t) =>
    t.field({
      type: WindowRef,
      authScopes: { can: "windows.override-freeze" },
      description: "Lets a change stand where a calendar or newer zone data moved it into freezes. The freezes' owners are told.",
      args: { input: t.arg({ type: OverrideInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) => {
        const key = await keyOf(context, "MaintenanceWindow", input.key);
        return savedWindow(
          context,
          await runCommand(context, onWindow("windows.override-freeze", key), (command) =>
            overrideFreeze(command, { key, reason: input.reason }),
          ),
        );
      },
    }),
  );
}
