import { DomainError, runTriggers } from "@quiesce/core";
import { catalogueByKey } from "../catalog/queries.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { idInside, keyOf, numberOf, runIdOf } from "../graphql/key-or-id.js";
import { HoldRef, IntegrationRef, JobRef, RunRef } from "../graphql/refs.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import { cancelRun, runNow } from "./commands.js";
import { defineDeadLetters } from "./graphql-dead-letters.js";
import { defineDrainOfRuns } from "./graphql-drain.js";
import { defineExplain } from "./graphql-explain.js";
import { defineGateMutations } from "./graphql-gate-mutations.js";
import { defineGate, gateOf, GateRef } from "./graphql-gate.js";
import { defineLedger } from "./graphql-ledger.js";
import { RunStateCountRef, RunStateEnum } from "./graphql-run-state.js";
import { type RunFilter, runPage, runsByIds } from "./queries.js";
import { type RunConnector, runSides } from "./run-connectors.js";
import type { Change } from "../access/targets.js";

const read = { authScopes: { can: "runs.read" } } as const;

const TriggerEnum = capsEnum("RunTrigger", "Why a run exists.", runTriggers);
const OrderEnum = builder.enumType("RunOrder", {
  description: "Runs are ordered by due time.",
  values: { DUE_DESC: { value: "desc", description: "Newest first." }, DUE_ASC: { value: "asc", description: "Oldest first." } } as const,
});

const SideEnum = capsEnum("RunSide", "Where a run uses a connector.", runSides, {
  source: "Where records come from; of a monitor, who is asked.",
  target: "Where records go to.",
});
const RunConnectorRef = builder.objectRef<RunConnector>("RunConnector").implement({
  description: "A connector that a run worked with, as it was loaded then.",
  fields: (t) => ({
    side: t.expose("side", { type: SideEnum, description: "Where." }),
    endpoint: t.exposeString("endpoint", { description: "The key that the endpoint had." }),
    name: t.exposeString("name", { description: "What endpoints call it: its alias, or its id." }),
    id: t.exposeString("id", { description: "The connector's own id." }),
    package: t.exposeString("package", { nullable: true, description: "The package that it came from; null: it comes with Quiesce." }),
    version: t.exposeString("version", { description: "Its version." }),
  }),
});

export const RunFilterInput = builder.inputType("RunFilter", {
  description: "Which runs; every field given must fit.",
  fields: (t) => ({
    job: t.string({ description: "Of this job (key or id)." }),
    integration: t.string({ description: "Of this integration (key or id)." }),
    states: t.field({ type: [RunStateEnum], description: "In one of these states." }),
    triggers: t.field({ type: [TriggerEnum], description: "Made by one of these triggers." }),
    dueFrom: t.field({ type: "DateTime", description: "Due at or after." }),
    dueTo: t.field({ type: "DateTime", description: "Due before." }),
    hold: t.id({ description: "Held by this hold (key or id)." }),
  }),
});

/** The filter with its names as keys. */
export async function runFilterOf(
  context: RequestContext,
  filter: (typeof RunFilterInput)["$inferInput"] | null | undefined,
): Promise<RunFilter> {
  if (filter === null || filter === undefined) return {};
  return {
    ...filter,
    job: typeof filter.job === "string" ? await keyOf(context, "Job", filter.job) : null,
    integration: typeof filter.integration === "string" ? await keyOf(context, "Integration", filter.integration) : null,
    hold: typeof filter.hold === "string" ? numberOf("Hold", filter.hold, "hold") : null,
  };
}

export const RunConnection = builder.connectionObject(
  { type: RunRef, name: "RunConnection", description: "A page of runs." },
  { name: "RunEdge", description: "A run in a list." },
);

/** Runs, dead letters, the gate, the ledger, and why a job does not run. */
export function defineRuns(): void {
  defineRun();
  defineDeadLetters();
  defineGate();
  defineGateMutations();
  defineLedger();
  defineExplain();
  defineQueries();
  defineMutations();
  defineDrainOfRuns();
}

function defineRun(): void {
  builder.objectType(RunStateCountRef, {
    description: "How many due times are in one state.",
    fields: (t) => ({
      state: t.expose("state", { type: RunStateEnum, description: "The state." }),
      count: t.exposeInt("count", { description: "How many." }),
    }),
  });
  builder.objectType(RunRef, {
    description: "One due time of a job, or one order to run: what was due, when it really ran, and what held it meanwhile.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("id", { description: "Its uuid." }),
      job: t.field({
        type: JobRef,
        nullable: true,
        description: "Its job; null for work that runs elsewhere.",
        resolve: (row) => (row.jobId === null ? null : String(row.jobId)),
      }),
      integration: t.field({ type: IntegrationRef, description: "Its integration.", resolve: (row) => String(row.integrationId) }),
      dueAt: t.expose("dueAt", { type: "DateTime", description: "When it was due." }),
      lastDueAt: t.expose("lastDueAt", { type: "DateTime", description: "The last of the due times that it stands for." }),
      dueCount: t.exposeInt("dueCount", { description: "For how many due times it stands." }),
      dueLocal: t.exposeString("dueLocal", { nullable: true, description: "The due time on the wall clock of the schedule's zone." }),
      trigger: t.expose("trigger", { type: TriggerEnum, description: "Why it exists." }),
      state: t.expose("state", { type: RunStateEnum, description: "Where it is." }),
      attempt: t.exposeInt("attempt", { description: "How often it was started." }),
      readyAt: t.expose("readyAt", {
        type: "DateTime",
        description: "It does not start before: later than due after a retry or a release.",
      }),
      startedAt: t.expose("startedAt", { type: "DateTime", nullable: true, description: "When it was started last." }),
      finishedAt: t.expose("finishedAt", { type: "DateTime", nullable: true, description: "When it ended." }),
      durationMs: t.int({
        nullable: true,
        description: "How long its last attempt took, in milliseconds.",
        resolve: ({ startedAt, finishedAt }) =>
          startedAt === null || finishedAt === null ? null : Math.min(finishedAt - startedAt, 2 ** 31 - 1),
      }),
      heldBy: t.field({
        type: [HoldRef],
        description: "The holds that covered it when it was last held; kept after the release as the record.",
        resolve: (row) => (row.heldBy ?? []).map(String),
      }),
      heldSince: t.expose("heldSince", { type: "DateTime", nullable: true, description: "Since when it was held." }),
      releasedAt: t.expose("releasedAt", { type: "DateTime", nullable: true, description: "When the last hold let it go." }),
      observedBy: t.field({
        type: [HoldRef],
        description: "Holds in mode OBSERVE that would have held it.",
        resolve: (row) => (row.observedBy ?? []).map(String),
      }),
      coalescedInto: t.field({
        type: RunRef,
        nullable: true,
        description: "The run that stands for it.",
        resolve: (row) => row.coalescedInto,
      }),
      requestedBy: t.exposeString("requestedBy", { nullable: true, description: "Who asked for it." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why it was asked for, or ended as it did." }),
      error: t.expose("error", { type: "JSON", nullable: true, description: "Why it failed: kind and message." }),
      figures: t.expose("figures", { type: "JSON", nullable: true, description: "What it did, by record." }),
      connectors: t.field({
        type: [RunConnectorRef],
        description: "The connectors that its last attempt worked with; empty before it began, and for work that runs elsewhere.",
        resolve: (row) => [...(row.connectors ?? [])],
      }),
    }),
  });
}

function defineQueries(): void {
  builder.queryFields((t) => ({
    run: t.field({
      type: RunRef,
      nullable: true,
      ...read,
      description: "One run by its uuid or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its uuid or global id." }) },
      resolve: async (_root, args, { database }) => (await runsByIds(database, [runIdOf(args.key)]))[0] ?? null,
    }),
    runs: t.field({
      type: RunConnection,
      ...read,
      description: "Runs by due time.",
      complexity: pageComplexity,
      args: {
        ...pageArgs,
        filter: t.arg({ type: RunFilterInput, description: "Which runs." }),
        orderBy: t.arg({ type: OrderEnum, description: "DUE_DESC when left out." }),
      },
      resolve: async (_root, args, context) =>
        runPage(context.database, { ...args, filter: await runFilterOf(context, args.filter), ascending: args.orderBy === "asc" }),
    }),
    gate: t.field({
      type: GateRef,
      authScopes: { can: "gate.read" },
      description: "Whether runs of an integration may start at this moment, and why not.",
      args: { integration: t.arg.string({ required: true, description: "Its key or id." }) },
      resolve: async (_root, args, context) => gateOf(context, await integrationId(context, args.integration)),
    }),
  }));
}

async function integrationId(context: RequestContext, keyOrId: string): Promise<number> {
  const id = idInside("Integration", keyOrId);
  const row = await catalogueByKey(context.database, "integration", id === null ? { key: keyOrId } : { id });
  if (row === null) throw new DomainError("QSC_INTEGRATION_NOT_FOUND", `There is no integration "${keyOrId}".`, { field: "integration" });
  return row.id;
}

function defineMutations(): void {
  const write = { authScopes: { can: "runs.write" } } as const;
  const RunNowInput = builder.inputType("RunNowInput", {
    description: "An order to run a job once.",
    fields: (t) => ({
      job: t.string({ required: true, description: "The job's key or id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
      confirmDeletions: t.boolean({
        description: "What the source no longer has may be deleted at the target, however much it is: for a run that was refused for that.",
      }),
    }),
  });
  const CancelRunInput = builder.inputType("CancelRunInput", {
    description: "A run that shall not start.",
    fields: (t) => ({
      run: t.id({ required: true, description: "Its uuid or global id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    runNow: t.field({
      type: RunRef,
      ...write,
      description: "Queues one run of a job now. A hold holds it as it holds every other run.",
      args: { input: t.arg({ type: RunNowInput, required: true, description: "What to run." }) },
      resolve: async (_root, { input }, context) => {
        const job = await keyOf(context, "Job", input.job);
        return (
          await runCommand(context, { action: "runs.write", on: [{ kind: "job", key: job }] }, (command) =>
            runNow(command, { job, reason: input.reason, confirmDeletions: input.confirmDeletions === true }),
          )
        ).runId;
      },
    }),
    cancelRun: t.field({
      type: RunRef,
      ...write,
      description: "Cancels a run that has not started.",
      args: { input: t.arg({ type: CancelRunInput, required: true, description: "Which run." }) },
      resolve: async (_root, { input }, context) => {
        const runId = runIdOf(input.run);
        const change: Change = { action: "runs.write", on: [{ kind: "run", key: runId }] };
        return (await runCommand(context, change, (command) => cancelRun(command, { runId, reason: input.reason }))).runId;
      },
    }),
  }));
}
