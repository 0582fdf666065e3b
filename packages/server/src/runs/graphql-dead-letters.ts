import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { DeadLetterRef, IntegrationRef, RunRef } from "../graphql/refs.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import { discardDeadLetters, type LetterFilter, replayDeadLetter, replayDeadLetters, type Replay } from "./dead-letter-commands.js";
import { deadLetterPage, deadLettersByIds } from "./queries.js";
import { type Change, ofDeployment } from "../access/targets.js";

/** Records that could not be written: reading them, having them delivered once more, giving them up. */
export function defineDeadLetters(): void {
  defineDeadLetter();
  defineDeadLetterQueries();
  defineDeadLetterMutations();
}

const DeadLetterStatusEnum = capsEnum(
  "DeadLetterStatus",
  "What became of a record that could not be written.",
  ["open", "review", "replayed", "discarded"],
  {
    open: "It can be replayed.",
    review: "The write may have been applied: a person decides.",
  },
);
const DeadLetterConnection = builder.connectionObject(
  { type: DeadLetterRef, name: "DeadLetterConnection", description: "A page of dead letters." },
  { name: "DeadLetterEdge", description: "A dead letter in a list." },
);

function defineDeadLetter(): void {
  builder.objectType(DeadLetterRef, {
    description: "A record that could not be written, kept with the reason.",
    authScopes: { can: "records.read" },
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      integration: t.field({ type: IntegrationRef, description: "Whose record it is.", resolve: (row) => String(row.integrationId) }),
      stream: t.exposeString("stream", { description: "The stream that it came from." }),
      recordKey: t.exposeString("recordKey", { description: "The record's key in the source." }),
      record: t.field({
        type: "JSON",
        description: "The record as it was to be written.",
        resolve: (row, _args, { watch, principalId, principal }) => {
          watch?.counted({ principalId, name: principal.name }, "access.bulk-read");
          return row.record;
        },
      }),
      error: t.expose("error", { type: "JSON", description: "Why it was not." }),
      run: t.field({ type: RunRef, nullable: true, description: "The run that met it.", resolve: (row) => row.runId }),
      status: t.expose("status", { type: DeadLetterStatusEnum, description: "What became of it." }),
      at: t.expose("at", { type: "DateTime", description: "When it was put aside." }),
      resolvedAt: t.expose("resolvedAt", { type: "DateTime", nullable: true, description: "When it was dealt with." }),
    }),
  });
}

const DeadLetterFilterInput = builder.inputType("DeadLetterFilter", {
  description: "Which dead letters; every field given must fit.",
  fields: (t) => ({
    integration: t.string({ description: "Of this integration (key or id)." }),
    stream: t.string({ description: "From this stream." }),
    statuses: t.field({ type: [DeadLetterStatusEnum], description: "With one of these statuses." }),
  }),
});

function defineDeadLetterQueries(): void {
  builder.queryFields((t) => ({
    deadLetter: t.field({
      type: DeadLetterRef,
      nullable: true,
      authScopes: { can: "records.read" },
      description: "One record that could not be written, by its number or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number or global id." }) },
      resolve: async (_root, args, { database }) =>
        (await deadLettersByIds(database, [String(numberOf("DeadLetter", args.key, "key"))]))[0] ?? null,
    }),
    deadLetters: t.field({
      type: DeadLetterConnection,
      authScopes: { can: "records.read" },
      description: "Records that could not be written, newest first.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: DeadLetterFilterInput, description: "Which ones." }) },
      resolve: async (_root, args, context) => {
        const integration =
          typeof args.filter?.integration === "string" ? await keyOf(context, "Integration", args.filter.integration) : null;
        return deadLetterPage(context.database, { ...args, filter: { ...args.filter, integration } });
      },
    }),
  }));
}

const ReplayRef = builder.objectRef<Replay>("DeadLetterReplay");
const LetterSelectionInput = builder.inputType("DeadLetterSelection", {
  description: "Which open dead letters; every field given must fit, and an integration or keys must be given.",
  fields: (t) => ({
    integration: t.string({ description: "Of this integration (key or id)." }),
    stream: t.string({ description: "From this stream." }),
    recordKeys: t.stringList({ description: "With these keys in the source." }),
  }),
});

async function selectionOf(context: RequestContext, input: (typeof LetterSelectionInput)["$inferInput"]): Promise<LetterFilter> {
  return {
    integration: typeof input.integration === "string" ? await keyOf(context, "Integration", input.integration) : undefined,
    stream: input.stream ?? undefined,
    recordKeys: input.recordKeys ?? undefined,
  };
}

/** Of one integration, or of everything. */
const onSelection = ({ integration }: LetterFilter): Change =>
  typeof integration === "string" ? { action: "runs.write", on: [{ kind: "integration", key: integration }] } : ofDeployment("runs.write");

function defineDeadLetterMutations(): void {
  const write = { authScopes: { can: "runs.write" } } as const;
  ReplayRef.implement({
    description: "Dead letters that are delivered once more.",
    fields: (t) => ({
      runs: t.field({ type: [RunRef], description: "The runs that deliver them, one a job.", resolve: (row) => [...row.runIds] }),
      letters: t.exposeInt("letters", { description: "How many." }),
      passedOver: t.exposeInt("passedOver", {
        description:
          "Letters that fit and cannot be replayed: they do not hold the whole record, are being replayed already, or their integration has their stream, or a job, no more.",
      }),
    }),
  });
  const reason = { required: true, description: "Why; it goes into the audit trail." } as const;
  const ReplayOneInput = builder.inputType("ReplayDeadLetterInput", {
    description: "A dead letter to deliver once more.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number or global id." }),
      reason: t.string(reason),
      inDoubt: t.boolean({ description: "It is in review, and somebody has seen that the target does not have it." }),
    }),
  });
  const ReplayManyInput = builder.inputType("ReplayDeadLettersInput", {
    description: "Open dead letters to deliver once more, at most 10,000 at a time.",
    fields: (t) => ({
      selection: t.field({ type: LetterSelectionInput, required: true, description: "Which ones." }),
      reason: t.string(reason),
    }),
  });
  const DiscardInput = builder.inputType("DiscardDeadLettersInput", {
    description: "Dead letters that are given up: by number, open or in review, or every open one that fits a selection.",
    fields: (t) => ({
      keys: t.stringList({ description: "Their numbers or global ids." }),
      selection: t.field({ type: LetterSelectionInput, description: "Which ones, where keys is left out." }),
      reason: t.string(reason),
    }),
  });
  builder.mutationFields((t) => ({
    replayDeadLetter: t.field({
      type: ReplayRef,
      ...write,
      description: "Has one dead letter delivered once more, by a run that holds hold as any other.",
      args: { input: t.arg({ type: ReplayOneInput, required: true, description: "Which one." }) },
      resolve: (_root, { input }, context) => {
        const order = { id: numberOf("DeadLetter", input.key, "key"), reason: input.reason, inDoubt: input.inDoubt === true };
        return runCommand(context, { action: "runs.write", on: [{ kind: "dead-letter", key: order.id }] }, (command) =>
          replayDeadLetter(command, order),
        );
      },
    }),
    replayDeadLetters: t.field({
      type: ReplayRef,
      ...write,
      description: "Has open dead letters delivered once more.",
      args: { input: t.arg({ type: ReplayManyInput, required: true, description: "Which ones." }) },
      resolve: async (_root, { input }, context) => {
        const filter = await selectionOf(context, input.selection);
        return runCommand(context, onSelection(filter), (command) => replayDeadLetters(command, { filter, reason: input.reason }));
      },
    }),
    discardDeadLetters: t.int({
      ...write,
      description: "Gives dead letters up; answers how many.",
      args: { input: t.arg({ type: DiscardInput, required: true, description: "Which ones." }) },
      resolve: async (_root, { input }, context) => {
        const filter = await selectionOf(context, input.selection ?? {});
        const ids = input.keys?.map((key) => numberOf("DeadLetter", key, "keys"));
        const order = ids === undefined ? { filter, reason: input.reason } : { ids, reason: input.reason };
        const change: Change =
          ids === undefined ? onSelection(filter) : { action: "runs.write", on: ids.map((key) => ({ kind: "dead-letter", key }) as const) };
        return (await runCommand(context, change, (command) => discardDeadLetters(command, order))).discarded;
      },
    }),
  }));
}
