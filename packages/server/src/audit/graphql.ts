import { builder } from "../graphql/builder.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { AuditEntryRef } from "../graphql/refs.js";
import { auditPage } from "./queries.js";

const read = { authScopes: { can: "audit.read" } } as const;

const AuditConnection = builder.connectionObject(
  { type: AuditEntryRef, name: "AuditEntryConnection", description: "A page of the audit trail." },
  { name: "AuditEntryEdge", description: "An entry in a list." },
);

/** Who did what to which thing, and why. */
export function defineAudit(): void {
  builder.objectType(AuditEntryRef, {
    description: "One deed, written in the transaction in which it was done.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      at: t.expose("at", { type: "DateTime", description: "When." }),
      actor: t.exposeString("actor", { description: "Who: token:name, or system:quiesce." }),
      action: t.exposeString("action", { description: "What: window.create, hold.release …" }),
      subjectKind: t.exposeString("subjectKind", { description: "What sort of thing it was done to." }),
      subjectKey: t.exposeString("subjectKey", { description: "Which thing." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why." }),
      before: t.expose("before", { type: "JSON", nullable: true, description: "The thing before." }),
      after: t.expose("after", { type: "JSON", nullable: true, description: "The thing after." }),
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
}
