import { z } from "zod";
import { operation } from "../graphql-client.js";

const conflictShape = z.object({
  key: z.string(),
  stream: z.string(),
  recordKey: z.string(),
  field: z.string().nullable(),
  kind: z.string(),
  agreed: z.unknown(),
  source: z.unknown(),
  target: z.unknown(),
  rule: z.string(),
  message: z.string().nullable(),
  state: z.string(),
  winner: z.string().nullable(),
  decidedBy: z.string().nullable(),
  reason: z.string().nullable(),
  at: z.string(),
  integration: z.object({ key: z.string() }),
});
export type SyncConflictAnswer = z.infer<typeof conflictShape>;
const FIELDS = "key stream recordKey field kind agreed source target rule message state winner decidedBy reason at integration { key }";

export const listSyncConflicts = operation(
  `query SyncConflicts($first: Int, $after: String, $filter: SyncConflictFilter) {
    syncConflicts(first: $first, after: $after, filter: $filter) { nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } }
  }`,
  z.object({
    syncConflicts: z.object({
      nodes: z.array(conflictShape),
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
    }),
  }),
);
export const decideOneConflict = operation(
  `mutation DecideSyncConflict($input: DecideSyncConflictInput!) { decideSyncConflict(input: $input) { ${FIELDS} } }`,
  z.object({ decideSyncConflict: conflictShape }),
);
