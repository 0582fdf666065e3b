import type { WorkspaceChange } from "@quiesce/core";
import { ofDeployment } from "../access/targets.js";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf } from "../graphql/key-or-id.js";
import { IntegrationRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { FieldChangeRef, WorkspaceChangeRef } from "./graphql-changes.js";
import { catalogContext } from "./graphql-workspace.js";
import { currentVersions, rollbackIntegration, versionDiff, versionPage, type VersionRow } from "./integration-versions.js";

const read = { authScopes: { can: "catalogue.read" } } as const;

const OriginEnum = capsEnum(
  "VersionOrigin",
  "Why a version of an integration was written.",
  ["apply", "rollback", "promotion", "standing"],
  {
    apply: "Somebody applied a workspace or changed the integration.",
    rollback: "Somebody brought a former version back.",
    promotion: "A canary passed.",
    standing: "It stood before versions were kept, and was written down with the first change.",
  },
);

const VersionRef = builder.objectRef<VersionRow>("IntegrationVersion").implement({
  description: "A definition that an integration has had. It never changes.",
  ...read,
  fields: (t) => ({
    number: t.exposeInt("number", { description: "Counts from 1, for each integration by itself." }),
    document: t.expose("document", { type: "JSON", description: "The definition in full, as an entry of a workspace." }),
    origin: t.expose("origin", { type: OriginEnum, description: "Why it was written." }),
    restores: t.exposeInt("restores", { nullable: true, description: "Of a rollback: the version that it brought back." }),
    actor: t.exposeString("actor", { description: "Who did it." }),
    reason: t.exposeString("reason", { nullable: true, description: "Why, in their words." }),
    at: t.expose("at", { type: "DateTime", description: "Since when it is, or was, in force." }),
  }),
});
const VersionConnection = builder.connectionObject(
  { type: VersionRef, name: "IntegrationVersionConnection", description: "A page of versions." },
  { name: "IntegrationVersionEdge", description: "A version in a list." },
);

const numbers = batched(
  (ids: readonly number[], { database }) => currentVersions(database, ids),
  (row) => row.integrationId,
);

/** The definitions that integrations have had: listed, compared, brought back. */
export function defineVersions(): void {
  builder.objectFields(IntegrationRef, (t) => ({
    version: t.int({
      nullable: true,
      description: "The number of the version in force; null when the definition was not changed since versions are kept.",
      resolve: async (row, _args, context) => (await numbers.one(context, row.id))?.number ?? null,
    }),
    versions: t.field({
      type: VersionConnection,
      description: "The definitions that it has had, newest first.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (row, args, { database }) => versionPage(database, row.id, args),
    }),
  }));
  builder.queryField("integrationVersionDiff", (t) =>
    t.field({
      type: [FieldChangeRef],
      ...read,
      description: "What differs between two versions of an integration.",
      args: {
        integration: t.arg.string({ required: true, description: "Its key or global id." }),
        from: t.arg.int({ required: true, description: "The number of the one version." }),
        to: t.arg.int({ required: true, description: "The number of the other one." }),
      },
      resolve: async (_root, { integration, from, to }, context) =>
        versionDiff(context.database, { integration: await keyOf(context, "Integration", integration), from, to }),
    }),
  );
  defineRollback();
}

function defineRollback(): void {
  const RollbackRef = builder
    .objectRef<{ readonly key: string; readonly changes: readonly WorkspaceChange[] }>("IntegrationRollback")
    .implement({
      description: "A definition that was brought back.",
      fields: (t) => ({
        key: t.exposeString("key", { description: "The integration." }),
        changes: t.field({
          type: [WorkspaceChangeRef],
          description: "What was done; empty when that definition is in force.",
          resolve: (row) => row.changes,
        }),
      }),
    });
  const RollbackInput = builder.inputType("RollbackIntegrationInput", {
    description: "A former definition that is wanted again.",
    fields: (t) => ({
      integration: t.string({ required: true, description: "Its key or global id." }),
      version: t.int({ required: true, description: "The number of the version whose definition is wanted." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail and the new version." }),
    }),
  });
  builder.mutationField("rollbackIntegration", (t) =>
    t.field({
      type: RollbackRef,
      authScopes: { can: "catalogue.write" },
      description: "Brings an integration back to a former definition, as a new version.",
      args: { input: t.arg({ type: RollbackInput, required: true, description: "Which one." }) },
      resolve: async (_root, { input }, context) => {
        const key = await keyOf(context, "Integration", input.integration);
        const order = { integration: key, version: input.version, reason: input.reason };
        const changes = await runCommand(context, ofDeployment("catalogue.write"), (command) =>
          rollbackIntegration(catalogContext(context, command), order),
        );
        return { key, changes };
      },
    }),
  );
}
