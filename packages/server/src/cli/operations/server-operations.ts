import { z } from "zod";
import { operation } from "../graphql-client.js";
import { TOKEN_FIELDS, tokenShape } from "./shapes.js";

export const listTokens = operation(
  `query Tokens($first: Int, $after: String) { tokens(first: $first, after: $after) { nodes { ${TOKEN_FIELDS} } pageInfo { hasNextPage endCursor } } }`,
  z.object({
    tokens: z.object({ nodes: z.array(tokenShape), pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }) }),
  }),
);
export const createToken = operation(
  `mutation CreateToken($input: CreateTokenInput!) { createToken(input: $input) { secret token { ${TOKEN_FIELDS} } } }`,
  z.object({ createToken: z.object({ secret: z.string(), token: tokenShape }) }),
);
export const revokeToken = operation(
  `mutation RevokeToken($input: RevokeTokenInput!) { revokeToken(input: $input) { ${TOKEN_FIELDS} } }`,
  z.object({ revokeToken: tokenShape }),
);

export const readHealth = operation(
  "query Health { health { status version checks { name status detail observed } } }",
  z.object({
    health: z.object({
      status: z.string(),
      version: z.string(),
      checks: z.array(z.object({ name: z.string(), status: z.string(), detail: z.string().nullable(), observed: z.unknown() })),
    }),
  }),
);

const clockStep = z.object({ seenAt: z.string(), byMs: z.number(), server: z.string() }).nullable();
export const readClockStep = operation(
  "query ClockStep { control { clockStep { seenAt byMs server } } }",
  z.object({ control: z.object({ clockStep }) }),
);
export const acknowledgeClockStep = operation(
  "mutation AcknowledgeClockStep($input: AcknowledgeClockStepInput!) { acknowledgeClockStep(input: $input) { clockStep { seenAt byMs server } } }",
  z.object({ acknowledgeClockStep: z.object({ clockStep }) }),
);

const fieldChange = z.object({ path: z.string(), before: z.unknown(), after: z.unknown() });
const workspaceChange = z.object({
  kind: z.enum(["CREATE", "UPDATE", "DELETE"]),
  objectType: z.string(),
  key: z.string(),
  fields: z.array(fieldChange),
});
export type WorkspaceChangeAnswer = z.infer<typeof workspaceChange>;

const workspaceFreeze = z.object({ window: z.string(), freezes: z.array(z.string()), nearest: z.string().nullable(), message: z.string() });
export type WorkspaceFreezeAnswer = z.infer<typeof workspaceFreeze>;

export const applyWorkspace = operation(
  `mutation ApplyWorkspace($input: ApplyWorkspaceInput!) {
    applyWorkspace(input: $input) { dryRun changes { kind objectType key fields { path before after } } freezes { window freezes nearest message } }
  }`,
  z.object({ applyWorkspace: z.object({ dryRun: z.boolean(), changes: z.array(workspaceChange), freezes: z.array(workspaceFreeze) }) }),
);
export const readWorkspace = operation(
  "query Workspace { workspace { document } }",
  z.object({ workspace: z.object({ document: z.string() }) }),
);
