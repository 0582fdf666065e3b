import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });
const number = z.number().nullable();
const scope = z.object({
  integration: z.string().nullable(),
  system: z.string().nullable(),
  team: z.string().nullable(),
  tag: z.string().nullable(),
});
export type ScopeAnswer = z.infer<typeof scope>;
const SCOPE = "scope { integration system team tag }";

const objective = z.object({
  key: z.string(),
  title: z.string(),
  scope,
  indicator: z.string(),
  kpi: z.string().nullable(),
  limit: number,
  target: z.number(),
  periodDays: z.number(),
  alerts: z.boolean(),
  state: z.string(),
  stateSince: z.string(),
  lookedAt: z.string().nullable(),
  problem: z.string().nullable(),
});
export type ObjectiveAnswer = z.infer<typeof objective>;
const OBJECTIVE = `key title ${SCOPE} indicator kpi limit target periodDays alerts state stateSince lookedAt problem`;

const standing = z.object({
  from: z.string(),
  to: z.string(),
  unit: z.string(),
  integrations: z.number(),
  budget: z.object({
    achieved: number,
    valid: z.number(),
    total: z.number(),
    spent: z.number(),
    remaining: z.number(),
    remainingShare: number,
  }),
  days: z.array(z.object({ from: z.string(), to: z.string(), valid: z.number(), spent: z.number(), remainingShare: number })),
  burns: z.array(
    z.object({
      rule: z.string(),
      action: z.string(),
      longRate: number,
      shortRate: number,
      badEvents: z.number(),
      isBurning: z.boolean(),
      since: z.string().nullable(),
      hasAlert: z.boolean(),
    }),
  ),
});

export const listObjectives = operation(
  `query Objectives($first: Int, $after: String) { objectives(first: $first, after: $after) { nodes { ${OBJECTIVE} } pageInfo { hasNextPage endCursor } } }`,
  z.object({ objectives: z.object({ nodes: z.array(objective), pageInfo }) }),
);
export const showObjective = operation(
  `query Objective($key: String!) {
    objective(key: $key) {
      ${OBJECTIVE}
      agreement { minimumNoticeSeconds monthlyAllowanceSeconds needsApproval timeZone serviceHours { days from to } checkIntervalSeconds rule }
      standing {
        from to unit integrations budget { achieved valid total spent remaining remainingShare } days { from to valid spent remainingShare }
        burns { rule action longRate shortRate badEvents isBurning since hasAlert }
      }
    }
  }`,
  z.object({ objective: objective.extend({ agreement: z.unknown(), standing }).nullable() }),
);
export const saveObjective = operation(
  `mutation SaveObjective($input: SaveObjectiveInput!) { saveObjective(input: $input) { ${OBJECTIVE} } }`,
  z.object({ saveObjective: objective }),
);
export const deleteObjective = operation(
  `mutation DeleteObjective($input: DeleteObjectiveInput!) { deleteObjective(input: $input) }`,
  z.object({ deleteObjective: z.string() }),
);

const threshold = z.object({
  key: z.string(),
  title: z.string(),
  scope,
  kpi: z.string(),
  unit: z.string(),
  comparison: z.string(),
  value: z.number(),
  clearValue: z.number(),
  step: z.string(),
  rule: z.string(),
  severity: z.string(),
  problem: z.string().nullable(),
  broken: z.array(z.object({ integration: z.object({ key: z.string() }), since: z.string(), hasAlert: z.boolean() })),
});
export type ThresholdAnswer = z.infer<typeof threshold>;
const THRESHOLD = `key title ${SCOPE} kpi unit comparison value clearValue step rule severity problem broken { integration { key } since hasAlert }`;

export const listThresholds = operation(
  `query Thresholds($first: Int, $after: String) { thresholds(first: $first, after: $after) { nodes { ${THRESHOLD} } pageInfo { hasNextPage endCursor } } }`,
  z.object({ thresholds: z.object({ nodes: z.array(threshold), pageInfo }) }),
);
export const saveThreshold = operation(
  `mutation SaveThreshold($input: SaveThresholdInput!) { saveThreshold(input: $input) { ${THRESHOLD} } }`,
  z.object({ saveThreshold: threshold }),
);
export const deleteThreshold = operation(
  `mutation DeleteThreshold($input: DeleteThresholdInput!) { deleteThreshold(input: $input) }`,
  z.object({ deleteThreshold: z.string() }),
);

const anomaly = z.object({
  key: z.string(),
  at: z.string(),
  kpi: z.string(),
  integration: z.object({ key: z.string() }),
  value: z.number(),
  score: z.number(),
  view: z.string(),
  explanation: z.string(),
});
export type AnomalyAnswer = z.infer<typeof anomaly>;

export const listAnomalies = operation(
  `query Anomalies($first: Int, $after: String, $filter: AnomalyFilter) {
    anomalies(first: $first, after: $after, filter: $filter) { nodes { key at kpi integration { key } value score view explanation } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({ anomalies: z.object({ nodes: z.array(anomaly), pageInfo }) }),
);
const anomalyRule = z.object({
  key: z.string(),
  title: z.string(),
  scope,
  kpi: z.string().nullable(),
  severity: z.string(),
  leastScore: z.number(),
});
export type AnomalyRuleAnswer = z.infer<typeof anomalyRule>;

export const listAnomalyRules = operation(
  `query AnomalyRules { anomalyRules { key title ${SCOPE} kpi severity leastScore } }`,
  z.object({ anomalyRules: z.array(anomalyRule) }),
);
export const saveAnomalyRule = operation(
  `mutation SaveAnomalyRule($input: SaveAnomalyRuleInput!) { saveAnomalyRule(input: $input) }`,
  z.object({ saveAnomalyRule: z.string() }),
);
export const deleteAnomalyRule = operation(
  `mutation DeleteAnomalyRule($input: DeleteAnomalyRuleInput!) { deleteAnomalyRule(input: $input) }`,
  z.object({ deleteAnomalyRule: z.string() }),
);
