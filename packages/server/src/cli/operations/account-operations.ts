import { z } from "zod";
import { operation } from "../graphql-client.js";
import { GRANT_FIELDS, grantsShape } from "../grants.js";

const ACCOUNT_FIELDS = `key name kind issuer owner disabledAt lastSeenAt ${GRANT_FIELDS}`;
const account = z.object({
  key: z.string(),
  name: z.string(),
  kind: z.enum(["PERSON", "SERVICE"]),
  issuer: z.string().nullable(),
  owner: z.string().nullable(),
  disabledAt: z.string().nullable(),
  lastSeenAt: z.string().nullable(),
  grants: grantsShape,
});
export type AccountAnswer = z.infer<typeof account>;

export const listAccounts = operation(
  `query Accounts($first: Int, $after: String, $filter: PrincipalFilter) {
    principals(first: $first, after: $after, filter: $filter) { nodes { ${ACCOUNT_FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({
    principals: z.object({ nodes: z.array(account), pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }) }),
  }),
);
export const readAccount = operation(
  `query Account($key: String!) { principal(key: $key) { ${ACCOUNT_FIELDS} } }`,
  z.object({ principal: account.nullable() }),
);
export const createServiceAccount = operation(
  `mutation CreateServiceAccount($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { ${ACCOUNT_FIELDS} } }`,
  z.object({ createServiceAccount: account }),
);
export const setAccountOwner = operation(
  `mutation SetAccountOwner($input: SetServiceAccountOwnerInput!) { setServiceAccountOwner(input: $input) { ${ACCOUNT_FIELDS} } }`,
  z.object({ setServiceAccountOwner: account }),
);
export const disableAccount = operation(
  `mutation DisableAccount($input: PrincipalTurnInput!) { disablePrincipal(input: $input) { ${ACCOUNT_FIELDS} } }`,
  z.object({ disablePrincipal: account }),
);
export const enableAccount = operation(
  `mutation EnableAccount($input: PrincipalTurnInput!) { enablePrincipal(input: $input) { ${ACCOUNT_FIELDS} } }`,
  z.object({ enablePrincipal: account }),
);
export const createSignInLink = operation(
  "mutation CreateSignInLink($input: CreateSignInLinkInput!) { createSignInLink(input: $input) { name secret url expiresAt } }",
  z.object({ createSignInLink: z.object({ name: z.string(), secret: z.string(), url: z.string().nullable(), expiresAt: z.string() }) }),
);
