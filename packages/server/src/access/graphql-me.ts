import { canEverywhere, type Principal } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { type RequestContext, runOwnCommand } from "../graphql/request-context.js";
import { GrantRef } from "./graphql-grants.js";
import { PrincipalKindEnum, SessionRef } from "./graphql-principals.js";
import { openSessionsOf, principalByKey, type PrincipalView, validTokensOf } from "./principal-queries.js";
import type { TokenView } from "./queries.js";
import { createOwnToken, revokeOwnToken } from "./own-tokens.js";
import { endSession } from "./sessions.js";
import type { NewToken } from "./tokens.js";

/** Whoever was recognised may ask who it is. */
const anybody = { authScopes: { recognised: true } } as const;

interface Me {
  readonly account: PrincipalView;
  /** The rights of the credential that was shown, which may be a token's own. */
  readonly principal: Principal;
}

/** What a caller sees of itself. */
export function defineMe(): void {
  const OwnTokenRef = builder.objectRef<TokenView>("OwnToken").implement({
    description: "A token of the caller's own account.",
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      name: t.exposeString("name", { description: "What it is called." }),
      prefix: t.exposeString("prefix", { description: "Its first characters, to tell tokens apart." }),
      expiresAt: t.expose("expiresAt", { type: "DateTime", nullable: true, description: "When it ends by itself; null: never." }),
      lastUsedAt: t.expose("lastUsedAt", { type: "DateTime", nullable: true, description: "When it was last used, to the minute." }),
    }),
  });
  const MeRef = builder.objectRef<Me>("Me").implement({
    description: "Who asks.",
    fields: (t) => ({
      key: t.string({ description: "The account's key.", resolve: ({ account }) => String(account.id) }),
      name: t.string({ description: "The account's name.", resolve: ({ account }) => account.name }),
      kind: t.field({ type: PrincipalKindEnum, description: "A person or a program.", resolve: ({ account }) => account.kind }),
      email: t.string({ nullable: true, description: "As the identity provider said it.", resolve: ({ account }) => account.email }),
      grants: t.field({
        type: [GrantRef],
        description: "What this caller may do, where: of the token that it showed, or of its session.",
        resolve: ({ principal }) => [...principal.grants],
      }),
      session: t.field({
        type: SessionRef,
        nullable: true,
        description: "The session that asks; null: a token asks.",
        resolve: async ({ account }, _args, context) =>
          (await ownSessions(account, context)).find(({ id }) => context.credential === `session:${id}`) ?? null,
      }),
      sessions: t.field({
        type: [SessionRef],
        description: "The open sessions of the account, newest first; at most 20.",
        resolve: async ({ account }, _args, context) => [...(await ownSessions(account, context))],
      }),
      tokens: t.field({
        type: [OwnTokenRef],
        description: "The tokens of the account that are valid, newest first; at most 200.",
        resolve: async ({ account }, _args, { whole }) => [...(await validTokensOf(whole, account.id))],
      }),
    }),
  });
  builder.queryField("me", (t) =>
    t.field({
      type: MeRef,
      ...anybody,
      description: "Who asks: the account behind the token or the session.",
      resolve: async (_root, _args, { whole, principal, principalId }) => {
        const account = await principalByKey(whole, principalId);
        if (account === null) throw new Error("A caller has no account.");
        return { account, principal };
      },
    }),
  );
  defineOwnTokens();
  const EndInput = builder.inputType("EndSessionInput", {
    description: "A session to end.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key, as me { sessions { key } } lists it." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const EndedRef = builder.objectRef<{ readonly id: number }>("EndedSession").implement({
    description: "A session that is over.",
    fields: (t) => ({ key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }) }),
  });
  builder.mutationField("endSession", (t) =>
    t.field({
      type: EndedRef,
      ...anybody,
      description:
        "Ends a session at once: one of the caller's own, or with the right to write tokens anybody's. Its open streams are closed within five seconds.",
      args: { input: t.arg({ type: EndInput, required: true, description: "Which." }) },
      resolve: (_root, { input }, context) => {
        const ownerId = canEverywhere(context.principal, "tokens.write") ? null : context.principalId;
        const id = numberIn(input.key);
        return runOwnCommand(context, (command) => endSession(command, { id, ownerId, reason: input.reason ?? undefined }));
      },
    }),
  );
}

function defineOwnTokens(): void {
  const MadeRef = builder.objectRef<NewToken>("CreatedOwnToken").implement({
    description: "A new token with its secret.",
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      secret: t.exposeString("secret", { description: "Shown this once: keep it now, or make another token." }),
    }),
  });
  const EndedRef = builder.objectRef<{ readonly id: number }>("RevokedOwnToken").implement({
    description: "A token that is over.",
    fields: (t) => ({ key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }) }),
  });
  const CreateInput = builder.inputType("CreateOwnTokenInput", {
    description: "A token of one's own.",
    fields: (t) => ({
      name: t.string({ required: true, description: "What uses it: laptop, deploy script." }),
      expiresAt: t.field({ type: "DateTime", required: true, description: "When it ends; within 90 days." }),
    }),
  });
  const RevokeInput = builder.inputType("RevokeOwnTokenInput", {
    description: "A token of one's own to end.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its key, as me { tokens { key } } lists it." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  builder.mutationFields((t) => ({
    createOwnToken: t.field({
      type: MadeRef,
      ...anybody,
      description:
        "Makes a token for one's own command line and scripts. It may do what its person may, and never more than the person may when it is used. Only a session makes one.",
      args: { input: t.arg({ type: CreateInput, required: true, description: "Which." }) },
      resolve: (_root, { input }, context) => {
        const { principalId, principal, credential } = context;
        const person = { principalId, grants: principal.grants, hasSession: credential.startsWith("session:") };
        return runOwnCommand(context, (command) => createOwnToken(command, person, input));
      },
    }),
    revokeOwnToken: t.field({
      type: EndedRef,
      ...anybody,
      description: "Ends a token of one's own at once. Its open subscriptions are closed within five seconds.",
      args: { input: t.arg({ type: RevokeInput, required: true, description: "Which." }) },
      resolve: (_root, { input }, context) =>
        runOwnCommand(context, (command) =>
          revokeOwnToken(command, context, { id: numberIn(input.key), reason: input.reason ?? undefined }),
        ),
    }),
  }));
}

/** What is no number is nothing's. */
const numberIn = (key: string): number => (/^\d{1,15}$/.test(key) ? Number(key) : 0);
const ownSessions = ({ id }: PrincipalView, { whole }: RequestContext) => openSessionsOf(whole, [id]);
