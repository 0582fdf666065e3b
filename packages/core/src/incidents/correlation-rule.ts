import { z } from "zod";
import { alertSeverities } from "../alerts/alert-problem.js";
import { slugSchema } from "../catalog/slug.js";
import { strictObject } from "../catalog/strict-object.js";
import type { CorrelatedAlert } from "./correlation.js";

/** How much one set of rules may hold, and how far each may reach. */
export const correlationRuleLimits = {
  rules: 200,
  patterns: 100,
  labels: 20,
  groupBy: 5,
  windowSeconds: 86_400,
  maxHops: 10,
  rootSlackSeconds: 600,
  holdSeconds: 600,
  alertsPerMinute: 10_000_000,
} as const;

/** The action of a rule on the alerts that it matches. */
export const correlationActions = ["GROUP", "SUPPRESS", "ANNOTATE"] as const;

const pattern = z.string().min(1).max(500).describe("A whole text, or its beginning followed by *.");
const patterns = z.array(pattern).min(1).max(correlationRuleLimits.patterns);

const match = strictObject({
  severity: z.array(z.enum(alertSeverities)).min(1).optional().describe("One of these severities."),
  source: patterns.optional().describe("The endpoint that said it is one of these."),
  kind: patterns.optional().describe("The resource's kind, as its monitor calls it."),
  node: patterns.optional().describe("The system it is about."),
  title: patterns.optional().describe("The alert's title."),
  labels: z
    .record(z.string().min(1).max(500), patterns)
    .refine((labels) => Object.keys(labels).length <= correlationRuleLimits.labels, {
      message: `names at most ${correlationRuleLimits.labels} labels`,
    })
    .optional()
    .describe("Each of these labels has one of its values. An alert without the label does not match."),
});

const groupField = z
  .string()
  .max(506)
  .regex(/^(?:source|kind|severity|label:.+)$/u, "Expected source, kind, severity, or label: followed by the name of a label.");

const seconds = (max: number) => z.number().int().min(0).max(max);

/**
 * A rule of correlation as data. An alert that it matches is looked at together with those of the same groupBy values; `windowSeconds` is the longest
 * silence within an incident, `topology` how a cause is looked for, `holdSeconds` how long an incident waits for its cause before it is raised. `storm`
 * keeps incidents that are not critical from being told while so many alerts begin in a minute. No action mutes a critical alert: SUPPRESS leaves it
 * to the rules that follow.
 */
export const correlationRuleSchema = strictObject({
  id: slugSchema,
  match: match.default({}),
  groupBy: z.array(groupField).max(correlationRuleLimits.groupBy).default([]),
  windowSeconds: z.number().int().min(10).max(correlationRuleLimits.windowSeconds).default(300),
  topology: strictObject({
    maxHops: z.number().int().min(0).max(correlationRuleLimits.maxHops).default(3),
    rootSlackSeconds: seconds(correlationRuleLimits.rootSlackSeconds).default(60),
  }).default({ maxHops: 3, rootSlackSeconds: 60 }),
  holdSeconds: seconds(correlationRuleLimits.holdSeconds).default(30),
  storm: strictObject({
    enter: z.number().int().min(1).max(correlationRuleLimits.alertsPerMinute),
    leave: z.number().int().min(0).max(correlationRuleLimits.alertsPerMinute),
  })
    .refine(({ enter, leave }) => leave < enter, { message: "leave must be less than enter, or the storm would begin and end in turn" })
    .optional()
    .describe("Alerts a minute at which a storm begins and ends. Without it there is no storm."),
  action: z.enum(correlationActions).default("GROUP"),
}).refine(({ holdSeconds, windowSeconds }) => holdSeconds <= windowSeconds, {
  path: ["holdSeconds"],
  message: "must not be longer than windowSeconds: what waits longer than an incident's longest silence belongs to nothing",
});

/** A rule whose defaults are filled in. */
export type CorrelationRule = z.infer<typeof correlationRuleSchema>;

/** A list of rules, in their order; ids are unique. */
export const correlationRulesSchema = z
  .array(correlationRuleSchema)
  .max(correlationRuleLimits.rules)
  .refine((rules) => new Set(rules.map(({ id }) => id)).size === rules.length, { message: "two rules have the same id" });

/** What alerts follow that no rule matches: one lane for all, the defaults of a rule. No rule may have its id. */
export const usualCorrelationRule: CorrelationRule = Object.freeze(correlationRuleSchema.parse({ id: "usual" }));

/** True when an alert has everything that the rule names. */
export function matchesRule(rule: CorrelationRule, alert: CorrelatedAlert): boolean {
  const { severity, source, kind, node, title, labels } = rule.match;
  return (
    (severity === undefined || severity.includes(alert.severity)) &&
    fits(source, alert.source) &&
    fits(kind, alert.kind) &&
    fits(node, alert.node) &&
    fits(title, alert.title) &&
    (labels === undefined || Object.entries(labels).every(([name, wanted]) => fits(wanted, ownLabel(alert, name))))
  );
}

/** The values by which a rule keeps alerts apart, in the order of its groupBy; a label that is not there counts as an empty text. */
export function groupOf(rule: CorrelationRule, alert: CorrelatedAlert): readonly string[] {
  return rule.groupBy.map((field) => {
    if (field === "source") return alert.source;
    if (field === "kind") return alert.kind;
    if (field === "severity") return alert.severity;
    return ownLabel(alert, field.slice("label:".length)) ?? "";
  });
}

/** Which rule has an alert, and what is said of it on the way. */
export interface RuleVerdict {
  /** The rule that the alert follows into an incident; null: it is suppressed. */
  readonly rule: CorrelationRule | null;
  readonly suppressedBy: string | null;
  readonly annotations: readonly string[];
}

const NOTHING_SAID: readonly string[] = [];

/** Finds the rule that has an alert. A rule that would suppress a critical one is passed over. */
export function judgeByRules(rules: readonly CorrelationRule[], alert: CorrelatedAlert): RuleVerdict {
  let annotations = NOTHING_SAID;
  for (const rule of rules) {
    if (!matchesRule(rule, alert)) continue;
    if (rule.action === "GROUP") return { rule, suppressedBy: null, annotations };
    if (rule.action === "ANNOTATE") annotations = [...annotations, rule.id];
    else if (alert.severity !== "critical") return { rule: null, suppressedBy: rule.id, annotations };
  }
  return { rule: usualCorrelationRule, suppressedBy: null, annotations };
}

function fits(wanted: readonly string[] | undefined, found: string | undefined): boolean {
  if (wanted === undefined) return true;
  if (found === undefined) return false;
  return wanted.some((one) => (one.endsWith("*") ? found.startsWith(one.slice(0, -1)) : found === one));
}

function ownLabel(alert: CorrelatedAlert, name: string): string | undefined {
  return alert.labels !== undefined && Object.hasOwn(alert.labels, name) ? alert.labels[name] : undefined;
}
