import { builder } from "../graphql/builder.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { AuditEntryRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { defineChain } from "./graphql-chain.js";
import { eraseAuditPersonal, type Erasure } from "./erase-personal.js";
import { auditPage } from "./queries.js";
import { ofDeployment } from "../access/targets.js";

const read = { authScopes: { can: "audit.read" } } as const;
const erase = { authScopes: { can: "audit.erase" } } as const;

const AuditConnection = builder.connectionObject(
  { type: AuditEntryRef, name: "AuditEntryConnection", description: "A page of the audit trail." },
  { name: "AuditEntryEdge", description: "An entry in a list." },
);

/** Who did what to which thing, and why; and that nobody changed it since. */
export function defineAudit(): void {
  builder.objectType(AuditEntryRef, {
    description: "One deed, written in the transaction in which it was done.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      at: t.expose("at", { type: "DateTime", description: "When." }),
      actor: t.exposeString("actor", { description: 'Who: token:name, or system:quiesce; "erased" after a lawful erasure.' }),
      action: t.exposeString("action", { description: "What: window.create, hold.release …" }),
      subjectKind: t.exposeString("subjectKind", { description: "What sort of thing it was done to." }),
      subjectKey: t.exposeString("subjectKey", { description: "Which thing." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why." }),
      before: t.expose("before", { type: "JSON", nullable: true, description: "The thing before." }),
      after: t.expose("after", { type: "JSON", nullable: true, description: "The thing after." }),
      position: t.exposeInt("position", { nullable: true, description: "Its place in the chain; null until it is sealed, for seconds." }),
      hash: t.exposeString("hash", { nullable: true, description: "Its hash in the chain, SHA-256 in hex; null until it is sealed." }),
      sealedAt: t.expose("sealedAt", { type: "DateTime", nullable: true, description: "When it was sealed." }),
    }),
  });
  const FilterInput = builder.inputType("AuditFilter", {
    description: "Which entries; every field given must fit.",
    fields: (t) => ({
      subjectKind: t.string({ description: "Done to such a thing." }),
      subjectKey: t.string({ description: "Done to this thing." }),
      actor: t.string({ description: "Done by." }),
      action: t.string({ description: "This action." }),
      from: t.field({ type: "DateTime", description: "Done at or after." }),
      to: t.field({ type: "DateTime", description: "Done before." }),
    }),
  });
  builder.queryField("audit", (t) =>
    t.field({
      type: AuditConnection,
      ...read,
      description: "The audit trail, newest first.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: FilterInput, description: "Which entries." }) },
      resolve: (_root, args, { database }) => auditPage(database, args),
    }),
  );
  defineChain();
  defineErasure();
}

function defineErasure(): void {
  const ErasureRef = builder.objectRef<Erasure>("AuditErasure").implement({
    description: "What an erasure took out of the audit trail and out of incidents.",
    ...erase,
    fields: (t) => ({
      values: t.exposeInt("values", { description: "Values that are gone." }),
      entries: t.exposeInt("entries", { description: "Entries that had them." }),
      incidents: t.exposeInt("incidents", { description: "Incidents out of which names and words went as well." }),
      orders: t.field({
        type: [AuditEntryRef],
        description: "The entries that order it; they name what went by number and field.",
        resolve: (row) => row.orders.map(String),
      }),
    }),
  });
  const EraseInput = builder.inputType("EraseAuditPersonalInput", {
    description: "Whose values are to go: an actor's, or those of the entries about one thing.",
    fields: (t) => ({
      actor: t.string({ description: "Such as token:ada: the name wherever it stands, and the words of the actor's own entries." }),
      subjectKind: t.string({ description: "With subjectKey: every personal value of the entries about this thing." }),
      subjectKey: t.string({ description: "Which thing." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail. Name nobody in it." }),
    }),
  });
  builder.mutationField("eraseAuditPersonal", (t) =>
    t.field({
      type: ErasureRef,
      ...erase,
      description:
        "Takes personal values out of the audit trail for good, with their salts, and out of incidents. The entries and their chain stay.",
      args: { input: t.arg({ type: EraseInput, required: true, description: "Whose, and why." }) },
      resolve: (_root, { input }, context) =>
        runCommand(context, ofDeployment("audit.erase"), (command) =>
          eraseAuditPersonal(command, {
            actor: input.actor ?? undefined,
            subjectKind: input.subjectKind ?? undefined,
            subjectKey: input.subjectKey ?? undefined,
            reason: input.reason,
          }),
        ),
    }),
  );
}
