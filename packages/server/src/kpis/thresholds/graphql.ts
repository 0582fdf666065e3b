import { alertSeverities, DomainError, kpiDefinition, type ThresholdPoint, type ThresholdState } from "@quiesce/core";
import { integrationIdsByKey } from "../../catalog/queries.js";
import { batched } from "../../graphql/batched.js";
import { builder } from "../../graphql/builder.js";
import { capsEnum } from "../../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../../graphql/connection.js";
import { idInside } from "../../graphql/key-or-id.js";
import { IntegrationRef, ThresholdRef } from "../../graphql/refs.js";
import { runCommand } from "../../graphql/request-context.js";
import type { SharedTypes } from "../graphql-kpi.js";
import type { defineSla } from "../graphql-sla.js";
import { changeOf } from "../change-of-scope.js";
import type { ScopeTypes } from "../objectives/graphql.js";
import { storedScope } from "../stored-scope.js";
import { deleteThreshold, saveThreshold, thresholdNotFound } from "./commands.js";
import { statesOf, type StoredThresholdState, thresholdByKey, thresholdPage, thresholdsByIds } from "./store.js";

const read = { authScopes: { can: "runs.read" } } as const;
const write = { authScopes: { can: "objectives.write" } } as const;
const comparisons = ["above", "below"] as const;
const steps = ["minute", "hour"] as const;

type Shared = SharedTypes & ReturnType<typeof defineSla> & { readonly ScopeRef: ScopeTypes };

/** Figures that must not go beyond a value. */
export function defineThresholds(shared: Shared): void {
  const enums = {
    ComparisonEnum: capsEnum("ThresholdComparison", "On which side of the value a figure is bad.", comparisons),
    StepEnum: capsEnum("ThresholdStep", "How long a point is.", steps),
    SeverityEnum: capsEnum("ThresholdSeverity", "How bad the alert is.", alertSeverities),
  };
  defineObject(shared, enums);
  defineQueries();
  defineMutations(shared, enums);
}

interface Enums {
  readonly ComparisonEnum: ReturnType<typeof capsEnum<(typeof comparisons)[number]>>;
  readonly StepEnum: ReturnType<typeof capsEnum<(typeof steps)[number]>>;
  readonly SeverityEnum: ReturnType<typeof capsEnum<(typeof alertSeverities)[number]>>;
}

type Broken = StoredThresholdState & { readonly state: ThresholdState & { readonly brokenSince: number } };
type Judged = StoredThresholdState & { readonly state: ThresholdState & { readonly last: ThresholdPoint } };

const LAST_POINTS = 20;
const MOST_LAST_POINTS = 200;

const states = batched(
  (ids: readonly number[], { database }) => statesOf(database.db, ids),
  ({ thresholdId }) => thresholdId,
);

function defineObject({ KpiEnum, RuleEnum, ScopeRef }: Shared, { ComparisonEnum, StepEnum, SeverityEnum }: Enums): void {
  const BrokenRef = builder.objectRef<Broken>("BrokenThreshold").implement({
    description: "An integration at which a threshold is broken.",
    fields: (t) => ({
      integration: t.field({ type: IntegrationRef, description: "Which.", resolve: (row) => String(row.integrationId) }),
      since: t.field({ type: "DateTime", description: "Since the first bad point.", resolve: (row) => row.state.brokenSince }),
      hasAlert: t.boolean({
        description: "It has raised an alert. An integration without an endpoint on its route cannot.",
        resolve: (row) => row.endpointId !== null,
      }),
    }),
  });
  const LastPointRef = builder.objectRef<Judged>("ThresholdLastPoint").implement({
    description: "The last point of an integration that a threshold was held against; points within a window are none.",
    fields: (t) => ({
      integration: t.field({ type: IntegrationRef, description: "Whose.", resolve: (row) => String(row.integrationId) }),
      at: t.field({ type: "DateTime", description: "Its beginning.", resolve: (row) => row.state.last.at }),
      value: t.float({ description: "What the figure was.", resolve: (row) => row.state.last.value }),
      isBroken: t.boolean({ description: "The threshold is broken there.", resolve: (row) => row.state.brokenSince !== null }),
    }),
  });
  builder.objectType(ThresholdRef, {
    description: "A value that a figure must not go beyond, at each integration by itself.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its key." }),
      title: t.exposeString("title", { description: "Its name for people." }),
      scope: t.expose("scope", { type: ScopeRef, description: "Of which integrations, one by one." }),
      kpi: t.expose("kpi", { type: KpiEnum, description: "Which figure." }),
      unit: t.string({ description: "Of its values: ms, 1/s, count or share.", resolve: ({ kpi }) => kpiDefinition(kpi).unit }),
      comparison: t.expose("comparison", { type: ComparisonEnum, description: "On which side of the value it is bad." }),
      value: t.exposeFloat("value", { description: "Beyond it a point is bad." }),
      clearValue: t.exposeFloat("clearValue", { description: "While it is broken a point is good only behind this." }),
      step: t.expose("step", { type: StepEnum, description: "How long a point is." }),
      rule: t.expose("rule", { type: RuleEnum, description: "How many points change its state." }),
      severity: t.expose("severity", { type: SeverityEnum, description: "How bad its alerts are." }),
      lookedAt: t.expose("lookedAt", { type: "DateTime", nullable: true, description: "When it was looked at last." }),
      problem: t.exposeString("problem", { nullable: true, description: "Why nothing could be said at the last look." }),
      broken: t.field({
        type: [BrokenRef],
        description: "Where it is broken, at most 2,000 integrations.",
        complexity: 20,
        resolve: async (row, _args, context) =>
          (await states.many(context, row.id)).filter((one): one is Broken => one.state.brokenSince !== null),
      }),
      lastPoints: t.field({
        type: [LastPointRef],
        description: "The last point of each integration, the worst first; an integration of which nothing was measured yet has none.",
        complexity: ({ first }) => ({ field: 20, multiplier: first ?? LAST_POINTS }),
        args: {
          first: t.arg.int({ description: `At most so many, ${MOST_LAST_POINTS} at most; ${LAST_POINTS} when left out.` }),
          integration: t.arg.string({ description: "Only of this one, by its key." }),
        },
        resolve: async (row, { first, integration }, context) => {
          const most = pointsOf(first);
          const judged = (await states.many(context, row.id)).filter((one): one is Judged => one.state.last !== null);
          const sign = row.comparison === "above" ? -1 : 1;
          const worst = judged.toSorted((one, other) => sign * (one.state.last.value - other.state.last.value));
          if (integration === undefined || integration === null) return worst.slice(0, most);
          const id = (await integrationIdsByKey(context.database, [integration])).get(integration);
          return worst.filter(({ integrationId }) => integrationId === id);
        },
      }),
    }),
  });
}

function defineQueries(): void {
  const Connection = builder.connectionObject(
    { type: ThresholdRef, name: "ThresholdConnection", description: "A page of thresholds." },
    { name: "ThresholdEdge", description: "A threshold in a list." },
  );
  builder.queryFields((t) => ({
    threshold: t.field({
      type: ThresholdRef,
      nullable: true,
      ...read,
      description: "One threshold, by its key or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key or global id." }) },
      resolve: async (_root, { key }, { database }) => {
        const id = idInside("Threshold", key);
        if (id !== null) return (await thresholdsByIds(database, [id]))[0] ?? null;
        return thresholdByKey(database.db, key);
      },
    }),
    thresholds: t.field({
      type: Connection,
      ...read,
      description: "Thresholds by their keys. One that names a tag, or everything, is seen by those who see everything.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => thresholdPage(database, args),
    }),
  }));
}

function defineMutations({ KpiEnum, RuleEnum, Scope }: Shared, { ComparisonEnum, StepEnum, SeverityEnum }: Enums): void {
  const SaveInput = builder.inputType("SaveThresholdInput", {
    description: "A threshold; one of the same key gets these terms.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key." }),
      title: t.string({ required: true, description: "Its name for people." }),
      scope: t.field({ type: Scope, description: "Of which integrations, one by one; all when left out." }),
      kpi: t.field({ type: KpiEnum, required: true, description: "Which figure." }),
      comparison: t.field({ type: ComparisonEnum, required: true, description: "On which side of the value it is bad." }),
      value: t.float({ required: true, description: "Beyond it a point is bad, in the figure's unit; shares are 0 to 1." }),
      clearValue: t.float({ description: "While it is broken a point is good only behind this; the value itself when left out." }),
      step: t.field({ type: StepEnum, description: "How long a point is; MINUTE when left out." }),
      rule: t.field({ type: RuleEnum, description: "THREE_IN_A_ROW when left out." }),
      severity: t.field({ type: SeverityEnum, description: "How bad its alerts are; MAJOR when left out." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const DeleteInput = builder.inputType("DeleteThresholdInput", {
    description: "A threshold that nobody needs any more.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key or id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    saveThreshold: t.field({
      type: ThresholdRef,
      ...write,
      description: "Makes a threshold, or changes its terms. What breaks it raises an alert at once, and ends it when it is over.",
      args: { input: t.arg({ type: SaveInput, required: true, description: "Which, and what." }) },
      resolve: async (_root, { input }, context) => {
        const scope = storedScope(input.scope ?? {});
        const { key, title, kpi, comparison, value, reason } = input;
        const saved = await runCommand(context, await changeOf(context, { table: "threshold", key, scope }), (command) =>
          saveThreshold(command, {
            key,
            title,
            scope,
            kpi,
            comparison,
            value,
            reason,
            clearValue: input.clearValue ?? value,
            step: input.step ?? "minute",
            rule: input.rule ?? "three-in-a-row",
            severity: input.severity ?? "major",
          }),
        );
        return String(saved.id);
      },
    }),
    deleteThreshold: t.field({
      type: "String",
      ...write,
      description: "Takes a threshold away; its alerts end. Answers its key.",
      args: { input: t.arg({ type: DeleteInput, required: true, description: "Which, and why." }) },
      resolve: async (_root, { input }, context) => {
        const id = idInside("Threshold", input.key);
        const key = id === null ? input.key : ((await thresholdsByIds(context.database, [id]))[0]?.key ?? null);
        if (key === null) throw thresholdNotFound(input.key);
        await runCommand(context, { action: "objectives.write", on: [{ kind: "threshold", key }] }, (command) =>
          deleteThreshold(command, { key, reason: input.reason }),
        );
        return key;
      },
    }),
  }));
}

function pointsOf(first: number | null | undefined): number {
  const wanted = first ?? LAST_POINTS;
  if (wanted >= 1 && wanted <= MOST_LAST_POINTS) return wanted;
  throw new DomainError("QSC_GRAPHQL_PAGE_SIZE", `first is ${wanted}; expected 1 to ${MOST_LAST_POINTS} integrations.`, { field: "first" });
}
