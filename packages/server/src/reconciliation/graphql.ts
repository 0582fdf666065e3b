import { differenceKinds, reconciliationMethods } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { IntegrationRef, OccurrenceRef, ReconciliationRef, RunRef } from "../graphql/refs.js";
import { differenceStates } from "./difference-store.js";
import { defineReconciliationMutations } from "./graphql-mutations.js";
import {
  type DifferenceCountView,
  differenceCounts,
  reconciliationOrigins,
  reconciliationPage,
  reconciliationPhases,
  type ReconciliationStreamView,
  reconciliationStates,
  resyncsOfReconciliations,
  type ResyncView,
  streamsOfReconciliations,
} from "./queries.js";
import type { DifferenceSample } from "./store.js";
import { summaryOf } from "./summary.js";

const read = { authScopes: { can: "runs.read" } } as const;

const OriginEnum = capsEnum("ReconciliationOrigin", "Why both sides were compared.", reconciliationOrigins, {
  request: "Somebody asked for it.",
  schedule: "A job of the integration does it.",
  window: "A window asks for it when it is over.",
});
const StateEnum = capsEnum("ReconciliationState", "Where a comparison is.", reconciliationStates, {
  waiting: "Its run is queued, or held by a window.",
  failed: "Its run ended without it; the run says why.",
});
const MethodEnum = capsEnum("ReconciliationMethod", "How the sides of a stream are compared.", reconciliationMethods, {
  digest: "By digests of buckets, then by keys and hashes of those that differ.",
  hashes: "By keys and hashes.",
  keys: "By keys alone: records with other content are not found.",
  counts: "By numbers alone.",
});
const PhaseEnum = capsEnum("ReconciliationPhase", "How far a stream is.", reconciliationPhases, {
  source: "The source is read.",
  target: "The target is read.",
  "second-look": "What differed is looked at once more, because it may have been changing.",
});
const KindEnum = capsEnum("DifferenceKind", "How a record differs.", differenceKinds);
const DifferenceStateEnum = capsEnum("DifferenceState", "What became of a difference.", differenceStates, {
  repaired: "It was written, or deleted.",
  refused: "It is a dead letter.",
  kept: "The stream deletes nothing at its target.",
  gone: "Neither side has it any more.",
  hidden: "Its key holds a secret, so it is not known well enough.",
});

const streams = batched(
  (ids: readonly number[], { database }) => streamsOfReconciliations(database, ids),
  (row) => row.reconciliationId,
);
const resyncs = batched(
  (ids: readonly number[], { database }) => resyncsOfReconciliations(database, ids),
  (row) => row.reconciliationId,
);
const states = batched(
  (ids: readonly number[], { database }) => differenceCounts(database, ids),
  (row) => row.reconciliationId,
);

const ReconciliationConnection = builder.connectionObject(
  { type: ReconciliationRef, name: "ReconciliationConnection", description: "A page of comparisons." },
  { name: "ReconciliationEdge", description: "A comparison in a list." },
);

/** What both sides of integrations hold, compared. */
export function defineReconciliations(): void {
  defineReconciliation();
  builder.objectField(IntegrationRef, "reconciliations", (t) =>
    t.field({
      type: ReconciliationConnection,
      ...read,
      description: "Comparisons of its two sides, the newest first.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (row, args, { database }) => reconciliationPage(database, args, { integrationId: row.id }),
    }),
  );
  const Filter = builder.inputType("ReconciliationFilter", {
    description: "Which comparisons.",
    fields: (t) => ({ integration: t.string({ description: "Of this integration (key or id)." }) }),
  });
  builder.queryFields((t) => ({
    reconciliation: t.field({
      type: ReconciliationRef,
      nullable: true,
      ...read,
      description: "One comparison, by its number or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number or global id." }) },
      resolve: (_root, { key }) => String(numberOf("Reconciliation", key, "key")),
    }),
    reconciliations: t.field({
      type: ReconciliationConnection,
      ...read,
      description: "Comparisons, the newest first.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...args }, context) => {
        const integration = typeof filter?.integration === "string" ? await keyOf(context, "Integration", filter.integration) : null;
        return reconciliationPage(context.database, args, { integration });
      },
    }),
  }));
  defineReconciliationMutations();
}

function defineReconciliation(): void {
  const StreamRef = defineStream();
  const ResyncRef = builder.objectRef<ResyncView>("Resync").implement({
    description: "A run that mends what a comparison found.",
    fields: (t) => ({
      run: t.field({ type: RunRef, nullable: true, description: "The run.", resolve: (row) => row.runId }),
      requestedBy: t.exposeString("requestedBy", { description: "Who ordered it." }),
      reason: t.exposeString("reason", { description: "Why." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was ordered." }),
    }),
  });
  const CountRef = builder.objectRef<DifferenceCountView>("DifferenceCount").implement({
    description: "How many differences have come to what.",
    fields: (t) => ({
      stream: t.exposeString("stream", { description: "Of this stream." }),
      kind: t.expose("kind", { type: KindEnum, description: "Of this kind." }),
      state: t.expose("state", { type: DifferenceStateEnum, description: "What became of them." }),
      count: t.exposeInt("count", { description: "How many." }),
    }),
  });
  const summary = async (row: { readonly id: number }, context: Parameters<typeof streams.many>[0]) =>
    summaryOf((await streams.many(context, row.id)).filter(({ endedAt }) => endedAt !== null));
  builder.objectType(ReconciliationRef, {
    description: "What both sides of an integration held, compared by one run.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      integration: t.field({ type: IntegrationRef, description: "Whose sides.", resolve: (row) => String(row.integrationId) }),
      run: t.field({ type: RunRef, nullable: true, description: "The run that does it.", resolve: (row) => row.runId }),
      origin: t.expose("origin", { type: OriginEnum, description: "Why." }),
      occurrence: t.field({
        type: OccurrenceRef,
        nullable: true,
        description: "After which occurrence of a window, if after one.",
        resolve: (row) => (row.occurrenceId === null ? null : String(row.occurrenceId)),
      }),
      state: t.expose("state", { type: StateEnum, description: "Where it is." }),
      requestedBy: t.exposeString("requestedBy", { description: "Who asked for it." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why, in their words." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was asked for." }),
      startedAt: t.expose("startedAt", { type: "DateTime", nullable: true, description: "When its run began." }),
      endedAt: t.expose("endedAt", { type: "DateTime", nullable: true, description: "When it was done." }),
      accuracy: t.float({
        nullable: true,
        description:
          "Equal records of all that either side has and that stood still, 0 to 1; null where only numbers were compared, or nothing yet.",
        resolve: async (row, _args, context) => (await summary(row, context)).accuracy,
      }),
      streams: t.field({
        type: [StreamRef],
        description: "Stream by stream.",
        resolve: async (row, _args, context) => [...(await streams.many(context, row.id))],
      }),
      differences: t.field({
        type: [CountRef],
        description: "What became of its differences; empty for who may not read records.",
        resolve: async (row, _args, context) => [...(await states.many(context, row.id))],
      }),
      resyncs: t.field({
        type: [ResyncRef],
        description: "Runs that mend them.",
        resolve: async (row, _args, context) => [...(await resyncs.many(context, row.id))],
      }),
    }),
  });
}

function defineStream() {
  const SampleRef = builder.objectRef<DifferenceSample>("DifferenceSample").implement({
    description: "A record that differs. Secrets are hidden.",
    authScopes: { can: "records.read" },
    fields: (t) => ({
      recordKey: t.exposeString("key", { description: "Its key at the target." }),
      kind: t.expose("kind", { type: KindEnum, description: "How it differs." }),
      source: t.field({
        type: "JSON",
        nullable: true,
        description: "The compared fields as the target should have them; null where only hashes are known.",
        resolve: (row) => row.source,
      }),
      target: t.field({ type: "JSON", nullable: true, description: "The same as the target has them.", resolve: (row) => row.target }),
      fields: t.stringList({ description: "Which fields differ.", resolve: (row) => [...row.fields] }),
    }),
  });
  return builder.objectRef<ReconciliationStreamView>("ReconciliationStream").implement({
    description: "One stream of a comparison. Its counts stand when it has ended.",
    fields: (t) => ({
      stream: t.exposeString("stream", { description: "Its name." }),
      method: t.expose("method", { type: MethodEnum, nullable: true, description: "How its sides are compared." }),
      phase: t.expose("phase", { type: PhaseEnum, description: "How far it is." }),
      sourceRecords: t.exposeFloat("sourceRecords", { description: "Records of the source, so far while it goes on." }),
      targetRecords: t.exposeFloat("targetRecords", { description: "Records of the target, so far while it goes on." }),
      equal: t.exposeFloat("equal", { description: "Records that are equal at both sides." }),
      onlySource: t.exposeFloat("onlySource", { description: "Records that only the source has." }),
      onlyTarget: t.exposeFloat("onlyTarget", { description: "Records that only the target has." }),
      different: t.exposeFloat("different", { description: "Records with other content." }),
      changing: t.exposeFloat("changing", { description: "Records that changed meanwhile, so nothing is said of them." }),
      unfit: t.exposeFloat("unfit", {
        description: "Records of the source that do not fit the mapping; they are among those that differ.",
      }),
      isTruncated: t.exposeBoolean("isTruncated", { description: "There are more differences than are kept to be mended." }),
      accuracy: t.float({
        nullable: true,
        description: "As of the comparison.",
        resolve: (row) => (row.endedAt === null ? null : summaryOf([row]).accuracy),
      }),
      samples: t.field({
        type: [SampleRef],
        authScopes: { can: "records.read" },
        description: "Some of the records that differ, at most 20 of each kind.",
        resolve: (row, _args, { watch, principalId, principal }) => {
          watch?.counted({ principalId, name: principal.name }, "access.bulk-read");
          return [...row.samples];
        },
      }),
      startedAt: t.expose("startedAt", { type: "DateTime", description: "When it began." }),
      endedAt: t.expose("endedAt", { type: "DateTime", nullable: true, description: "When it was compared." }),
    }),
  });
}
