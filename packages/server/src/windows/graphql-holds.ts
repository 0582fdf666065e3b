import type { WindowScope } from "@quiesce/core";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf } from "../graphql/key-or-id.js";
import { HoldRef, IntegrationRef, OccurrenceRef } from "../graphql/refs.js";
import { HoldKindEnum } from "../runs/graphql-gate.js";
import { MemberRef, ModeEnum } from "./graphql-vocabulary.js";
import { countsOfHolds, holdPage, memberCountsOfHolds, membersOfHolds } from "./queries.js";

const read = { authScopes: { can: "windows.read" } } as const;

const HoldStateEnum = capsEnum("HoldState", "Whether a hold holds.", ["upcoming", "active", "expired", "released"], {
  expired: "Its end has passed and its release is under way: it still holds.",
});
/** What a window or a pause covers. */
export const ScopeRef = builder.objectRef<WindowScope>("HoldScope");

/** The integrations of a hold. */
export const holdMembers = batched(
  (ids: readonly number[], { database }) => membersOfHolds(database, ids),
  (row) => row.holdId,
);
/** What a hold holds now. */
export const holdCounts = batched(
  (ids: readonly number[], { database }) => countsOfHolds(database, ids),
  (row) => row.holdId,
);
const memberCounts = batched(
  (ids: readonly number[], { database }) => memberCountsOfHolds(database, ids),
  (row) => row.holdId,
);
const HoldConnection = builder.connectionObject(
  { type: HoldRef, name: "HoldConnection", description: "A page of holds." },
  { name: "HoldEdge", description: "A hold in a list." },
);

const HoldFilterInput = builder.inputType("HoldFilter", {
  description: "Which holds; every field given must fit. Without `states`: UPCOMING and ACTIVE.",
  fields: (t) => ({
    integration: t.string({ description: "Covers this integration (key or id)." }),
    kinds: t.field({ type: [HoldKindEnum], description: "Of one of these kinds." }),
    states: t.field({ type: [HoldStateEnum], description: "In one of these states." }),
  }),
});

/** Holds of every kind, and the integrations that they cover. */
export function defineHolds(): void {
  defineParts();
  defineHold();
  defineQuery();
}

function defineParts(): void {
  builder.objectType(MemberRef, {
    description: "An integration that is covered.",
    fields: (t) => ({
      integration: t.field({ type: IntegrationRef, description: "The integration.", resolve: (row) => String(row.integrationId) }),
      path: t.exposeString("path", {
        description: "Why it is covered: by name, by a system (perhaps through hard dependencies), by a tag.",
      }),
    }),
  });
  builder.objectType(ScopeRef, {
    description: "What a window or a pause covers, by key.",
    fields: (t) => ({
      all: t.boolean({ description: "Everything.", resolve: (row) => row.all === true }),
      integrations: t.stringList({ description: "These integrations.", resolve: (row) => row.integrations ?? [] }),
      systems: t.stringList({
        description: "Integrations that touch these systems, or systems that depend hard on them.",
        resolve: (row) => row.systems ?? [],
      }),
      tags: t.stringList({ description: "Integrations that carry one of these tags.", resolve: (row) => row.tags ?? [] }),
    }),
  });
}

function defineHold(): void {
  builder.objectType(HoldRef, {
    description: "Something that keeps runs from starting, with owner, reason, start and expiry. A run goes when no hold covers it.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      kind: t.expose("kind", { type: HoldKindEnum, description: "What made it." }),
      mode: t.expose("mode", { type: ModeEnum, description: "Whether it holds, or only records." }),
      state: t.expose("state", { type: HoldStateEnum, description: "Whether it holds at this moment." }),
      scope: t.field({ type: ScopeRef, description: "What it covers.", resolve: (row) => row.scope }),
      title: t.exposeString("title", { description: "The window's title, or the kind in words." }),
      owner: t.exposeString("owner", { description: "Who answers for it." }),
      reason: t.exposeString("reason", { description: "Why." }),
      occurrence: t.field({
        type: OccurrenceRef,
        nullable: true,
        description: "The occurrence that it is of.",
        resolve: (row) => (row.occurrenceId === null ? null : String(row.occurrenceId)),
      }),
      beginsAt: t.expose("beginsAt", { type: "DateTime", description: "It holds from this instant on." }),
      expiresAt: t.expose("expiresAt", {
        type: "DateTime",
        nullable: true,
        description: "When it ends as planned; null: when somebody lifts it.",
      }),
      releasedAt: t.expose("releasedAt", { type: "DateTime", nullable: true, description: "When it was lifted." }),
      releasedBy: t.exposeString("releasedBy", { nullable: true, description: "Who lifted it." }),
      releaseReason: t.exposeString("releaseReason", { nullable: true, description: "Why it was lifted." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was written." }),
      members: t.field({
        type: [MemberRef],
        description: "The integrations it covers, and by which path; at most 200.",
        resolve: (row, _args, context) => holdMembers.many(context, row.id),
      }),
      memberCount: t.int({
        description: "How many integrations it covers.",
        resolve: async (row, _args, context) => (await memberCounts.one(context, row.id))?.members ?? 0,
      }),
    }),
  });
}

function defineQuery(): void {
  builder.queryFields((t) => ({
    holds: t.field({
      type: HoldConnection,
      ...read,
      description: "Holds by their beginning, newest first.",
      complexity: pageComplexity,
      args: { ...pageArgs, filter: t.arg({ type: HoldFilterInput, description: "Which ones." }) },
      resolve: async (_root, args, context) => {
        const integration =
          typeof args.filter?.integration === "string" ? await keyOf(context, "Integration", args.filter.integration) : null;
        return holdPage(context.database, { ...args, filter: { ...args.filter, integration } });
      },
    }),
  }));
}
