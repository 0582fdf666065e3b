import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const rotation = z.object({
  key: z.string(),
  endpoint: z.object({ key: z.string() }),
  trigger: z.string(),
  state: z.string(),
  requestedBy: z.string(),
  reason: z.string().nullable(),
  secretNames: z.array(z.string()),
  begunAt: z.string(),
  stateSince: z.string(),
  failures: z.number(),
  nextAt: z.string().nullable(),
  switchedAt: z.string().nullable(),
  problem: z.string().nullable(),
  endedAt: z.string().nullable(),
});
export type RotationAnswer = z.output<typeof rotation>;
const ROTATION_FIELDS =
  "key endpoint { key } trigger state requestedBy reason secretNames begunAt stateSince failures nextAt switchedAt problem endedAt";

const credential = z.object({
  version: z.number(),
  since: z.string(),
  expiresAt: z.string().nullable(),
  every: z.string().nullable(),
  beforeExpiry: z.string().nullable(),
  rotating: z.boolean(),
});
export const listCredentials = operation(
  `query Credentials($first: Int, $after: String) {
    endpoints(first: $first, after: $after) {
      nodes { key credential { version since expiresAt every beforeExpiry rotating } } pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ endpoints: z.object({ nodes: z.array(z.object({ key: z.string(), credential: credential.nullable() })), pageInfo }) }),
);

export const listRotations = operation(
  `query Rotations($first: Int, $after: String, $endpoint: String, $open: Boolean) {
    credentialRotations(first: $first, after: $after, endpoint: $endpoint, open: $open) {
      nodes { ${ROTATION_FIELDS} } pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ credentialRotations: z.object({ nodes: z.array(rotation), pageInfo }) }),
);

export const rotateCredential = operation(
  `mutation RotateCredential($input: RotateCredentialInput!) { rotateCredential(input: $input) { ${ROTATION_FIELDS} } }`,
  z.object({ rotateCredential: rotation }),
);
export const stageCredential = operation(
  `mutation StageCredential($input: StageCredentialInput!) { stageCredential(input: $input) { ${ROTATION_FIELDS} } }`,
  z.object({ stageCredential: rotation }),
);
export const cancelRotation = operation(
  `mutation CancelRotation($input: CancelRotationInput!) { cancelRotation(input: $input) { ${ROTATION_FIELDS} } }`,
  z.object({ cancelRotation: rotation }),
);

const masterKey = z.object({
  current: z.string(),
  others: z.array(z.string()),
  sealed: z.array(z.object({ masterKey: z.string(), values: z.number() })),
  remaining: z.number(),
  moved: z.number(),
});
export type MasterKeyAnswer = z.output<typeof masterKey>;
const MASTER_KEY_FIELDS = "current others sealed { masterKey values } remaining moved";
export const readMasterKey = operation(`query MasterKey { masterKey { ${MASTER_KEY_FIELDS} } }`, z.object({ masterKey }));
export const rotateMasterKey = operation(
  `mutation RotateMasterKey($input: RotateMasterKeyInput!) { rotateMasterKey(input: $input) { ${MASTER_KEY_FIELDS} } }`,
  z.object({ rotateMasterKey: masterKey }),
);
