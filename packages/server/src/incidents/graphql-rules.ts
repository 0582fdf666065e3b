import type { BacktestSide, CorrelationBacktest } from "@quiesce/core";
import { ofDeployment } from "../access/targets.js";
import { builder } from "../graphql/builder.js";
import { runCommand } from "../graphql/request-context.js";
import { deleteRule, previewRules, saveRules } from "./rule-commands.js";
import { loadRules } from "./rule-store.js";

/** Rules of correlation, and what they would have made of recorded alerts. */
export function defineCorrelationRules(): void {
  const SideRef = builder.objectRef<BacktestSide>("CorrelationBacktestSide").implement({
    description: "What rules would have made of the alerts.",
    fields: (t) => ({
      incidents: t.exposeInt("incidents", { description: "How many incidents." }),
      suppressed: t.exposeInt("suppressed", { description: "How many alerts would be in none." }),
      untold: t.exposeInt("untold", { description: "Incidents that a storm would have kept quiet to the end." }),
      largest: t.field({
        type: "JSON",
        description: "The largest ones, at most 50: rootNode, severity, alerts by number.",
        resolve: (row) =>
          row.largest.map(({ rootNode, severity, alerts, notified }) => ({ rootNode, severity, alerts: alerts.length, notified })),
      }),
    }),
  });
  const BacktestRef = builder.objectRef<CorrelationBacktest>("CorrelationBacktest").implement({
    description: "Rules as they would be beside the rules as they are, on the same alerts.",
    fields: (t) => ({
      summary: t.exposeString("summary", { description: "One sentence: would have made 14 incidents of 3,120 alerts; hides no critical." }),
      alerts: t.exposeInt("alerts", { description: "How many alerts were tried: the newest 100,000 at most." }),
      proposed: t.field({ type: SideRef, description: "The rules as they would be.", resolve: (row) => row.proposed }),
      current: t.field({ type: SideRef, description: "The rules in force.", resolve: (row) => row.current }),
      hiddenCriticals: t.stringList({
        description: "Critical alerts that would be in no incident that is told; never any. At most 100, by number.",
        resolve: (row) => row.hiddenCriticals.slice(0, 100),
      }),
    }),
  });
  const SaveInput = builder.inputType("SaveCorrelationRulesInput", {
    description: "The rules that shall be in force.",
    fields: (t) => ({
      rules: t.field({
        type: "JSON",
        required: true,
        description: "All of them in their order; none: the usual one alone. See docs/incidents.md.",
      }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const DeleteInput = builder.inputType("DeleteCorrelationRuleInput", {
    description: "A rule that shall no longer be in force.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The rule's id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.queryFields((t) => ({
    correlationRules: t.field({
      type: "JSON",
      authScopes: { can: "catalogue.read" },
      description: "The rules of correlation in force, in their order. The usual one follows them.",
      resolve: async (_root, _args, { database }) => loadRules(database.db),
    }),
    previewCorrelationRules: t.field({
      type: BacktestRef,
      authScopes: { can: "incidents.write" },
      description: "Tries rules on the alerts that were recorded in a time. Changes nothing.",
      complexity: { field: 500 },
      args: {
        rules: t.arg({ type: "JSON", required: true, description: "The rules, as saveCorrelationRules takes them." }),
        from: t.arg({ type: "DateTime", required: true, description: "Alerts heard from here on." }),
        to: t.arg({ type: "DateTime", required: true, description: "And before this." }),
      },
      resolve: (_root, { rules, from, to }, { database }) => previewRules(database, { rules, from, to }),
    }),
  }));
  builder.mutationFields((t) => ({
    deleteCorrelationRule: t.field({
      type: "JSON",
      authScopes: { can: "incidents.write" },
      description: "Takes one rule of correlation out of force and answers those that stay, in their order.",
      args: { input: t.arg({ type: DeleteInput, required: true, description: "Which rule, and why." }) },
      resolve: (_root, { input }, context) =>
        runCommand(context, ofDeployment("incidents.write"), (command) => deleteRule(command, { key: input.key, reason: input.reason })),
    }),
    saveCorrelationRules: t.field({
      type: "JSON",
      authScopes: { can: "incidents.write" },
      description: "Puts rules of correlation into force in place of all others. Try them first: previewCorrelationRules.",
      args: { input: t.arg({ type: SaveInput, required: true, description: "The rules, and why." }) },
      resolve: (_root, { input }, context) =>
        runCommand(context, ofDeployment("incidents.write"), (command) => saveRules(command, { rules: input.rules, reason: input.reason })),
    }),
  }));
}
