import { type Occurrence, type PreviewNotice, previewNoticeKinds, previewNotices } from "@quiesce/core";
import { integrationIdsByKey } from "../catalog/queries.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { keyOf } from "../graphql/key-or-id.js";
import { WindowRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { overrideOfFreeze, PlanInput, windowInputOf } from "./graphql-inputs.js";
import { KeptBackJobRef } from "./graphql-drain.js";
import {
  ConflictsRef,
  CoverageRef,
  ExpectedInFlightRef,
  ForecastRef,
  HeldJobRef,
  MonthAvailabilityRef,
  PlannedLoadRef,
} from "./graphql-preview.js";
import { MemberRef } from "./graphql-vocabulary.js";
import { previewWindow, type WindowPreview } from "./preview.js";
import { previewStandingWindow, standingConflicts } from "./preview-standing.js";

const read = { authScopes: { can: "windows.read" } } as const;

/** What a window would do. */
export function definePlanning(): void {
  const OccurrenceShape = builder.objectRef<Occurrence>("PreviewOccurrence").implement({
    description: "A time that the window would happen.",
    fields: (t) => ({
      startsAt: t.expose("start", { type: "DateTime", description: "Nothing would start from here on." }),
      endsAt: t.expose("end", { type: "DateTime", description: "It would be released from here on." }),
      localStart: t.exposeString("localStart", { description: "On the wall clock of its zone." }),
      localEnd: t.exposeString("localEnd", { description: "On the wall clock of its zone." }),
      notes: t.stringList({ description: "What is special about it: a clock change.", resolve: (row) => row.notes }),
    }),
  });
  const RefusalRef = builder.objectRef<WindowPreview["refusals"][number]>("PreviewRefusal").implement({
    description: "Why the window could not be saved as it is.",
    fields: (t) => ({
      code: t.exposeString("code", { description: "The error code that saving would give." }),
      field: t.exposeString("field", { description: "The field at fault." }),
      message: t.exposeString("message", { description: "What is wrong with it." }),
      nearest: t.exposeString("nearest", { nullable: true, description: "The nearest form that works." }),
    }),
  });
  const NoticeKindEnum = capsEnum("PreviewNoticeKind", "What there is to look at before a window is saved.", previewNoticeKinds, {
    "needs-approval": "It holds nothing until somebody approves: a policy wants it.",
    "owner-unknown": "The owner is no team of the catalogue.",
    "scope-unknown": "A name in the scope that is not in the catalogue.",
    "freeze-overridden": "It falls into a freeze that is overridden.",
    "freeze-met": "It meets a window that a freeze blocks, or that blocks it.",
    "jobs-cut": "It covers more jobs than are counted.",
    "covers-nothing": "It would cover no integration.",
    "softly-affected": "An integration that keeps running and may feel it.",
  });
  const NoticeRef = builder.objectRef<PreviewNotice>("PreviewNotice").implement({
    description: "Something to look at before a window is saved.",
    fields: (t) => ({
      kind: t.expose("kind", { type: NoticeKindEnum, description: "What." }),
      subject: t.exposeString("subject", {
        nullable: true,
        description: "The policy, owner, name in the scope, freeze, window or integration that it is about; null: the window as a whole.",
      }),
      names: t.exposeStringList("names", {
        description: "Who may approve; which owners are known; who is told of an overridden freeze; by which way an integration feels it.",
      }),
      message: t.exposeString("message", { description: "It, in words." }),
    }),
  });
  const PreviewRef = builder.objectRef<WindowPreview>("WindowPreview").implement({
    description: "What saving a window would do. Nothing is saved.",
    fields: (t) => ({
      refusals: t.field({
        type: [RefusalRef],
        description: "Why it could not be saved; empty when it could.",
        resolve: (row) => row.refusals,
      }),
      occurrences: t.field({
        type: [OccurrenceShape],
        description: "The next times it would happen; at most 20.",
        resolve: (row) => row.occurrences,
      }),
      members: t.field({
        type: [MemberRef],
        description: "The integrations it would cover, and by which path.",
        resolve: (row, _args, context) => membersByKey(context, row.covered),
      }),
      affected: t.field({
        type: [MemberRef],
        description: "Integrations that feel it through a soft dependency and keep running.",
        resolve: (row, _args, context) => membersByKey(context, row.affected),
      }),
      unknown: t.stringList({
        description: "Names in the scope that the catalogue does not know: they cover nothing.",
        resolve: (row) => row.unknown,
      }),
      keptBackJobs: t.field({
        type: [KeptBackJobRef],
        description:
          "Jobs whose runs it would keep back before each start, because they would not finish; the slowest first, at most 1,000.",
        resolve: (row) => row.keptBackJobs,
      }),
      coverage: t.field({ type: [CoverageRef], description: "The members with every path, as data.", resolve: (row) => row.covered }),
      heldJobs: t.field({
        type: [HeldJobRef],
        description: "Jobs that the first occurrence would hold; at most 1,000.",
        resolve: (row) => row.backlog.heldJobs,
      }),
      inFlight: t.field({
        type: [ExpectedInFlightRef],
        description: "Runs that are expected to be in flight when the first occurrence begins.",
        resolve: (row) => row.backlog.inFlight,
      }),
      load: t.field({ type: [PlannedLoadRef], description: "How busy each shown occurrence is.", resolve: (row) => row.backlog.load }),
      forecast: t.field({
        type: ForecastRef,
        nullable: true,
        description: "The backlog that the first occurrence leaves; null where it never happens.",
        resolve: (row) => row.backlog.forecast,
      }),
      conflicts: t.field({
        type: ConflictsRef,
        description: "Other windows, freezes and pauses that it meets.",
        resolve: (row) => row.conflicts,
      }),
      availability: t.field({
        type: [MonthAvailabilityRef],
        description: "What it leaves of the months that its first occurrence touches; empty for a kind that takes nothing down.",
        resolve: (row) => row.availability,
      }),
      approvals: t.stringList({
        description: "The policies whose approval it would need before it holds anything.",
        resolve: (row) => row.approvals.map(({ policy }) => policy),
      }),
      notices: t.field({
        type: [NoticeRef],
        description: "What a person should look at before saving, without what refuses it.",
        resolve: (row) => previewNotices(planOf(row)),
      }),
      warnings: t.stringList({
        description: "The refusals and the notices in words.",
        resolve: (row) => [
          ...row.refusals.map((one) => `${one.field}: ${one.message}`),
          ...previewNotices(planOf(row)).map(({ message }) => message),
        ],
      }),
    }),
  });
  builder.queryField("previewMaintenanceWindow", (t) =>
    t.field({
      type: PreviewRef,
      ...read,
      description: "Shows what saving a window would do: when it happens, what it covers, what it holds.",
      complexity: 200,
      args: { input: t.arg({ type: PlanInput, required: true, description: "The window as it would be saved." }) },
      resolve: (_root, { input }, { database, zones }) => previewWindow(database.db, zones, windowInputOf(input), overrideOfFreeze(input)),
    }),
  );
  builder.objectFields(WindowRef, (t) => ({
    conflicts: t.field({
      type: ConflictsRef,
      description: "Other windows, freezes and pauses that it meets from now on: what to look at after it was saved or extended.",
      complexity: 100,
      resolve: (row, _args, { database }) => standingConflicts(database.db, row.id),
    }),
  }));
  builder.queryField("previewStandingWindow", (t) =>
    t.field({
      type: PreviewRef,
      ...read,
      description: "Shows what a window that stands will do from now on, its overrides included.",
      complexity: 200,
      args: { window: t.arg.string({ required: true, description: "The window's key or id." }) },
      resolve: async (_root, { window }, context) =>
        previewStandingWindow(context.database.db, context.zones, await keyOf(context, "MaintenanceWindow", window)),
    }),
  );
}

const planOf = ({ conflicts, refusals, backlog, covered, ...row }: WindowPreview) => ({
  ...row,
  isRefusedByFreeze: refusals.some((one) => one.code === "QSC_WINDOW_IN_FREEZE"),
  blocked: conflicts.listed.filter((one) => one.blocks).map((one) => one.with),
  hasMoreJobs: backlog.moreJobs,
  coveredCount: covered.length,
});

async function membersByKey(
  { database }: RequestContext,
  rows: readonly { readonly integration: string; readonly path: string }[],
): Promise<{ readonly integrationId: number; readonly path: string }[]> {
  const ids = await integrationIdsByKey(
    database,
    rows.map((row) => row.integration),
  );
  const byKey = rows.toSorted((one, other) => (one.integration < other.integration ? -1 : 1));
  return byKey.flatMap(({ integration, path }) => {
    const integrationId = ids.get(integration);
    return integrationId === undefined ? [] : [{ integrationId, path }];
  });
}
