import type { Grant, Role } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { numberOf } from "../graphql/key-or-id.js";
import { ApiTokenRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { GrantInput, GrantRef, grantsOf, RoleEnum } from "./graphql-grants.js";
import { tokenPage } from "./queries.js";
import { ofDeployment } from "./targets.js";
import { given } from "../windows/graphql-inputs.js";
import { createStreamTicket, type StreamTicket } from "./stream-tickets.js";
import { createToken, type NewToken, revokeToken } from "./tokens.js";

const read = { authScopes: { can: "tokens.read" } } as const;
const write = { authScopes: { can: "tokens.write" } } as const;

const TokenConnection = builder.connectionObject(
  { type: ApiTokenRef, name: "ApiTokenConnection", description: "A page of tokens." },
  { name: "ApiTokenEdge", description: "A token in a list." },
);

/** API tokens. */
export function defineAccess(): void {
  builder.objectType(ApiTokenRef, {
    description: "An API token. Its secret was shown when it was made, and is kept nowhere.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      name: t.exposeString("name", { description: "Who or what uses it." }),
      prefix: t.exposeString("prefix", { description: "Its first characters, to tell tokens apart." }),
      grants: t.field({ type: [GrantRef], description: "What it may do, where.", resolve: (row) => row.grants }),
      role: t.field({
        type: RoleEnum,
        deprecationReason: "A token may have several grants: ask for `grants`.",
        description: "The role of its first grant.",
        resolve: (row) => firstRole(row.grants),
      }),
      createdBy: t.exposeString("createdBy", { description: "Who made it." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was made." }),
      expiresAt: t.expose("expiresAt", { type: "DateTime", nullable: true, description: "When it ends by itself; null: never." }),
      revokedAt: t.expose("revokedAt", { type: "DateTime", nullable: true, description: "When it was revoked." }),
      lastUsedAt: t.expose("lastUsedAt", { type: "DateTime", nullable: true, description: "When it was last used, to the minute." }),
    }),
  });
  builder.queryField("tokens", (t) =>
    t.field({
      type: TokenConnection,
      ...read,
      description: "API tokens, newest first.",
      args: pageArgs,
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => tokenPage(database, args),
    }),
  );
  defineMutations();
  defineStreamTickets();
}

const firstRole = (grants: readonly Grant[]): Role => grants[0]?.role ?? "viewer";

function defineMutations(): void {
  const CreatedRef = builder.objectRef<NewToken>("CreatedToken").implement({
    description: "A new token with its secret.",
    ...write,
    fields: (t) => ({
      token: t.field({ type: ApiTokenRef, description: "The token.", resolve: (row) => String(row.id) }),
      secret: t.exposeString("secret", { description: "Shown this once: keep it now, or make another token." }),
    }),
  });
  const CreateInput = builder.inputType("CreateTokenInput", {
    description: "A token to make.",
    fields: (t) => ({
      name: t.string({ required: true, description: "Who or what will use it." }),
      role: t.field({ type: RoleEnum, description: "What it may do everywhere; or `grants`." }),
      grants: t.field({ type: [GrantInput], description: "What it may do, where; with `role` they add up." }),
      expiresAt: t.field({ type: "DateTime", description: "When it ends by itself; left out: never." }),
      account: t.string({
        description:
          "The name of the account that it belongs to; left out: a service account of the token's own name, made when there is none.",
      }),
    }),
  });
  const RevokeInput = builder.inputType("RevokeTokenInput", {
    description: "A token to end.",
    fields: (t) => ({
      key: t.id({ required: true, description: "The token's key or id." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    createToken: t.field({
      type: CreatedRef,
      ...write,
      description: "Makes a token.",
      args: { input: t.arg({ type: CreateInput, required: true, description: "Which." }) },
      resolve: (_root, { input }, context) => {
        const { grants, ...rest } = given(input);
        const wanted = { ...rest, grants: grants === undefined ? undefined : grantsOf(grants) };
        return runCommand(context, ofDeployment("tokens.write"), (command) => createToken(command, wanted));
      },
    }),
    revokeToken: t.field({
      type: ApiTokenRef,
      ...write,
      description: "Ends a token at once. Its open subscriptions are closed within five seconds.",
      args: { input: t.arg({ type: RevokeInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("ApiToken", input.key, "key");
        return String(
          (
            await runCommand(context, ofDeployment("tokens.write"), (command) =>
              revokeToken(command, { id, reason: input.reason ?? undefined }),
            )
          ).id,
        );
      },
    }),
  }));
}

function defineStreamTickets(): void {
  const TicketRef = builder.objectRef<StreamTicket>("StreamTicket").implement({
    description: "Opens one stream of server-sent events without a header, as a browser's EventSource does.",
    fields: (t) => ({
      ticket: t.exposeString("secret", { description: "Pass it once: GET /graphql/stream?ticket=…&query=…" }),
      expiresAt: t.expose("expiresAt", { type: "DateTime", description: "The stream must be opened before; half a minute from now." }),
    }),
  });
  builder.mutationField("createStreamTicket", (t) =>
    t.field({
      type: TicketRef,
      authScopes: { can: "events.read" },
      description: "Makes a ticket with the rights of the token that asks. The stream that it opens ends when that token does.",
      resolve: (_root, _args, { whole, credential }) => createStreamTicket({ database: whole }, credential),
    }),
  );
}
