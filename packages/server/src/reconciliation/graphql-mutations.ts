import { DomainError } from "@quiesce/core";
import type { Change } from "../access/targets.js";
import { builder } from "../graphql/builder.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { ReconciliationRef, RunRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { reconcileIntegration, resyncDifferences } from "./commands.js";
import { integrationOfReconciliation } from "./queries.js";

const write = { authScopes: { can: "runs.write" } } as const;

function onIntegration(key: string): Change {
  return { action: "runs.write", on: [{ kind: "integration", key }] };
}

/** Asking for a comparison, and mending what it found. */
export function defineReconciliationMutations(): void {
  const ReconcileInput = builder.inputType("ReconcileIntegrationInput", {
    description: "An integration whose two sides shall be compared.",
    fields: (t) => ({
      integration: t.string({ required: true, description: "Its key or global id." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const ResyncInput = builder.inputType("ResyncDifferencesInput", {
    description: "A comparison whose differences shall be mended.",
    fields: (t) => ({
      reconciliation: t.string({ required: true, description: "Its number or global id." }),
      confirmDeletions: t.boolean({ description: "What the source no longer has may be deleted at the target, however much it is." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const ResyncOrderRef = builder.objectRef<{ readonly runId: string; readonly differences: number }>("ResyncOrder").implement({
    description: "Differences that are on their way to be mended.",
    fields: (t) => ({
      run: t.field({ type: RunRef, nullable: true, description: "The run that does it.", resolve: (row) => row.runId }),
      differences: t.exposeInt("differences", { description: "How many are open." }),
    }),
  });
  builder.mutationFields((t) => ({
    reconcileIntegration: t.field({
      type: ReconciliationRef,
      ...write,
      description: "Queues a run that compares what both sides of an integration hold. A hold holds it as it holds every other run.",
      args: { input: t.arg({ type: ReconcileInput, required: true, description: "Which one." }) },
      resolve: async (_root, { input }, context) => {
        const integration = await keyOf(context, "Integration", input.integration);
        const { id } = await runCommand(context, onIntegration(integration), (command) =>
          reconcileIntegration(command, { integration, reason: input.reason ?? null }),
        );
        return String(id);
      },
    }),
    resyncDifferences: t.field({
      type: ResyncOrderRef,
      ...write,
      description: "Queues a run that copies the records which a comparison found different once more, and no others.",
      args: { input: t.arg({ type: ResyncInput, required: true, description: "Which one, and why." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("Reconciliation", input.reconciliation, "reconciliation");
        const integration = await integrationOfReconciliation(context.database, id);
        if (integration === null)
          throw new DomainError("QSC_RECONCILIATION_NOT_FOUND", `There is no reconciliation ${id}.`, { field: "reconciliation" });
        return runCommand(context, onIntegration(integration), (command) =>
          resyncDifferences(command, { id, confirmDeletions: input.confirmDeletions === true, reason: input.reason }),
        );
      },
    }),
  }));
}
