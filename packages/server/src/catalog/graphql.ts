import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { EndpointRef, HoldRef, IntegrationRef, JobRef, RunRef, SystemRef } from "../graphql/refs.js";
import { gateOf, GateRef } from "../runs/graphql-gate.js";
import { RunConnection, RunFilterInput, runFilterOf } from "../runs/graphql.js";
import { lastRunsOf, runPage } from "../runs/queries.js";
import { holdsOfIntegrations } from "../windows/queries.js";
import { defineEndpoints } from "./graphql-endpoints.js";
import { defineCatalogueQueries } from "./graphql-queries.js";
import { CriticalityEnum } from "./graphql-vocabulary.js";
import { type IntegrationCounts, integrationCountsOf } from "./integration-counts.js";
import { defineVersions } from "./graphql-versions.js";
import { defineWorkspace } from "./graphql-workspace.js";
import { childrenOf, dependenciesOf, type Dependency, routesOf, type RouteSystem } from "./queries.js";

const read = { authScopes: { can: "catalogue.read" } } as const;

const StrengthEnum = capsEnum("DependencyStrength", "Whether a window over the one covers the other.", ["hard", "soft"], {
  hard: "It cannot work without it: a window over the one covers the other.",
  soft: "It works less well without it: a window only warns.",
});
const RoleEnum = capsEnum("RouteRole", "Where a system stands on an integration's route.", ["source", "via", "target"]);
const CatchUpEnum = capsEnum("CatchUp", "What becomes of due times that were held.", ["skip", "coalesce", "all"], {
  skip: "They are skipped; the next due time after the release runs.",
  coalesce: "One run stands for all of them.",
  all: "Every one runs, in order.",
});
const dependencies = batched(
  (ids: readonly number[], { database }) => dependenciesOf(database, ids),
  (row) => row.systemId,
);
const endpoints = batched(
  (ids: readonly number[], { database }) => childrenOf(database, "endpoint", ids),
  (row) => row.parentId,
);
const integrations = batched(
  (ids: readonly number[], { database }) => childrenOf(database, "integration", ids),
  (row) => row.parentId,
);
const integrationCounts = batched(
  (ids: readonly number[], { database }) => integrationCountsOf(database, ids),
  (row) => row.systemId,
);
const jobs = batched(
  (ids: readonly number[], { database }) => childrenOf(database, "job", ids),
  (row) => row.parentId,
);
const routes = batched(
  (ids: readonly number[], { database }) => routesOf(database, ids),
  (row) => row.integrationId,
);
const lastRunOfIntegration = batched(
  (ids: readonly number[], { database }) => lastRunsOf(database, "integration", ids),
  (row) => row.parentId,
);
const lastRunOfJob = batched(
  (ids: readonly number[], { database }) => lastRunsOf(database, "job", ids),
  (row) => row.parentId,
);
const holds = batched(
  (ids: readonly number[], { database }) => holdsOfIntegrations(database, ids),
  (row) => row.integrationId,
);

/** Systems, endpoints, integrations and jobs. */
export function defineCatalogue(): void {
  defineSystem();
  defineEndpoints();
  defineIntegration();
  defineJob();
  defineCatalogueQueries();
  defineWorkspace();
  defineVersions();
}

function defineSystem(): void {
  const DependencyRef = builder.objectRef<Dependency>("SystemDependency").implement({
    description: "One system that another one needs.",
    fields: (t) => ({
      system: t.field({ type: SystemRef, description: "The system that is needed.", resolve: (row) => String(row.dependsOnId) }),
      strength: t.expose("strength", { type: StrengthEnum, description: "How much it is needed." }),
    }),
  });
  const CountsRef = builder.objectRef<IntegrationCounts>("IntegrationCounts").implement({
    description: "How many integrations touch a system, and how they are at this moment.",
    fields: (t) => ({
      all: t.exposeInt("all", { description: "All of them." }),
      held: t.exposeInt("held", { description: "Those that are held." }),
      failing: t.exposeInt("failing", { description: "Those of which an enabled job's last run of a day failed." }),
    }),
  });
  builder.objectType(SystemRef, {
    description: "Something that integrations touch: an ERP, a shop, a database, a partner.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its stable name." }),
      name: t.exposeString("name", { description: "Its name for people." }),
      kind: t.exposeString("kind", { description: "What sort of system it is: erp, shop, database …" }),
      description: t.exposeString("description", { nullable: true, description: "What people should know about it." }),
      ownerTeam: t.exposeString("ownerTeam", { nullable: true, description: "The team that answers for it." }),
      vendor: t.exposeString("vendor", { nullable: true, description: "Who makes or runs it." }),
      criticality: t.expose("criticality", { type: CriticalityEnum, description: "How much depends on it." }),
      environment: t.exposeString("environment", { nullable: true, description: "Production, staging, test …" }),
      jurisdiction: t.exposeString("jurisdiction", { nullable: true, description: "Where its data lie, in the sense of the law." }),
      tags: t.exposeStringList("tags", { description: "Free labels; windows can be planned over a tag." }),
      maxConcurrentRuns: t.exposeInt("maxConcurrentRuns", {
        nullable: true,
        description: "At most this many runs touch it at once; null: no cap.",
      }),
      resumeSpacingMs: t.exposeInt("resumeSpacingMs", { description: "After a hold, runs on it start this many milliseconds apart." }),
      dependencies: t.field({
        type: [DependencyRef],
        description: "What it needs.",
        resolve: (row, _args, context) => dependencies.many(context, row.id),
      }),
      endpoints: t.field({
        type: [EndpointRef],
        description: "The ways to reach it; at most 200.",
        resolve: (row, _args, context) => endpoints.many(context, row.id),
      }),
      integrations: t.field({
        type: [IntegrationRef],
        description: "Integrations whose route touches it; at most 200.",
        resolve: (row, _args, context) => integrations.many(context, row.id),
      }),
      integrationCounts: t.field({
        type: CountsRef,
        description: "How many integrations touch it, and how many of these are held or fail.",
        resolve: async (row, _args, context) =>
          (await integrationCounts.one(context, row.id)) ?? { systemId: row.id, all: 0, held: 0, failing: 0 },
      }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was added." }),
      updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
    }),
  });
}

function defineIntegration(): void {
  const RouteRef = builder.objectRef<RouteSystem>("RouteSystem").implement({
    description: "A system on an integration's route.",
    fields: (t) => ({
      system: t.field({ type: SystemRef, description: "The system.", resolve: (row) => String(row.systemId) }),
      role: t.expose("role", { type: RoleEnum, description: "Where it stands on the route." }),
    }),
  });
  const endpoint = (id: number | null) => (id === null ? null : String(id));
  builder.objectType(IntegrationRef, {
    description: "A flow of records between systems: what a maintenance window holds.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its stable name." }),
      name: t.exposeString("name", { description: "Its name for people." }),
      description: t.exposeString("description", { nullable: true, description: "What people should know about it." }),
      sourceEndpoint: t.field({
        type: EndpointRef,
        nullable: true,
        description: "Where records are read; null when its runs are started elsewhere.",
        resolve: (row) => endpoint(row.sourceEndpointId),
      }),
      targetEndpoint: t.field({
        type: EndpointRef,
        nullable: true,
        description: "Where records are written.",
        resolve: (row) => endpoint(row.targetEndpointId),
      }),
      streams: t.expose("streams", { type: "JSON", description: "What is read, how it is mapped, and where it is written." }),
      ownerTeam: t.exposeString("ownerTeam", { nullable: true, description: "The team that answers for it." }),
      vendor: t.exposeString("vendor", { nullable: true, description: "Who built or runs it." }),
      criticality: t.expose("criticality", { type: CriticalityEnum, description: "How much depends on it." }),
      environment: t.exposeString("environment", { nullable: true, description: "Production, staging, test …" }),
      jurisdiction: t.exposeString("jurisdiction", { nullable: true, description: "Where its data lie, in the sense of the law." }),
      tags: t.exposeStringList("tags", { description: "Free labels; windows can be planned over a tag." }),
      playbookUrl: t.exposeString("playbookUrl", { nullable: true, description: "What to do when it fails." }),
      idempotent: t.exposeBoolean("idempotent", { description: "Whether a run that was lost midway may simply be run again." }),
      systems: t.field({
        type: [RouteRef],
        description: "The systems it touches, in the order in which data flow.",
        resolve: (row, _args, context) => routes.many(context, row.id),
      }),
      jobs: t.field({
        type: [JobRef],
        description: "When it runs; at most 200.",
        resolve: (row, _args, context) => jobs.many(context, row.id),
      }),
      lastRun: t.field({
        type: RunRef,
        nullable: true,
        description: "The newest run that was started.",
        resolve: (row, _args, context) => lastRunOfIntegration.one(context, row.id),
      }),
      holds: t.field({
        type: [HoldRef],
        description: "Holds that cover it now or are planned to, soonest first; at most 200.",
        resolve: (row, _args, context) => holds.many(context, row.id),
      }),
      gate: t.field({
        type: GateRef,
        description: "Whether its runs may start at this moment.",
        resolve: (row, _args, context) => gateOf(context, row.id),
      }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was added." }),
      updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
    }),
  });
}

function defineJob(): void {
  builder.objectType(JobRef, {
    description: "When an integration runs, and what happens to due times that were held.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its stable name." }),
      name: t.exposeString("name", { description: "Its name for people." }),
      integration: t.field({ type: IntegrationRef, description: "What it runs.", resolve: (row) => String(row.integrationId) }),
      schedule: t.expose("schedule", {
        type: "JSON",
        nullable: true,
        description: "Cron, interval or recurrence in an IANA zone; null: it runs only when asked to.",
      }),
      scheduleVersion: t.exposeInt("scheduleVersion", { description: "Counts the schedules it has had." }),
      enabled: t.exposeBoolean("enabled", { description: "A disabled job has no due times." }),
      catchUp: t.expose("catchUp", { type: CatchUpEnum, description: "What becomes of due times that were held." }),
      catchUpMaxAgeSeconds: t.exposeInt("catchUpMaxAgeSeconds", {
        nullable: true,
        description: "Due times older than this are not caught up.",
      }),
      timeoutSeconds: t.exposeInt("timeoutSeconds", { description: "A run that takes longer is aborted." }),
      retry: t.expose("retry", { type: "JSON", description: "How often and after which pauses a failed run is tried again." }),
      continuous: t.exposeBoolean("continuous", { description: "Its runs have no end of their own: none is kept back before a window." }),
      push: t.exposeBoolean("push", { description: "It delivers what is pushed for its integration." }),
      reconcile: t.exposeBoolean("reconcile", { description: "It compares what both sides of its integration hold, and copies nothing." }),
      p95Ms: t.exposeInt("p95Ms", {
        nullable: true,
        description: "95 of 100 of its last successful runs took at most so long, in milliseconds.",
      }),
      durationSamples: t.exposeInt("durationSamples", { description: "How many runs that says; below 20 no run is kept back." }),
      finishLeadMs: t.exposeInt("finishLeadMs", {
        nullable: true,
        description: "A run that would start less than this before a window, in milliseconds, would not finish: p95 with its margin.",
      }),
      nextDueAt: t.expose("nextDueAt", { type: "DateTime", nullable: true, description: "The next due time." }),
      watermark: t.expose("watermark", { type: "DateTime", description: "Every due time before this instant has its run." }),
      lastRun: t.field({
        type: RunRef,
        nullable: true,
        description: "The newest run that was started.",
        resolve: (row, _args, context) => lastRunOfJob.one(context, row.id),
      }),
      runningRun: t.field({
        type: RunRef,
        nullable: true,
        description: "The run in flight; a job has at most one.",
        resolve: (row) => row.runningRunId,
      }),
      runs: t.field({
        type: RunConnection,
        description: "Its runs, newest due time first.",
        args: { ...pageArgs, filter: t.arg({ type: RunFilterInput, description: "Which runs." }) },
        complexity: pageComplexity,
        resolve: async (row, args, context) =>
          runPage(context.database, { ...args, filter: { ...(await runFilterOf(context, args.filter)), job: row.key } }),
      }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was added." }),
      updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
    }),
  });
}
