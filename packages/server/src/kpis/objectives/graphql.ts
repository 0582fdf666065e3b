import { burnRules, objectiveIndicators, objectiveLimits, type ObjectiveState, objectiveStates } from "@quiesce/core";
import { builder } from "../../graphql/builder.js";
import { capsEnum } from "../../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../../graphql/connection.js";
import { idInside } from "../../graphql/key-or-id.js";
import { ObjectiveRef } from "../../graphql/refs.js";
import { runCommand } from "../../graphql/request-context.js";
import type { SharedTypes } from "../graphql-kpi.js";
import { type defineSla, agreementOf } from "../graphql-sla.js";
import type { ServiceAgreement } from "../sla-report.js";
import { changeOf } from "../change-of-scope.js";
import { storedScope, type StoredScope } from "../stored-scope.js";
import { deleteObjective, objectiveNotFound, saveObjective } from "./commands.js";
import { defineBudget } from "./graphql-budget.js";
import { objectiveByKey, objectivePage, objectivesByIds } from "./store.js";

const read = { authScopes: { can: "runs.read" } } as const;
const write = { authScopes: { can: "objectives.write" } } as const;

/** What objectives share with thresholds. */
export type ScopeTypes = ReturnType<typeof defineScopeRef>;

/** What is promised of services, and how it stands. */
export function defineObjectives(shared: SharedTypes & ReturnType<typeof defineSla> & { readonly ScopeRef: ScopeTypes }): void {
  const IndicatorEnum = capsEnum("ObjectiveIndicator", "What an objective counts.", objectiveIndicators, {
    availability: "Time: up, of what is known.",
    latency: "Samples of a time or count that are not over a limit.",
    share: "The good ones of a figure that is a share: of an error rate those without error.",
  });
  const StateEnum = capsEnum("ObjectiveState", "How an objective stands.", objectiveStates, {
    unknown: "Nothing is known in the period.",
    "at-risk": "Its budget is spent too fast.",
    missed: "More than all of its budget is spent.",
  });
  defineObject(shared, { IndicatorEnum, StateEnum });
  defineQueries(StateEnum);
  defineMutations(shared, IndicatorEnum);
}

type Enum<Value extends string> = ReturnType<typeof capsEnum<Value>>;

/** A stored scope, for objectives and thresholds. */
export function defineScopeRef() {
  return builder.objectRef<StoredScope>("KpiScopeNames").implement({
    description: "Of which integrations: one of these; all null: all.",
    fields: (t) => ({
      integration: t.string({ nullable: true, description: "One integration.", resolve: (row) => named(row, "integration") }),
      system: t.string({ nullable: true, description: "Those on whose route a system is.", resolve: (row) => named(row, "system") }),
      team: t.string({ nullable: true, description: "Those of a team.", resolve: (row) => named(row, "team") }),
      tag: t.string({ nullable: true, description: "Those with a tag.", resolve: (row) => named(row, "tag") }),
    }),
  });
}

function named({ kind, name }: StoredScope, wanted: StoredScope["kind"]): string | null {
  return kind === wanted ? name : null;
}

function defineObject(
  { KpiEnum, RuleEnum, ScopeRef }: SharedTypes & ReturnType<typeof defineSla> & { readonly ScopeRef: ScopeTypes },
  enums: { readonly IndicatorEnum: Enum<(typeof objectiveIndicators)[number]>; readonly StateEnum: Enum<ObjectiveState> },
): void {
  const HoursRef = builder.objectRef<ServiceAgreement["serviceHours"][number]>("ServiceHours").implement({
    description: "Hours of the week in which a service is to be there.",
    fields: (t) => ({
      days: t.intList({ description: "1 is Monday, 7 Sunday.", resolve: ({ days }) => [...days] }),
      from: t.exposeString("from", { description: "As 08:00." }),
      to: t.exposeString("to", { description: "As 18:00, on the same day; 24:00 is its end." }),
    }),
  });
  const AgreementRef = builder.objectRef<ServiceAgreement>("ServiceAgreement").implement({
    description: "What was agreed about a service.",
    fields: (t) => ({
      minimumNoticeSeconds: t.float({
        description: "Maintenance is announced so long before it begins.",
        resolve: (row) => row.minimumNoticeMs / 1_000,
      }),
      monthlyAllowanceSeconds: t.float({
        nullable: true,
        description: "At most so much maintenance a month leaves the net figure; null: any.",
        resolve: (row) => (row.monthlyAllowanceMs === null ? null : row.monthlyAllowanceMs / 1_000),
      }),
      needsApproval: t.exposeBoolean("needsApproval", { description: "Only maintenance that somebody approved counts." }),
      timeZone: t.exposeString("timeZone", { description: "Whose months, days and hours count." }),
      serviceHours: t.field({
        type: [HoursRef],
        description: "When the service is to be there; always when empty.",
        resolve: (row) => [...row.serviceHours],
      }),
      checkIntervalSeconds: t.float({ description: "How often it is checked.", resolve: (row) => row.checkIntervalMs / 1_000 }),
      rule: t.expose("rule", { type: RuleEnum, description: "How many results of checks change its state." }),
    }),
  });
  const standing = defineBudget();
  builder.objectType(ObjectiveRef, {
    description: "What is promised of a service over the last days, as of an SLO or an SLA, with its error budget.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its key." }),
      title: t.exposeString("title", { description: "Its name for people." }),
      scope: t.expose("scope", { type: ScopeRef, description: "Of which integrations, all together." }),
      indicator: t.expose("indicator", { type: enums.IndicatorEnum, description: "What it counts." }),
      kpi: t.expose("kpi", { type: KpiEnum, nullable: true, description: "Of latency and share: which figure." }),
      limit: t.exposeFloat("limit", { nullable: true, description: "Of latency: the longest good value, in the figure's unit." }),
      target: t.exposeFloat("target", { description: "The share that is promised." }),
      periodDays: t.exposeInt("periodDays", { description: "Over the last so many days." }),
      agreement: t.expose("agreement", { type: AgreementRef, description: "What was agreed about maintenance and hours." }),
      alerts: t.exposeBoolean("alerts", { description: "Spending too fast becomes an alert." }),
      state: t.expose("state", { type: enums.StateEnum, description: "How it stood at the last look, a minute ago at most." }),
      stateSince: t.expose("stateSince", { type: "DateTime", description: "Since when." }),
      lookedAt: t.expose("lookedAt", { type: "DateTime", nullable: true, description: "When it was looked at last." }),
      problem: t.exposeString("problem", { nullable: true, description: "Why nothing could be said at the last look." }),
      standing: t.field(standing),
    }),
  });
}

function defineQueries(StateEnum: Enum<ObjectiveState>): void {
  const Connection = builder.connectionObject(
    { type: ObjectiveRef, name: "ObjectiveConnection", description: "A page of objectives." },
    { name: "ObjectiveEdge", description: "An objective in a list." },
  );
  const Filter = builder.inputType("ObjectiveFilter", {
    description: "Which objectives; every condition must hold.",
    fields: (t) => ({ states: t.field({ type: [StateEnum], description: "In one of these states." }) }),
  });
  builder.queryFields((t) => ({
    objective: t.field({
      type: ObjectiveRef,
      nullable: true,
      ...read,
      description: "One objective, by its key or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key or global id." }) },
      resolve: async (_root, { key }, { database }) => {
        const id = idInside("Objective", key);
        if (id !== null) return (await objectivesByIds(database, [id]))[0] ?? null;
        return objectiveByKey(database.db, key);
      },
    }),
    objectives: t.field({
      type: Connection,
      ...read,
      description: "Objectives by their keys. One that names a tag, or everything, is seen by those who see everything.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: (_root, { filter, ...args }, { database }) => objectivePage(database, args, filter ?? {}),
    }),
  }));
}

function defineMutations(
  { KpiEnum, Scope, Agreement }: SharedTypes & ReturnType<typeof defineSla>,
  IndicatorEnum: Enum<(typeof objectiveIndicators)[number]>,
): void {
  const SaveInput = builder.inputType("SaveObjectiveInput", {
    description: "An objective; one of the same key gets these terms.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key." }),
      title: t.string({ required: true, description: "Its name for people." }),
      scope: t.field({ type: Scope, description: "Of which integrations; all when left out." }),
      indicator: t.field({ type: IndicatorEnum, required: true, description: "What it counts." }),
      kpi: t.field({ type: KpiEnum, description: "Of latency and share: which figure." }),
      limit: t.float({ description: "Of latency: the longest good value, in the figure's unit; taken to 2.2 % beyond it at most." }),
      target: t.float({ required: true, description: "The share that is promised, as 0.999." }),
      periodDays: t.int({ description: `Over the last so many days, 1 to ${objectiveLimits.periodDays}; 28 when left out.` }),
      agreement: t.field({ type: Agreement, description: "What was agreed about maintenance and hours." }),
      alerts: t.boolean({ description: "Spending too fast becomes an alert; true when left out." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const DeleteInput = builder.inputType("DeleteObjectiveInput", {
    description: "An objective that nobody needs any more.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key or id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    saveObjective: t.field({
      type: ObjectiveRef,
      ...write,
      description: `Makes an objective, or changes its terms. It is looked at every minute; spending its budget too fast (${burnRules.map(({ name }) => name).join(", ")}) raises an alert.`,
      args: { input: t.arg({ type: SaveInput, required: true, description: "Which, and what." }) },
      resolve: async (_root, { input }, context) => {
        const scope = storedScope(input.scope ?? {});
        const { key, title, indicator, target, reason } = input;
        const saved = await runCommand(context, await changeOf(context, { table: "objective", key, scope }), (command) =>
          saveObjective(command, {
            key,
            title,
            scope,
            indicator,
            target,
            reason,
            kpi: input.kpi ?? null,
            limit: input.limit ?? null,
            periodDays: input.periodDays ?? 28,
            agreement: agreementOf(input.agreement),
            alerts: input.alerts ?? true,
          }),
        );
        return String(saved.id);
      },
    }),
    deleteObjective: t.field({
      type: "String",
      ...write,
      description: "Takes an objective away; its alerts end. Answers its key.",
      args: { input: t.arg({ type: DeleteInput, required: true, description: "Which, and why." }) },
      resolve: async (_root, { input }, context) => {
        const id = idInside("Objective", input.key);
        const key = id === null ? input.key : ((await objectivesByIds(context.database, [id]))[0]?.key ?? null);
        if (key === null) throw objectiveNotFound(input.key);
        await runCommand(context, { action: "objectives.write", on: [{ kind: "objective", key }] }, (command) =>
          deleteObjective(command, { key, reason: input.reason }),
        );
        return key;
      },
    }),
  }));
}
