import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { IntegrationRef, RunRef, SyncConflictRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { conflictWinners, decideSyncConflict } from "./sync-conflict-commands.js";
import { conflictKinds, conflictStates, syncConflictPage, syncConflictsByIds } from "./sync-conflict-queries.js";

const StateEnum = capsEnum("SyncConflictState", "How far a conflict is.", conflictStates, {
  open: "A person decides.",
  decided: "A person has decided; the next run carries it out.",
  settled: "A rule or a person decided and it was written, or both sides agree again.",
});
const KindEnum = capsEnum("SyncConflictKind", "Why two sides do not agree.", conflictKinds, {
  changed: "Both have changed the field since they last agreed.",
  refused: "The side that was to be written refuses the value.",
  deleted: "The source has deleted the record after the target had changed it.",
});
const WinnerEnum = capsEnum("SyncConflictWinner", "Whose value stands.", conflictWinners, {
  source: "The source's; of a deleted record: it is deleted at the target, too.",
  target: "The target's; of a deleted record: it stays at the target.",
});
const ConflictConnection = builder.connectionObject(
  { type: SyncConflictRef, name: "SyncConflictConnection", description: "A page of conflicts of fields that flow both ways." },
  { name: "SyncConflictEdge", description: "A conflict in a list." },
);

/** Fields about which two sides do not agree: reading and deciding them. */
export function defineSyncConflicts(): void {
  defineConflict();
  defineQueries();
  defineMutation();
}

function defineConflict(): void {
  builder.objectType(SyncConflictRef, {
    description: "A field that flows both ways, of a record whose sides do not agree about it; also what gave way to a rule.",
    authScopes: { can: "records.read" },
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      integration: t.field({ type: IntegrationRef, description: "Whose record it is.", resolve: (row) => String(row.integrationId) }),
      stream: t.exposeString("stream", { description: "Its stream." }),
      recordKey: t.exposeString("recordKey", { description: "The record's key, at both sides." }),
      field: t.string({
        nullable: true,
        description: "The field, by its name at the target; null: the record as a whole.",
        resolve: (row) => (row.field === "" ? null : row.field),
      }),
      kind: t.expose("kind", { type: KindEnum, description: "Why they do not agree." }),
      agreed: t.expose("agreed", { type: "JSON", nullable: true, description: "What both sides last had in common." }),
      source: t.expose("source", { type: "JSON", nullable: true, description: "The source's value, in the target's form." }),
      target: t.expose("target", { type: "JSON", nullable: true, description: "The target's value." }),
      rule: t.exposeString("rule", { description: "The field's rule: source, target, newest or review." }),
      message: t.exposeString("message", { nullable: true, description: "Why, in words, where there is more to say." }),
      state: t.expose("state", { type: StateEnum, description: "How far it is." }),
      winner: t.expose("winner", { type: WinnerEnum, nullable: true, description: "Whose value stands, by the rule or by a person." }),
      run: t.field({ type: RunRef, nullable: true, description: "The run that met it last.", resolve: (row) => row.runId }),
      decidedBy: t.exposeString("decidedBy", { nullable: true, description: "Who decided." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why so." }),
      at: t.expose("at", { type: "DateTime", description: "Since when it is known." }),
      decidedAt: t.expose("decidedAt", { type: "DateTime", nullable: true, description: "When somebody decided." }),
    }),
  });
}

function defineQueries(): void {
  const Filter = builder.inputType("SyncConflictFilter", {
    description: "Which conflicts; every field given must fit.",
    fields: (t) => ({
      integration: t.string({ description: "Of this integration (key or id)." }),
      stream: t.string({ description: "Of this stream." }),
      recordKey: t.string({ description: "Of this record." }),
      states: t.field({ type: [StateEnum], description: "In one of these states." }),
    }),
  });
  const read = { authScopes: { can: "records.read" } } as const;
  builder.queryFields((t) => ({
    syncConflict: t.field({
      type: SyncConflictRef,
      nullable: true,
      ...read,
      description: "One conflict of a field that flows both ways, by its number or global id; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its number or global id." }) },
      resolve: async (_root, args, { database }) =>
        (await syncConflictsByIds(database, [String(numberOf("SyncConflict", args.key, "key"))]))[0] ?? null,
    }),
    syncConflicts: t.field({
      type: ConflictConnection,
      ...read,
      description: "Conflicts of fields that flow both ways, newest first.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Which ones." }) },
      resolve: async (_root, args, context) => {
        const named = args.filter?.integration;
        const integration = typeof named === "string" ? await keyOf(context, "Integration", named) : null;
        return syncConflictPage(context.database, { ...args, filter: { ...args.filter, integration } });
      },
    }),
  }));
}

function defineMutation(): void {
  const Input = builder.inputType("DecideSyncConflictInput", {
    description: "An open conflict, and whose value stands.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number or global id." }),
      winner: t.field({ type: WinnerEnum, required: true, description: "Whose value stands." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationField("decideSyncConflict", (t) =>
    t.field({
      type: SyncConflictRef,
      authScopes: { can: "runs.write" },
      description: "Decides an open conflict; the integration's next run writes the winner's value to the other side.",
      args: { input: t.arg({ type: Input, required: true, description: "Which one, and how." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("SyncConflict", input.key, "key");
        await runCommand(context, { action: "runs.write", on: [{ kind: "sync-conflict", key: id }] }, (command) =>
          decideSyncConflict(command, { id, winner: input.winner, reason: input.reason }),
        );
        return String(id);
      },
    }),
  );
}
