import { DomainError, refusalInFreeze, type WorkspaceChange } from "@quiesce/core";
import type { CommandContext } from "../command.js";
import { builder } from "../graphql/builder.js";
import { keyOf } from "../graphql/key-or-id.js";
import { EndpointRef } from "../graphql/refs.js";
import { type EndpointCheckResult, type RequestContext, runCommand } from "../graphql/request-context.js";
import type { FallsIntoFreeze } from "../windows/refuse-in-freeze.js";
import { applyWorkspace, type CatalogContext, exportWorkspace } from "./commands.js";
import { WorkspaceChangeRef } from "./graphql-changes.js";
import { catalogueByKey } from "./queries.js";
import { readWorkspaceText } from "./workspace-text.js";
import { ofDeployment } from "../access/targets.js";

interface AppliedWorkspace {
  readonly dryRun: boolean;
  readonly changes: readonly WorkspaceChange[];
  readonly freezes: readonly FallsIntoFreeze[];
}

/** The catalogue as one document: applied, exported; and endpoints asked whether they answer. */
export function defineWorkspace(): void {
  const read = { authScopes: { can: "catalogue.write" } } as const;
  const WorkspaceRef = builder.objectRef<{ readonly document: string }>("Workspace").implement({
    description: "The whole catalogue and all windows as a document.",
    ...read,
    fields: (t) => ({
      document: t.exposeString("document", {
        description: "JSON text; `applyWorkspace` with it changes nothing. Secrets are named, never shown.",
      }),
    }),
  });
  builder.queryField("workspace", (t) =>
    t.field({
      type: WorkspaceRef,
      ...read,
      description: "The catalogue and all windows, for export.",
      complexity: 1_000,
      resolve: async (_root, _args, { database, zones }) => ({ document: JSON.stringify(await exportWorkspace(database.db, zones)) }),
    }),
  );
  defineApply();
  defineCheck();
}

function defineApply(): void {
  const FallsRef = builder.objectRef<FallsIntoFreeze>("WorkspaceFreeze").implement({
    description: "A change of the document that would fall into a freeze.",
    fields: (t) => ({
      window: t.exposeString("window", { description: "The key of the change." }),
      freezes: t.stringList({
        description: "The keys of the freezes.",
        resolve: (row) => [...new Set(row.met.map(({ freeze }) => freeze.freeze))],
      }),
      nearest: t.exposeString("nearest", { nullable: true, description: "The nearest local start that is free." }),
      message: t.string({ description: "The same for people, with what to do.", resolve: (row) => refusalInFreeze(row).message }),
    }),
  });
  const DiffRef = builder.objectRef<AppliedWorkspace>("WorkspaceDiff").implement({
    description: "The steps from what stands to what the document says.",
    fields: (t) => ({
      dryRun: t.exposeBoolean("dryRun", { description: "True: nothing was done." }),
      changes: t.field({
        type: [WorkspaceChangeRef],
        description: "The steps, in order; empty when everything is so already.",
        complexity: { field: 1, multiplier: 1 },
        resolve: (row) => row.changes,
      }),
      freezes: t.field({
        type: [FallsRef],
        description: "Of a dry run: changes that would fall into freezes. Without `overrideFreeze` the apply is refused.",
        resolve: (row) => row.freezes,
      }),
    }),
  });
  const ApplyInput = builder.inputType("ApplyWorkspaceInput", {
    description: "A workspace document and how to apply it.",
    fields: (t) => ({
      document: t.string({ required: true, description: "The document as JSON or YAML text, at most 5 MiB." }),
      prune: t.boolean({ description: "Also delete what the document does not name." }),
      dryRun: t.boolean({ description: "Say what would be done and do nothing." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
      overrideFreeze: t.string({ description: "Why changes of the document are planned although they fall into freezes." }),
    }),
  });
  builder.mutationField("applyWorkspace", (t) =>
    t.field({
      type: DiffRef,
      authScopes: { can: "catalogue.write" },
      description: "Brings the catalogue and the windows to what a document says: all of it, or nothing.",
      args: { input: t.arg({ type: ApplyInput, required: true, description: "The document." }) },
      resolve: async (_root, { input }, context) => {
        const freezes: FallsIntoFreeze[] = [];
        const options = {
          listFreezes: (found: FallsIntoFreeze) => freezes.push(found),
          prune: input.prune === true,
          dryRun: input.dryRun === true,
          reason: input.reason ?? undefined,
          overrideFreeze: input.overrideFreeze ?? undefined,
        };
        const document = parseDocument(input.document, context);
        const changes = await runCommand(context, ofDeployment("catalogue.write"), (command) =>
          applyWorkspace(catalogContext(context, command), document, options),
        );
        return { dryRun: options.dryRun, changes, freezes };
      },
    }),
  );
}

export function catalogContext({ catalogue, sampleRetentionDays }: RequestContext, command: CommandContext): CatalogContext {
  return { ...command, ...catalogue, sampleRetentionDays };
}

/** JSON is read as it is; anything else is YAML, whose problems are named with their lines. */
function parseDocument(text: string, { zones }: RequestContext): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // A YAML flow mapping also begins with a brace, and the YAML reader names the line of what is wrong in either.
    }
  }
  const read = readWorkspaceText(text, { fileName: "document", references: false, zones });
  if (read.ok) return read.document;
  const problems = read.problems.map(
    ({ line, column, path, message }) => `line ${line}, column ${column}: ${path === "" ? "" : `${path}: `}${message}`,
  );
  throw new DomainError(
    "QSC_CATALOGUE_INVALID",
    `The workspace is refused: ${problems[0] ?? ""}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""}`,
    {
      field: "document",
      details: { problems },
    },
  );
}

function defineCheck(): void {
  const CheckRef = builder.objectRef<EndpointCheckResult & { readonly endpointId: number }>("EndpointCheck").implement({
    description: "How the system behind an endpoint answered.",
    fields: (t) => ({
      endpoint: t.field({ type: EndpointRef, description: "The endpoint.", resolve: (row) => String(row.endpointId) }),
      ok: t.exposeBoolean("ok", { description: "True: it answers, and accepts our credentials." }),
      detail: t.field({ type: "JSON", nullable: true, description: "What it said.", resolve: (row) => row.detail ?? null }),
    }),
  });
  const CheckInput = builder.inputType("CheckEndpointInput", {
    description: "An endpoint to check.",
    fields: (t) => ({ endpoint: t.string({ required: true, description: "Its key or id." }) }),
  });
  builder.mutationField("checkEndpoint", (t) =>
    t.field({
      type: CheckRef,
      authScopes: { can: "endpoint.check" },
      description: "Asks the system behind an endpoint whether it answers.",
      args: { input: t.arg({ type: CheckInput, required: true, description: "Which endpoint." }) },
      resolve: async (_root, { input }, context) => {
        const key = await keyOf(context, "Endpoint", input.endpoint);
        const endpoint = await catalogueByKey(context.database, "endpoint", { key });
        if (endpoint === null)
          throw new DomainError("QSC_ENDPOINT_NOT_FOUND", `There is no endpoint "${input.endpoint}".`, { field: "endpoint" });
        if (context.checkEndpoint === undefined)
          throw new DomainError("QSC_ENDPOINT_CHECK_UNAVAILABLE", "This server runs no connectors. Ask one that does.", {
            field: "endpoint",
          });
        return { endpointId: endpoint.id, ...(await context.checkEndpoint(key)) };
      },
    }),
  );
}
