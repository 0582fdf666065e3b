import { type KeptDays, type SampleRetention, sampleRetentionBounds } from "@quiesce/core";
import { ofDeployment } from "../../access/targets.js";
import { builder } from "../../graphql/builder.js";
import { type RequestContext, runCommand } from "../../graphql/request-context.js";
import { usualRetention } from "../../retention/settings.js";
import { setSampleRetention } from "./commands.js";
import { type ReadRetention, readSampleRetention, retentionOf } from "./queries.js";

const read = { authScopes: { can: "control.read" } } as const;
const { leastOfFigures, least, most } = sampleRetentionBounds;

/** For how long what is measured is kept, by metric and class of data. */
export function defineSampleRetention(): void {
  const Said = builder.objectRef<SampleRetention>("SampleRetentionDays").implement({
    description: "Days that somebody said; null: nobody did.",
    fields: (t) => ({
      sample: t.exposeInt("sample", { nullable: true, description: "Samples one by one." }),
      minute: t.exposeInt("minute", { nullable: true, description: "Sums of minutes." }),
      hour: t.exposeInt("hour", { nullable: true, description: "Sums of hours." }),
      day: t.exposeInt("day", { nullable: true, description: "Sums of days." }),
    }),
  });
  const Kept = builder.objectRef<KeptDays>("SampleRetentionInForce").implement({
    description: "Days for which it is kept.",
    fields: (t) => ({
      sample: t.exposeInt("sample", { description: "Samples one by one." }),
      minute: t.exposeInt("minute", { description: "Sums of minutes." }),
      hour: t.exposeInt("hour", { description: "Sums of hours." }),
      day: t.exposeInt("day", { nullable: true, description: "Sums of days; null: for good." }),
    }),
  });
  const Retention = builder.objectRef<ReadRetention>("SampleRetention").implement({
    description: "For how long a metric is kept.",
    ...read,
    fields: (t) => ({
      metric: t.exposeString("metric", { nullable: true, description: "Which; null: every metric without days of its own." }),
      said: t.expose("said", { type: Said, description: "What somebody said of it." }),
      inForce: t.expose("inForce", {
        type: Kept,
        description:
          "What comes of that: what is not said of a metric is as of every metric, and there as usual. No class goes before the finer one.",
      }),
      samplesFrom: t.expose("samplesFrom", {
        type: "DateTime",
        nullable: true,
        description: "Samples before this may be gone, and none is taken there; null while none has gone.",
      }),
      changedAt: t.expose("changedAt", {
        type: "DateTime",
        nullable: true,
        description: "When it was said; nothing goes by it within an hour.",
      }),
    }),
  });
  builder.queryField("sampleRetention", (t) =>
    t.field({
      type: [Retention],
      ...read,
      description:
        "For how long samples and their sums are kept: of every metric first, then the metrics with days of their own, at most 200.",
      complexity: { field: 1, multiplier: 20 },
      resolve: (_root, _args, context) => readSampleRetention(databasesOf(context), sampleDaysOf(context)),
    }),
  );
  const Input = builder.inputType("SetSampleRetentionInput", {
    description: "For how long a metric is kept, in the place of what was said of it before. What is left out or null is not said.",
    fields: (t) => ({
      metric: t.string({ description: "Which; every metric without days of its own when left out." }),
      sampleDays: t.int({ description: `Days of samples one by one, ${least.sample} to ${most.sample}.` }),
      minuteDays: t.int({
        description: `Days of minutes, ${leastOfFigures.minute} to ${most.minute}; from ${least.minute} on of a metric that no figure is read from.`,
      }),
      hourDays: t.int({ description: `Days of hours, ${leastOfFigures.hour} to ${most.hour}; from ${least.hour} on of such a metric.` }),
      dayDays: t.int({ description: `Days of days, ${leastOfFigures.day} to ${most.day}; from ${least.day} on of such a metric.` }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationField("setSampleRetention", (t) =>
    t.field({
      type: Retention,
      authScopes: { can: "control.write" },
      description:
        "Sets for how long samples of a metric and their sums are kept. What is older goes an hour later at the earliest, and does not come back.",
      args: { input: t.arg({ type: Input, required: true, description: "Which, for how long, and why." }) },
      resolve: async (_root, { input }, context) => {
        const { metric = null, sampleDays = null, minuteDays = null, hourDays = null, dayDays = null, reason } = input;
        const days = { sample: sampleDays, minute: minuteDays, hour: hourDays, day: dayDays };
        const configured = sampleDaysOf(context);
        await runCommand(context, ofDeployment("control.write"), (command) =>
          setSampleRetention(command, { metric, days, reason }, configured),
        );
        return retentionOf(databasesOf(context), { metric, sampleDays: configured });
      },
    }),
  );
}

const databasesOf = ({ database, whole }: RequestContext) => ({ seen: database, whole });

const sampleDaysOf = ({ sampleRetentionDays }: RequestContext): number => sampleRetentionDays ?? usualRetention.kpi_sample;
