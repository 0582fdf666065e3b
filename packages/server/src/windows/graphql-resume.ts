import { catchUpPolicies, type ResumePolicy, resumePhases, resumePolicySchema, type ResumePolicyInput } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { EndpointRef, OccurrenceRef, SystemRef, WindowRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { currentOrNextOccurrences, windowByKey } from "./queries.js";
import { type CanaryView, type ReadinessView, resumesOfOccurrences, type ResumeView } from "./resume-progress.js";
import { resumeWindow } from "./resume-window.js";
import { savedWindow } from "./saved-window.js";
import { onWindow } from "../access/targets.js";

const PhaseEnum = capsEnum("ResumePhase", "How far a resume is.", resumePhases, {
  readiness: "The systems are asked whether they are ready.",
  canaries: "The first runs on each target system go ahead.",
  reheld: "First runs failed: the rest is held again.",
  ramp: "Runs start one after the other on each target system.",
  done: "Everything has had its place.",
});
export const CatchUpOverrideEnum = capsEnum(
  "CatchUpOverride",
  "What becomes of everything that was held, whatever the jobs say.",
  catchUpPolicies,
  {
    skip: "None of it runs.",
    coalesce: "One run for the whole gap of each job.",
    all: "Every due time, in order.",
  },
);

export const ResumeInput = builder.inputType("ResumePolicyInput", {
  description: "How a window lets go what it held.",
  fields: (t) => ({
    readinessCheck: t.boolean({ description: "The connectors' checks of its systems must pass before the release. True when left out." }),
    maxWaitMinutes: t.int({ description: "After so long without a passing check it is overrun; 30 when left out." }),
    canaries: t.int({ description: "So many runs go first on each target system; 0: none. 1 when left out." }),
    failureBound: t.float({ description: "A larger share of failed first runs holds the rest again; 1: never. 0.5 when left out." }),
    reconcile: t.boolean({
      description: "Compare both sides of every integration that was held, when everything has run. False when left out.",
    }),
  }),
});

/** Core's policy from GraphQL's flat one. */
export function resumePolicyOf(input: (typeof ResumeInput)["$inferInput"]): ResumePolicyInput {
  const { readinessCheck, maxWaitMinutes, canaries, failureBound, reconcile } = input;
  return {
    readiness: {
      ...(typeof readinessCheck === "boolean" ? { check: readinessCheck } : {}),
      ...(typeof maxWaitMinutes === "number" ? { maxWaitMinutes } : {}),
    },
    ...(typeof canaries === "number" ? { canaries } : {}),
    ...(typeof failureBound === "number" ? { failureBound } : {}),
    ...(typeof reconcile === "boolean" ? { reconcile } : {}),
  };
}

const resumes = batched(
  (ids: readonly number[], { database }) => resumesOfOccurrences(database, ids),
  (row) => row.occurrenceId,
);

/** What follows a window: readiness, first runs, the ramp. */
export function defineResume(): void {
  const PolicyRef = builder.objectRef<ResumePolicy>("ResumePolicy").implement({
    description: "How a window lets go what it held.",
    fields: (t) => ({
      readinessCheck: t.boolean({
        description: "The connectors' checks of its systems must pass before the release.",
        resolve: (row) => row.readiness.check,
      }),
      maxWaitMinutes: t.int({
        description: "After so long without a passing check it is overrun.",
        resolve: (row) => row.readiness.maxWaitMinutes,
      }),
      canaries: t.exposeInt("canaries", { description: "So many runs go first on each target system; 0: none." }),
      failureBound: t.exposeFloat("failureBound", { description: "A larger share of failed first runs holds the rest again." }),
      reconcile: t.boolean({
        description: "Both sides of every integration that was held are compared, when everything has run.",
        resolve: (row) => row.reconcile ?? false,
      }),
    }),
  });
  builder.objectFields(WindowRef, (t) => ({
    resume: t.field({
      type: PolicyRef,
      description: "How it lets go what it held.",
      resolve: (row) => resumePolicySchema.parse(row.resume),
    }),
  }));
  const ProgressRef = defineProgress();
  builder.objectFields(OccurrenceRef, (t) => ({
    verifyingAt: t.expose("verifyingAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when its systems have been asked whether they are ready.",
    }),
    overrunAt: t.expose("overrunAt", {
      type: "DateTime",
      nullable: true,
      description: "When the policy's wait for them was over; kept as the record.",
    }),
    reheldAt: t.expose("reheldAt", {
      type: "DateTime",
      nullable: true,
      description: "Since when the rest is held again because first runs failed.",
    }),
    verified: t.exposeBoolean("verified", {
      nullable: true,
      description: "Whether reconciliation found both sides equal after it; null: nobody has compared.",
    }),
    resume: t.field({
      type: ProgressRef,
      nullable: true,
      description: "How far its resume is; null before its end.",
      resolve: (row, _args, context) => resumes.one(context, row.id),
    }),
  }));
  defineResumeOperations();
}

function defineProgress() {
  const CheckRef = builder.objectRef<ReadinessView>("ReadinessCheck").implement({
    description: "One endpoint whose system must be ready.",
    fields: (t) => ({
      endpoint: t.field({ type: EndpointRef, description: "The endpoint.", resolve: (row) => String(row.endpointId) }),
      ok: t.exposeBoolean("ok", { description: "It has passed." }),
      attempts: t.exposeInt("attempts", { description: "How often it was asked." }),
      error: t.exposeString("error", { nullable: true, description: "What it answered last." }),
      lastAt: t.expose("lastAt", { type: "DateTime", nullable: true, description: "When it was asked last." }),
      nextAt: t.expose("nextAt", { type: "DateTime", description: "When it is asked next, unless it has passed." }),
    }),
  });
  const CanariesRef = builder.objectRef<CanaryView>("ResumeCanaries").implement({
    description: "The first runs on one target system, in the current attempt.",
    fields: (t) => ({
      system: t.field({ type: SystemRef, description: "The system.", resolve: (row) => String(row.systemId) }),
      pending: t.exposeInt("pending", { description: "Not ended." }),
      succeeded: t.exposeInt("succeeded", { description: "Succeeded." }),
      failed: t.exposeInt("failed", { description: "Failed for good." }),
    }),
  });
  return builder.objectRef<ResumeView>("ResumeProgress").implement({
    description: "How far the resume after a window is. Counts are runs.",
    fields: (t) => ({
      phase: t.expose("phase", { type: PhaseEnum, description: "What it is doing." }),
      released: t.exposeInt("released", { description: "May start, or have started." }),
      total: t.exposeInt("total", { description: "Start in all, as far as it is known." }),
      held: t.exposeInt("held", { description: "Are still held by it." }),
      skipped: t.exposeInt("skipped", { description: "Will not run, by the catch-up policy." }),
      coalesced: t.exposeInt("coalesced", { description: "Joined another run, by the catch-up policy." }),
      endsAt: t.expose("endsAt", {
        type: "DateTime",
        nullable: true,
        description: "When the last place of the ramp is; null: not known yet.",
      }),
      sentence: t.exposeString("sentence", { description: "For people: 412 of 3,000 released, 2 min left." }),
      catchUp: t.expose("catchUp", {
        type: CatchUpOverrideEnum,
        nullable: true,
        description: "What an operator said for this resume; null: the jobs' own policies.",
      }),
      checks: t.field({ type: [CheckRef], description: "The systems it waits for.", resolve: (row) => [...row.checks] }),
      canaries: t.field({ type: [CanariesRef], description: "The first runs.", resolve: (row) => [...row.canaries] }),
    }),
  });
}

const ResumeWindowInput = builder.inputType("ResumeMaintenanceWindowInput", {
  description: "A window that has ended and waits to resume.",
  fields: (t) => ({
    key: t.string({ required: true, description: "The window's key or id." }),
    skipReadiness: t.boolean({ description: "Let go what waits, whatever the systems say. Left out: they are asked again at once." }),
    catchUp: t.field({ type: CatchUpOverrideEnum, description: "For this resume, instead of the jobs' own policies." }),
    confirmAll: t.boolean({ description: "Yes, ALL also for jobs that read from a cursor." }),
    reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
  }),
});

function defineResumeOperations(): void {
  builder.mutationField("resumeMaintenanceWindow", (t) =>
    t.field({
      type: WindowRef,
      authScopes: { can: "holds.write" },
      description: "Asks the systems of an ended window again at once, or releases it by hand.",
      args: { input: t.arg({ type: ResumeWindowInput, required: true, description: "Which one, how, and why." }) },
      resolve: async (_root, { input }, context) => {
        const { skipReadiness, catchUp, confirmAll, reason } = input;
        const key = await keyOf(context, "MaintenanceWindow", input.key);
        const wanted = {
          key,
          reason,
          skipReadiness: skipReadiness ?? undefined,
          catchUp: catchUp ?? undefined,
          confirmAll: confirmAll ?? undefined,
        };
        return savedWindow(context, await runCommand(context, onWindow("holds.write", key), (command) => resumeWindow(command, wanted)));
      },
    }),
  );
  builder.queryField("windowProgress", (t) =>
    t.field({
      type: OccurrenceRef,
      nullable: true,
      authScopes: { can: "windows.read" },
      description: "The occurrence of a window that is open or resuming, else the next one: what the subscription of this name follows.",
      args: { key: t.arg.string({ required: true, description: "The window's key or id." }) },
      resolve: async (_root, args, context) => {
        const window = await windowByKey(context.database, { key: await keyOf(context, "MaintenanceWindow", args.key) });
        if (window === null) return null;
        const [occurrence] = await currentOrNextOccurrences(context.database, [window.id]);
        return occurrence === undefined ? null : String(occurrence.id);
      },
    }),
  );
}
