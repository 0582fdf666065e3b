import { catalogueByKey } from "../catalog/queries.js";
import { readNow } from "../command.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf, runIdOf } from "../graphql/key-or-id.js";
import { RunRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { enterGate, type GateEntry, leaveGate, renewGate } from "./gate.js";
import { GateRef } from "./graphql-gate.js";
import type { Change } from "../access/targets.js";

const enter = { authScopes: { can: "gate.enter" } } as const;

/** Entering, renewing and leaving the gate, for work that other schedulers run. */
export function defineGateMutations(): void {
  const OutcomeEnum = capsEnum("GateOutcome", "How the work behind the gate ended.", ["succeeded", "failed"]);
  const EntryRef = builder.objectRef<GateEntry & { readonly integration: string }>("EnterGateResult").implement({
    description: "Whether the gate was entered, with the lease, or why not.",
    fields: (t) => ({
      entered: t.exposeBoolean("entered", { description: "True: the work may start and counts as a run in flight." }),
      run: t.field({
        type: RunRef,
        nullable: true,
        description: "The run that stands for the work.",
        resolve: (row) => (row.entered ? row.runId : null),
      }),
      leaseToken: t.string({
        nullable: true,
        description: "Renew and leave with it.",
        resolve: (row) => (row.entered ? row.leaseToken : null),
      }),
      leaseUntil: t.field({
        type: "DateTime",
        nullable: true,
        description: "Renew before this, or the work counts as lost.",
        resolve: (row) => (row.entered ? row.leaseUntil : null),
      }),
      gate: t.field({
        type: GateRef,
        nullable: true,
        description: "Why it was not entered.",
        resolve: async (row, _args, { database }) => {
          if (row.entered) return null;
          const integration = await catalogueByKey(database, "integration", { key: row.integration });
          return integration === null ? null : { integrationId: integration.id, verdict: row.verdict, asOf: await readNow(database.db) };
        },
      }),
    }),
  });
  const LeaseRef = builder.objectRef<{ readonly runId: string; readonly leaseUntil: number }>("GateLease").implement({
    description: "A renewed lease.",
    fields: (t) => ({
      run: t.field({ type: RunRef, description: "The run that stands for the work.", resolve: (row) => row.runId }),
      leaseUntil: t.expose("leaseUntil", { type: "DateTime", description: "Renew again before this." }),
    }),
  });
  const EnterInput = builder.inputType("EnterGateInput", {
    description: "A wish to start work on an integration from outside.",
    fields: (t) => ({
      integration: t.string({ required: true, description: "Its key or id." }),
      leaseSeconds: t.int({ required: true, description: "How long the work may stay silent: 1 to 3,600 seconds." }),
      reason: t.string({ description: "What the work is." }),
    }),
  });
  const leaseFields = { run: "The run's uuid or global id, as `enterGate` gave it.", leaseToken: "The token that `enterGate` gave." };
  const RenewInput = builder.inputType("RenewGateInput", {
    description: "A lease to keep.",
    fields: (t) => ({
      run: t.id({ required: true, description: leaseFields.run }),
      leaseToken: t.string({ required: true, description: leaseFields.leaseToken }),
      leaseSeconds: t.int({ required: true, description: "From now on, 1 to 3,600 seconds." }),
    }),
  });
  const LeaveInput = builder.inputType("LeaveGateInput", {
    description: "Work that has ended.",
    fields: (t) => ({
      run: t.id({ required: true, description: leaseFields.run }),
      leaseToken: t.string({ required: true, description: leaseFields.leaseToken }),
      outcome: t.field({ type: OutcomeEnum, required: true, description: "How it ended." }),
      exitCode: t.int({ description: "The exit code of a command." }),
    }),
  });
  builder.mutationFields((t) => ({
    enterGate: t.field({
      type: EntryRef,
      ...enter,
      description: "Enters the gate: the work counts as a run in flight, so no window over the integration becomes quiesced meanwhile.",
      args: { input: t.arg({ type: EnterInput, required: true, description: "What is to start." }) },
      resolve: async (_root, { input }, context) => {
        const integration = await keyOf(context, "Integration", input.integration);
        const entry = await runCommand(context, { action: "gate.enter", on: [{ kind: "integration", key: integration }] }, (command) =>
          enterGate(command, { integration, leaseSeconds: input.leaseSeconds, reason: input.reason ?? undefined }),
        );
        return { ...entry, integration };
      },
    }),
    renewGate: t.field({
      type: LeaseRef,
      ...enter,
      description: "Keeps the lease for another while.",
      args: { input: t.arg({ type: RenewInput, required: true, description: "Which lease." }) },
      resolve: async (_root, { input }, context) => {
        const runId = runIdOf(input.run);
        return {
          runId,
          ...(await runCommand(context, { action: "gate.enter", on: [{ kind: "run", key: runId }] }, (command) =>
            renewGate(command, { runId, leaseToken: input.leaseToken, leaseSeconds: input.leaseSeconds }),
          )),
        };
      },
    }),
    leaveGate: t.field({
      type: RunRef,
      ...enter,
      description: "Leaves the gate with the work's outcome.",
      args: { input: t.arg({ type: LeaveInput, required: true, description: "Which work, and how it ended." }) },
      resolve: async (_root, { input }, context) => {
        const left = {
          runId: runIdOf(input.run),
          leaseToken: input.leaseToken,
          outcome: input.outcome,
          exitCode: input.exitCode ?? undefined,
        };
        const change: Change = { action: "gate.enter", on: [{ kind: "run", key: left.runId }] };
        return (await runCommand(context, change, (command) => leaveGate(command, left))).runId;
      },
    }),
  }));
}
