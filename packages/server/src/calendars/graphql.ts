import { type FeedScope, feedScopeKinds } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { numberOf } from "../graphql/key-or-id.js";
import { CalendarFeedRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { createCalendarFeed, type NewFeed, revokeCalendarFeed } from "./feed-commands.js";
import { defineCalendarImports } from "./graphql-imports.js";
import { feedPage } from "./queries.js";
import type { Change } from "../access/targets.js";

const read = { authScopes: { can: "windows.read" } } as const;
const write = { authScopes: { can: "windows.write" } } as const;

const FeedScopeEnum = capsEnum("CalendarFeedScope", "Whose windows a feed shows.", feedScopeKinds, {
  all: "Everybody's.",
  team: "Those that the team answers for, or that cover what it owns.",
  system: "Those that cover an integration which touches the system.",
  integration: "Those that cover the integration.",
  tag: "Those that cover an integration with the tag.",
});

/** Calendars that are read here, and calendars of others that are kept in step. */
export function defineCalendars(): void {
  defineFeeds();
  defineFeedMutations();
  defineCalendarImports();
}

function defineFeeds(): void {
  builder.objectType(CalendarFeedRef, {
    description:
      "A calendar of windows that calendar programs read by a secret address, which was shown when it was made and is kept nowhere.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      title: t.exposeString("title", { description: "The calendar's name." }),
      scope: t.field({ type: FeedScopeEnum, description: "Whose windows it shows.", resolve: (row) => row.scope.kind }),
      name: t.string({
        nullable: true,
        description: "The team, system, integration or tag.",
        resolve: (row) => (row.scope.kind === "all" ? null : row.scope.name),
      }),
      prefix: t.exposeString("prefix", { description: "The first characters of its secret, to tell feeds apart." }),
      createdBy: t.exposeString("createdBy", { description: "Who made it." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was made." }),
      lastReadAt: t.expose("lastReadAt", { type: "DateTime", nullable: true, description: "When it was last read, to the minute." }),
      revokedAt: t.expose("revokedAt", { type: "DateTime", nullable: true, description: "When it was revoked." }),
    }),
  });
  const FeedConnection = builder.connectionObject(
    { type: CalendarFeedRef, name: "CalendarFeedConnection", description: "A page of calendar feeds." },
    { name: "CalendarFeedEdge", description: "A calendar feed in a list." },
  );
  builder.queryField("calendarFeeds", (t) =>
    t.field({
      type: FeedConnection,
      ...read,
      description: "Calendar feeds, newest first.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => feedPage(database, args),
    }),
  );
}

function defineFeedMutations(): void {
  const CreatedRef = builder.objectRef<NewFeed>("CreatedCalendarFeed").implement({
    description: "A new calendar feed with its address.",
    fields: (t) => ({
      feed: t.field({ type: CalendarFeedRef, description: "The feed.", resolve: (row) => String(row.id) }),
      path: t.exposeString("path", { description: "Behind the server's address. Shown this once: whoever knows it reads the calendar." }),
    }),
  });
  const CreateInput = builder.inputType("CreateCalendarFeedInput", {
    description: "A calendar of windows to make.",
    fields: (t) => ({
      title: t.string({ required: true, description: "The calendar's name." }),
      scope: t.field({ type: FeedScopeEnum, required: true, description: "Whose windows it shows." }),
      name: t.string({ description: "The team, or the key of the system or integration, or the tag; not for ALL." }),
    }),
  });
  const RevokeInput = builder.inputType("RevokeCalendarFeedInput", {
    description: "A feed to end.",
    fields: (t) => ({
      key: t.id({ required: true, description: "The feed's key or id." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    createCalendarFeed: t.field({
      type: CreatedRef,
      ...write,
      description: "Makes a calendar of windows. Its address is a secret.",
      args: { input: t.arg({ type: CreateInput, required: true, description: "Which." }) },
      resolve: (_root, { input }, context) => {
        // The command parses it: a name beside ALL, or none beside the others, is refused there.
        const scope = { kind: input.scope, ...(typeof input.name === "string" ? { name: input.name } : {}) } as FeedScope;
        return runCommand(context, { action: "windows.write", on: [{ kind: "feed-scope", scope }] }, (command) =>
          createCalendarFeed(command, { title: input.title, scope }),
        );
      },
    }),
    revokeCalendarFeed: t.field({
      type: CalendarFeedRef,
      ...write,
      description: "Ends a feed's address at once.",
      args: { input: t.arg({ type: RevokeInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("CalendarFeed", input.key, "key");
        const change: Change = { action: "windows.write", on: [{ kind: "feed", key: id }] };
        return String(
          (await runCommand(context, change, (command) => revokeCalendarFeed(command, { id, reason: input.reason ?? undefined }))).id,
        );
      },
    }),
  }));
}
