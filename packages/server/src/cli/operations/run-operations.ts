import { z } from "zod";
import { operation } from "../graphql-client.js";
import { GATE_HOLD_FIELDS, gateHoldShape, RUN_FIELDS, runShape } from "./shapes.js";

export const listRuns = operation(
  `query Runs($first: Int, $after: String, $filter: RunFilter) {
    runs(first: $first, after: $after, filter: $filter, orderBy: DUE_DESC) { nodes { ${RUN_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({
    runs: z.object({ nodes: z.array(runShape), pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }) }),
  }),
);

export const explainJob = operation(
  `query Explain($job: String!) {
    explain(job: $job) { asOf summary needed state until nextDueAt facts by { ${GATE_HOLD_FIELDS} } job { key name enabled integration { key } } }
  }`,
  z.object({
    explain: z.object({
      asOf: z.string(),
      summary: z.string(),
      needed: z.string().nullable(),
      state: z.string(),
      until: z.string().nullable(),
      nextDueAt: z.string().nullable(),
      facts: z.unknown(),
      by: z.array(gateHoldShape),
      job: z.object({ key: z.string(), name: z.string(), enabled: z.boolean(), integration: z.object({ key: z.string() }) }),
    }),
  }),
);
export type ExplanationAnswer = z.infer<typeof explainJob.data>["explain"];
