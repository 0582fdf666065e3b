import { drainEndings, type DrainPolicy, type DrainPolicyInput } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { IntegrationRef, OccurrenceRef, RunRef, WindowRef } from "../graphql/refs.js";
import type { KeptBackJob } from "./preview-drain.js";
import { type InFlightRun, runsInFlight } from "./in-flight.js";

const DrainEndingEnum = capsEnum("DrainEnding", "What becomes of runs that are still in flight at the drain deadline.", drainEndings, {
  abort: "They are told to stop, cost no attempt, and run again after the window.",
  leave: "They are let finish.",
});

export const DrainInput = builder.inputType("DrainPolicyInput", {
  description: "How a window empties what it covers.",
  fields: (t) => ({
    leadLimitMinutes: t.int({
      description: "A run that would not finish is kept back at most so long before the start; 0: none is. 30 when left out.",
    }),
    deadlineMinutes: t.int({ description: "Counted from the start; left out, runs in flight are waited for without end." }),
    atDeadline: t.field({ type: DrainEndingEnum, description: "ABORT when left out." }),
  }),
});

/** Core's policy from GraphQL's: null is nothing but an endless deadline. */
export function drainOf(input: (typeof DrainInput)["$inferInput"]): DrainPolicyInput {
  const { leadLimitMinutes, deadlineMinutes, atDeadline } = input;
  return {
    ...(typeof leadLimitMinutes === "number" ? { leadLimitMinutes } : {}),
    ...(deadlineMinutes === undefined ? {} : { deadlineMinutes }),
    ...(typeof atDeadline === "string" ? { atDeadline } : {}),
  };
}

export const KeptBackJobRef = builder.objectRef<KeptBackJob>("PreviewKeptBackJob").implement({
  description: "A job whose runs are kept back before a window, because they would not finish.",
  fields: (t) => ({
    job: t.exposeString("job", { description: "The job's key." }),
    integration: t.exposeString("integration", { description: "The integration's key." }),
    p95Ms: t.exposeInt("p95Ms", { description: "95 of 100 of its last runs took at most so long, in milliseconds." }),
    samples: t.exposeInt("samples", { description: "How many runs that says." }),
    keptBackMs: t.exposeInt("keptBackMs", { description: "So long before the start none of its runs begins, in milliseconds." }),
    mayRunOn: t.exposeBoolean("mayRunOn", {
      description: "Its runs take longer than the lead limit: one that starts before it is in flight when the window begins.",
    }),
  }),
});

const inFlight = batched(
  (holdIds: readonly number[], { database }) => runsInFlight(database, holdIds),
  (row) => row.holdId,
);

/** What a window does to empty the systems it covers, and what it still waits for. */
export function defineDrain(): void {
  const PolicyRef = builder.objectRef<DrainPolicy>("DrainPolicy").implement({
    description:
      "How a window empties what it covers: before its start nothing begins that would not finish, after it there is a deadline.",
    fields: (t) => ({
      leadLimitMinutes: t.exposeInt("leadLimitMinutes", {
        description: "A run that would not finish is kept back at most so long before the start; 0: none is.",
      }),
      deadlineMinutes: t.exposeInt("deadlineMinutes", {
        nullable: true,
        description: "Counted from the start; null: runs in flight are waited for without end.",
      }),
      atDeadline: t.expose("atDeadline", { type: DrainEndingEnum, description: "What becomes of runs that are still in flight then." }),
    }),
  });
  builder.objectFields(WindowRef, (t) => ({
    drain: t.field({ type: PolicyRef, description: "How it empties what it covers.", resolve: (row) => row.drain }),
  }));
  const RunInFlightRef = defineRunInFlight();
  builder.objectFields(OccurrenceRef, (t) => ({
    drainDeadlineAt: t.expose("drainDeadlineAt", {
      type: "DateTime",
      nullable: true,
      description: "When what is still in flight meets its drain policy; null: never.",
    }),
    drainOverdueAt: t.expose("drainOverdueAt", {
      type: "DateTime",
      nullable: true,
      description: "When that passed with runs still in flight.",
    }),
    runsInFlight: t.field({
      type: [RunInFlightRef],
      description: "What it waits for: runs of covered integrations that run now, the oldest first; at most 200. `inFlight` counts all.",
      resolve: (row, _args, context) => (row.holdId === null ? [] : inFlight.many(context, row.holdId)),
    }),
  }));
}

function defineRunInFlight() {
  return builder.objectRef<InFlightRun>("RunInFlight").implement({
    description: "A run that a window waits for.",
    fields: (t) => ({
      run: t.field({ type: RunRef, description: "The run.", resolve: (row) => row.runId }),
      integration: t.field({ type: IntegrationRef, description: "Its integration.", resolve: (row) => String(row.integrationId) }),
      job: t.exposeString("job", { nullable: true, description: "Its job's key; null for work that runs elsewhere, under a gate lease." }),
      since: t.expose("since", { type: "DateTime", description: "Since when it has been running." }),
      p95Ms: t.exposeInt("p95Ms", { nullable: true, description: "95 of 100 runs of its job took at most so long, in milliseconds." }),
      expectedEndAt: t.expose("expectedEndAt", {
        type: "DateTime",
        nullable: true,
        description: "When it should be over: `since` plus p95, or the end of its lease.",
      }),
      abortRequestedAt: t.expose("abortRequestedAt", {
        type: "DateTime",
        nullable: true,
        description: "Since when it has been told to stop.",
      }),
      breakGlass: t.exposeBoolean("breakGlass", { description: "An operator lets it pass the window." }),
    }),
  });
}
