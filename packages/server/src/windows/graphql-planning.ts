import type { Occurrence } from "@quiesce/core";
import { integrationIdsByKey } from "../catalog/queries.js";
import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { OccurrenceRef, WindowRef } from "../graphql/refs.js";
import type { RequestContext } from "../graphql/request-context.js";
import { RunStateCountRef, stateCounts } from "../runs/graphql-run-state.js";
import { PlanInput, windowInputOf } from "./graphql-inputs.js";
import { MemberRef, OccurrenceStateEnum } from "./graphql-vocabulary.js";
import { previewWindow, type WindowPreview } from "./preview.js";
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
  const HeldJobRef = builder.objectRef<WindowPreview["heldJobs"][number]>("PreviewHeldJob").implement({
    description: "A job with due times inside the first occurrence.",
    fields: (t) => ({
      job: t.exposeString("job", { description: "The job's key." }),
      integration: t.exposeString("integration", { description: "The integration's key." }),
      dueTimes: t.exposeInt("dueTimes", { description: "Due times inside." }),
      runsAfter: t.exposeInt("runsAfter", { description: "Runs that its catch-up makes of them." }),
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
      heldJobs: t.field({ type: [HeldJobRef], description: "Jobs that the first occurrence would hold.", resolve: (row) => row.heldJobs }),
      warnings: t.stringList({
        description: "What a person should look at before saving.",
        resolve: (row) => [
          ...row.refusals.map((one) => `${one.field}: ${one.message}`),
          ...row.unknown.map((name) => `The scope names ${name}, which is not in the catalogue.`),
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
      resolve: (_root, { input }, { database, zones }) => previewWindow(database.db, zones, windowInputOf(input)),
    }),
  );
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
