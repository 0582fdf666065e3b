import { inboxLimits, pushedRecords } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { IntegrationRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { acceptRecords, type PushAnswer } from "./commands.js";
import { type InboxView, inboxesOf } from "./queries.js";

const inboxes = batched(
  (ids: readonly number[], { database }) => inboxesOf(database.db, ids),
  (row) => row.integrationId,
);

/** Pushed work: what waits, and handing it in. */
export function defineInbox(): void {
  defineInboxOfIntegration();
  definePush();
}

function defineInboxOfIntegration(): void {
  const InboxRef = builder.objectRef<InboxView>("Inbox").implement({
    description: "Records that were pushed for an integration. `accepted` is the sum of `waiting`, `processing`, `done` and `dead`.",
    fields: (t) => ({
      accepted: t.exposeFloat("accepted", { description: "Ever accepted." }),
      waiting: t.exposeInt("waiting", { description: "Waiting for a run." }),
      processing: t.exposeInt("processing", { description: "In the hands of the run in flight." }),
      done: t.exposeFloat("done", { description: "Delivered." }),
      dead: t.exposeFloat("dead", { description: "Put among the dead letters." }),
      waitingBytes: t.exposeFloat("waitingBytes", { description: "The size of what is not settled, as JSON." }),
      oldestAt: t.expose("oldestAt", {
        type: "DateTime",
        nullable: true,
        description: "When the oldest record that is not settled was accepted.",
      }),
      putOff: t.exposeInt("putOff", { description: "Records that failed and wait for another try, each with the later ones of its key." }),
      fullSince: t.expose("fullSince", {
        type: "DateTime",
        nullable: true,
        description: "Since when requests are refused for want of room; null: there is room.",
      }),
      maxRecords: t.int({ description: "At most so many may wait.", resolve: () => inboxLimits.waitingRecords }),
      maxBytes: t.int({ description: "At most so many bytes may wait.", resolve: () => inboxLimits.waitingBytes }),
    }),
  });
  builder.objectField(IntegrationRef, "inbox", (t) =>
    t.field({
      type: InboxRef,
      nullable: true,
      description: "What was pushed for it; null when it takes no pushed records.",
      resolve: (row, _args, context) => inboxes.one(context, row.id),
    }),
  );
}

function definePush(): void {
  const PushedRecordInput = builder.inputType("PushedRecordInput", {
    description: "One record that is handed in.",
    fields: (t) => ({
      key: t.string({ required: true, description: "The record's key; the order of records of one key is kept." }),
      id: t.string({ description: "Your name for this change: pushed again within 72 hours it is no new one." }),
      op: t.string({ description: "upsert (when left out) or delete." }),
      version: t.string({ description: "The record's version, if it has one; part of the name by which a target knows a repetition." }),
      record: t.field({ type: "JSON", description: "Its fields; may be left out of a deletion." }),
    }),
  });
  const PushRecordsInput = builder.inputType("PushRecordsInput", {
    description: "Records to deliver.",
    fields: (t) => ({
      integration: t.string({ required: true, description: "The integration's key or id." }),
      stream: t.string({ description: "Its stream, where more than one is pushed." }),
      idempotencyKey: t.string({ description: "Names the whole request: its records without an id are known by their place in it." }),
      records: t.field({
        type: [PushedRecordInput],
        required: true,
        description: `In their order; at most ${inboxLimits.recordsOfRequest}.`,
      }),
    }),
  });
  const PushAnswerRef = builder.objectRef<PushAnswer>("PushAnswer").implement({
    description: "What became of pushed records. Those that are accepted are durable.",
    fields: (t) => ({
      stream: t.exposeString("stream", { description: "The stream that they are for." }),
      accepted: t.exposeInt("accepted", { description: "Records that are new." }),
      duplicates: t.exposeInt("duplicates", { description: "Records that were accepted before under the same id." }),
      waitingRecords: t.exposeInt("waitingRecords", { description: "Everything that waits for the integration now." }),
      waitingBytes: t.exposeFloat("waitingBytes", { description: "Its size." }),
      held: t.exposeBoolean("held", { description: "Whether a hold keeps them." }),
      heldUntil: t.expose("heldUntil", {
        type: "DateTime",
        nullable: true,
        description: "When the last hold ends as planned; null: open-ended, or not held.",
      }),
    }),
  });
  builder.mutationField("pushRecords", (t) =>
    t.field({
      type: PushAnswerRef,
      authScopes: { can: "records.push" },
      description: "Hands records in, all or none, also while the integration is held. They are delivered in their order by key.",
      args: { input: t.arg({ type: PushRecordsInput, required: true, description: "What for, and which." }) },
      resolve: async (_root, { input }, context) => {
        const integration = await keyOf(context, "Integration", input.integration);
        const records = pushedRecords(
          input.records.map(({ op, record, ...one }) => ({ ...one, op: op ?? undefined, record: record ?? undefined })),
        );
        const request = { integration, stream: input.stream ?? undefined, idempotencyKey: input.idempotencyKey ?? undefined, records };
        return runCommand(context, { action: "records.push", on: [{ kind: "integration", key: integration }] }, (command) =>
          acceptRecords(command, request),
        );
      },
    }),
  );
}
