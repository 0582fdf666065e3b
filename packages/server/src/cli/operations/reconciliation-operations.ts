import { z } from "zod";
import { operation } from "../graphql-client.js";

const instant = z.string();
const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const stream = z.object({
  stream: z.string(),
  method: z.string().nullable(),
  phase: z.string(),
  sourceRecords: z.number(),
  targetRecords: z.number(),
  equal: z.number(),
  onlySource: z.number(),
  onlyTarget: z.number(),
  different: z.number(),
  changing: z.number(),
  accuracy: z.number().nullable(),
});
const reconciliation = z.object({
  key: z.string(),
  integration: z.object({ key: z.string() }),
  state: z.enum(["WAITING", "RUNNING", "DONE", "FAILED"]),
  origin: z.string(),
  createdAt: instant,
  endedAt: instant.nullable(),
  accuracy: z.number().nullable(),
  run: z.object({ key: z.string(), state: z.string() }).nullable(),
  streams: z.array(stream),
});
export type ReconciliationAnswer = z.infer<typeof reconciliation>;

const sample = z.object({
  recordKey: z.string(),
  kind: z.string(),
  source: z.unknown(),
  target: z.unknown(),
  fields: z.array(z.string()),
});
export type SampleAnswer = z.infer<typeof sample>;

const RECONCILIATION = `key integration { key } state origin createdAt endedAt accuracy run { key state }
  streams { stream method phase sourceRecords targetRecords equal onlySource onlyTarget different changing accuracy }`;

export const reconcileIntegration = operation(
  `mutation ReconcileIntegration($input: ReconcileIntegrationInput!) { reconcileIntegration(input: $input) { ${RECONCILIATION} } }`,
  z.object({ reconcileIntegration: reconciliation }),
);
export const showReconciliation = operation(
  `query Reconciliation($key: String!) { reconciliation(key: $key) { ${RECONCILIATION} } }`,
  z.object({ reconciliation: reconciliation.nullable() }),
);
export const reconciliationSamples = operation(
  `query ReconciliationSamples($key: String!) {
    reconciliation(key: $key) { streams { stream samples { recordKey kind source target fields } } }
  }`,
  z.object({ reconciliation: z.object({ streams: z.array(z.object({ stream: z.string(), samples: z.array(sample) })) }).nullable() }),
);
export const listReconciliations = operation(
  `query Reconciliations($first: Int, $after: String, $filter: ReconciliationFilter) {
    reconciliations(first: $first, after: $after, filter: $filter) { nodes { ${RECONCILIATION} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ reconciliations: z.object({ nodes: z.array(reconciliation), pageInfo }) }),
);
export const resyncDifferences = operation(
  `mutation ResyncDifferences($input: ResyncDifferencesInput!) { resyncDifferences(input: $input) { run { key } differences } }`,
  z.object({ resyncDifferences: z.object({ run: z.object({ key: z.string() }).nullable(), differences: z.number() }) }),
);
