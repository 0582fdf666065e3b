import { z } from "zod";
import { operation } from "../graphql-client.js";

const days = z.number().nullable();
const retention = z.object({
  metric: z.string().nullable(),
  said: z.object({ sample: days, minute: days, hour: days, day: days }),
  inForce: z.object({ sample: z.number(), minute: z.number(), hour: z.number(), day: days }),
  samplesFrom: z.string().nullable(),
  changedAt: z.string().nullable(),
});
export type SampleRetentionAnswer = z.infer<typeof retention>;

const RETENTION = "metric said { sample minute hour day } inForce { sample minute hour day } samplesFrom changedAt";

export const readSampleRetention = operation(
  `query SampleRetention { sampleRetention { ${RETENTION} } }`,
  z.object({ sampleRetention: z.array(retention) }),
);

export const setSampleRetention = operation(
  `mutation SetSampleRetention($input: SetSampleRetentionInput!) { setSampleRetention(input: $input) { ${RETENTION} } }`,
  z.object({ setSampleRetention: retention }),
);

export const exportSamples = operation(
  `query ExportSamples($integration: String!, $metric: String, $class: SampleClass, $from: DateTime!, $to: DateTime!, $first: Int, $after: String) {
    samplesCsv(integration: $integration, metric: $metric, class: $class, from: $from, to: $to, first: $first, after: $after) { csv lines endCursor }
  }`,
  z.object({ samplesCsv: z.object({ csv: z.string(), lines: z.number(), endCursor: z.string().nullable() }) }),
);
