import { occurrenceState, windowKindEffects } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { KeyOrderEnum, pageArgs, pageComplexity } from "../graphql/connection.js";
import { idInside, keyOf } from "../graphql/key-or-id.js";
import { HoldRef, OccurrenceRef, WindowRef } from "../graphql/refs.js";
import { defineAnnouncements } from "./announcements/graphql.js";
import { defineApprovals, WindowApprovalRef } from "./graphql-approvals.js";
import { defineHolds, holdCounts, holdMembers, ScopeRef } from "./graphql-holds.js";
import { SeriesRef } from "./graphql-series.js";
import { defineReplanning } from "./graphql-replanning.js";
import { MemberRef, ModeEnum, OccurrenceStateEnum, WindowEffectsRef, WindowKindEnum } from "./graphql-vocabulary.js";
import { defineDrain } from "./graphql-drain.js";
import { defineFreezes } from "./graphql-freezes.js";
import { defineResume } from "./graphql-resume.js";
import { defineWindowMutations } from "./graphql-mutations.js";
import { definePlanning } from "./graphql-planning.js";
import { defineWindowReport } from "./graphql-report.js";
import { defineResumePreview } from "./graphql-resume-preview.js";
import { defineSlots } from "./graphql-slots.js";
import { defineTuning } from "./graphql-tuning.js";
import { nextStartOfSeries } from "./next-start.js";
import { currentOrNextOccurrences, occurrencePage, windowByKey, windowPage } from "./queries.js";

const read = { authScopes: { can: "windows.read" } } as const;

const currentOrNext = batched(
  (ids: readonly number[], { database }) => currentOrNextOccurrences(database, ids),
  (row) => row.windowId,
);

const WindowConnection = builder.connectionObject(
  { type: WindowRef, name: "MaintenanceWindowConnection", description: "A page of windows." },
  { name: "MaintenanceWindowEdge", description: "A window in a list." },
);
const OccurrenceConnection = builder.connectionObject(
  { type: OccurrenceRef, name: "OccurrenceConnection", description: "A page of occurrences." },
  { name: "OccurrenceEdge", description: "An occurrence in a list." },
);
/** Maintenance windows, their occurrences, and every other hold. */
export function defineWindows(): void {
  defineHolds();
  defineWindow();
  defineOccurrence();
  defineDrain();
  defineResume();
  defineResumePreview();
  defineSlots();
  defineTuning();
  defineQueries();
  definePlanning();
  defineWindowReport();
  defineFreezes();
  defineWindowMutations();
  defineApprovals();
  defineReplanning();
  defineAnnouncements();
}

const OccurrencePageArgs = builder.args((t) => ({
  from: t.field({ type: "DateTime", description: "Starts at or after." }),
  to: t.field({ type: "DateTime", description: "Starts before." }),
}));

function defineWindow(): void {
  builder.objectType(WindowRef, {
    description: "A planned time in which systems are not to be touched.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("key", { description: "Its stable name." }),
      title: t.exposeString("title", { description: "Its name for people." }),
      kind: t.expose("kind", { type: WindowKindEnum, description: "What it does to those it covers." }),
      effects: t.field({ type: WindowEffectsRef, description: "The effects of its kind.", resolve: (row) => windowKindEffects[row.kind] }),
      mode: t.expose("mode", { type: ModeEnum, description: "Whether it holds, or only records." }),
      series: t.field({ type: SeriesRef, description: "When it happens.", resolve: (row) => row.series }),
      scope: t.field({ type: ScopeRef, description: "What it covers.", resolve: (row) => row.scope }),
      owner: t.exposeString("owner", { description: "The team or person who answers for it." }),
      reason: t.exposeString("reason", { description: "Why it is needed." }),
      approval: t.field({
        type: WindowApprovalRef,
        nullable: true,
        description: "Its approval, where a policy wants one. Without it the window holds nothing.",
        resolve: (row) => row.approval,
      }),
      splitFrom: t.field({
        type: WindowRef,
        nullable: true,
        description: "The window that it goes on from, where one was split.",
        resolve: (row) => (row.splitFrom === null ? null : String(row.splitFrom)),
      }),
      version: t.exposeInt("version", { description: "Counts its edits." }),
      createdBy: t.exposeString("createdBy", { description: "Who planned it." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was planned." }),
      updatedAt: t.expose("updatedAt", { type: "DateTime", description: "When it was last changed." }),
      cancelledAt: t.expose("cancelledAt", { type: "DateTime", nullable: true, description: "When it was cancelled." }),
      currentOrNext: t.field({
        type: OccurrenceRef,
        nullable: true,
        description: "The occurrence that is open, else the next one.",
        resolve: (row, _args, context) => currentOrNext.one(context, row.id),
      }),
      nextStart: t.field({
        type: "DateTime",
        nullable: true,
        description:
          "When the open occurrence began, else when the next one does, also beyond the hundred days that are written ahead; null: it is over.",
        resolve: async (row, _args, context) => {
          const written = await currentOrNext.one(context, row.id);
          return written === undefined || written === null ? nextStartOfSeries(context.database, context.zones, row) : written.startsAt;
        },
      }),
      occurrences: t.field({
        type: OccurrenceConnection,
        description: "Its occurrences by start; without `from` those not yet over.",
        complexity: pageComplexity,
        args: { ...pageArgs, ...OccurrencePageArgs },
        resolve: (row, args, { database }) =>
          occurrencePage(database, { ...args, filter: { window: row.key, from: args.from, to: args.to } }),
      }),
      members: t.field({
        type: [MemberRef],
        description: "What the current or next occurrence covers, and by which path; at most 200.",
        resolve: async (row, _args, context) => {
          const holdId = (await currentOrNext.one(context, row.id))?.holdId ?? null;
          return holdId === null ? [] : holdMembers.many(context, holdId);
        },
      }),
    }),
  });
}

function defineOccurrence(): void {
  builder.objectType(OccurrenceRef, {
    description: "One time that a window happens.",
    ...read,
    fields: (t) => ({
      key: t.string({
        description: "Window and local start: erp-upgrade@2026-11-22T02:00.",
        resolve: (row) => `${row.windowKey}@${row.localStart}`,
      }),
      window: t.field({ type: WindowRef, description: "Its window.", resolve: (row) => String(row.windowId) }),
      state: t.field({ type: OccurrenceStateEnum, description: "Where it is.", resolve: (row) => occurrenceState(row, row.asOf) }),
      localStart: t.exposeString("localStart", { description: "Its start on the wall clock of its zone; names it for good." }),
      localEnd: t.exposeString("localEnd", { description: "Its planned end on the wall clock of its zone." }),
      timeZone: t.exposeString("timeZone", { description: "The IANA zone of the local times." }),
      startsAt: t.expose("startsAt", { type: "DateTime", description: "Nothing starts from this instant on." }),
      endsAt: t.expose("endsAt", { type: "DateTime", description: "It is released from this instant on." }),
      notes: t.exposeStringList("notes", { description: "What is special about it: a clock change, an override." }),
      startedAt: t.expose("startedAt", { type: "DateTime", nullable: true, description: "When its opening was announced." }),
      quiescedAt: t.expose("quiescedAt", { type: "DateTime", nullable: true, description: "Since when nothing has been in flight." }),
      releasedAt: t.expose("releasedAt", { type: "DateTime", nullable: true, description: "When its hold was lifted." }),
      closedAt: t.expose("closedAt", { type: "DateTime", nullable: true, description: "When the last run that it held was let go." }),
      cancelledAt: t.expose("cancelledAt", { type: "DateTime", nullable: true, description: "When it was cancelled." }),
      hold: t.field({
        type: HoldRef,
        nullable: true,
        description: "Its hold.",
        resolve: (row) => (row.holdId === null ? null : String(row.holdId)),
      }),
      inFlight: t.int({
        description: "Runs of covered integrations that run now.",
        resolve: async (row, _args, context) => (row.holdId === null ? 0 : ((await holdCounts.one(context, row.holdId))?.inFlight ?? 0)),
      }),
      heldRuns: t.int({
        description: "Due times that it holds now.",
        resolve: async (row, _args, context) => (row.holdId === null ? 0 : ((await holdCounts.one(context, row.holdId))?.heldRuns ?? 0)),
      }),
    }),
  });
}

const WindowFilterInput = builder.inputType("MaintenanceWindowFilter", {
  description: "Which windows; every field given must fit.",
  fields: (t) => ({
    keys: t.stringList({ description: "These." }),
    includeCancelled: t.boolean({ description: "Also those that were cancelled." }),
    search: t.string({ description: "Key or title contains this." }),
  }),
});
const OccurrenceFilterInput = builder.inputType("OccurrenceFilter", {
  description: "Which occurrences; every field given must fit. Without `states` and `from`: those not yet over.",
  fields: (t) => ({
    window: t.string({ description: "Of this window (key or id)." }),
    states: t.field({ type: [OccurrenceStateEnum], description: "In one of these states." }),
    from: t.field({ type: "DateTime", description: "Starts at or after." }),
    to: t.field({ type: "DateTime", description: "Starts before." }),
  }),
});
function defineQueries(): void {
  builder.queryFields((t) => ({
    maintenanceWindow: t.field({
      type: WindowRef,
      nullable: true,
      ...read,
      description: "One window; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key or global id." }) },
      resolve: (_root, { key }, { database }) => {
        const id = idInside("MaintenanceWindow", key);
        return windowByKey(database, id === null ? { key } : { id });
      },
    }),
    maintenanceWindows: t.field({
      type: WindowConnection,
      ...read,
      description: "Windows by key.",
      complexity: pageComplexity,
      args: {
        ...pageArgs,
        filter: t.arg({ type: WindowFilterInput, description: "Which ones." }),
        orderBy: t.arg({ type: KeyOrderEnum, description: "KEY_ASC when left out." }),
      },
      resolve: (_root, args, { database }) => windowPage(database, { ...args, descending: args.orderBy === "desc" }),
    }),
    occurrences: t.field({
      type: OccurrenceConnection,
      ...read,
      description: "Occurrences of all windows by start.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: OccurrenceFilterInput, description: "Which ones." }) },
      resolve: async (_root, args, context) => {
        const window = typeof args.filter?.window === "string" ? await keyOf(context, "MaintenanceWindow", args.filter.window) : null;
        return occurrencePage(context.database, { ...args, filter: { ...args.filter, window } });
      },
    }),
  }));
}
