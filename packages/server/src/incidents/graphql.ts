import { alertReasonKinds, alertSeverities, incidentStates } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { batched } from "../graphql/batched.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { AlertRef, IncidentRef, IntegrationRef, ProblemRef, SystemRef } from "../graphql/refs.js";
import { defineIncidentMutations } from "./graphql-mutations.js";
import { defineCorrelationRules } from "./graphql-rules.js";
import { defineIncidentSubscription, defineProblemSubscription } from "./graphql-subscription.js";
import {
  alertCounts,
  type AlertReasonView,
  incidentPage,
  problemPage,
  problemStates,
  reasonsOfAlerts,
  touchedIntegrations,
  touchedSystems,
} from "./queries.js";
import { type TimelineItem, timelineKinds, timelinePage } from "./timeline.js";

const read = { authScopes: { can: "catalogue.read" } } as const;

const StateEnum = capsEnum("IncidentState", "Where an incident is.", incidentStates, {
  open: "Nobody has taken it.",
  "on-hold": "It waits for something outside.",
  resolved: "What was wrong is over; what comes back within half an hour opens it again.",
  closed: "Nothing is left to do.",
  merged: "Another incident stands for it.",
});
const SeverityEnum = capsEnum("IncidentSeverity", "How bad an incident is: as its worst alert ever.", alertSeverities);
const ProblemStateEnum = capsEnum("ProblemState", "Where a problem is.", problemStates, { "known-error": "Its cause is known." });
const TimelineKindEnum = capsEnum("IncidentTimelineKind", "What stands on a timeline.", timelineKinds, {
  entry: "What was done about the incident.",
  "run-failed": "A run at a system that it touches ended badly.",
  change: "A version of an integration that it touches came into force.",
});
const ReasonKindEnum = capsEnum("AlertReasonKind", "Why an alert is kept quiet, or marked.", alertReasonKinds, {
  monitor: "The monitor itself keeps quiet about it.",
  duplicate: "Another monitor says the same.",
  window: "A window is over what it is about, or what that needs.",
  dependency: "Something that its thing needs is broken as well.",
});

const counts = batched(
  (ids: readonly number[], { database }) => alertCounts(database, ids),
  (row) => row.id,
);
const systems = batched(
  (ids: readonly number[], { database }) => touchedSystems(database, ids),
  (row) => row.id,
);
const integrations = batched(
  (ids: readonly number[], { database }) => touchedIntegrations(database, ids),
  (row) => row.id,
);
const reasons = batched(
  (ids: readonly number[], { database }) => reasonsOfAlerts(database, ids),
  (row) => row.alertId,
);

/** What alerts come to, and everything that is done about it. */
export function defineIncidents(): void {
  defineIncident();
  defineProblem();
  defineAlertReasons();
  defineQueries();
  defineIncidentMutations({ StateEnum, ProblemStateEnum });
  defineCorrelationRules();
  defineIncidentSubscription();
  defineProblemSubscription();
}

function defineQueries(): void {
  const IncidentConnection = builder.connectionObject(
    { type: IncidentRef, name: "IncidentConnection", description: "A page of incidents." },
    { name: "IncidentEdge", description: "An incident in a list." },
  );
  const ProblemConnection = builder.connectionObject(
    { type: ProblemRef, name: "ProblemConnection", description: "A page of problems." },
    { name: "ProblemEdge", description: "A problem in a list." },
  );
  const Filter = builder.inputType("IncidentFilter", {
    description: "Which incidents; every condition must hold.",
    fields: (t) => ({
      states: t.field({ type: [StateEnum], description: "In one of these states." }),
      severities: t.field({ type: [SeverityEnum], description: "With one of these severities." }),
      system: t.string({ description: "With their root at this system: its key or id." }),
      team: t.string({ description: "Of this team, by its key." }),
      problem: t.string({ description: "Linked to this problem: its number or id." }),
    }),
  });
  builder.queryFields((t) => ({
    incident: t.field({
      type: IncidentRef,
      nullable: true,
      ...read,
      description: "One incident, by its number or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number or global id." }) },
      resolve: (_root, { key }) => String(numberOf("Incident", key, "key")),
    }),
    incidents: t.field({
      type: IncidentConnection,
      ...read,
      description: "Incidents, the newest first.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...args }, context) => {
        const system = typeof filter?.system === "string" ? await keyOf(context, "System", filter.system) : null;
        const problem = typeof filter?.problem === "string" ? numberOf("Problem", filter.problem, "problem") : null;
        return incidentPage(context.database, args, { ...filter, system, problem });
      },
    }),
    problem: t.field({
      type: ProblemRef,
      nullable: true,
      ...read,
      description: "One problem, by its number or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number or global id." }) },
      resolve: (_root, { key }) => String(numberOf("Problem", key, "key")),
    }),
    problems: t.field({
      type: ProblemConnection,
      ...read,
      description: "Problems, the newest first.",
      args: { ...pageArgs, states: t.arg({ type: [ProblemStateEnum], description: "In one of these states." }) },
      complexity: pageComplexity,
      resolve: (_root, { states, ...args }, { database }) => problemPage(database, args, { states }),
    }),
  }));
}

function defineIncident(): void {
  const ItemRef = builder.objectRef<TimelineItem>("IncidentTimelineItem").implement({
    description: "One thing on an incident's timeline, or near it.",
    fields: (t) => ({
      at: t.expose("at", { type: "DateTime", description: "When." }),
      kind: t.expose("kind", { type: TimelineKindEnum, description: "What sort of thing." }),
      actor: t.exposeString("actor", { nullable: true, description: "Who did it; null where nobody did." }),
      text: t.exposeString("text", { description: "One sentence." }),
      subject: t.exposeString("subject", {
        nullable: true,
        description: "The alert, run, window or integration, by its number or key; of an entry its sort: note, state, told.",
      }),
      data: t.field({ type: "JSON", description: "What else is to be said.", resolve: (row) => row.data }),
    }),
  });
  const TimelineConnection = builder.connectionObject(
    { type: ItemRef, name: "IncidentTimelineConnection", description: "A page of a timeline." },
    { name: "IncidentTimelineEdge", description: "A thing on a timeline." },
  );
  builder.objectType(IncidentRef, {
    description: "What alerts of one cause came to, from the first of them until nothing is left to do.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      title: t.exposeString("title", { description: "What its probable cause says." }),
      state: t.expose("state", { type: StateEnum, description: "Where it is." }),
      severity: t.expose("severity", { type: SeverityEnum, description: "How bad it is." }),
      root: t.exposeString("root", { description: "The probable cause: a system by its key, or a resource as endpoint/name." }),
      rootAlert: t.field({
        type: AlertRef,
        nullable: true,
        description: "The alert there.",
        resolve: (row) => (row.rootAlertId === null ? null : String(row.rootAlertId)),
      }),
      system: t.field({
        type: SystemRef,
        nullable: true,
        description: "The system that it belongs to.",
        resolve: (row) => (row.systemId === null ? null : String(row.systemId)),
      }),
      systems: t.field({
        type: [SystemRef],
        description: "Every system that its alerts are about.",
        resolve: async (row, _args, context) => (await systems.many(context, row.id)).map((one) => String(one.systemId)),
      }),
      integrations: t.field({
        type: [IntegrationRef],
        description: "Integrations that pass through these systems.",
        resolve: async (row, _args, context) => (await integrations.many(context, row.id)).map((one) => String(one.integrationId)),
      }),
      alertCount: t.int({
        description: "How many alerts it has.",
        resolve: async (row, _args, context) => (await counts.one(context, row.id))?.alerts ?? 0,
      }),
      firingCount: t.int({
        description: "How many of them fire.",
        resolve: async (row, _args, context) => (await counts.one(context, row.id))?.firing ?? 0,
      }),
      ownerTeam: t.exposeString("ownerTeam", { nullable: true, description: "The team that it is with, by key." }),
      assignee: t.exposeString("assignee", { nullable: true, description: "Who works on it." }),
      offeredTo: t.exposeString("offeredTo", { nullable: true, description: "The team that is asked to take it over." }),
      offeredBy: t.exposeString("offeredBy", { nullable: true, description: "Who asks." }),
      offerReason: t.exposeString("offerReason", { nullable: true, description: "Why." }),
      holdReason: t.exposeString("holdReason", { nullable: true, description: "What it waits for while it is on hold." }),
      isQuiet: t.exposeBoolean("isQuiet", {
        description: "It was raised in the middle of a storm, and its teams are told when that is over.",
      }),
      startedAt: t.expose("startedAt", { type: "DateTime", description: "When its first alert began." }),
      openedAt: t.expose("openedAt", { type: "DateTime", description: "When it was opened." }),
      acknowledgedAt: t.expose("acknowledgedAt", { type: "DateTime", nullable: true, description: "When somebody took it first." }),
      resolvedAt: t.expose("resolvedAt", { type: "DateTime", nullable: true, description: "When it was over." }),
      closedAt: t.expose("closedAt", { type: "DateTime", nullable: true, description: "When it was closed." }),
      toldAt: t.expose("toldAt", { type: "DateTime", nullable: true, description: "When its teams were told last." }),
      changedAt: t.expose("changedAt", { type: "DateTime", description: "When something of it changed last." }),
      reopened: t.exposeInt("reopened", { description: "How often it came back." }),
      mergedInto: t.field({
        type: IncidentRef,
        nullable: true,
        description: "The incident that stands for it.",
        resolve: (row) => (row.mergedInto === null ? null : String(row.mergedInto)),
      }),
      problem: t.field({
        type: ProblemRef,
        nullable: true,
        description: "The problem that it is one more time of.",
        resolve: (row) => (row.problemId === null ? null : String(row.problemId)),
      }),
      timeline: t.field({
        type: TimelineConnection,
        description: "Its alerts, what was done, and windows, failed runs and changes near it; the oldest first.",
        args: { ...pageArgs, kinds: t.arg({ type: [TimelineKindEnum], description: "Only things of these kinds; all when left out." }) },
        complexity: pageComplexity,
        resolve: (row, { kinds, ...args }, { database }) => timelinePage(database, row.id, { ...args, kinds: kinds ?? null }),
      }),
    }),
  });
}

function defineProblem(): void {
  builder.objectType(ProblemRef, {
    description: "Incidents of one root that come again and again: three within thirty days.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      title: t.exposeString("title", { description: "What its incidents say." }),
      state: t.expose("state", { type: ProblemStateEnum, description: "Where it is." }),
      root: t.exposeString("root", { description: "Where its incidents have their root." }),
      system: t.field({
        type: SystemRef,
        nullable: true,
        description: "The system that it belongs to.",
        resolve: (row) => (row.systemId === null ? null : String(row.systemId)),
      }),
      cause: t.exposeString("cause", { nullable: true, description: "What people found out about its cause." }),
      workaround: t.exposeString("workaround", { nullable: true, description: "What helps until it is mended." }),
      openedAt: t.expose("openedAt", { type: "DateTime", description: "When it was noticed." }),
      closedAt: t.expose("closedAt", { type: "DateTime", nullable: true, description: "When it was closed." }),
    }),
  });
}

function defineAlertReasons(): void {
  const ReasonRef = builder.objectRef<AlertReasonView>("AlertReason").implement({
    description: "Why an alert is kept quiet, or only marked. Records are never hidden.",
    fields: (t) => ({
      kind: t.expose("kind", { type: ReasonKindEnum, description: "What sort of reason." }),
      rule: t.exposeString("rule", { description: "What says so: window@start, a rule's key, a guard." }),
      path: t.exposeString("path", { description: "How it reaches the alert: shop > erp means that shop needs erp." }),
      reason: t.exposeString("reason", { description: "In words." }),
      mutes: t.exposeBoolean("mutes", { description: "It keeps the alert quiet; otherwise it is only marked." }),
      until: t.expose("until", { type: "DateTime", nullable: true, description: "When it ends by itself." }),
      beganAt: t.expose("beganAt", { type: "DateTime", description: "Since when." }),
      endedAt: t.expose("endedAt", {
        type: "DateTime",
        nullable: true,
        description: "Until when; null: it holds, or held when the alert ended.",
      }),
    }),
  });
  builder.objectFields(AlertRef, (t) => ({
    incident: t.field({
      type: IncidentRef,
      nullable: true,
      description: "The incident that it belongs to.",
      resolve: (row) => (row.incidentId === null ? null : String(row.incidentId)),
    }),
    reasons: t.field({
      type: [ReasonRef],
      description: "Why it is, or was, kept quiet or marked; the newest first, at most 50.",
      resolve: async (row, _args, context) => [...(await reasons.many(context, row.id))],
    }),
  }));
}
