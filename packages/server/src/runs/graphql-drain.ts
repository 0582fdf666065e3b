import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { HoldRef, RunRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { breakGlass } from "./break-glass.js";
import type { Change } from "../access/targets.js";

/** What the drain of windows does to runs, and the one way through. */
export function defineDrainOfRuns(): void {
  builder.objectFields(RunRef, (t) => ({
    postponedBy: t.field({
      type: HoldRef,
      nullable: true,
      description: "The hold before whose beginning it would not have finished; kept as the record.",
      resolve: (row) => (row.postponedBy === null ? null : String(row.postponedBy)),
    }),
    postponedUntil: t.expose("postponedUntil", {
      type: "DateTime",
      nullable: true,
      description: "It waits for this beginning now, because it would not finish before.",
    }),
    abortedBy: t.field({
      type: HoldRef,
      nullable: true,
      description: "The hold at whose drain deadline it was last told to stop; kept as the record.",
      resolve: (row) => (row.abortedBy === null ? null : String(row.abortedBy)),
    }),
    abortRequestedAt: t.expose("abortRequestedAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when its present attempt, or the one that has just ended, was told to stop.",
    }),
  }));
  const BreakGlassInput = builder.inputType("BreakGlassInput", {
    description: "An order to run a job once although a window holds it.",
    fields: (t) => ({
      job: t.string({ required: true, description: "The job's key or id." }),
      window: t.string({ required: true, description: "The window to pass: its key or id. Every other hold holds the run." }),
      localStart: t.string({ description: "Which occurrence, by its local start. Left out: the current one." }),
      reason: t.string({ required: true, description: "Why it cannot wait; it goes into the audit trail and the window's report." }),
    }),
  });
  builder.mutationFields((t) => ({
    breakGlass: t.field({
      type: RunRef,
      authScopes: { can: "runs.break-glass" },
      description:
        "Runs a job once through one occurrence of a window. The window is not quiesced from this answer on, until the run has ended.",
      args: { input: t.arg({ type: BreakGlassInput, required: true, description: "What to run, through which window, and why." }) },
      resolve: async (_root, { input }, context) => {
        const job = await keyOf(context, "Job", input.job);
        const window = await keyOf(context, "MaintenanceWindow", input.window);
        const order = { job, window, localStart: input.localStart ?? undefined, reason: input.reason };
        const change: Change = { action: "runs.break-glass", on: [{ kind: "job", key: job }] };
        return (await runCommand(context, change, (command) => breakGlass(command, order))).runId;
      },
    }),
  }));
}
