import { DomainError, jobStates } from "@quiesce/core";
import { catalogueByKey } from "../catalog/queries.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { JobRef } from "../graphql/refs.js";
import { heldUntil } from "./active-holds.js";
import { explainJob, type JobExplained } from "./explain.js";
import { GateHoldRef } from "./graphql-gate.js";

const read = { authScopes: { can: "runs.read" } } as const;

/** Why a job runs or does not run. */
export function defineExplain(): void {
  const StateEnum = capsEnum("JobState", "What a job is doing.", jobStates);
  const ExplanationRef = builder.objectRef<JobExplained>("JobExplanation").implement({
    description: "Why a job runs or does not run at this moment.",
    fields: (t) => ({
      job: t.field({
        type: JobRef,
        description: "The job.",
        resolve: async (row, _args, { database }) => {
          const job = await catalogueByKey(database, "job", { key: row.job });
          if (job === null) throw new DomainError("QSC_JOB_NOT_FOUND", `There is no job "${row.job}" any more.`, { field: "job" });
          return job;
        },
      }),
      asOf: t.expose("at", { type: "DateTime", description: "The moment that the answer is about." }),
      state: t.expose("state", { type: StateEnum, description: "What the job is doing." }),
      summary: t.exposeString("sentence", { description: "One or two sentences for people." }),
      needed: t.exposeString("needed", {
        nullable: true,
        description: "What would have to happen for it to run; null when it runs, or will by itself.",
      }),
      by: t.field({ type: [GateHoldRef], description: "Everything that holds it.", resolve: (row) => row.holds }),
      until: t.field({
        type: "DateTime",
        nullable: true,
        description: "When the last of them ends as planned; null: open-ended, or not held.",
        resolve: (row) => heldUntil(row.holds) ?? null,
      }),
      nextDueAt: t.expose("nextDueAt", { type: "DateTime", nullable: true, description: "The next due time." }),
      facts: t.field({
        type: "JSON",
        description:
          "The rest: what waits, what is running, and what stops every job (a clock that jumped, windows that are not computed).",
        resolve: ({ waiting, running, integration, pushed, clockStep, expansionStale }) => ({
          waiting,
          running,
          integration,
          pushed,
          clockStep,
          expansionStale,
        }),
      }),
    }),
  });
  builder.queryField("explain", (t) =>
    t.field({
      type: ExplanationRef,
      ...read,
      description: "Why a job runs or does not run.",
      args: { job: t.arg.string({ required: true, description: "The job's key or id." }) },
      resolve: async (_root, args, context) => explainJob(context.database.db, await keyOf(context, "Job", args.job)),
    }),
  );
}
