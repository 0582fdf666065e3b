import { z } from "zod";
import { operation } from "../graphql-client.js";

const rules = z.array(
  z.looseObject({
    id: z.string(),
    action: z.string(),
    match: z.record(z.string(), z.unknown()),
    groupBy: z.array(z.string()),
    windowSeconds: z.number(),
    holdSeconds: z.number(),
  }),
);
export type CorrelationRuleAnswer = z.infer<typeof rules>[number];

export const listCorrelationRules = operation(`query CorrelationRules { correlationRules }`, z.object({ correlationRules: rules }));

const side = z.object({
  incidents: z.number(),
  suppressed: z.number(),
  untold: z.number(),
  largest: z.array(z.object({ rootNode: z.string(), severity: z.string(), alerts: z.number(), notified: z.boolean() })),
});
const SIDE = "incidents suppressed untold largest";

const preview = z.object({
  summary: z.string(),
  alerts: z.number(),
  hiddenCriticals: z.array(z.string()),
  proposed: side,
  current: side,
});
export type CorrelationPreviewAnswer = z.infer<typeof preview>;

export const previewCorrelationRules = operation(
  `query PreviewCorrelationRules($rules: JSON!, $from: DateTime!, $to: DateTime!) {
    previewCorrelationRules(rules: $rules, from: $from, to: $to) {
      summary alerts hiddenCriticals proposed { ${SIDE} } current { ${SIDE} }
    }
  }`,
  z.object({
    previewCorrelationRules: preview,
  }),
);

export const saveCorrelationRules = operation(
  "mutation SaveCorrelationRules($input: SaveCorrelationRulesInput!) { saveCorrelationRules(input: $input) }",
  z.object({ saveCorrelationRules: rules }),
);

export const deleteCorrelationRule = operation(
  "mutation DeleteCorrelationRule($input: DeleteCorrelationRuleInput!) { deleteCorrelationRule(input: $input) }",
  z.object({ deleteCorrelationRule: rules }),
);
