import { DomainError } from "@quiesce/core";
import { FACET_STABILITY } from "@quiesce/sdk";
import { ofDeployment } from "../access/targets.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import type { ConnectorRegistry, ReloadResult } from "./connector-registry.js";
import { defineTraffic } from "./graphql-traffic.js";
import { type ConnectorListing, connectorStates, isolations } from "./hosted-connector.js";
import { reloadConnectors } from "./reload-connectors.js";

const read = { authScopes: { can: "catalogue.read" } } as const;
const write = { authScopes: { can: "control.write" } } as const;

/** Which connectors there are, and bringing them to what the list of packages says now. */
export function defineConnectors(): void {
  const ConnectorRef = defineConnector();
  builder.queryField("connectors", (t) =>
    t.field({
      type: [ConnectorRef],
      ...read,
      description:
        "The connectors of the server that answers: those that come with it, and those of its list of packages, failed ones too.",
      resolve: (_root, _args, context) => [...(context.connectors?.listings() ?? [])],
    }),
  );
  defineReload(ConnectorRef);
  defineTraffic();
}

function defineConnector() {
  const StateEnum = capsEnum("ConnectorState", "How far a connector is.", [...connectorStates], {
    loaded: "Endpoints can use it.",
    failed: "It is on the list and cannot be used; `reason` says why.",
    draining: "It was taken off or replaced, and what began before still ends.",
  });
  const IsolationEnum = capsEnum("ConnectorIsolation", "Where a connector's code runs.", [...isolations], {
    inline: "In the server's own thread.",
    worker: "In a thread of its own, which can end without the server.",
  });
  const StabilityEnum = capsEnum("ConnectorStability", "How far something can be relied on.", [
    "experimental",
    "beta",
    "stable",
    "deprecated",
  ]);
  const FacetRef = builder.objectRef<keyof typeof FACET_STABILITY>("ConnectorFacet").implement({
    description: "Something that a connector can do.",
    fields: (t) => ({
      name: t.string({ description: "check, read, write …", resolve: (name) => name }),
      stability: t.field({
        type: StabilityEnum,
        description: "How far this part of the contract can be relied on.",
        resolve: (name) => FACET_STABILITY[name],
      }),
    }),
  });
  return builder.objectRef<ConnectorListing>("Connector").implement({
    description: "What reaches systems of one kind.",
    ...read,
    fields: (t) => ({
      name: t.exposeString("name", { description: "What endpoints call it: its alias, or its id." }),
      alias: t.exposeString("alias", { nullable: true, description: "Its name in the list of packages, if it has one there." }),
      connectorId: t.exposeString("id", { nullable: true, description: "Its own name; null when its code never ran." }),
      package: t.exposeString("package", { nullable: true, description: "The package that it comes in; null: it comes with Quiesce." }),
      version: t.exposeString("version", { nullable: true, description: "The package's version; null when it was not found." }),
      stability: t.expose("stability", { type: StabilityEnum, nullable: true, description: "What its author says of it." }),
      isolation: t.expose("isolation", { type: IsolationEnum, description: "Where its code runs." }),
      state: t.expose("state", { type: StateEnum, description: "How far it is." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why it failed, and what to do." }),
      facets: t.field({ type: [FacetRef], description: "What it can do.", resolve: (row) => [...(row.manifest?.facets ?? [])] }),
      configSchema: t.field({
        type: "JSON",
        nullable: true,
        description: "JSON Schema of an endpoint's `config`.",
        resolve: (row) => row.manifest?.config ?? null,
      }),
      secretsSchema: t.field({
        type: "JSON",
        nullable: true,
        description: "JSON Schema of an endpoint's `secrets`.",
        resolve: (row) => row.manifest?.secrets ?? null,
      }),
    }),
  });
}

function defineReload(ConnectorRef: ReturnType<typeof defineConnector>): void {
  const ReloadRef = builder.objectRef<ReloadResult & { readonly listings: readonly ConnectorListing[] }>("ConnectorReload").implement({
    description: "What reading the list of packages again has changed, by the names that endpoints use.",
    ...write,
    fields: (t) => ({
      added: t.stringList({ description: "Loaded now, and not before.", resolve: (row) => [...row.added] }),
      changed: t.stringList({ description: "Loaded anew: another version, or other files.", resolve: (row) => [...row.changed] }),
      removed: t.stringList({ description: "No longer on the list; what began before still ends.", resolve: (row) => [...row.removed] }),
      failed: t.stringList({ description: "On the list and not loaded.", resolve: (row) => [...row.failed] }),
      connectors: t.field({ type: [ConnectorRef], description: "All of them.", resolve: (row) => [...row.listings] }),
    }),
  });
  const ReloadInput = builder.inputType("ReloadConnectorsInput", {
    description: "That the list of packages is read again.",
    fields: (t) => ({ reason: t.string({ description: "Why; it goes into the audit trail." }) }),
  });
  builder.mutationField("reloadConnectors", (t) =>
    t.field({
      type: ReloadRef,
      ...write,
      description:
        "Brings the connectors of the server that answers to what its list of packages says now, without a restart. Other servers see a changed list by themselves.",
      args: { input: t.arg({ type: ReloadInput, required: true, description: "Why." }) },
      resolve: async (_root, { input }, context) => {
        const connectors = registryOf(context);
        const result = await runCommand(context, ofDeployment("control.write"), (command) =>
          reloadConnectors(command, { connectors, reason: input.reason ?? undefined }),
        );
        return { ...result, listings: connectors.listings() };
      },
    }),
  );
}

function registryOf({ connectors }: RequestContext): ConnectorRegistry {
  if (connectors === undefined)
    throw new DomainError("QSC_ENDPOINT_CHECK_UNAVAILABLE", "This server runs no connectors. Ask one that does.");
  return connectors;
}
