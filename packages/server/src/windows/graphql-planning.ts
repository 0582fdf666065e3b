import type { Occurrence } from "@quiesce/core";
import { integrationIdsByKey } from "../catalog/queries.js";
import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { OccurrenceRef, RunRef, WindowRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { RunStateCountRef, stateCounts } from "../runs/graphql-run-state.js";
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
import { MemberRef, OccurrenceStateEnum, WindowKindEnum } from "./graphql-vocabulary.js";
import { previewWindow, type WindowPreview } from "./preview.js";
import { previewStandingWindow, standingConflicts } from "./preview-standing.js";
import { occurrencePage, windowByKey } from "./queries.js";
import { windowReport, type WindowReport } from "./report.js";

const read = { authScopes: { can: "windows.read" } } as const;

/** What a window would do, and what one did. */
export function definePlanning(): void {
  definePreview();
  defineReport();
}

function definePreview(): void {
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
      warnings: t.stringList({
        description: "What a person should look at before saving.",
        resolve: (row) => [
          ...row.refusals.map((one) => `${one.field}: ${one.message}`),
          ...row.approvals.map(
            ({ policy, by }) =>
              `It will hold nothing until it is approved: the policy ${policy} wants the word of ${by.length === 0 ? "somebody who may approve" : by.join(" or ")}.`,
          ),
          ...(row.unknownOwner === null
            ? []
            : [
                `The owner ${row.unknownOwner.owner} is no team of the catalogue. Known: ${row.unknownOwner.known.slice(0, 10).join(", ")}.`,
              ]),
          ...row.unknown.map((name) => `The scope names ${name}, which is not in the catalogue.`),
          ...freezeWarnings(row),
          ...(row.backlog.moreJobs ? ["It covers more than 1,000 jobs; only these are counted here."] : []),
          ...(row.covered.length === 0 ? ["It would cover no integration."] : []),
          ...row.affected.map((one) => `${one.integration} keeps running and may feel it: ${one.path}.`),
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

function freezeWarnings({ conflicts, overriddenFreezes, refusals }: WindowPreview): readonly string[] {
  if (overriddenFreezes.length > 0)
    return overriddenFreezes.map(({ freeze, title, owner }) => `The freeze ${freeze} (${title}) is overridden: ${owner} is told.`);
  if (refusals.some((one) => one.code === "QSC_WINDOW_IN_FREEZE")) return [];
  const blocked = new Set(conflicts.listed.filter((one) => one.blocks).map((one) => one.with));
  return [...blocked].map((key) => `It meets ${key}, and a freeze blocks changes.`);
}

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

function defineReport(): void {
  const LineRef = builder.objectRef<WindowReport["integrations"][number]>("WindowReportLine").implement({
    description: "One integration in the report of an occurrence.",
    fields: (t) => ({
      key: t.exposeString("key", { description: "The integration's key." }),
      path: t.exposeString("path", { description: "Why it was covered." }),
      due: t.exposeInt("due", { description: "Due times inside." }),
      held: t.exposeInt("held", { description: "Of these, held by this window." }),
      coalesced: t.exposeInt("coalesced", { description: "Of these, another run stands for them." }),
      failed: t.exposeInt("failed", { description: "Of these, failed: there should be none." }),
    }),
  });
  const BreakGlassRef = builder.objectRef<WindowReport["breakGlass"][number]>("BreakGlassLine").implement({
    description: "A run that passed the window by break-glass.",
    fields: (t) => ({
      run: t.field({ type: RunRef, nullable: true, description: "The run.", resolve: (row) => row.runId }),
      job: t.exposeString("job", { description: "The job's key." }),
      by: t.exposeString("by", { description: "Who ordered it." }),
      reason: t.exposeString("reason", { description: "Why it could not wait." }),
      orderedAt: t.expose("orderedAt", { type: "DateTime", description: "When it was ordered." }),
    }),
  });
  const ReportRef = builder.objectRef<WindowReport>("WindowReport").implement({
    description: "What one occurrence did: how many due times fell into it, what became of them, and how the counts add up.",
    fields: (t) => ({
      window: t.field({
        type: WindowRef,
        description: "The window.",
        resolve: async (row, _args, { database }) => {
          const window = await windowByKey(database, { key: row.window });
          if (window === null) throw new Error(`Window ${row.window} was reported and is gone.`);
          return window;
        },
      }),
      occurrence: t.field({
        type: OccurrenceRef,
        description: "The occurrence.",
        resolve: async (row, _args, { database }) => {
          const page = await occurrencePage(database, {
            first: 200,
            filter: { window: row.window, from: row.startsAt, to: row.startsAt + 1 },
          });
          const found = page.edges.find(({ node }) => node.localStart === row.localStart);
          if (found === undefined) throw new Error(`Occurrence ${row.localStart} of ${row.window} was reported and is gone.`);
          return found.node;
        },
      }),
      title: t.exposeString("title", { description: "The window's title." }),
      kind: t.expose("kind", { type: WindowKindEnum, description: "The window's kind." }),
      localStart: t.exposeString("localStart", { description: "The occurrence's local start." }),
      localEnd: t.exposeString("localEnd", { description: "Its planned local end." }),
      timeZone: t.exposeString("timeZone", { description: "The zone of both." }),
      startsAt: t.expose("startsAt", { type: "DateTime", description: "When it began." }),
      endsAt: t.expose("endsAt", { type: "DateTime", description: "When it ended, or is to end." }),
      quiescedAt: t.expose("quiescedAt", { type: "DateTime", nullable: true, description: "When nothing was in flight any more." }),
      releasedAt: t.expose("releasedAt", { type: "DateTime", nullable: true, description: "When its hold was lifted." }),
      closedAt: t.expose("closedAt", { type: "DateTime", nullable: true, description: "When the last run that it held was let go." }),
      state: t.expose("state", { type: OccurrenceStateEnum, description: "Where it is." }),
      due: t.exposeInt("due", { description: "Due times of covered integrations between start and release: the sum of `byState`." }),
      byState: t.field({
        type: [RunStateCountRef],
        description: "The same by the state they are in now.",
        resolve: (row) => stateCounts(row.byState),
      }),
      held: t.exposeInt("held", { description: "Due times that it held." }),
      failed: t.exposeInt("failed", { description: "Runs that failed although they were due inside: there should be none." }),
      startedInside: t.exposeInt("startedInside", { description: "Runs that started inside: there should be none where it enforces." }),
      drainMs: t.field({
        type: "Float",
        nullable: true,
        description: "From its start until nothing was in flight for the first time, in milliseconds; null while that has not come.",
        resolve: (row) => row.drainMs,
      }),
      drainOverdueAt: t.expose("drainOverdueAt", {
        type: "DateTime",
        nullable: true,
        description: "When its drain deadline passed with runs still in flight.",
      }),
      postponed: t.exposeInt("postponed", { description: "Runs that were kept back before it, because they would not have finished." }),
      aborted: t.exposeInt("aborted", { description: "Runs that were told to stop at its drain deadline." }),
      breakGlass: t.field({
        type: [BreakGlassRef],
        description: "Runs that an operator let pass it; at most 1,000.",
        resolve: (row) => row.breakGlass,
      }),
      integrations: t.field({
        type: [LineRef],
        description: "The same by integration; at most 1,000.",
        resolve: (row) => row.integrations,
      }),
      report: t.field({
        type: "JSON",
        description: "All of it as one object with instants in epoch milliseconds, as `quiesce window report --json` prints it.",
        resolve: (row) => row,
      }),
    }),
  });
  builder.queryField("windowReport", (t) =>
    t.field({
      type: ReportRef,
      ...read,
      description: "What an occurrence of a window did.",
      args: {
        window: t.arg.string({ required: true, description: "The window's key or id." }),
        localStart: t.arg.string({ description: "Which occurrence; left out, the current or else the last one." }),
      },
      resolve: async (_root, args, context) => {
        const key = await keyOf(context, "MaintenanceWindow", args.window);
        return windowReport(context.database.db, context.zones, { key, localStart: args.localStart ?? undefined });
      },
    }),
  );
}
