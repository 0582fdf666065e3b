import { builder } from "../graphql/builder.js";
import { batched } from "../graphql/batched.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { idInside, numberOf } from "../graphql/key-or-id.js";
import { ApiTokenRef, PrincipalRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { GrantInput, GrantRef, grantsOf } from "./graphql-grants.js";
import { openSessionsOf, principalByKey, principalPage, type SessionView, validTokensOf } from "./principal-queries.js";
import { createServiceAccount, disablePrincipal, enablePrincipal, setServiceAccountOwner } from "./principals.js";
import { createSignInLink, type NewSignInLink, signInAddress } from "./sign-in-links.js";
import { ofDeployment } from "./targets.js";

const read = { authScopes: { can: "tokens.read" } } as const;
const write = { authScopes: { can: "tokens.write" } } as const;

export const PrincipalKindEnum = capsEnum("PrincipalKind", "Who an account stands for.", ["person", "service"], {
  person: "Somebody who signs in with a browser.",
  service: "A program that shows a token.",
});
const SignInMethodEnum = capsEnum("SignInMethod", "How a session was begun.", ["oidc", "link"], {
  oidc: "At the identity provider.",
  link: "By a link that was good once.",
});

/** A session as its person, and whoever lists accounts, sees it. */
export const SessionRef = builder.objectRef<SessionView>("Session").implement({
  description: "A browser's session. Its secret is in the browser's cookie and nowhere else.",
  fields: (t) => ({
    key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
    method: t.expose("method", { type: SignInMethodEnum, description: "How it was begun." }),
    browser: t.exposeString("browser", { nullable: true, description: "What the browser called itself then." }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was begun." }),
    lastUsedAt: t.expose("lastUsedAt", { type: "DateTime", description: "When it was last used, to the minute." }),
    idleUntil: t.expose("idleUntil", { type: "DateTime", description: "When it ends without another request." }),
    expiresAt: t.expose("expiresAt", { type: "DateTime", description: "When it ends, whatever is done." }),
  }),
});

const PrincipalConnection = builder.connectionObject(
  { type: PrincipalRef, name: "PrincipalConnection", description: "A page of accounts." },
  { name: "PrincipalEdge", description: "An account in a list." },
);
const sessions = batched<number, SessionView>(
  (ids, { database }) => openSessionsOf(database, ids),
  (row) => row.principalId,
);

/** Accounts of people and programs. */
export function definePrincipals(): void {
  builder.objectType(PrincipalRef, {
    description: "An account: a person or a program, by the name that approvals, holds and the audit trail know.",
    ...read,
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      kind: t.expose("kind", { type: PrincipalKindEnum, description: "Whom it stands for." }),
      name: t.exposeString("name", { description: "Unique, and its own for good." }),
      issuer: t.exposeString("issuer", {
        nullable: true,
        description:
          "The identity provider that vouches for the person; null: a service account, or a local person, who signs in by links.",
      }),
      email: t.exposeString("email", { nullable: true, description: "As the identity provider said it at the last sign-in." }),
      owner: t.exposeString("owner", { nullable: true, description: "The team or person that answers for a service account." }),
      grants: t.field({
        type: [GrantRef],
        description: "What sessions of the account may do, where. Tokens have grants of their own.",
        resolve: (row) => [...row.grants],
      }),
      createdBy: t.exposeString("createdBy", { description: "Who made it." }),
      createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was made." }),
      disabledAt: t.expose("disabledAt", {
        type: "DateTime",
        nullable: true,
        description: "Since when nothing of it is let in; null: it is not disabled.",
      }),
      lastSeenAt: t.expose("lastSeenAt", { type: "DateTime", nullable: true, description: "When it was last seen, to the minute." }),
      sessions: t.field({
        type: [SessionRef],
        description: "Its open sessions, newest first; at most 20.",
        resolve: (row, _args, context) => sessions.many(context, row.id),
      }),
      tokens: t.field({
        type: [ApiTokenRef],
        description: "Its tokens that are valid, newest first; at most 200.",
        resolve: async (row, _args, { database }) => [...(await validTokensOf(database, row.id))],
      }),
    }),
  });
  const FilterInput = builder.inputType("PrincipalFilter", {
    description: "Which accounts.",
    fields: (t) => ({
      kind: t.field({ type: PrincipalKindEnum, description: "Of this kind." }),
      disabled: t.boolean({ description: "true: those that are disabled; false: the others." }),
    }),
  });
  builder.queryFields((t) => ({
    principals: t.field({
      type: PrincipalConnection,
      ...read,
      description: "Accounts of people and programs, oldest first.",
      args: { ...pageArgs, filter: t.arg({ type: FilterInput, description: "Which." }) },
      complexity: pageComplexity,
      resolve: (_root, args, { database }) => principalPage(database, args),
    }),
    principal: t.field({
      type: PrincipalRef,
      nullable: true,
      ...read,
      description: "One account; null when there is none.",
      args: { key: t.arg.string({ required: true, description: "Its key, id or name." }) },
      resolve: (_root, { key }, { database }) => principalByKey(database, keyOrName(key)),
    }),
  }));
  defineMutations();
}

function keyOrName(text: string): number | string {
  const id = idInside("Principal", text) ?? text;
  return /^\d{1,15}$/.test(id) ? Number(id) : text;
}

function defineMutations(): void {
  const CreateInput = builder.inputType("CreateServiceAccountInput", {
    description: "An account for a program.",
    fields: (t) => ({
      name: t.string({ required: true, description: "What the program is called; nobody else may have the name." }),
      owner: t.string({ required: true, description: "The team or person that answers for it." }),
    }),
  });
  const OwnerInput = builder.inputType("SetServiceAccountOwnerInput", {
    description: "Who answers for a service account from now on.",
    fields: (t) => ({
      key: t.id({ required: true, description: "Its key or id." }),
      owner: t.string({ required: true, description: "The team or person that answers for it." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const TurnInput = builder.inputType("PrincipalTurnInput", {
    description: "An account to disable, or to enable again.",
    fields: (t) => ({
      key: t.id({ required: true, description: "Its key or id." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const LinkInput = builder.inputType("CreateSignInLinkInput", {
    description: "Whom a link is for.",
    fields: (t) => ({
      name: t.string({ description: "A local person's name; left out: the local admin." }),
      grants: t.field({ type: [GrantInput], description: "Makes a new local person who may do this." }),
    }),
  });
  const LinkRef = builder.objectRef<NewSignInLink>("SignInLink").implement({
    description: "Signs one browser in, once.",
    ...write,
    fields: (t) => ({
      name: t.exposeString("name", { description: "As whom." }),
      secret: t.exposeString("secret", { description: "Shown this once. The address is <server>/auth/link#<secret>." }),
      url: t.string({
        nullable: true,
        description: "The whole address, where the server knows its own (QUIESCE_PUBLIC_URL).",
        resolve: (row, _args, { publicUrl }) => (publicUrl === undefined ? null : signInAddress(publicUrl, row.secret)),
      }),
      expiresAt: t.expose("expiresAt", { type: "DateTime", description: "It must be used before; 15 minutes from now." }),
    }),
  });
  builder.mutationFields((t) => ({
    createServiceAccount: t.field({
      type: PrincipalRef,
      ...write,
      description: "Makes an account for a program. It does nothing before it has a token: createToken(input: { account }).",
      args: { input: t.arg({ type: CreateInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) =>
        String((await runCommand(context, ofDeployment("tokens.write"), (command) => createServiceAccount(command, input))).id),
    }),
    setServiceAccountOwner: t.field({
      type: PrincipalRef,
      ...write,
      description: "Says which team or person answers for a service account: one without an owner is a finding of every access review.",
      args: { input: t.arg({ type: OwnerInput, required: true, description: "Which, and who." }) },
      resolve: async (_root, { input }, context) => {
        const wanted = { id: numberOf("Principal", input.key, "key"), owner: input.owner, reason: input.reason ?? undefined };
        return String((await runCommand(context, ofDeployment("tokens.write"), (command) => setServiceAccountOwner(command, wanted))).id);
      },
    }),
    disablePrincipal: t.field({
      type: PrincipalRef,
      ...write,
      description:
        "Ends everything an account can do: its tokens are refused, its sessions end, its open streams are closed within five seconds.",
      args: { input: t.arg({ type: TurnInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const wanted = { id: numberOf("Principal", input.key, "key"), reason: input.reason ?? undefined };
        return String((await runCommand(context, ofDeployment("tokens.write"), (command) => disablePrincipal(command, wanted))).id);
      },
    }),
    enablePrincipal: t.field({
      type: PrincipalRef,
      ...write,
      description: "Lets an account in again, with the tokens that it had. Its sessions stay ended.",
      args: { input: t.arg({ type: TurnInput, required: true, description: "Which." }) },
      resolve: async (_root, { input }, context) => {
        const wanted = { id: numberOf("Principal", input.key, "key"), reason: input.reason ?? undefined };
        return String((await runCommand(context, ofDeployment("tokens.write"), (command) => enablePrincipal(command, wanted))).id);
      },
    }),
    createSignInLink: t.field({
      type: LinkRef,
      ...write,
      description: "Makes a link that signs a browser in as a local person, once, within 15 minutes.",
      args: { input: t.arg({ type: LinkInput, required: true, description: "For whom." }) },
      resolve: (_root, { input }, context) => {
        const wanted = { name: input.name ?? undefined, grants: input.grants ? grantsOf(input.grants) : undefined };
        return runCommand(context, ofDeployment("tokens.write"), (command) => createSignInLink(command, wanted));
      },
    }),
  }));
}
