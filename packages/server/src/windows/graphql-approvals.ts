import { approvalStates, type WindowApproval } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { WindowRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { approveWindow, rejectWindow } from "./approval-commands.js";
import { overrideFreezeField, overrideOfFreeze } from "./graphql-inputs.js";
import { savedWindow } from "./saved-window.js";
import { onWindow } from "../access/targets.js";

const approve = { authScopes: { can: "windows.approve" } } as const;

const ApprovalStateEnum = capsEnum("ApprovalState", "Whether a window that needs an approval has it.", approvalStates, {
  pending: "Asked for: the window holds nothing.",
  approved: "Given by everybody whom the policies want: the window holds.",
  rejected: "Refused: the window holds nothing until it is changed and approved.",
});
const NeededRef = builder.objectRef<WindowApproval["needed"][number]>("NeededApproval").implement({
  description: "One policy that the window falls under.",
  fields: (t) => ({
    policy: t.exposeString("policy", { description: "The policy's key." }),
    by: t.stringList({ description: "Who may approve; empty: whoever has the right to.", resolve: (row) => row.by }),
    ownAllowed: t.exposeBoolean("ownAllowed", { description: "Whether who asked may approve it as well." }),
  }),
});
const GivenRef = builder.objectRef<WindowApproval["given"][number]>("GivenApproval").implement({
  description: "Somebody's word for the window.",
  fields: (t) => ({
    policy: t.exposeString("policy", { description: "The policy that it satisfies." }),
    by: t.exposeString("by", { description: "Whose word." }),
    at: t.expose("at", { type: "DateTime", description: "When." }),
    comment: t.exposeString("comment", { nullable: true, description: "What was said with it." }),
  }),
});
const RejectionRef = builder.objectRef<NonNullable<WindowApproval["rejected"]>>("WindowRejection").implement({
  description: "Why a window was refused.",
  fields: (t) => ({
    by: t.exposeString("by", { description: "By whom." }),
    at: t.expose("at", { type: "DateTime", description: "When." }),
    comment: t.exposeString("comment", { nullable: true, description: "Why." }),
  }),
});

/** The approval of a window that needs one. */
export const WindowApprovalRef = builder.objectRef<WindowApproval>("WindowApproval").implement({
  description: "The approval of a window that needs one. It holds only when every policy is satisfied.",
  fields: (t) => ({
    state: t.expose("state", { type: ApprovalStateEnum, description: "Where it is." }),
    requestedBy: t.exposeString("requestedBy", { description: "Who asked for it." }),
    requestedAt: t.expose("requestedAt", { type: "DateTime", description: "When." }),
    needed: t.field({ type: [NeededRef], description: "The policies, as they stood when it was asked for.", resolve: (row) => row.needed }),
    given: t.field({ type: [GivenRef], description: "What was given so far.", resolve: (row) => row.given }),
    rejected: t.field({ type: RejectionRef, nullable: true, description: "The refusal.", resolve: (row) => row.rejected }),
  }),
});

const ApproveInput = builder.inputType("ApproveMaintenanceWindowInput", {
  description: "A window to approve.",
  fields: (t) => ({
    key: t.string({ required: true, description: "The window's key or id." }),
    comment: t.string({ description: "What to say with it; stays on record." }),
    overrideFreeze: t.string(overrideFreezeField),
  }),
});
const RejectInput = builder.inputType("RejectMaintenanceWindowInput", {
  description: "A window to refuse.",
  fields: (t) => ({
    key: t.string({ required: true, description: "The window's key or id." }),
    comment: t.string({ required: true, description: "Why; stays on record." }),
  }),
});

/** Approving and refusing windows. */
export function defineApprovals(): void {
  builder.mutationFields((t) => ({
    approveMaintenanceWindow: t.field({
      type: WindowRef,
      ...approve,
      description:
        "Gives one's word for a window. When every policy is satisfied it holds from its next start on, or from now if it is open.",
      args: { input: t.arg({ type: ApproveInput, required: true, description: "Which one." }) },
      resolve: async (_root, { input }, context) => {
        const key = await keyOf(context, "MaintenanceWindow", input.key);
        const comment = input.comment ?? undefined;
        return savedWindow(
          context,
          await runCommand(context, onWindow("windows.approve", key), (command) =>
            approveWindow(command, { key, comment, ...overrideOfFreeze(input) }),
          ),
        );
      },
    }),
    rejectMaintenanceWindow: t.field({
      type: WindowRef,
      ...approve,
      description: "Refuses a window: it holds nothing until it is changed and approved.",
      args: { input: t.arg({ type: RejectInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) => {
        const key = await keyOf(context, "MaintenanceWindow", input.key);
        return savedWindow(
          context,
          await runCommand(context, onWindow("windows.approve", key), (command) => rejectWindow(command, { key, comment: input.comment })),
        );
      },
    }),
  }));
}
