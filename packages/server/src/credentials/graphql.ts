import { DomainError, rotationStates, rotationTriggers } from "@quiesce/core";
import type { CommandContext } from "../command.js";
import { batched } from "../graphql/batched.js";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf } from "../graphql/key-or-id.js";
import { EndpointRef, RotationRef } from "../graphql/refs.js";
import { type RequestContext, runCommand } from "../graphql/request-context.js";
import { defineMasterKey } from "./graphql-master-key.js";
import { type CredentialFacts, credentialsOf, rotationPage } from "./queries.js";
import { cancelRotation, requestRotation, type RotationContext, stageCredential } from "./rotation-commands.js";

const read = { authScopes: { can: "catalogue.read" } } as const;
const rotate = { authScopes: { can: "credentials.rotate" } } as const;
/** Secrets handed in at once. */
const MAX_SECRETS = 20;

const credentials = batched(
  (ids: readonly number[], { database }) => credentialsOf(database, ids),
  (row) => row.endpointId,
);

/** Credentials of endpoints and how they are renewed; the master key. */
export function defineCredentials(): void {
  defineCredential();
  defineRotation();
  defineMutations();
  defineMasterKey();
}

function defineCredential(): void {
  const CredentialRef = builder.objectRef<CredentialFacts>("Credential").implement({
    description: "The secrets that an endpoint works with, as one; never their values.",
    fields: (t) => ({
      version: t.exposeInt("version", {
        description: "0: those of the workspace; else the number of the rotation's secrets that stand in their place.",
      }),
      since: t.expose("since", { type: "DateTime", description: "Since when they are in force." }),
      expiresAt: t.expose("expiresAt", {
        type: "DateTime",
        nullable: true,
        description: "When the first certificate or token among them ends; null: not known.",
      }),
      every: t.string({
        nullable: true,
        description: "How often they are renewed; null: only by hand.",
        resolve: (row) => row.policy.every,
      }),
      beforeExpiry: t.string({
        nullable: true,
        description: "How long before their end they are renewed; null: only by hand.",
        resolve: (row) => row.policy.beforeExpiry,
      }),
      rotating: t.exposeBoolean("isOpen", { description: "Whether a rotation is under way." }),
    }),
  });
  builder.objectField(EndpointRef, "credential", (t) =>
    t.field({
      type: CredentialRef,
      nullable: true,
      description: "What it works with, and how that is renewed.",
      resolve: (row, _args, context) => credentials.one(context, row.id),
    }),
  );
}

function defineRotation(): void {
  const StateEnum = capsEnum("RotationState", "How far a rotation is.", [...rotationStates], {
    awaiting: "A person has to hand in new secrets: `stageCredential`.",
    issuing: "The system is asked for new secrets.",
    testing: "The system is asked whether it takes the new secrets. Nothing works with them yet.",
    checking: "New runs work with them; the system is asked once more.",
    draining: "Runs that began with the old secrets end.",
    revoking: "The old secrets are ended at the system.",
    returning: "Runs that began with the new secrets end: the old ones, or those that the workspace gave meanwhile, are in force.",
    discarding: "The new secrets are ended at the system.",
    succeeded: "The new secrets are in force.",
    unrevoked: "The new secrets are in force, but the old ones could not be ended at the system.",
    failed: "The new secrets are not in force.",
  });
  const TriggerEnum = capsEnum("RotationTrigger", "Why a rotation began.", [...rotationTriggers], {
    schedule: "Its time had come.",
    expiry: "A certificate or token ends soon.",
    manual: "Somebody asked for it.",
    staged: "Somebody handed in new secrets.",
  });
  builder.objectType(RotationRef, {
    description: "One change of an endpoint's secrets, step by step. Every step survives a server's death.",
    ...read,
    fields: (t) => ({
      key: t.exposeString("id", { description: "Its uuid." }),
      endpoint: t.field({ type: EndpointRef, description: "Whose secrets change.", resolve: (row) => String(row.endpointId) }),
      trigger: t.expose("trigger", { type: TriggerEnum, description: "Why it began." }),
      state: t.expose("state", { type: StateEnum, description: "How far it is." }),
      requestedBy: t.exposeString("requestedBy", { description: "Who began it." }),
      reason: t.exposeString("reason", { nullable: true, description: "Why, in words." }),
      secretNames: t.stringList({ description: "Which secrets change, once that is known.", resolve: (row) => [...row.secretNames] }),
      begunAt: t.expose("begunAt", { type: "DateTime", description: "When it began." }),
      stateSince: t.expose("stateSince", { type: "DateTime", description: "Since when it is as it is." }),
      failures: t.exposeInt("failures", { description: "Tries of the present step that failed." }),
      nextAt: t.expose("nextAt", {
        type: "DateTime",
        nullable: true,
        description: "When it is looked at next; null: it ended, or waits for a person.",
      }),
      switchedAt: t.expose("switchedAt", {
        type: "DateTime",
        nullable: true,
        description: "When new runs began to work with the new secrets.",
      }),
      problem: t.exposeString("problem", { nullable: true, description: "Why it failed or waits, or what is left to do." }),
      endedAt: t.expose("endedAt", { type: "DateTime", nullable: true, description: "When it ended; null: it is under way." }),
    }),
  });
  const RotationConnection = builder.connectionObject(
    { type: RotationRef, name: "CredentialRotationConnection", description: "A page of rotations." },
    { name: "CredentialRotationEdge", description: "A rotation in a list." },
  );
  builder.queryField("credentialRotations", (t) =>
    t.field({
      type: RotationConnection,
      ...read,
      description: "Rotations of endpoints' secrets, newest first; kept for 400 days.",
      args: {
        ...pageArgs,
        endpoint: t.arg.string({ description: "Only of this endpoint, by its key or id." }),
        open: t.arg.boolean({ description: "Only those under way (true) or ended (false)." }),
      },
      complexity: pageComplexity,
      resolve: async (_root, { endpoint, open, ...args }, context) => {
        const key = typeof endpoint === "string" ? await keyOf(context, "Endpoint", endpoint) : null;
        return rotationPage(context.database, args, { endpoint: key, open });
      },
    }),
  );
}

function defineMutations(): void {
  const RotateInput = builder.inputType("RotateCredentialInput", {
    description: "An endpoint whose secrets are to be renewed now.",
    fields: (t) => ({
      endpoint: t.string({ required: true, description: "Its key or id." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const SecretInput = builder.inputType("NewSecretInput", {
    description: "The new value of one secret. Pass it as a variable, not in the document.",
    fields: (t) => ({
      name: t.string({ required: true, description: "Which secret of the connector." }),
      value: t.string({ required: true, description: "Its value; never shown again." }),
    }),
  });
  const StageInput = builder.inputType("StageCredentialInput", {
    description: "New secrets, made at the system by a person.",
    fields: (t) => ({
      endpoint: t.string({ required: true, description: "The endpoint's key or id." }),
      secrets: t.field({ type: [SecretInput], required: true, description: "Those that change; the others stay as they are." }),
      expiresAt: t.field({ type: "DateTime", description: "When they end, if that is known; of certificates it is." }),
      reason: t.string({ description: "Why; it goes into the audit trail." }),
    }),
  });
  const CancelInput = builder.inputType("CancelRotationInput", {
    description: "A rotation to end before it has switched anything.",
    fields: (t) => ({
      endpoint: t.string({ required: true, description: "The endpoint's key or id." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const on = async (context: RequestContext, endpoint: string, work: (command: CommandContext, key: string) => Promise<string>) => {
    const key = await keyOf(context, "Endpoint", endpoint);
    return runCommand(context, { action: "credentials.rotate", on: [{ kind: "endpoint", key }] }, (command) => work(command, key));
  };
  builder.mutationFields((t) => ({
    rotateCredential: t.field({
      type: RotationRef,
      ...rotate,
      description: "Renews the secrets of an endpoint. Where its connector cannot issue any, the rotation waits for `stageCredential`.",
      args: { input: t.arg({ type: RotateInput, required: true, description: "Whose." }) },
      resolve: (_root, { input }, context) =>
        on(context, input.endpoint, (command, endpoint) =>
          requestRotation(rotationContext(context, command), { endpoint, reason: input.reason ?? undefined }),
        ),
    }),
    stageCredential: t.field({
      type: RotationRef,
      ...rotate,
      description: "Hands in new secrets of an endpoint. They are tested before any run works with them; then the old ones are ended.",
      args: { input: t.arg({ type: StageInput, required: true, description: "Whose, and which." }) },
      resolve: (_root, { input }, context) => {
        const values = valuesOf(input.secrets);
        return on(context, input.endpoint, (command, endpoint) =>
          stageCredential(rotationContext(context, command), {
            endpoint,
            values,
            expiresAt: input.expiresAt ?? null,
            reason: input.reason ?? undefined,
          }),
        );
      },
    }),
    cancelRotation: t.field({
      type: RotationRef,
      ...rotate,
      description: "Ends a rotation that has not switched anything yet; the old secrets stay in force.",
      args: { input: t.arg({ type: CancelInput, required: true, description: "Which." }) },
      resolve: (_root, { input }, context) =>
        on(context, input.endpoint, (command, endpoint) => cancelRotation(command, { endpoint, reason: input.reason })),
    }),
  }));
}

function rotationContext({ catalogue, rotation }: RequestContext, command: CommandContext): RotationContext {
  if (rotation === undefined)
    throw new DomainError("QSC_ENDPOINT_CHECK_UNAVAILABLE", "This server runs no connectors. Ask one that does.", { field: "endpoint" });
  return { ...command, keys: catalogue.keys, calls: rotation };
}

function valuesOf(secrets: readonly { readonly name: string; readonly value: string }[]): { readonly [name: string]: string } {
  const names = secrets.map(({ name }) => name);
  if (secrets.length > MAX_SECRETS || new Set(names).size < names.length)
    throw new DomainError("QSC_CREDENTIALS_NOT_FITTING", `Expected at most ${MAX_SECRETS} secrets, each once; found ${secrets.length}.`, {
      field: "secrets",
    });
  return Object.fromEntries(secrets.map(({ name, value }) => [name, value]));
}
