import { alertSeverities, baselineSettings, type BaselineView, baselineViews } from "@quiesce/core";
import { builder } from "../../graphql/builder.js";
import { capsEnum } from "../../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../../graphql/connection.js";
import { keyOf } from "../../graphql/key-or-id.js";
import { AnomalyRef, IntegrationRef } from "../../graphql/refs.js";
import { runCommand } from "../../graphql/request-context.js";
import type { defineKpis } from "../graphql-kpi.js";
import { integrationsOf } from "../kpi-scope.js";
import { changeOf } from "../change-of-scope.js";
import type { ScopeTypes } from "../objectives/graphql.js";
import type { KpiQuestion } from "../read-kpi.js";
import { storedScope } from "../stored-scope.js";
import { deleteAnomalyRule, saveAnomalyRule } from "./commands.js";
import { anomaliesOf, anomalyPage, type AnomalyRuleRow, anomalyRules, type BandPoint, bandsOf } from "./store.js";

const read = { authScopes: { can: "runs.read" } } as const;
const write = { authScopes: { can: "objectives.write" } } as const;

type Shared = ReturnType<typeof defineKpis> & { readonly ScopeRef: ScopeTypes };

/** What is usual of figures, and what was not. */
export function defineBaselines(shared: Shared): void {
  const ViewEnum = capsEnum("BaselineView", "In which way a figure was looked at.", baselineViews, {
    value: "The value itself.",
    "short-median": "The median of the last few points: shifts.",
    activity: "The usual change from point to point: unrest, and silence.",
    residual: "What is left when the usual value of this hour of the week is taken away.",
  });
  defineAnomaly(shared, ViewEnum);
  defineBand(shared);
  defineAnomalies(shared);
  defineRules(shared);
}

function defineAnomaly({ KpiEnum }: Shared, ViewEnum: ReturnType<typeof capsEnum<BaselineView>>): void {
  builder.objectType(AnomalyRef, {
    description: "Five minutes of a figure that were not as usual, explained.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      integration: t.field({ type: IntegrationRef, description: "Of which integration.", resolve: (row) => String(row.integrationId) }),
      kpi: t.expose("kpi", { type: KpiEnum, description: "Which figure." }),
      at: t.expose("at", { type: "DateTime", description: "The beginning of the five minutes." }),
      value: t.exposeFloat("value", { description: "The figure." }),
      score: t.exposeFloat("score", {
        description: `How unusual: from ${baselineSettings.threshold} on it is an anomaly, above 5 is rare.`,
      }),
      view: t.expose("view", { type: ViewEnum, description: "The view that was furthest out of its band." }),
      seen: t.exposeFloat("seen", { description: "What that view saw." }),
      low: t.exposeFloat("low", { description: "Where that view's usual band begins." }),
      high: t.exposeFloat("high", { description: "Where it ends." }),
      expected: t.exposeFloat("expected", { description: "What is usual at this hour of the week." }),
      isNewExtreme: t.exposeBoolean("isNewExtreme", { description: "It was never so far out before." }),
      explanation: t.exposeString("explanation", { description: "All this in a sentence." }),
      foundAt: t.expose("foundAt", { type: "DateTime", description: "When it was found." }),
    }),
  });
}

interface BaselineOfOne {
  readonly bands: readonly BandPoint[];
  readonly question: KpiQuestion;
  readonly integrationId: number;
}

/** The field `baseline` of a figure of one integration. */
function defineBand({ Answer }: Shared): void {
  const BandRef = builder.objectRef<BandPoint>("KpiBand").implement({
    description: "Between which values a figure was usual in an hour, as it was known at its beginning.",
    fields: (t) => ({
      at: t.expose("at", { type: "DateTime", description: "The hour's beginning." }),
      low: t.exposeFloat("low", { description: "The lower end: 99 of 100 of the points that are remembered lie between." }),
      high: t.exposeFloat("high", { description: "The upper end." }),
      expected: t.exposeFloat("expected", { description: "What is usual at this hour of the week." }),
    }),
  });
  const BaselineRef = builder.objectRef<BaselineOfOne>("KpiBaseline").implement({
    description: "What is usual of a figure of one integration, and what was not.",
    fields: (t) => ({
      bands: t.field({
        type: [BandRef],
        description: "Hour by hour; none while it is learned, or where there were no samples.",
        resolve: ({ bands }) => [...bands],
      }),
      anomalies: t.field({
        type: [AnomalyRef],
        description: "In the order of time: the last 500.",
        complexity: 20,
        resolve: async ({ question, integrationId }, _args, { database }) => [
          ...(await anomaliesOf(database.db, { integrationId, kpi: question.kpi, period: question.period })),
        ],
      }),
    }),
  });
  builder.objectField(Answer, "baseline", (t) =>
    t.field({
      type: BaselineRef,
      nullable: true,
      description: "What is usual of it; null unless the scope is one integration.",
      complexity: 20,
      resolve: async (question, _args, { database }) => {
        const [one, ...others] = question.integrations;
        if (one === undefined || others.length > 0) return null;
        const of = { integrationId: one.id, kpi: question.kpi, period: question.period };
        return { bands: await bandsOf(database.db, of), question, integrationId: one.id };
      },
    }),
  );
}

function defineAnomalies({ KpiEnum, Scope }: Shared): void {
  const Connection = builder.connectionObject(
    { type: AnomalyRef, name: "AnomalyConnection", description: "A page of anomalies." },
    { name: "AnomalyEdge", description: "An anomaly in a list." },
  );
  const Filter = builder.inputType("AnomalyFilter", {
    description: "Which anomalies; every condition must hold.",
    fields: (t) => ({
      integration: t.string({ description: "Of this integration: its key or id." }),
      scope: t.field({ type: Scope, description: "Of these integrations." }),
      kpi: t.field({ type: KpiEnum, description: "Of this figure." }),
      from: t.field({ type: "DateTime", description: "From then on." }),
      to: t.field({ type: "DateTime", description: "Before then." }),
    }),
  });
  builder.queryField("anomalies", (t) =>
    t.field({
      type: Connection,
      ...read,
      description: "What was not as usual, the newest first. Kept for 400 days.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...args }, context) => {
        const named =
          typeof filter?.integration === "string"
            ? { integration: await keyOf(context, "Integration", filter.integration) }
            : filter?.scope;
        const integrations = named ? (await integrationsOf(context.database.db, named)).map(({ id }) => id) : null;
        return anomalyPage(context.database, args, { integrations, kpi: filter?.kpi, from: filter?.from, to: filter?.to });
      },
    }),
  );
}

function defineRules({ KpiEnum, Scope, ScopeRef }: Shared): void {
  const SeverityEnum = capsEnum("AnomalySeverity", "How bad the alert is.", alertSeverities);
  const RuleRef = builder.objectRef<AnomalyRuleRow>("AnomalyRule").implement({
    description: "Anomalies that raise an alert.",
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its key." }),
      title: t.exposeString("title", { description: "Its name for people." }),
      scope: t.expose("scope", { type: ScopeRef, description: "Of which integrations." }),
      kpi: t.expose("kpi", { type: KpiEnum, nullable: true, description: "Of which figure; null: of all." }),
      severity: t.expose("severity", { type: SeverityEnum, description: "How bad the alert is." }),
      leastScore: t.exposeFloat("leastScore", { description: "Only anomalies of this score or more." }),
    }),
  });
  const SaveInput = builder.inputType("SaveAnomalyRuleInput", {
    description: "A rule; one of the same key gets these terms.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key." }),
      title: t.string({ required: true, description: "Its name for people." }),
      scope: t.field({ type: Scope, description: "Of which integrations; all when left out." }),
      kpi: t.field({ type: KpiEnum, description: "Of which figure; of all when left out." }),
      severity: t.field({ type: SeverityEnum, description: "How bad the alert is; WARNING when left out." }),
      leastScore: t.float({
        description: `Only anomalies of this score or more; ${baselineSettings.threshold}, every one, when left out.`,
      }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const DeleteInput = builder.inputType("DeleteAnomalyRuleInput", {
    description: "A rule that nobody needs any more.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.queryField("anomalyRules", (t) =>
    t.field({
      type: [RuleRef],
      ...read,
      description: "Which anomalies raise alerts, at most 100 rules. None without a rule.",
      resolve: async (_root, _args, { database }) => [...(await anomalyRules(database.db))],
    }),
  );
  builder.mutationFields((t) => ({
    saveAnomalyRule: t.field({
      type: "String",
      ...write,
      description: "Makes a rule by which anomalies raise alerts, or changes it. Answers its key.",
      args: { input: t.arg({ type: SaveInput, required: true, description: "Which, and what." }) },
      resolve: async (_root, { input }, context) => {
        const scope = storedScope(input.scope ?? {});
        const { key, title, reason } = input;
        const severity = input.severity ?? "warning";
        const leastScore = input.leastScore ?? baselineSettings.threshold;
        await runCommand(context, await changeOf(context, { table: "anomaly_rule", key, scope }), (command) =>
          saveAnomalyRule(command, { key, title, scope, kpi: input.kpi ?? null, severity, leastScore, reason }),
        );
        return key;
      },
    }),
    deleteAnomalyRule: t.field({
      type: "String",
      ...write,
      description: "Takes a rule away. Answers its key.",
      args: { input: t.arg({ type: DeleteInput, required: true, description: "Which, and why." }) },
      resolve: async (_root, { input: { key, reason } }, context) => {
        await runCommand(context, { action: "objectives.write", on: [{ kind: "anomaly_rule", key }] }, (command) =>
          deleteAnomalyRule(command, { key, reason }),
        );
        return key;
      },
    }),
  }));
}
