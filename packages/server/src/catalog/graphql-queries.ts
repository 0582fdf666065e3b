import { builder } from "../graphql/builder.js";
import { KeyOrderEnum, pageArgs, pageComplexity } from "../graphql/connection.js";
import { idInside, keyOf } from "../graphql/key-or-id.js";
import { EndpointRef, IntegrationRef, JobRef, SystemRef } from "../graphql/refs.js";
import { CriticalityEnum } from "./graphql-vocabulary.js";
import { catalogueByKey, cataloguePage } from "./queries.js";

const read = { authScopes: { can: "catalogue.read" } } as const;

const SystemFilterInput = builder.inputType("SystemFilter", {
  description: "Which systems; every field given must fit.",
  fields: (t) => ({
    keys: t.stringList({ description: "These." }),
    tag: t.string({ description: "Carries this tag." }),
    kind: t.string({ description: "Is of this kind." }),
    criticality: t.field({ type: CriticalityEnum, description: "Is so critical." }),
    search: t.string({ description: "Key or name contains this." }),
  }),
});
const EndpointFilterInput = builder.inputType("EndpointFilter", {
  description: "Which endpoints; every field given must fit.",
  fields: (t) => ({
    keys: t.stringList({ description: "These." }),
    system: t.string({ description: "Reaches this system." }),
    connector: t.string({ description: "Uses this connector." }),
    search: t.string({ description: "Key or name contains this." }),
  }),
});
const IntegrationFilterInput = builder.inputType("IntegrationFilter", {
  description: "Which integrations; every field given must fit.",
  fields: (t) => ({
    keys: t.stringList({ description: "These." }),
    system: t.string({ description: "Its route touches this system." }),
    tag: t.string({ description: "Carries this tag." }),
    ownerTeam: t.string({ description: "Belongs to this team." }),
    criticality: t.field({ type: CriticalityEnum, description: "Is so critical." }),
    held: t.boolean({ description: "Whether it is held at this moment." }),
    failing: t.boolean({ description: "Whether the last run of a day of one of its enabled jobs failed." }),
    search: t.string({ description: "Key or name contains this." }),
  }),
});
const JobFilterInput = builder.inputType("JobFilter", {
  description: "Which jobs; every field given must fit.",
  fields: (t) => ({
    keys: t.stringList({ description: "These." }),
    integration: t.string({ description: "Runs this integration." }),
    enabled: t.boolean({ description: "Whether it is enabled." }),
    search: t.string({ description: "Key or name contains this." }),
  }),
});

const SystemConnection = builder.connectionObject(
  { type: SystemRef, name: "SystemConnection", description: "A page of systems." },
  { name: "SystemEdge", description: "A system in a list." },
);
const EndpointConnection = builder.connectionObject(
  { type: EndpointRef, name: "EndpointConnection", description: "A page of endpoints." },
  { name: "EndpointEdge", description: "An endpoint in a list." },
);
const IntegrationConnection = builder.connectionObject(
  { type: IntegrationRef, name: "IntegrationConnection", description: "A page of integrations." },
  { name: "IntegrationEdge", description: "An integration in a list." },
);
const JobConnection = builder.connectionObject(
  { type: JobRef, name: "JobConnection", description: "A page of jobs." },
  { name: "JobEdge", description: "A job in a list." },
);

const by = (typename: string, keyOrId: string) => {
  const id = idInside(typename, keyOrId);
  return id === null ? { key: keyOrId } : { id };
};

/** The catalogue's lists, and its things one by one. */
export function defineCatalogueQueries(): void {
  const keyDescription = "Its key or global id.";
  const order = { type: KeyOrderEnum, description: "KEY_ASC when left out." } as const;
  builder.queryFields((t) => ({
    system: t.field({
      type: SystemRef,
      nullable: true,
      ...read,
      description: "One system; null when there is none.",
      args: { key: t.arg.string({ required: true, description: keyDescription }) },
      resolve: (_root, { key }, { database }) => catalogueByKey(database, "system", by("System", key)),
    }),
    systems: t.field({
      type: SystemConnection,
      ...read,
      description: "Systems by key.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: SystemFilterInput, description: "Which ones." }), orderBy: t.arg(order) },
      resolve: (_root, args, { database }) => cataloguePage(database, "system", { ...args, descending: args.orderBy === "desc" }),
    }),
    endpoint: t.field({
      type: EndpointRef,
      nullable: true,
      ...read,
      description: "One endpoint; null when there is none.",
      args: { key: t.arg.string({ required: true, description: keyDescription }) },
      resolve: (_root, { key }, { database }) => catalogueByKey(database, "endpoint", by("Endpoint", key)),
    }),
    endpoints: t.field({
      type: EndpointConnection,
      ...read,
      description: "Endpoints by key.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: EndpointFilterInput, description: "Which ones." }), orderBy: t.arg(order) },
      resolve: async (_root, args, context) =>
        cataloguePage(context.database, "endpoint", {
          ...args,
          descending: args.orderBy === "desc",
          filter: {
            ...args.filter,
            ...(typeof args.filter?.system === "string" ? { system: await keyOf(context, "System", args.filter.system) } : {}),
          },
        }),
    }),
    integration: t.field({
      type: IntegrationRef,
      nullable: true,
      ...read,
      description: "One integration; null when there is none.",
      args: { key: t.arg.string({ required: true, description: keyDescription }) },
      resolve: (_root, { key }, { database }) => catalogueByKey(database, "integration", by("Integration", key)),
    }),
    integrations: t.field({
      type: IntegrationConnection,
      ...read,
      description: "Integrations by key.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: IntegrationFilterInput, description: "Which ones." }), orderBy: t.arg(order) },
      resolve: async (_root, args, context) =>
        cataloguePage(context.database, "integration", {
          ...args,
          descending: args.orderBy === "desc",
          filter: {
            ...args.filter,
            ...(typeof args.filter?.system === "string" ? { system: await keyOf(context, "System", args.filter.system) } : {}),
          },
        }),
    }),
    job: t.field({
      type: JobRef,
      nullable: true,
      ...read,
      description: "One job; null when there is none.",
      args: { key: t.arg.string({ required: true, description: keyDescription }) },
      resolve: (_root, { key }, { database }) => catalogueByKey(database, "job", by("Job", key)),
    }),
    jobs: t.field({
      type: JobConnection,
      ...read,
      description: "Jobs by key.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: JobFilterInput, description: "Which ones." }), orderBy: t.arg(order) },
      resolve: async (_root, args, context) =>
        cataloguePage(context.database, "job", {
          ...args,
          descending: args.orderBy === "desc",
          filter: {
            ...args.filter,
            ...(typeof args.filter?.integration === "string"
              ? { integration: await keyOf(context, "Integration", args.filter.integration) }
              : {}),
          },
        }),
    }),
  }));
}
