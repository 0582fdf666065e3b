import { z } from "zod";
import { operation } from "../graphql-client.js";

const fieldChange = z.object({ path: z.string(), before: z.unknown(), after: z.unknown() });
const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const version = z.object({
  number: z.number(),
  origin: z.string(),
  restores: z.number().nullable(),
  actor: z.string(),
  reason: z.string().nullable(),
  at: z.string(),
});
export type VersionAnswer = z.infer<typeof version>;

export const listVersions = operation(
  `query IntegrationVersions($key: String!, $first: Int, $after: String) {
    integration(key: $key) { versions(first: $first, after: $after) { nodes { number origin restores actor reason at } pageInfo { hasNextPage endCursor } } }
  }`,
  z.object({ integration: z.object({ versions: z.object({ nodes: z.array(version), pageInfo }) }).nullable() }),
);

export const diffVersions = operation(
  `query IntegrationVersionDiff($integration: String!, $from: Int!, $to: Int!) {
    integrationVersionDiff(integration: $integration, from: $from, to: $to) { path before after }
  }`,
  z.object({ integrationVersionDiff: z.array(fieldChange) }),
);

export const rollbackIntegration = operation(
  `mutation RollbackIntegration($input: RollbackIntegrationInput!) {
    rollbackIntegration(input: $input) { key changes { kind objectType key fields { path before after } } }
  }`,
  z.object({
    rollbackIntegration: z.object({
      key: z.string(),
      changes: z.array(
        z.object({ kind: z.enum(["CREATE", "UPDATE", "DELETE"]), objectType: z.string(), key: z.string(), fields: z.array(fieldChange) }),
      ),
    }),
  }),
);

const TRIAL = `key kind state version records same different errors runs failedRuns startedBy reason verdict startedAt endedAt
  run { key state }`;
const trial = z.object({
  key: z.string(),
  kind: z.string(),
  state: z.string(),
  version: z.number().nullable(),
  records: z.number(),
  same: z.number(),
  different: z.number(),
  errors: z.number(),
  runs: z.number(),
  failedRuns: z.number(),
  startedBy: z.string(),
  reason: z.string(),
  verdict: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  run: z.object({ key: z.string(), state: z.string() }).nullable(),
});
export type TrialAnswer = z.infer<typeof trial>;
const difference = z.object({
  stream: z.string(),
  recordKey: z.string(),
  now: z.string(),
  candidate: z.string(),
  fields: z.array(fieldChange),
  errors: z.array(z.object({ field: z.string(), found: z.string(), expected: z.string() })),
});
export type DifferenceAnswer = z.infer<typeof difference>;

export const listTrials = operation(
  `query IntegrationTrials($key: String!, $first: Int, $after: String) {
    integration(key: $key) { trials(first: $first, after: $after) { nodes { ${TRIAL} } pageInfo { hasNextPage endCursor } } }
  }`,
  z.object({ integration: z.object({ trials: z.object({ nodes: z.array(trial), pageInfo }) }).nullable() }),
);
export const trialProgress = operation(
  `query TrialProgress($key: String!) { integrationTrial(key: $key) { ${TRIAL} } }`,
  z.object({ integrationTrial: trial.nullable() }),
);
export const showTrial = operation(
  `query IntegrationTrial($key: String!) {
    integrationTrial(key: $key) { ${TRIAL} differences { stream recordKey now candidate fields { path before after } errors { field found expected } } }
  }`,
  z.object({ integrationTrial: trial.extend({ differences: z.array(difference) }).nullable() }),
);
export const startTrial = operation(
  `mutation StartTrial($input: StartTrialInput!) { startTrial(input: $input) { ${TRIAL} } }`,
  z.object({ startTrial: trial.nullable() }),
);
export const cancelTrial = operation(
  `mutation CancelTrial($input: CancelTrialInput!) { cancelTrial(input: $input) { ${TRIAL} } }`,
  z.object({ cancelTrial: trial.nullable() }),
);
