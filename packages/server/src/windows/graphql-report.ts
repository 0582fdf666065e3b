import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { OccurrenceRef, RunRef, WindowRef } from "../graphql/refs.js";
import { RunStateCountRef, stateCounts } from "../runs/graphql-run-state.js";
import { OccurrenceStateEnum, WindowKindEnum } from "./graphql-vocabulary.js";
import { occurrencePage, windowByKey } from "./queries.js";
import { windowReport, type WindowReport } from "./report.js";

const read = { authScopes: { can: "windows.read" } } as const;

/** What an occurrence of a window did. */
export function defineWindowReport(): void {
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
  const ReconciledRef = builder.objectRef<NonNullable<WindowReport["reconciled"]>>("WindowReportReconciled").implement({
    description: "Whether both sides of the integrations that an occurrence held were equal after it.",
    fields: (t) => ({
      integrations: t.exposeInt("integrations", { description: "That are compared." }),
      done: t.exposeInt("done", { description: "Of these, compared already." }),
      failed: t.exposeInt("failed", { description: "Of these, could not be compared; the run says why." }),
      accuracy: t.exposeFloat("accuracy", {
        nullable: true,
        description: "Equal records of all that either side has, 0 to 1; null: not known.",
      }),
      equal: t.exposeFloat("equal", { description: "Records that are equal." }),
      onlySource: t.exposeFloat("onlySource", { description: "Records that only the source has." }),
      onlyTarget: t.exposeFloat("onlyTarget", { description: "Records that only the target has." }),
      different: t.exposeFloat("different", { description: "Records with other content." }),
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
      reconciled: t.field({
        type: ReconciledRef,
        nullable: true,
        description: "What was compared after it; null where its window asks for nothing, or it is not over.",
        resolve: (row) => row.reconciled,
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
