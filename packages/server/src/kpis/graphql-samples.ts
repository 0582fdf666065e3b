import { DomainError, sampleLimits } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { type SampleRefusal, type SamplesTaken, takeSamples } from "../ingest/take-samples.js";

/** Handing in a few samples; many go to POST /ingest/samples. */
export function defineSamples(): void {
  const SampleInput = builder.inputType("SampleInput", {
    description: "One measurement of an integration.",
    fields: (t) => ({
      integration: t.string({ required: true, description: "The integration's key." }),
      metric: t.string({
        required: true,
        description: "What was measured: response (ms), check (one health check, ms), delivery, queue.depth, sync, or a name of your own.",
      }),
      at: t.field({ type: "DateTime", required: true, description: "When." }),
      value: t.float({ required: true, description: "From 0 to 10^12, in the metric's unit." }),
      ok: t.boolean({ description: "Whether it went well; true when left out." }),
      key: t.string({ description: "Tells samples of one metric and one millisecond apart; the same sample sent twice is one." }),
    }),
  });
  const Input = builder.inputType("PushSamplesInput", {
    description: "Samples to take in.",
    fields: (t) => ({
      samples: t.field({ type: [SampleInput], required: true, description: `At most ${sampleLimits.samplesOfMutation}.` }),
    }),
  });
  const Refusal = builder.objectRef<SampleRefusal>("SampleRefusal").implement({
    description: "Why a sample was not taken.",
    fields: (t) => ({
      line: t.exposeInt("line", { description: "Its place among what was sent, from 1 on." }),
      code: t.exposeString("code", { description: "The code of the refusal." }),
      message: t.exposeString("message", { description: "What is wrong with it." }),
    }),
  });
  const Taken = builder.objectRef<SamplesTaken>("SamplesTaken").implement({
    description: "What became of samples. Those that are accepted are durable.",
    fields: (t) => ({
      accepted: t.exposeInt("accepted", { description: "Samples that are new." }),
      duplicates: t.exposeInt("duplicates", { description: "Samples that were there already." }),
      marked: t.exposeInt("marked", { description: "Of both, those that came an hour late or more, or from a clock that is ahead." }),
      refused: t.exposeInt("refused", { description: "Samples that were not taken." }),
      refusals: t.expose("refusals", { type: [Refusal], description: "Why; the first hundred." }),
    }),
  });
  builder.mutationField("pushSamples", (t) =>
    t.field({
      type: Taken,
      authScopes: { can: "samples.push" },
      description:
        "Hands measurements in. What is wrong with one concerns that one alone; when none can be taken, the first one's refusal is the error. For many use POST /ingest/samples.",
      args: { input: t.arg({ type: Input, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const { samples } = input;
        if (samples.length > sampleLimits.samplesOfMutation)
          throw new DomainError(
            "QSC_SAMPLES_TOO_MANY",
            `${samples.length} samples are more than ${sampleLimits.samplesOfMutation}. Send as many as you like to POST /ingest/samples.`,
            { field: "input.samples" },
          );
        const { principal, database: seen, whole } = context;
        const intake = await takeSamples({ principal, seen, whole });
        for (const [index, { ok, key, ...sample }] of samples.entries())
          await intake.take(index + 1, { value: { ...sample, ok: ok ?? true, key: key ?? "" } });
        const taken = await intake.done();
        const [first] = taken.refusals;
        if (first !== undefined && taken.refused === samples.length)
          throw new DomainError(first.code, first.message, { field: `input.samples.${first.line - 1}` });
        return taken;
      },
    }),
  );
}
